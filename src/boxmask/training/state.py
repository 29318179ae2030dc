"""The state of a training: all that changes from step to step, and how it is written and read back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from boxmask.errors import CheckpointError
from boxmask.pipeline.model import Model
from boxmask.runs.run import Run, versions
from boxmask.training.clock import Clock
from boxmask.weights.checkpoint import CheckpointMetadata, read_checkpoint, save_checkpoint

MODEL, OPTIMIZER, AVERAGE = "model.", "optimizer.", "average."


@dataclass
class State:
    """The trained weights, and of the stage under way the running average, the optimizer and the clock.

    model: the name in the table of models
    best:  the highest figure on the validation photos so far
    stage: how many stages are done
    spent: seconds that they took
    """

    model: str
    network: Model
    average: AveragedModel | None
    optimizer: torch.optim.Optimizer | None  # None in stages that do not descend a gradient
    clock: Clock
    fingerprint: str
    recipe: dict[str, Any]
    best: float = -1.0
    validated: int = 0  # how many validations are done
    metrics: dict[str, Any] = field(default_factory=dict)  # of the newest validation
    stage: int = 0
    spent: float = 0.0

    @property
    def seconds(self) -> float:
        """Of the whole training so far."""
        return self.spent + self.clock.seconds

    def begin_stage(
        self,
        clock: Clock,
        optimizer: torch.optim.Optimizer | None = None,
        average: AveragedModel | None = None,
    ) -> None:
        """Replace what belongs to the stage before."""
        self.clock, self.optimizer, self.average, self.validated = clock, optimizer, average, 0

    def finish_stage(self, *, last: bool) -> None:
        """Count the present stage as done; where another follows, it starts from the averaged weights."""
        if not last:
            self.network.load_state_dict(self.result.state_dict())
            self.spent, self.stage = self.seconds, self.stage + 1
            self.begin_stage(Clock(None, 0.0))  # what it took counts once
        else:
            self.stage += 1

    @property
    def result(self) -> Model:
        """The network that a user would get now: the averaged one, where there is an average."""
        if self.average is None:
            return self.network
        return cast(Model, self.average.module)

    def metadata(self) -> CheckpointMetadata:
        """What the checkpoints say of themselves."""
        progress = {"step": self.clock.step, "seconds": self.seconds, "recipe": self.recipe}
        config = asdict(self.network.config)
        return CheckpointMetadata(self.model, config, self.fingerprint, versions(), self.metrics, progress)

    def save_best(self, run: Run) -> None:
        """The present result as the best."""
        save_checkpoint(run.best_checkpoint, self.result.state_dict(), self.metadata())

    def save_last(self, run: Run) -> None:
        """The present result as the last."""
        save_checkpoint(run.last_checkpoint, self.result.state_dict(), self.metadata())

    def save(self, run: Run) -> None:
        """The present result as the last, and what is needed to go on."""
        self.save_last(run)
        self.save_to_resume(run)

    def save_to_resume(self, run: Run) -> None:
        """What is needed to go on."""
        save_checkpoint(run.resume_file, self._tensors(), self._resume_metadata())

    def _resume_metadata(self) -> CheckpointMetadata:
        counts = {
            "best": self.best,
            "validated": self.validated,
            "metrics": self.metrics,
            "stage": self.stage,
            "spent": self.spent,
            "minutes": self.clock.minutes,
        }
        return replace(self.metadata(), metrics=counts)

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {MODEL + name: tensor for name, tensor in self.network.state_dict().items()}
        if self.average is not None:
            tensors |= {AVERAGE + name: tensor for name, tensor in self.average.state_dict().items()}
        moments = self.optimizer.state_dict()["state"] if self.optimizer else {}
        for number, values in moments.items():
            for name, value in values.items():
                tensors[f"{OPTIMIZER}{number}.{name}"] = torch.as_tensor(value)
        return tensors

    @staticmethod
    def saved_stage(run: Run) -> int:
        """Which stage was under way when `save` was; raises CheckpointError for a damaged file."""
        return int(read_checkpoint(run.resume_file)[1].metrics.get("stage", 0))

    def load(self, run: Run) -> None:
        """Go on from where `save` was, in the stage that was begun; raises CheckpointError for a damaged file
        or other data.
        """
        tensors, metadata = read_checkpoint(run.resume_file)
        if metadata.fingerprint != self.fingerprint:
            raise CheckpointError(
                f"{run.path}: the data has changed since this training began (fingerprint "
                f"{metadata.fingerprint}, now {self.fingerprint}). Start a new run, or restore the data."
            )
        try:
            self._take(tensors, metadata)
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{run.resume_file}: this file does not hold what this run needs to go on ({error}). "
                "Restore the file, or train anew."
            ) from error

    def _take(self, tensors: dict[str, Tensor], metadata: CheckpointMetadata) -> None:
        self.network.load_state_dict(_under(MODEL, tensors))
        if self.average is not None:
            self.average.load_state_dict(_under(AVERAGE, tensors))
        if self.optimizer is not None:
            self._load_optimizer(self.optimizer, _by_number(_under(OPTIMIZER, tensors)))
        self.stage, self.spent = int(metadata.metrics["stage"]), float(metadata.metrics["spent"])
        self.clock.step = int(metadata.training["step"])
        self.clock.minutes = float(metadata.metrics["minutes"])
        self.clock.seconds_before = float(metadata.training["seconds"]) - self.spent
        self.best, self.validated = metadata.metrics["best"], metadata.metrics["validated"]
        self.metrics = metadata.metrics["metrics"]

    @staticmethod
    def _load_optimizer(optimizer: torch.optim.Optimizer, moments: dict[int, dict[str, Tensor]]) -> None:
        """The moments, laid out in memory like their parameters: fused AdamW walks both in one stride."""
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        for parameter, values in optimizer.state.items():
            for name, value in values.items():
                if value.shape == parameter.shape:
                    values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _by_number(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """ "3.exp_avg" -> {3: {"exp_avg": ...}}."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    return state
