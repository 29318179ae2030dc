"""The stage of gradient descent: steps of the optimizer until the steps or the minutes are used up."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from boxmask.errors import PhotoError, TrainingError
from boxmask.options import option
from boxmask.pipeline.model import Model
from boxmask.pipeline.random_numbers import SeededRandomNumbers
from boxmask.training.clock import Clock, learning_rate
from boxmask.training.loader import TrainingBatch
from boxmask.training.optimizer import make_average, make_optimizer, set_learning_rate
from boxmask.training.passes import report_passes, speed_is_known, warn_of_few_passes
from boxmask.training.proposals import ProposalSource
from boxmask.training.session import Session, no_seconds
from boxmask.training.setup import make_batch_sampler, make_batches
from boxmask.training.signals import StopRequested, ignore_worker_errors
from boxmask.training.validate import (
    give_time_left,
    is_out_of_patience,
    start_is_due,
    validate,
    validation_is_due,
)
from boxmask.weights.imagenet import is_random

TRAINED_UPDATES = 90  # of the average of trained weights: each of the first updates keeps 91 % of it

Loss: TypeAlias = Callable[[Model, TrainingBatch], dict[str, Tensor]]
"""A network and a batch -> the parts of the loss by name."""


def model_loss(network: Model, batch: TrainingBatch) -> dict[str, Tensor]:
    """Return the network's own loss; the batch's proposals, if any, replace those of the network."""
    if batch.proposals is None:
        return network.loss(batch.images, batch.targets)
    loss: Callable[..., dict[str, Tensor]] = network.loss  # of a detector that takes proposals
    return loss(batch.images, batch.targets, proposals=batch.proposals)


class Trainable(nn.Module):
    """A network whose `forward` is its loss: distributed training synchronizes only calls of `forward`."""

    def __init__(self, network: Model, loss: Loss = model_loss) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """Return the parts of the loss."""
        return self.loss(self.network, batch)


@dataclass
class GradientDescent:
    """Gradient descent on the training photos.

    loss:               the function to minimize
    proposals:          returns the source of the proposals; None where the network proposes its own or needs
                        none
    trainable_prefixes: prefixes of the parameters to train; empty: all that are not frozen
    reset_prefixes:     prefixes of the parameters to reset to their initial values
    with_validation:    whether to evaluate on the validation photos, as often as is planned
    """

    name: str = "training"
    time_share: float = 1.0
    loss: Loss = model_loss
    proposals: Callable[[Session], ProposalSource] | None = None
    trainable_prefixes: tuple[str, ...] = ()
    reset_prefixes: tuple[str, ...] = ()
    with_validation: bool = True
    seconds_needed = staticmethod(no_seconds)

    _lost_photos: set[int] = field(default_factory=set, init=False, repr=False)
    _has_checked_passes: bool = field(default=False, init=False, repr=False)

    def begin(self, session: Session, minutes: float) -> None:
        """Choose the parameters to train, and make a new optimizer, average and clock."""
        state, recipe = session.state, session.recipe
        if self.reset_prefixes and not session.is_restoring:
            _reset(state.network, session.new_network(), self.reset_prefixes)
        state.network.zero_grad()  # gradients of the previous stage would count towards the gradient's norm
        _freeze(state.network, _num_frozen_stages(session), self.trainable_prefixes)
        per_epoch = make_batch_sampler(session, 0).per_epoch
        total_steps = recipe.epochs * per_epoch if recipe.epochs else None
        clock = Clock(total_steps, minutes, steps_per_pass=per_epoch)
        first_updates = TRAINED_UPDATES if state.starts_trained else 0
        average = make_average(state.network, recipe.ema_decay, first_updates) if recipe.ema_decay else None
        state.begin_stage(clock, make_optimizer(state.network, recipe), average)

    def fit(self, session: Session) -> bool:
        """Train to the end of the stage; False if a stop was requested.

        The state is saved in either case. Raises TrainingError if the loss or its gradient is not finite, and
        PhotoError for a photo whose pixels are damaged.
        """
        state, recipe = session.state, session.recipe
        session.accelerator.free_memory()  # drop the optimizer of the previous stage
        model, optimizer = session.accelerator.prepare(Trainable(state.network, self.loss), state.optimizer)
        with closing(make_batches(session, self.proposals and self.proposals(session))) as batches:
            saved_at = state.clock.seconds
            while self._prepare_step(session):
                batch = next(batches)
                if not self._keep_batch(batch, session):
                    continue
                fraction = learning_rate(state.clock.progress, recipe.warmup)
                session.report.learning_rate = set_learning_rate(optimizer, fraction)
                losses = _step(model, optimizer, session, batch)
                state.clock.skip_pause()
                session.report.step(state.clock, losses, len(batch.images))
                self._check_passes(session)
                if state.clock.seconds - saved_at > recipe.save_seconds:
                    session.checkpoints.save()
                    saved_at = state.clock.seconds
            session.checkpoints.save()  # before the workers end, which takes seconds if they are busy
        if finished := state.clock.progress >= 1 or self._ends_early(session):
            report_passes(session)
        return finished

    def _check_passes(self, session: Session) -> None:
        """Warn once, as soon as the speed is known, if the time is too short to use each photo."""
        if not self._has_checked_passes and speed_is_known(session):
            self._has_checked_passes = True
            warn_of_few_passes(session)

    def _ends_early(self, session: Session) -> bool:
        """Whether the metric has not risen for as many validations as the recipe waits for."""
        return self.with_validation and is_out_of_patience(session)

    def _keep_batch(self, batch: TrainingBatch, session: Session) -> bool:
        """Report the photos that are left out of a batch; returns False, and skips the step, if it is empty.

        Raises PhotoError if all training photos are lost.
        """
        for error in batch.errors.values():
            session.leave_out(error)
        self._lost_photos = (self._lost_photos | batch.errors.keys()) - set(batch.photos)
        if batch.images:
            return True
        if len(self._lost_photos) == len(session.train):
            raise PhotoError("none of the training photos can be read any more. Restore them.")
        session.state.clock.step += 1  # the step is the position in the order of photos
        return False

    def _prepare_step(self, session: Session) -> bool:
        """Validate if a validation is due; returns whether another step follows.

        If a stop interrupts the validation, the resumed training begins with it.
        """
        is_due = self.with_validation and not self._ends_early(session) and validation_is_due(session)
        is_start = start_is_due(session)
        if is_due or is_start:
            try:
                validate(session, 0.0 if is_start else session.state.clock.progress)
                if self.with_validation:  # the last stage
                    give_time_left(session)
            except StopRequested:
                return False
        goes_on = session.state.clock.progress < 1 and not session.stop.requested
        return goes_on and not self._ends_early(session)


# ---------------------------------------------------------------- trainable parameters


def _reset(network: Model, initial: Model, prefixes: tuple[str, ...]) -> None:
    """Reset the parameters whose names start with one of `prefixes`."""
    weights = {name: value for name, value in initial.state_dict().items() if name.startswith(prefixes)}
    network.load_state_dict(weights, strict=False)


def _num_frozen_stages(session: Session) -> int:
    """Return how many stages of the backbone to freeze: none if its weights are random."""
    recipe, backbone = session.recipe, session.state.network.config.backbone
    is_untrained = not recipe.has_init and is_random(backbone, recipe.weights)
    return 0 if is_untrained else recipe.method.frozen_stages


def _freeze(network: Model, num_stages: int, trainable_prefixes: tuple[str, ...]) -> None:
    """Freeze the backbone's first stages, and all parameters outside `trainable_prefixes` if given."""
    network.requires_grad_(True)
    network.freeze(num_stages)
    for name, parameter in network.named_parameters():
        if trainable_prefixes and not name.startswith(trainable_prefixes):
            parameter.requires_grad_(False)


