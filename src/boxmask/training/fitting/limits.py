"""The constants of the choices in this folder, each with its reason."""

from __future__ import annotations

# ---------------------------------------------------------------- photo size

SIZES = (256, 320, 384, 480, 640)
"""Shorter sides to choose from, in pixels. Each step makes a training step about one and a half times as
slow."""

MAX_ENLARGEMENT = 2.0
"""Largest size, in shorter sides of the middle training photo. Enlarged photos show no more detail, but
small objects cover more cells of the finest map."""

SMALL_CELLS = 4
"""An object is small if its side is under this many cells of the finest map: 32 pixels at stride 8, as in
COCO's small objects. Then neighboring anchors lie too far apart to overlap it well, and boxes are coarse."""

MAX_SMALL_SHARE = 0.1
"""A larger size is not worth its time if no more of the objects than this are small."""

MIN_PASSES = 15
"""A larger size must leave this many passes over the training photos."""

FEW_PASSES = 5
"""Under this many passes, a smaller size is chosen if it leaves no more objects small."""

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

FINER_LEVEL_COST = 1.25
"""How much longer a step takes with a finer level (P2): docs/benchmarks.md, "Faster R-CNN"."""

MATCH_IOU = 0.5
"""An anchor covers an object from this IoU on."""

MIN_GAIN = 0.02
"""Fitted anchors replace the preset's if they cover this share of the objects more."""

MIN_OBJECTS = 20
"""With fewer training objects, the anchors would be fitted to chance."""

NUM_ROUNDS = 20
"""Most rounds of k-means; it settles in fewer."""
