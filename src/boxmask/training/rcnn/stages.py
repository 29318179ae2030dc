"""R-CNN's stages after fine-tuning: extract the features of all regions, fit the SVMs and the box regressors.

Girshick et al. 2014 (arXiv:1311.2524v5), section 2.3, appendices B and C.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import torch

from boxmask.atomic_write import atomic_write
from boxmask.detectors.rcnn import RCNN
from boxmask.errors import CheckpointError
from boxmask.photos.read import to_image
from boxmask.training.rcnn.box_regressors import (
    BoxRegressorConfig,
    RegressionExamples,
    train_box_regressors,
)
from boxmask.training.rcnn.budget import ALL_REGIONS, max_pairs, max_proposals
from boxmask.training.rcnn.calibration import calibrate
from boxmask.training.rcnn.features import PhotoRegions, RegionFeatures, photo_regions
from boxmask.training.rcnn.svms import SVMConfig, SVMExamples, SVMs, train_svms
from boxmask.training.session import Session, begin_clock, no_seconds
from boxmask.training.stages.selective_search import cached_proposals

MISSING_FEATURES = (
    "the features that this training extracted are missing, or the proposals have changed. Train again."
)
CACHED_PHOTOS = 512  # photos whose regions are kept in memory
MAX_CALIBRATION_ROWS = 200_000  # margins that the calibration is fitted to
CALIBRATION_IOU = 0.5  # the calibration counts regions of this IoU or more as objects


@dataclass
class ExtractFeatures:
    """Write fc7 and pool5 of every training photo's regions to disk, until training is complete."""

    name: str = "features of all regions"
    time_share: float = 0.4
    with_validation: bool = False

    seconds_needed = staticmethod(no_seconds)

    def begin(self, session: Session, minutes: float) -> None:
        """Choose how many proposals per photo fit the time, unless that was done before."""
        begin_clock(session, minutes)
        progress = _ProgressFile(_folder(session))
        if not progress.path.is_file():
            progress.write(max_proposals(session, minutes), 0)

    def fit(self, session: Session) -> bool:
        """Extract photo after photo, from the first that is not done. Raises StopRequested at a stop."""
        detector = cast(RCNN, session.state.network).eval()
        progress, total = _ProgressFile(_folder(session)), len(session.train)
        limit, first = progress.read()
        features = _open_features(session, limit)
        if features.new:
            first = 0
            per_photo = f", with at most {limit} proposals per photo" if limit < ALL_REGIONS else ""
            session.report.message(f"features of {len(features.fc7)} regions to extract{per_photo}")
        for photo in range(first, total):
            _extract(session, detector, features, photo)
            features.flush()
            progress.write(limit, photo + 1)
            session.report.advance(photo + 1, total)
        return True


@dataclass
class FitSVMs:
    """Fit one linear SVM per class by hard-negative mining, and calibrate the margins as probabilities."""

    name: str = "SVMs"
    time_share: float = 0.07
    with_validation: bool = False

    begin = staticmethod(begin_clock)
    seconds_needed = staticmethod(no_seconds)

    def fit(self, session: Session) -> bool:
        """Fit and calibrate, and copy both into the detector. Raises StopRequested at a stop."""
        features = _extracted_features(session)

        def examples(photo: int) -> SVMExamples:
            session.stop.check()
            regions = features.regions(photo)
            return SVMExamples(features.fc7_of(photo), regions.overlaps, regions.positive_class)

        names, check = session.train.class_names, session.stop.check
        config = SVMConfig(mining_minutes=session.state.clock.minutes)
        svms = train_svms(examples, len(session.train), names, config, session.report.advance, check)
        calibration = torch.tensor(_calibrate(svms, features, session))
        detector = cast(RCNN, session.state.network)
        detector.svm_weights.copy_(torch.from_numpy(svms.weights * np.float32(svms.scale)))
        detector.svm_biases.copy_(torch.from_numpy(svms.biases))
        detector.calibration.copy_(calibration)
        detector.fitted.fill_(True)
        for note in svms.notes:
            session.report.message(f"note: {note}")
        return True