# ---------------------------------------------------------------- one step


def _step(
    model: nn.Module, optimizer: torch.optim.Optimizer, session: Session, batch: TrainingBatch
) -> dict[str, float]:
    """Do one step of the optimizer, and return the parts of the loss."""
    state, accelerator = session.state, session.accelerator
    model.train()
    with _restore_statistics_on_error(model):
        with SeededRandomNumbers.of_step(session.recipe.seed, state.clock.step):
            losses: dict[str, Tensor] = model(batch)
        parts = torch.stack(list(losses.values()))
        optimizer.zero_grad()
        accelerator.backward(parts.sum())
        norm = accelerator.clip_grad_norm_(model.parameters(), session.recipe.clip_norm)
        *read, gradient = torch.cat([parts.detach(), norm.view(1)]).tolist()  # a GPU is waited for once
        values = dict(zip(losses, read, strict=True))
        _check_finite(values, session, batch)
        if accelerator.scaler is None:  # a gradient scaler skips such steps and lowers its scale
            _check_finite({**values, "gradient": gradient}, session, batch)
    with ignore_worker_errors():
        state.consistent = False
        optimizer.step()
        if state.average is not None:
            state.average.update_parameters(state.network)
        state.clock.step += 1
        state.consistent = True
    return values


@contextmanager
def _restore_statistics_on_error(model: nn.Module) -> Iterator[None]:
    """Restore the running statistics of batch norm if the block raises, because the step is repeated."""
    norms = [norm for norm in model.modules() if isinstance(norm, _BatchNorm) and norm.track_running_stats]
    before = [(buffer, buffer.clone()) for norm in norms for buffer in norm.buffers(recurse=False)]
    try:
        yield
    except BaseException:
        for buffer, value in before:
            buffer.copy_(value)
        raise


def _check_finite(losses: dict[str, float], session: Session, batch: TrainingBatch) -> None:
    """Raise TrainingError, naming the photos of the batch, if a loss is infinite or NaN."""
    if all(math.isfinite(value) for value in losses.values()):
        return
    parts = ", ".join(f"{name} {value:g}" for name, value in losses.items())
    photos = "\n  ".join(str(session.train.path(photo)) for photo in batch.photos)
    raise TrainingError(
        f"the loss is not finite at step {session.state.clock.step} ({parts}), with these photos:\n"
        f"  {photos}\nCheck them and their labels, or lower {option('learning_rate')}."
    )
