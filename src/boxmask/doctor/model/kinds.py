"""The kinds of findings that a trained model adds."""

from __future__ import annotations

from boxmask.data.findings import Kind

MISSING_LABEL = Kind(
    "model-missing-label",
    "warning",
    "Objects that probably have no label",
    "Label them if they are objects of this class. An object without a label teaches the next model that it "
    "is background.",
)

WRONG_CLASS = Kind(
    "model-wrong-class",
    "warning",
    "Labels that probably have the wrong class",
    "Look at the object, and correct its class if the model is right.",
)

BAD_BOX = Kind(
    "model-bad-box",
    "warning",
    "Boxes that probably do not fit their object",
    "Draw the box again if that of the model fits better.",
)

SEEN_PHOTOS = Kind(
    "model-seen-photos",
    "note",
    "Photos that the model was trained on",
    "Trust the findings on other photos first. To check these photos as well, train a second run with "
    "another --split-seed (in Python: split_seed), so that they are validation or test photos.",
)

SPLIT_UNKNOWN = Kind(
    "model-split-unknown",
    "note",
    "Models whose training photos are not known",
    "If the model was trained on some of these photos, it may have learned their wrong labels. For a model "
    "that you trained, give the whole folder that training wrote, with its split.json. Published weights do "
    "not tell which photos they were trained on: where these may be among them, check with a model that you "
    "train yourself.",
)

CLASS_UNKNOWN_TO_MODEL = Kind(
    "model-class-unknown",
    "note",
    "Classes that the model does not know",
    "Train a model on these classes to check their labels.",
)

CLASS_UNSURE = Kind(
    "model-class-unsure",
    "note",
    "Classes that the model hardly finds",
    "Train longer, or label more objects of these classes, and check again.",
)

MODEL_UNUSED = Kind(
    "model-unused",
    "note",
    "Models that were not used",
    "Correct the coordinates of the labels first, and check again.",
)