@dataclass
class FitBoxRegressors:
    """Fit one ridge regression per class and coordinate."""

    name: str = "box regressors"
    time_share: float = 0.03
    with_validation: bool = False

    begin = staticmethod(begin_clock)
    seconds_needed = staticmethod(no_seconds)

    def fit(self, session: Session) -> bool:
        """Fit, and copy the regressors into the detector. Raises StopRequested at a stop."""
        features, config = _extracted_features(session), BoxRegressorConfig()

        def examples(photo: int) -> RegressionExamples:
            session.stop.check()
            regions = features.regions(photo)
            boxes = regions.boxes[regions.regression_rows]
            return RegressionExamples(features.pool5_of(photo), boxes, regions.objects, regions.labels)

        def advance(done: int, total: int) -> None:
            session.report.advance(done, total, "classes")

        if not len(features.pool5):
            session.report.message(
                f"note: no region has an IoU above {config.iou} with an object, so boxes are not refined"
            )
            return True
        names, check, minutes = session.train.class_names, session.stop.check, session.state.clock.minutes
        if minutes:
            pairs = max_pairs(features.pool5.shape[1], len(names), 60 * minutes, config.max_pairs)
            config = replace(config, max_pairs=pairs)
        regressors = train_box_regressors(examples, len(session.train), names, config, advance, check)
        detector = cast(RCNN, session.state.network)
        detector.regressor_weights.copy_(torch.from_numpy(regressors.weights))
        detector.regressor_biases.copy_(torch.from_numpy(regressors.biases))
        for note in regressors.notes:
            session.report.message(f"note: {note}")
        return True


# ---------------------------------------------------------------- features


class _ProgressFile:
    """The number of proposals per photo and of photos done, in a file beside the features."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "done.json"

    def read(self) -> tuple[int, int]:
        if not self.path.is_file():
            raise CheckpointError(f"{self.path.parent}: {MISSING_FEATURES}")
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            max_proposals, photos = content["max_proposals"], content["photos"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise CheckpointError(f"{self.path}: this file is damaged ({error}). Train again.") from error
        if not (isinstance(max_proposals, int) and isinstance(photos, int)):
            raise CheckpointError(f"{self.path}: expected whole numbers. Train again.")
        return max_proposals, photos

    def write(self, max_proposals: int, photos: int) -> None:
        with atomic_write(self.path) as partial:
            content = {"max_proposals": max_proposals, "photos": photos}
            partial.write_text(json.dumps(content), encoding="utf-8")


def _folder(session: Session) -> Path:
    return session.run.intermediate / "features"


def _open_features(session: Session, max_proposals: int) -> RegionFeatures:
    """Open the files of the features, or make them."""
    proposals, iou = cached_proposals(session), BoxRegressorConfig().iou

    @lru_cache(maxsize=CACHED_PHOTOS)
    def regions(photo: int) -> PhotoRegions:
        session.stop.check()
        boxes = proposals(session.train.path(photo))[:max_proposals]
        return photo_regions(session.train, photo, boxes, iou)

    detector = cast(RCNN, session.state.network)
    widths = (detector.svm_weights.shape[1], detector.regressor_weights.shape[2])
    return RegionFeatures(_folder(session), regions, len(session.train), widths)


def _extracted_features(session: Session) -> RegionFeatures:
    """Open the features that `ExtractFeatures` wrote; raises CheckpointError if they are missing."""
    features = _open_features(session, _ProgressFile(_folder(session)).read()[0])
    if features.new:
        raise CheckpointError(f"{_folder(session)}: {MISSING_FEATURES}")
    return features


def _extract(session: Session, detector: RCNN, features: RegionFeatures, photo: int) -> None:
    """Extract and store the features of one photo's regions."""
    batch = detector.prepare([to_image(session.train.path(photo))])
    boxes = batch.rescale_boxes([torch.from_numpy(features.regions(photo).boxes)])[0]
    chunks = []
    for chunk in boxes.split(detector.config.region_batch_size):  # one chunk at a time: a photo takes long
        session.stop.check()
        chunks.append(detector.extract_features(batch, 0, chunk))
    pool5, fc7 = zip(*chunks, strict=True)
    features.write(photo, torch.cat(pool5), torch.cat(fc7))


# ---------------------------------------------------------------- calibration


def _calibrate(svms: SVMs, features: RegionFeatures, session: Session) -> list[tuple[float, float]]:
    """Return slope and offset for each class, fitted to the margins of proposals."""
    max_rows, per_photo = max(1, MAX_CALIBRATION_ROWS // features.num_photos), []
    for photo in range(features.num_photos):
        session.stop.check()
        regions = features.regions(photo)
        rows = np.flatnonzero((regions.positive_class < 0) & ~regions.ignored)  # proposals only
        rows = rows[np.linspace(0, len(rows) - 1, min(max_rows, len(rows))).astype(np.int64)]
        per_photo.append((svms.margins(features.fc7_of(photo)[rows]), regions.overlaps[rows]))
    margins, overlaps = (np.concatenate(parts) for parts in zip(*per_photo, strict=True))
    per_class = []
    for k, name in enumerate(session.train.class_names):
        calibration = calibrate(margins[:, k], overlaps[:, k] >= CALIBRATION_IOU)
        if calibration.note:
            session.report.message(f"note: {name}: {calibration.note}")
        per_class.append((calibration.slope, calibration.offset))
    return per_class
