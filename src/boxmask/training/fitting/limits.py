"""The constants of the choices in this folder, each with its reason."""

from __future__ import annotations

# ---------------------------------------------------------------- photo size

SIZES = (256, 320, 384, 480, 640)
"""Shorter sides to choose from, in pixels. Each makes a training step 1.3 to 1.5 times as slow as the one
before."""

MAX_ENLARGEMENT = 2.0
"""Largest size, in shorter sides of the middle training photo. Enlarged photos show no more detail, but
small objects cover more cells of the finest map."""

SMALL_CELLS = 4
"""An object is small if its side is under this many cells of the finest map: 32 pixels at stride 8, as
COCO's small objects. Fewer cells show little of its shape, and its box is coarse."""

MAX_SMALL_SHARE = 0.1
"""A larger size is not worth its time if no more of the objects than this are small."""

MIN_PASSES = 30
"""A larger size must leave this many passes over the training photos. With ten, passes count for more than
pixels: on `bccd`, five passes at 480 pixels gave less than ten at 320, in the same time."""

FEW_PASSES = 5
"""Under this many passes, a smaller size is chosen if no more than MAX_SMALL_SHARE of the objects are small
then."""

TRAINING_SHARE = 0.9
"""Share of the minutes that is spent on steps; validation takes the rest."""

MEMORY_SHARE = 0.8
"""A size must fit into this share of the memory."""

# ---------------------------------------------------------------- probe

PROBE_SECONDS = 10.0
PROBE_SHARE = 0.1
"""The probe takes no more than this share of the training time, and no more than PROBE_SECONDS."""

MIN_PROBE_SECONDS = 3.0
"""A shorter probe measures nothing. Trainings of less than half a minute keep the preset's size."""

# ---------------------------------------------------------------- levels and anchors

FINER_LEVEL_CELLS = 2
"""A finer level (P2) is added if more than MAX_SMALL_SHARE of the objects are smaller than this many cells
of the finest one: 16 pixels at stride 8. Their best anchor often overlaps them by less than half. On larger
objects, P2 did not raise the AP (docs/benchmarks.md, "Faster R-CNN")."""

FINER_LEVEL_COST = 1.4
FINER_LEVEL_COST_ONE_STAGE = 1.9
"""How much longer a step takes with a finer level, at 320 pixels. One-stage detectors run their towers over
it."""

MATCH_IOU = 0.5
"""An anchor covers an object from this IoU on."""

MIN_GAIN = 0.02
"""Fitted anchors replace the preset's if they cover this share of the objects more."""

MIN_OBJECTS = 20
"""With fewer training objects, the anchors would be fitted to chance."""

MAX_OBJECTS = 50_000
"""More objects change nothing; this many take a few seconds."""

NUM_ROUNDS = 20
"""Most rounds of k-means; it settles in fewer."""

# ---------------------------------------------------------------- batch size

DEFAULT_BATCH_SIZE = 4
"""Photos per step unless the user gives a number, and where the search for more begins."""

MAX_BATCH_SIZE = 64
"""The most photos per step that are tried."""

MIN_SPEEDUP = 1.05
"""Twice the photos per step must be at least this much faster."""

MIN_TRAINING_STEPS = 500
"""A larger batch must leave this many steps: as many as the average of the weights (--ema-decay 0.998)
reaches back."""
