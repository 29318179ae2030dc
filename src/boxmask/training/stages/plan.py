"""The stages of each method's training, in the order of its paper."""

from __future__ import annotations

from collections.abc import Callable

from boxmask.errors import UsageError
from boxmask.runs.recipe import Recipe
from boxmask.training.rcnn.stages import Describe, FitRegressors, FitSVMs
from boxmask.training.session import Stage
from boxmask.training.stages.gradient_descent import Descent
from boxmask.training.stages.rpn_proposals import Propose
from boxmask.training.stages.selective_search import Search, searched_boxes
from boxmask.training.stages.target_normalization import Normalize


def plan(recipe: Recipe) -> list[Stage]:
    """What is done to train by this recipe; raises UsageError for a way that the method does not have."""
    if recipe.training == "alternating":
        if recipe.model != "faster-rcnn":
            raise UsageError(f"--training alternating is a way of faster-rcnn alone, not of {recipe.model}")
        if recipe.joined:
            raise UsageError(
                "--training alternating begins from ImageNet, twice; leave out --detector and --classifier"
            )
        return alternating()
    if recipe.regions is not None and recipe.model != "rcnn":
        raise UsageError(f"--regions is for rcnn alone, not for {recipe.model}")
    return PLANS.get(recipe.model, joint)()


def joint() -> list[Stage]:
    """Everything at once."""
    return [Descent()]


def rcnn() -> list[Stage]:
    """R-CNN, section 2.3: proposals, fine-tuning, features, one SVM a class, one box regressor a class."""
    fine_tuning = Descent("fine-tuning", 0.5, proposals=searched_boxes, validations=False)
    return [Search(), fine_tuning, Describe(), FitSVMs(), FitRegressors()]


def fast_rcnn() -> list[Stage]:
    """Fast R-CNN, section 2.3: proposals from outside, then one stage."""
    return [Search(), Normalize(), Descent(proposals=searched_boxes)]


def alternating() -> list[Stage]:
    """Faster R-CNN, section 3.2, "4-Step Alternating Training".

    The RPN; a Fast R-CNN of its own on the RPN's proposals, from ImageNet weights again; then, with the
    shared layers of the latter kept as they are, what belongs to the RPN alone, and what to Fast R-CNN alone.
    Step 3 goes on with the RPN's own layers of step 1: it "fine-tunes" them.
    """
    shared, rpn, head = ("backbone.", "fpn."), ("rpn_head.",), ("box_head.",)
    first, second = Propose(1, "RPN's proposals"), Propose(2, "RPN's new proposals")
    return [
        Descent("step 1: RPN", 1.0, shared + rpn, "loss_of_rpn", validations=False),
        first,
        Descent("step 2: Fast R-CNN", 2.0, shared + head, "loss", first.boxes, shared, validations=False),
        Descent("step 3: RPN, shared layers kept", 1.0, rpn, "loss_of_rpn", validations=False),
        second,
        Descent("step 4: Fast R-CNN, shared layers kept", 1.0, head, "loss", second.boxes),
    ]


PLANS: dict[str, Callable[[], list[Stage]]] = {"rcnn": rcnn, "fast-rcnn": fast_rcnn}
