"""The training stages of each method, in the order of its paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from torch import Tensor

from boxmask.detectors.faster_rcnn import FasterRCNN
from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.training.loader import TrainingBatch
from boxmask.training.rcnn.stages import ExtractFeatures, FitBoxRegressors, FitSVMs
from boxmask.training.session import Stage
from boxmask.training.stages.gradient_descent import GradientDescent
from boxmask.training.stages.rpn_proposals import ProposeWithRPN
from boxmask.training.stages.selective_search import SearchRegions, cached_proposals
from boxmask.training.stages.target_normalization import NormalizeTargets


def stages_of(recipe: Recipe) -> list[Stage]:
    """Return the stages of a recipe; raises UsageError for options that do not fit its model."""
    if recipe.training == "alternating":
        if recipe.model != "faster-rcnn":
            raise UsageError(f"--training alternating is for faster-rcnn only, not for {recipe.model}")
        if recipe.has_init:
            raise UsageError(
                "--training alternating starts twice from ImageNet weights. Leave out --init, --detector and "
                "--classifier."
            )
        return alternating()
    if recipe.max_regions is not None and recipe.model != "rcnn":
        raise UsageError(f"{option('max_regions')} is for rcnn only, not for {recipe.model}")
    if recipe.patience is not None and recipe.model == "rcnn":
        raise UsageError(f"{option('patience')} is not for rcnn: it is validated only at the end")
    return PLANS.get(recipe.model, joint)()


def joint() -> list[Stage]:
    """One stage that trains everything at once."""
    return [GradientDescent()]


def rcnn() -> list[Stage]:
    """R-CNN, section 2.3: proposals, fine-tuning, features, then one SVM and one box regressor per class."""
    fine_tuning = GradientDescent("fine-tuning", 0.5, proposals=cached_proposals, with_validation=False)
    return [SearchRegions(), fine_tuning, ExtractFeatures(), FitSVMs(), FitBoxRegressors()]


def fast_rcnn() -> list[Stage]:
    """Fast R-CNN, section 2.3: external proposals, then one stage."""
    return [SearchRegions(), NormalizeTargets(), GradientDescent(proposals=cached_proposals)]


def alternating() -> list[Stage]:
    """Faster R-CNN, section 3.2, "4-Step Alternating Training".

    1. The RPN.
    2. A separate Fast R-CNN on the RPN's proposals, from ImageNet weights again.
    3. The layers of the RPN alone, from step 1 ("fine-tune"), on the shared layers of step 2.
    4. The layers of Fast R-CNN alone, on the same shared layers.
    """
    shared, rpn, box_head = ("backbone.", "fpn."), ("rpn_head.",), ("box_head.",)
    first, second = ProposeWithRPN(1, "RPN's proposals"), ProposeWithRPN(2, "RPN's new proposals")
    return [
        _rpn_step("step 1: RPN", shared + rpn),
        first,
        GradientDescent(
            "step 2: Fast R-CNN",
            2.0,
            proposals=first.stored,
            trainable_prefixes=shared + box_head,
            reset_prefixes=shared,
            with_validation=False,
        ),
        _rpn_step("step 3: RPN, shared layers fixed", rpn),
        second,
        GradientDescent(
            "step 4: Fast R-CNN, shared layers fixed",
            1.0,
            proposals=second.stored,
            trainable_prefixes=box_head,
        ),
    ]


def _rpn_step(name: str, trainable_prefixes: tuple[str, ...]) -> GradientDescent:
    return GradientDescent(
        name, 1.0, loss=rpn_step_loss, trainable_prefixes=trainable_prefixes, with_validation=False
    )


def rpn_step_loss(network: Model, batch: TrainingBatch) -> dict[str, Tensor]:
    """Return the losses of the RPN alone."""
    return cast(FasterRCNN, network).rpn_step_loss(batch.images, batch.targets)


PLANS: dict[str, Callable[[], list[Stage]]] = {"rcnn": rcnn, "fast-rcnn": fast_rcnn}
