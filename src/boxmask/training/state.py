"""The state of a training: everything that changes from step to step, and how it is saved and restored."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from boxmask.errors import CheckpointError
from boxmask.json_numbers import is_number
from boxmask.messages import one_line
from boxmask.pipeline.model import Model
from boxmask.runs.run import Run, versions
from boxmask.training.clock import Clock
from boxmask.training.validation_plan import COUNTERS, Validations
from boxmask.weights.checkpoint import CheckpointMetadata, read_checkpoint, save_checkpoint

# prefixes of the tensors' names in resume.safetensors
MODEL, OPTIMIZER, AVERAGE = "model.", "optimizer.", "average."

_COUNTERS = (
    "starts_trained",
    "stage",
    "earlier_seconds",
    "minutes",
    "best",
    "num_validated",
    "step",
    "seconds",
    *COUNTERS,
)


@dataclass(frozen=True)
class SavedState:
    """The contents of a run's resume.safetensors."""

    path: Path
    tensors: dict[str, Tensor]
    metadata: CheckpointMetadata

    @staticmethod
    def read(run: Run) -> SavedState:
        """Read the file; raises CheckpointError if it is missing or damaged."""
        tensors, metadata = read_checkpoint(run.resume_file)
        for name, value in {**metadata.metrics, **metadata.training}.items():
            if name in _COUNTERS and not (is_number(value) and abs(value) < 1e15):
                found = f"expected a number for {name}, found {str(value)[:60]}"
                raise CheckpointError(f"{run.resume_file}: {found}. Restore the file, or train again.")
        return SavedState(run.resume_file, tensors, metadata)

    @property
    def stage(self) -> int:
        """The number of the stage in which the state was saved."""
        return int(self.metadata.metrics.get("stage", 0))

    @property
    def minutes(self) -> float:
        """The length of that stage."""
        return float(self.metadata.metrics.get("minutes", 0.0))


