"""The stages of each method's training, in the order of its paper."""

from __future__ import annotations

from collections.abc import Callable

from boxmask.errors import UsageError
from boxmask.runs.recipe import Recipe
from boxmask.training.rcnn.stages import ExtractFeatures, FitBoxRegressors, FitSVMs
from boxmask.training.session import Stage
from boxmask.training.stages.gradient_descent import GradientDescent
from boxmask.training.stages.rpn_proposals import ProposeWithRPN
from boxmask.training.stages.selective_search import SearchRegions, selective_search_boxes
from boxmask.training.stages.target_normalization import NormalizeTargets


def stages_of(recipe: Recipe) -> list[Stage]:
    """What is done to train by this recipe; raises UsageError for a way that the method does not have."""
    if recipe.training == "alternating":
        if recipe.model != "faster-rcnn":
            raise UsageError(f"--training alternating is a way of faster-rcnn alone, not of {recipe.model}")
        if recipe.has_init:
            raise UsageError(
                "--training alternating begins from ImageNet, twice; leave out --detector and --classifier"
            )
        return alternating()
    if recipe.max_regions is not None and recipe.model != "rcnn":
        raise UsageError(f"--max-regions is for rcnn alone, not for {recipe.model}")
    return PLANS.get(recipe.model, joint)()


def joint() -> list[Stage]:
    """Everything at once."""
    return [GradientDescent()]


def rcnn() -> list[Stage]:
    """R-CNN, section 2.3: proposals, fine-tuning, features, one SVM a class, one box regressor a class."""
    fine_tuning = GradientDescent("fine-tuning", 0.5, proposals=selective_search_boxes, num_validations=False)
    return [SearchRegions(), fine_tuning, ExtractFeatures(), FitSVMs(), FitBoxRegressors()]


def fast_rcnn() -> list[Stage]:
    """Fast R-CNN, section 2.3: proposals from outside, then one stage."""
    return [SearchRegions(), NormalizeTargets(), GradientDescent(proposals=selective_search_boxes)]


def alternating() -> list[Stage]:
    """Faster R-CNN, section 3.2, "4-Step Alternating Training".

    The RPN; a Fast R-CNN of its own on the RPN's proposals, from ImageNet weights again; then, with the
    shared layers of the latter kept as they are, what belongs to the RPN alone, and what to Fast R-CNN alone.
    Step 3 goes on with the RPN's own layers of step 1: it "fine-tunes" them.
    """
    shared, rpn, head = ("backbone.", "fpn."), ("rpn_head.",), ("box_head.",)
    first, second = ProposeWithRPN(1, "RPN's proposals"), ProposeWithRPN(2, "RPN's new proposals")
    return [
        GradientDescent("step 1: RPN", 1.0, shared + rpn, "rpn_step_loss", num_validations=False),
        first,
        GradientDescent(
            "step 2: Fast R-CNN", 2.0, shared + head, "loss", first.boxes, shared, num_validations=False
        ),
        GradientDescent("step 3: RPN, shared layers kept", 1.0, rpn, "rpn_step_loss", num_validations=False),
        second,
        GradientDescent("step 4: Fast R-CNN, shared layers kept", 1.0, head, "loss", second.boxes),
    ]


PLANS: dict[str, Callable[[], list[Stage]]] = {"rcnn": rcnn, "fast-rcnn": fast_rcnn}
