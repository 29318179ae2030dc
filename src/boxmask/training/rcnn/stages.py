"""R-CNN's stages after fine-tuning: describe all regions, fit the SVMs, fit the box regressors.

Girshick et al. 2014 (arXiv:1311.2524v5), section 2.3, appendices B and C.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import torch

from boxmask.atomic_write import atomic_write
from boxmask.detectors.rcnn import RCNN
from boxmask.errors import CheckpointError
from boxmask.photos.read import to_image
from boxmask.training.clock import Clock
from boxmask.training.rcnn.box_regressors import BoxRegressorConfig, PhotoWindows, train_box_regressors
from boxmask.training.rcnn.features import PhotoRegions, RegionFeatures, regions_of
from boxmask.training.rcnn.svms import SVMConfig, SVMs, WindowFeatures, calibration, train_svms
from boxmask.training.session import Session, only_a_clock
from boxmask.training.stages.selective_search import selective_search_boxes

GONE = "the features that this training had made are gone, or the proposals have changed. Train anew."
FEWEST = 50  # windows of a photo, however short the time
REMEMBERED = 512  # photos whose windows need not be found anew
ALL = 10**6  # windows of a photo: more than there are
TRIED, TRIES = 128, 5  # regions that are described, and how often, to see how long one takes
CALIBRATED = 200_000  # rows of margins that scores are calibrated on, at most
OBJECT_IOU = 0.5  # a region that overlaps an object of the class as much is one, to the calibration


@dataclass
class ExtractFeatures:
    """fc7 and pool5 of every training photo's regions, kept on disk until the training is complete."""

    name: str = "features of all regions"
    share: float = 0.4

    def begin(self, session: Session, minutes: float) -> None:
        """Decide how many regions of a photo there is time for, unless that was decided before."""
        session.state.begin_stage(Clock(None, minutes))
        note = _Note(_folder(session))
        if not note.path.is_file():
            note.write(_windows_for(session, minutes), 0)

    def fit(self, session: Session) -> bool:
        """ExtractFeatures photo after photo, from the first that is not done yet."""
        detector = cast(RCNN, session.state.network).eval()
        note, total = _Note(_folder(session)), len(session.train)
        windows, first = note.read()
        features = _features(session, windows)
        if features.new:
            first = 0
            limit = f", {windows} or fewer proposals a photo" if windows < ALL else ""
            session.report.say(f"{len(features.fc7)} regions to describe{limit}")
        for photo in range(first, total):
            if session.stop.asked:
                return False
            _describe(session, detector, features, photo)
            features.flush()
            note.write(windows, photo + 1)
            session.report.count(photo + 1, total)
        return True


@dataclass
class FitSVMs:
    """One linear SVM a class, by hard-negative mining; and what makes probabilities of its margins."""

    name: str = "SVMs"
    share: float = 0.07

    begin = staticmethod(only_a_clock)

    def fit(self, session: Session) -> bool:
        """Fit, calibrate, and put both into the detector."""
        features = _described(session)

        def windows(photo: int) -> WindowFeatures:
            of_photo = features.regions(photo)
            return WindowFeatures(features.fc7_of(photo), of_photo.overlaps, of_photo.positive_class)

        names, stop = session.train.class_names, lambda: session.stop.asked
        found = train_svms(windows, len(session.train), names, SVMConfig(), session.report.count, stop)
        if found is None:
            return False
        detector = cast(RCNN, session.state.network)
        detector.svm_weights.copy_(torch.from_numpy(found.weights * np.float32(found.scale)))
        detector.svm_biases.copy_(torch.from_numpy(found.biases))
        detector.calibration.copy_(torch.tensor(_calibrated(found, features, session)))
        detector.fitted.fill_(True)
        for note in found.notes:
            session.report.say(f"note: {note}")
        return True


