"""The loop: a step at a time, until the steps or the minutes are over, or somebody stops it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from boxmask.data.dataset import Dataset
from boxmask.detectors.contract import Detector
from boxmask.errors import BoxmaskError, TrainingError
from boxmask.evaluation.evaluate import evaluate
from boxmask.training.feed import TrainingBatch
from boxmask.training.optimiser import set_learning_rate
from boxmask.training.progress import Report
from boxmask.training.recipe import Recipe
from boxmask.training.run import Run
from boxmask.training.schedule import learning_rate
from boxmask.training.state import State
from boxmask.training.stop import stoppable
from boxmask.types import Target


class Trainable(nn.Module):
    """A detector whose `forward` is its loss: distributed training synchronises only what goes through it."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: list[Tensor], targets: list[Target]) -> dict[str, Tensor]:
        """The parts of the loss."""
        return self.detector.loss(images, targets)


class Loop:
    """One training, from where its state is to its end.

    train, val: the photos to learn from, and to judge by
    """

    def __init__(self, state: State, recipe: Recipe, train: Dataset, val: Dataset, run: Run) -> None:
        self.state, self.recipe, self.train, self.val, self.run = state, recipe, train, val, run

    def fit(self, batches: Iterator[TrainingBatch], accelerator: Accelerator, report: Report) -> bool:
        """Train to the end; True if it was reached, False if somebody stopped it.

        Raises TrainingError where the loss or its gradient is no longer finite, and PhotoError for a photo
        that is damaged behind its header. Unless the numbers are spoilt, the state is saved in any case.
        """
        state, clock = self.state, self.state.clock
        model, optimiser = accelerator.prepare(Trainable(state.detector), state.optimiser)
        saved = clock.seconds
        with stoppable() as stop:
            while clock.progress < 1 and not stop.asked:
                batch = self._next(batches)
                set_learning_rate(optimiser, learning_rate(clock.progress, self.recipe.warmup))
                losses = self._step(model, optimiser, accelerator, batch)
                report.step(clock, losses, len(batch.images))
                if self._validation_is_due():
                    self._validate(report)
                if clock.seconds - saved > self.recipe.save_seconds:
                    state.save(self.run)
                    saved = clock.seconds
            state.save(self.run)
            if clock.progress < 1:
                return False
            self._validate(report)
            state.save(self.run)  # once more, with the figures
        return True

    def _next(self, batches: Iterator[TrainingBatch]) -> TrainingBatch:
        """The next batch; a photo that turns out damaged does not cost what was learned before."""
        try:
            return next(batches)
        except BoxmaskError:
            if self.state.clock.step:
                self.state.save(self.run)
            raise

    def _step(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        accelerator: Accelerator,
        batch: TrainingBatch,
    ) -> dict[str, float]:
        """One step of the optimiser; gives the parts of the loss."""
        state = self.state
        seeds = np.random.SeedSequence((self.recipe.seed, state.clock.step))
        torch.manual_seed(int(seeds.generate_state(1)[0]))  # the sampling follows from the step alone
        model.train()
        losses: dict[str, Tensor] = model(batch.images, batch.targets)
        values = dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))
        self._require_finite(values, batch)
        optimiser.zero_grad()
        accelerator.backward(torch.stack(list(losses.values())).sum())
        norm = accelerator.clip_grad_norm_(model.parameters(), self.recipe.clip_norm)
        if accelerator.scaler is None:  # which else skips such steps, and lowers its scale
            self._require_finite({**values, "gradient": float(norm or 0.0)}, batch)
        optimiser.step()
        if state.average is not None:
            state.average.update_parameters(state.detector)
        state.clock.step += 1
        return values

    def _require_finite(self, losses: dict[str, float], batch: TrainingBatch) -> None:
        if all(math.isfinite(value) for value in losses.values()):
            return
        parts = ", ".join(f"{name} {value:g}" for name, value in losses.items())
        photos = "\n  ".join(str(self.train.path(photo)) for photo in batch.photos)
        raise TrainingError(
            f"the loss is no longer finite at step {self.state.clock.step} ({parts}), with these photos:\n"
            f"  {photos}\nLook at them and their labels; or lower --learning-rate.{self._what_is_saved()}"
        )

    def _what_is_saved(self) -> str:
        return f" What was saved before is in {self.run.folder}." if self.run.has_weights else ""

    def _validation_is_due(self) -> bool:
        """Evenly over the training; the one at the end is made after the loop."""
        progress = self.state.clock.progress
        return progress < 1 and int(progress * self.recipe.validations) > self.state.validated

    def _validate(self, report: Report) -> None:
        """Judge the present result on the validation split, and keep it if it is the best so far."""
        state = self.state
        state.validated = int(state.clock.progress * self.recipe.validations)
        if not len(self.val):
            state.save_best(self.run)
            return
        state.result.eval()
        evaluation = evaluate(
            state.result, self.val, interval=False, unseen_classes=self.recipe.unseen_classes
        ).as_json()
        state.metrics = {name: evaluation[name] for name in ("AP", "AP50", "AP75", "images")}
        ap = state.metrics["AP"] or 0.0
        report.write({"step": state.clock.step, "minutes": state.clock.seconds / 60, "val": state.metrics})
        ap50 = state.metrics["AP50"] or 0.0
        report.say(f"{100 * state.clock.progress:3.0f} %  validation: AP {ap:.3f}, AP50 {ap50:.3f}")
        if ap >= state.best_ap:  # of equals, the one that was trained longest
            state.best_ap = ap
            state.save_best(self.run)
