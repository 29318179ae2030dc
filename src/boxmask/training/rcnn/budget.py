"""How many regions and examples R-CNN's stages can use within their minutes."""

from __future__ import annotations

from typing import cast

import numpy as np

from boxmask.detectors.rcnn import RCNN
from boxmask.messages import format_count
from boxmask.photos.read import to_image
from boxmask.training.clock import work_time
from boxmask.training.session import Session
from boxmask.training.stages.selective_search import cached_proposals

MIN_REGIONS = 20  # proposals per photo, however short the time
ALL_REGIONS = 10**6  # proposals per photo: more than any photo has
TIMED_REGIONS, TIMING_RUNS = 128, 3  # for the estimate of the time per region
PLANNED_PART = 0.9  # of the minutes: other programs may slow down what follows

MIN_PAIRS = 200  # examples per class for box regression, however short the time
TIMED_ROWS, TIMED_FEATURES = 256, 2048  # for the estimate of the time per example


def max_proposals(session: Session, minutes: float) -> int:
    """Return how many proposals per photo fit the minutes; all if no time is given."""
    if session.recipe.max_regions is not None or session.recipe.epochs is not None:
        return session.recipe.max_regions or ALL_REGIONS
    per_photo, per_region = _seconds_per_photo_and_region(session)
    num_photos = len(session.train)
    fitting = int((60 * PLANNED_PART * minutes / num_photos - per_photo) / per_region)
    if fitting < MIN_REGIONS:
        needed = num_photos * (per_photo + MIN_REGIONS * per_region) / 60
        session.report.message(
            f"note: the features of {MIN_REGIONS} proposals per photo, the fewest possible, take about "
            f"{needed:.1f} minutes for {format_count(num_photos, 'photo')}"
        )
    return max(MIN_REGIONS, fitting)


def _seconds_per_photo_and_region(session: Session) -> tuple[float, float]:
    """Return the seconds to read a photo, and to compute the features of a region."""
    detector, path = cast(RCNN, session.state.network).eval(), session.train.path(0)
    reading, computing = [], []
    for _ in range(TIMING_RUNS):  # the fastest run counts: other programs may slow down any
        session.stop.check()
        began = work_time()
        batch = detector.prepare([to_image(path)])
        boxes = batch.rescale_boxes([cached_proposals(session)(path)[:TIMED_REGIONS]])[0]
        has_read = work_time()
        _, fc7 = detector.extract_features(batch, 0, boxes)
        fc7.cpu()  # waits for a GPU
        reading.append(has_read - began)
        computing.append((work_time() - has_read) / max(1, len(boxes)))
    return min(reading), max(min(computing), 1e-9)


def max_pairs(num_features: int, num_classes: int, seconds: float, limit: int) -> int:
    """Return how many examples per class can be fitted by ridge regression in `seconds`, up to `limit`.

    Each example costs a row of the product of the features with themselves, which grows with the square of
    their number. Solving the system afterwards costs as much as a sixth of `num_features` rows.
    """
    timed = min(num_features, TIMED_FEATURES)  # the whole product takes 2.5 GB for VGG16's 25,088 features
    rows = np.ones((TIMED_ROWS, timed), dtype=np.float32)
    times = []
    for _ in range(TIMING_RUNS):
        began = work_time()
        _ = rows.T @ rows
        times.append((work_time() - began) / TIMED_ROWS)
    seconds_per_row = max(min(times), 1e-9) * (num_features / timed) ** 2
    fitting = int(PLANNED_PART * seconds / num_classes / seconds_per_row - num_features / 6)
    return min(limit, max(MIN_PAIRS, fitting))
