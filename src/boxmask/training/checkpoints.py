"""The checkpoints of a training. A save that fails is reported, and tried again at the next save."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from boxmask.errors import OutputError
from boxmask.runs.run import Run
from boxmask.training.progress import Report
from boxmask.training.state import State
from boxmask.weights.checkpoint import CheckpointMetadata, save_checkpoint


@dataclass(frozen=True)
class UnsavedBest:
    """The best weights, while they cannot be written."""

    metric: float
    tensors: dict[str, Tensor]
    metadata: CheckpointMetadata


@dataclass
class Checkpoints:
    """Saves the state of a training to its run.

    error:        why the latest save failed; None if it did not
    unsaved_best: the best weights, if they could not be written
    saved_at:     stage, step and number of validations of the latest save; None if it failed, or if the stage
                  has other progress than steps
    """

    state: State
    run: Run
    report: Report
    error: OutputError | None = None
    unsaved_best: UnsavedBest | None = None
    saved_at: tuple[int, int, int] | None = None

    @property
    def is_current(self) -> bool:
        """Whether the latest save holds the current state."""
        return self.saved_at == self._position()

    @property
    def best_metric(self) -> float:
        """The highest deciding metric so far."""
        return self.unsaved_best.metric if self.unsaved_best else self.state.best

    def save(self, *, weights: bool = True) -> bool:
        """Save the state to resume from and, with `weights`, the last weights; returns whether it worked.

        The files of the previous save stay until those of this one are complete.
        """
        errors = []
        for save in (self._save_state if weights else self.state.save_to_resume, self._save_unsaved_best):
            try:
                save(self.run)
            except OutputError as error:
                errors.append(error)
        self._report(errors[0] if errors else None)
        self.saved_at = None if errors else self._position()
        if not errors:
            self.report.send_rows()
        return not errors

    def save_best(self, metric: float) -> None:
        """Save the result as the run's best checkpoint; if that fails, keep it for the next save."""
        state = self.state
        if not self.run.resume_file.is_file():
            self.save(weights=False)  # weights without a state could not be resumed
        try:
            state.save_best(self.run)
        except OutputError as error:
            tensors = {name: tensor.detach().clone() for name, tensor in state.result.state_dict().items()}
            self.unsaved_best = UnsavedBest(metric, tensors, state.metadata())
            self._report(error)
        else:
            self.unsaved_best, state.best = None, metric

    def save_final(self) -> bool:
        """Save the last weights of a complete training, now with its metrics; returns whether it worked."""
        try:
            self.state.save_last(self.run)
            self._save_unsaved_best(self.run)
        except OutputError as error:
            self.error = error
            return False
        self.report.send_rows()
        return True

    def _position(self) -> tuple[int, int, int]:
        return self.state.stage, self.state.clock.step, self.state.num_validated

    def _save_state(self, run: Run) -> None:
        """Save the state and the last weights; if there is no space for the state, the weights alone."""
        try:
            self.state.save(run)
        except OutputError:
            if run.resume_file.is_file():  # without a state, last weights are those of a complete training
                self.state.save_last(run)
            raise

    def _save_unsaved_best(self, run: Run) -> None:
        if best := self.unsaved_best:
            save_checkpoint(run.best_checkpoint, best.tensors, best.metadata)
            self.unsaved_best, self.state.best = None, best.metric

    def _report(self, error: OutputError | None) -> None:
        """Report the first of several failures, and the first success after them."""
        if error is not None and self.error is None:
            self.report.message(f"warning: {error} Training goes on, and tries again at the next save.")
        if error is None and self.error is not None:
            self.report.message("the run could be saved again")
        self.error = error
