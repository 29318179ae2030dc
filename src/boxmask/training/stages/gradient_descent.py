"""The stage of gradient descent: a step at a time, until its steps or minutes are over."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from boxmask.errors import BoxmaskError, TrainingError
from boxmask.pipeline.model import Model
from boxmask.training.clock import Clock, learning_rate
from boxmask.training.loader import TrainingBatch
from boxmask.training.optimizer import average_of, make_optimizer, set_learning_rate
from boxmask.training.session import BoxesOf, Session
from boxmask.training.setup import batch_sampler_of, batches_of
from boxmask.training.validate import validate
from boxmask.weights.imagenet import is_random


class Trainable(nn.Module):
    """A network whose `forward` is its loss: distributed training synchronizes only what goes through it.

    loss: the name of the method, for papers that have several
    """

    def __init__(self, network: Model, loss: str = "loss") -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """The parts of the loss."""
        boxes = {} if batch.proposals is None else {"proposals": batch.proposals}
        parts: dict[str, Tensor] = getattr(self.network, self.loss)(batch.images, batch.targets, **boxes)
        return parts


@dataclass
class GradientDescent:
    """Gradient descent on the training photos.

    trained:     the start of the names of the parameters that learn; empty: all that are not frozen
    loss:        the network's method
    proposals:   where the boxes that it looks at come from, where it does not find its own
    anew:        the start of the names of what begins as before the first step of all
    num_validations: whether the validation photos are looked at, as often as the recipe says
    """

    name: str = "training"
    share: float = 1.0
    trained: tuple[str, ...] = ()
    loss: str = "loss"
    proposals: Callable[[Session], BoxesOf] | None = None
    anew: tuple[str, ...] = ()
    num_validations: bool = True

    def begin(self, session: Session, minutes: float) -> None:
        """Free what learns, freeze the rest; a new optimizer, average and clock."""
        state, recipe = session.state, session.recipe
        if self.anew:
            fresh = session.fresh().state_dict()
            renewed = {name: tensor for name, tensor in fresh.items() if name.startswith(self.anew)}
            state.network.load_state_dict(renewed, strict=False)
        random = not recipe.has_init and is_random(state.network.config.backbone, recipe.weights)
        frozen = 0 if random else recipe.method.frozen_stages  # random numbers must learn
        state.network.zero_grad()  # what the stage before left would count in the gradient's norm
        state.network.requires_grad_(True)
        state.network.freeze(frozen)
        for name, parameter in state.network.named_parameters():
            if self.trained and not name.startswith(self.trained):
                parameter.requires_grad_(False)
        per_epoch = batch_sampler_of(session, 0).per_epoch
        clock = Clock(recipe.epochs * per_epoch if recipe.epochs else None, minutes)
        average = average_of(state.network, recipe.ema_decay) if recipe.ema_decay else None
        state.begin_stage(clock, make_optimizer(state.network, recipe), average)

    def fit(self, session: Session) -> bool:
        """Train to the end; True if it was reached, False if somebody stopped it.

        Raises TrainingError where the loss or its gradient is no longer finite, and PhotoError for a photo
        that is damaged behind its header. Unless the numbers are spoilt, the state is saved in any case.
        """
        state, clock = session.state, session.state.clock
        batches = batches_of(session, self.proposals and self.proposals(session))
        session.accelerator.free_memory()  # of the optimizer of the stage before
        model, optimizer = session.accelerator.prepare(Trainable(state.network, self.loss), state.optimizer)
        saved = clock.seconds
        while clock.progress < 1 and not session.stop.asked:
            batch = _next(batches, session)
            set_learning_rate(optimizer, learning_rate(clock.progress, session.recipe.warmup))
            losses = _step(model, optimizer, session, batch)
            session.report.step(clock, losses, len(batch.images))
            if self.num_validations and _validation_is_due(session):
                validate(session, clock.progress)
            if clock.seconds - saved > session.recipe.save_seconds:
                state.save(session.run)
                saved = clock.seconds
        state.save(session.run)
        return clock.progress >= 1


def _next(batches: Iterator[TrainingBatch], session: Session) -> TrainingBatch:
    """The next batch; a photo that turns out damaged does not cost what was learned before."""
    try:
        return next(batches)
    except BoxmaskError:
        if session.state.clock.step:
            session.state.save(session.run)
        raise


def _step(
    model: nn.Module, optimizer: torch.optim.Optimizer, session: Session, batch: TrainingBatch
) -> dict[str, float]:
    """One step of the optimizer; gives the parts of the loss."""
    state, accelerator = session.state, session.accelerator
    seeds = np.random.SeedSequence((session.recipe.seed, state.clock.step))
    torch.manual_seed(int(seeds.generate_state(1)[0]))  # the sampling follows from the step alone
    model.train()
    losses: dict[str, Tensor] = model(batch)
    values = dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))
    _require_finite(values, session, batch)
    optimizer.zero_grad()
    accelerator.backward(torch.stack(list(losses.values())).sum())
    norm = _clipped(model, accelerator, session.recipe.clip_norm)
    if accelerator.scaler is None:  # which else skips such steps, and lowers its scale
        _require_finite({**values, "gradient": norm}, session, batch)
    optimizer.step()
    if state.average is not None:
        state.average.update_parameters(state.network)
    state.clock.step += 1
    return values


def _clipped(model: nn.Module, accelerator: Accelerator, most: float) -> float:
    """Cut the gradient's norm to `most`; gives what it was."""
    return float(accelerator.clip_grad_norm_(model.parameters(), most) or 0.0)


def _require_finite(losses: dict[str, float], session: Session, batch: TrainingBatch) -> None:
    if all(math.isfinite(value) for value in losses.values()):
        return
    parts = ", ".join(f"{name} {value:g}" for name, value in losses.items())
    photos = "\n  ".join(str(session.train.path(photo)) for photo in batch.photos)
    saved = f" What was saved before is in {session.run.path}." if session.run.has_weights else ""
    raise TrainingError(
        f"the loss is no longer finite at step {session.state.clock.step} ({parts}), with these photos:\n"
        f"  {photos}\nLook at them and their labels; or lower --learning-rate.{saved}"
    )


def _validation_is_due(session: Session) -> bool:
    """Evenly over the training; the one at the end is made after the last stage."""
    progress = session.state.clock.progress
    return progress < 1 and int(progress * session.recipe.num_validations) > session.state.validated