@dataclass
class State:
    """The weights, and the moving average, optimizer and clock of the current stage.

    model:           the model's name, as in `models.table`
    average:         None if the recipe averages no weights
    optimizer:       None in stages without gradient descent
    recipe:          the recipe's fields by name, for the checkpoints' metadata
    starts_trained:  whether all weights, those of every class among them, came from another training
    best:            the highest deciding metric so far
    num_validated:   the number of validations done
    validations:     the plan of all validations
    metrics:         those of the latest validation
    stage:           the number of stages done
    earlier_seconds: the time that these stages took
    consistent:      False while a step or a new stage changes the state, which must not be saved then
    """

    model: str
    network: Model
    average: AveragedModel | None
    optimizer: torch.optim.Optimizer | None
    clock: Clock
    fingerprint: str
    recipe: dict[str, Any]
    starts_trained: bool = False
    best: float = -1.0
    num_validated: int = 0
    validations: Validations = field(default_factory=Validations)
    metrics: dict[str, Any] = field(default_factory=dict)
    stage: int = 0
    earlier_seconds: float = 0.0
    consistent: bool = True

    @property
    def has_trained(self) -> bool:
        """Whether there is anything to lose: a step or a stage is done."""
        return self.stage > 0 or self.clock.step > 0

    @property
    def seconds(self) -> float:
        """Seconds of training so far, in all stages; validations and compiling kernels do not count."""
        return self.earlier_seconds + self.clock.seconds

    def begin_stage(
        self,
        clock: Clock,
        optimizer: torch.optim.Optimizer | None = None,
        average: AveragedModel | None = None,
    ) -> None:
        """Replace the clock, optimizer and average of the previous stage."""
        self.clock, self.optimizer, self.average, self.num_validated = clock, optimizer, average, 0

    def finish_stage(self, *, last: bool) -> None:
        """Mark the current stage as done; the next stage starts from the averaged weights."""
        if not last:
            self.network.load_state_dict(self.result.state_dict())
            self.earlier_seconds = self.seconds
            self.begin_stage(Clock(None, 0.0))  # a new clock, so that the stage's seconds count once
        self.stage += 1

    @property
    def result(self) -> Model:
        """The trained network so far: the averaged one if there is an average."""
        if self.average is None:
            return self.network
        return cast(Model, self.average.module)

    # ---------------------------------------------------------------- saving

    def metadata(self) -> CheckpointMetadata:
        """Return the metadata of the run's checkpoints."""
        step, passes = self.clock.step, round(self.clock.passes, 3)
        progress = {"step": step, "passes": passes, "seconds": self.seconds, "recipe": self.recipe}
        config = asdict(self.network.config)
        return CheckpointMetadata(self.model, config, self.fingerprint, versions(), self.metrics, progress)

    def save_best(self, run: Run) -> None:
        """Save the result as the run's best checkpoint."""
        save_checkpoint(run.best_checkpoint, self.result.state_dict(), self.metadata())

    def save_last(self, run: Run) -> None:
        """Save the result as the run's last checkpoint."""
        save_checkpoint(run.last_checkpoint, self.result.state_dict(), self.metadata())

    def save(self, run: Run) -> None:
        """Save the state to resume from, and the result as the run's last checkpoint.

        The state comes first: weights without a state are those of a complete training.
        """
        self.save_to_resume(run)
        self.save_last(run)

    def save_to_resume(self, run: Run) -> None:
        """Save the state to resume from."""
        counters = {
            "starts_trained": int(self.starts_trained),
            "best": self.best,
            "num_validated": self.num_validated,
            "metrics": self.metrics,
            "stage": self.stage,
            "earlier_seconds": self.earlier_seconds,
            "minutes": self.clock.minutes,
            **self.validations.counters(),
        }
        save_checkpoint(run.resume_file, self._tensors(), replace(self.metadata(), metrics=counters))

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {MODEL + name: tensor for name, tensor in self.network.state_dict().items()}
        if self.average is not None:
            tensors |= {AVERAGE + name: tensor for name, tensor in self.average.state_dict().items()}
        moments = self.optimizer.state_dict()["state"] if self.optimizer else {}
        for number, values in moments.items():
            for name, value in values.items():
                tensors[f"{OPTIMIZER}{number}.{name}"] = torch.as_tensor(value)
        return tensors

    # ---------------------------------------------------------------- restoring

    def load(self, saved: SavedState) -> None:
        """Restore a saved state, after its stage has begun.

        Raises CheckpointError if the data has changed or the file does not hold such a state.
        """
        check_fingerprint(saved.path.parent, saved.metadata.fingerprint, self.fingerprint)
        try:
            self._restore(saved.tensors, saved.metadata)
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{saved.path}: this file does not hold the state that this run resumes from "
                f"({one_line(error)}). Restore the file, or train again."
            ) from error

    def _restore(self, tensors: dict[str, Tensor], metadata: CheckpointMetadata) -> None:
        self.network.load_state_dict(_select(MODEL, tensors))
        if self.average is not None:
            self.average.load_state_dict(_select(AVERAGE, tensors))
        if self.optimizer is not None:
            _load_moments(self.optimizer, _group_by_parameter(_select(OPTIMIZER, tensors)))
        counters, progress = metadata.metrics, metadata.training
        self.stage, self.earlier_seconds = int(counters["stage"]), float(counters["earlier_seconds"])
        self.clock.step, self.clock.minutes = int(progress["step"]), float(counters["minutes"])
        self.clock.seconds_before = float(progress["seconds"]) - self.earlier_seconds
        self.best, self.num_validated = counters["best"], counters["num_validated"]
        self.validations, self.metrics = Validations.from_counters(counters), counters["metrics"]
        self.starts_trained = bool(counters.get("starts_trained", 0))


def check_fingerprint(run: Path, before: str, now: str) -> None:
    """Raise CheckpointError if the data of a run has changed."""
    if before != now:
        raise CheckpointError(
            f"{run}: the data has changed since this training began (fingerprint {before}, now {now}). Start "
            "a new run, or restore the data."
        )


def _load_moments(optimizer: torch.optim.Optimizer, moments: dict[int, dict[str, Tensor]]) -> None:
    """Load the optimizer's moments in the memory layout of their parameters, which fused AdamW relies on."""
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if value.shape == parameter.shape:
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _select(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _group_by_parameter(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Turn {"3.exp_avg": ...} into {3: {"exp_avg": ...}}."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    return state