@dataclass
class FitBoxRegressors:
    """One ridge regression a class and coordinate."""

    name: str = "box regressors"
    share: float = 0.03

    begin = staticmethod(only_a_clock)

    def fit(self, session: Session) -> bool:
        """Fit, and put them into the detector."""
        features = _described(session)

        def windows(photo: int) -> PhotoWindows:
            one = features.regions(photo)
            return PhotoWindows(features.pool5_of(photo), one.boxes[one.moving], one.objects, one.labels)

        def count(done: int, total: int) -> None:
            session.report.count(done, total, "classes")

        names, stop = session.train.class_names, lambda: session.stop.asked
        if not len(features.pool5):
            session.report.say("note: no region overlaps an object by more than 0.6: boxes stay as they are")
            return True
        found = train_box_regressors(windows, len(session.train), names, BoxRegressorConfig(), count, stop)
        if found is None:
            return False
        detector = cast(RCNN, session.state.network)
        detector.regressor_weights.copy_(torch.from_numpy(found.weights))
        detector.regressor_biases.copy_(torch.from_numpy(found.biases))
        for note in found.notes:
            session.report.say(f"note: {note}")
        return True


class _Note:
    """How many proposals of a photo are described, and how many photos are done: kept beside the features."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "done.json"

    def read(self) -> tuple[int, int]:
        if not self.path.is_file():
            raise CheckpointError(f"{self.path.parent}: {GONE}")
        content = json.loads(self.path.read_text())
        return int(content["windows"]), int(content["photos"])

    def write(self, windows: int, photos: int) -> None:
        with atomic_write(self.path) as partial:
            partial.write_text(json.dumps({"windows": windows, "photos": photos}))


def _folder(session: Session) -> Path:
    return session.run.intermediate / "features"


def _features(session: Session, windows: int) -> RegionFeatures:
    """The files of the features, and the windows that they are of."""
    boxes_of, iou = selective_search_boxes(session), BoxRegressorConfig().iou

    @lru_cache(maxsize=REMEMBERED)
    def regions(photo: int) -> PhotoRegions:
        proposals = boxes_of(session.train.path(photo))[:windows]
        return regions_of(session.train, photo, proposals, iou)

    detector = cast(RCNN, session.state.network)
    widths = (detector.svm_weights.shape[1], detector.regressor_weights.shape[2])
    return RegionFeatures(_folder(session), regions, len(session.train), widths)


def _described(session: Session) -> RegionFeatures:
    """What `ExtractFeatures` left; CheckpointError where it is no longer there, or of other regions."""
    features = _features(session, _Note(_folder(session)).read()[0])
    if features.new:
        raise CheckpointError(f"{_folder(session)}: {GONE}")
    return features


def _windows_for(session: Session, minutes: float) -> int:
    """How many regions of each photo can be described in so many minutes; all, where no time is given."""
    if session.recipe.max_regions is not None or session.recipe.epochs is not None:
        return session.recipe.max_regions or ALL
    detector, photo = cast(RCNN, session.state.network).eval(), to_image(session.train.path(0))
    batch = detector.prepare([photo])
    boxes = batch.rescale_boxes([selective_search_boxes(session)(session.train.path(0))[:TRIED]])[0]
    tries = []
    for _ in range(TRIES):  # the first time kernels are compiled; at any time another program may interfere
        began = time.monotonic()
        detector.extract_features(batch, 0, boxes)
        tries.append(time.monotonic() - began)
    each = min(tries) / max(1, len(boxes))
    return max(FEWEST, int(60 * minutes / each / len(session.train)))


def _describe(session: Session, detector: RCNN, features: RegionFeatures, photo: int) -> None:
    batch = detector.prepare([to_image(session.train.path(photo))])
    boxes = batch.rescale_boxes([torch.from_numpy(features.regions(photo).boxes)])[0]
    features.write(photo, *detector.extract_features(batch, 0, boxes))


def _calibrated(svms: SVMs, features: RegionFeatures, session: Session) -> list[tuple[float, float]]:
    """Slope and offset for each class, from the margins of proposals and whether they are of the class."""
    most, per_photo = max(1, CALIBRATED // features.photos), []
    for photo in range(features.photos):
        one = features.regions(photo)
        rows = np.flatnonzero((one.positive_class < 0) & ~one.doubtful)  # proposals, not ground truth
        rows = rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)]
        per_photo.append((svms.margins(features.fc7_of(photo)[rows]), one.overlaps[rows]))
    margins, overlaps = (np.concatenate(parts) for parts in zip(*per_photo, strict=True))
    found = []
    for k, name in enumerate(session.train.class_names):
        fit = calibration(margins[:, k], overlaps[:, k] >= OBJECT_IOU)
        if fit.note:
            session.report.say(f"note: {name}: {fit.note}")
        found.append((fit.slope, fit.offset))
    return found
