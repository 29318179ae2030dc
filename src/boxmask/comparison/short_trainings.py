"""Which trainings of a comparison were too short to tell anything about their methods."""

from __future__ import annotations

import math
from collections.abc import Sequence

from boxmask.comparison.contract import ComparedModel
from boxmask.training.passes import ENOUGH_PASSES


def describe_short_trainings(models: Sequence[ComparedModel]) -> tuple[str, ...]:
    """A sentence on the models that were trained for less than one pass over the photos; none if none was."""
    needed = {}
    for model in models:
        training = model.training
        if training is not None and training.passes is not None and 0 < training.passes < 1:
            needed[model.name] = math.ceil(training.minutes * ENOUGH_PASSES / training.passes)
    if not needed:
        return ()
    minutes = max(needed.values())
    return (
        f"Too short to use each training photo once: {', '.join(needed)}. Their metrics say little about the "
        f"methods. For {ENOUGH_PASSES} passes, compare again with --max-minutes {minutes} (in Python: "
        f"max_minutes={minutes}) and another folder.",
    )
