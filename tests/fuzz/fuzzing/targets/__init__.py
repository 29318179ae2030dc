"""All targets, by name."""

from fuzzing.engine import Target
from fuzzing.targets.checks import CHECK_TARGETS
from fuzzing.targets.labels import LABEL_TARGETS
from fuzzing.targets.photos import PHOTO_TARGETS
from fuzzing.targets.results import RESULT_TARGETS
from fuzzing.targets.runs import RUN_TARGETS

TARGETS: dict[str, Target] = {
    name: Target(name, run)
    for targets in (LABEL_TARGETS, CHECK_TARGETS, PHOTO_TARGETS, RUN_TARGETS, RESULT_TARGETS)
    for name, run in targets.items()
}
