"""What a model suspects, as findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from boxmask.data.findings import Box, Finding, Findings, Kind, Location, ModelDetection
from boxmask.data.formats.labels import Labels
from boxmask.doctor.model.kinds import BAD_BOX, MISSING_LABEL, WRONG_CLASS
from boxmask.evaluation.suspicions.comparison import Suspects


def report_suspects(
    suspects: Suspects,
    labels: Labels,
    class_names: Sequence[str],
    splits: Mapping[str, str],
    findings: Findings,
) -> None:
    """Add the suspects in their order.

    class_names: of the model
    splits:      the run's split of each photo that it has seen
    """
    describer = _Describer(labels, class_names, splits)
    findings.add_all(MISSING_LABEL, suspects.missing, describer.missing)
    findings.add_all(WRONG_CLASS, suspects.wrong_class, describer.wrong_class)
    findings.add_all(BAD_BOX, suspects.bad_box, describer.bad_box)


class _Describer:
    """Makes a finding of a row of `SUSPICION`."""

    def __init__(self, labels: Labels, class_names: Sequence[str], splits: Mapping[str, str]) -> None:
        self._labels, self._class_names, self._splits = labels, class_names, splits

    def missing(self, suspicion: Any) -> Finding:
        photo = self._labels.photos[suspicion["photo"]]
        name, score = self._class_names[suspicion["label"]], suspicion["score"]
        detail = f"{name} in {self._place(suspicion)} has no label: score {score:.2f}"
        return self._finding(MISSING_LABEL, photo.location, detail, None, suspicion)

    def wrong_class(self, suspicion: Any) -> Finding:
        name, score = self._class_names[suspicion["label"]], suspicion["score"]
        detail = (
            f"{self._object_name(suspicion)} in {self._place(suspicion)} is probably {name}: "
            f"score {score:.2f} against {suspicion['own_score']:.2f}"
        )
        return self._object_finding(WRONG_CLASS, detail, suspicion)

    def bad_box(self, suspicion: Any) -> Finding:
        detail = (
            f"{self._object_name(suspicion)} in {self._place(suspicion)} has a box that differs from that of "
            f"the model: IoU {suspicion['iou']:.2f}, score {suspicion['score']:.2f}"
        )
        return self._object_finding(BAD_BOX, detail, suspicion)

    def _object_name(self, suspicion: Any) -> str:
        label = int(self._labels.labels[int(suspicion["row"])])
        return self._labels.class_names[label]

    def _place(self, suspicion: Any) -> str:
        """The photo with its split: "a.jpg (val photo)"."""
        file = self._labels.photos[suspicion["photo"]].file
        return f"{file} ({self._splits[file]} photo)" if file in self._splits else file

    def _object_finding(self, kind: Kind, detail: str, suspicion: Any) -> Finding:
        location = self._labels.location(int(suspicion["row"]))
        is_whole_photo = _box(suspicion["box"]) is None
        box = None if is_whole_photo else _box(self._labels.boxes[suspicion["row"]])
        return self._finding(kind, location, detail, box, suspicion)

    def _finding(
        self, kind: Kind, location: Location, detail: str, box: Box | None, suspicion: Any
    ) -> Finding:
        name, score = self._class_names[suspicion["label"]], float(suspicion["score"])
        detection = ModelDetection(name, score, _box(suspicion["box"]))
        file = self._labels.photos[suspicion["photo"]].file
        return Finding(kind, location, detail, file, box, detection=detection)


def _box(edges: Float[np.ndarray, " 4"]) -> Box | None:
    """None for `NO_BOX`."""
    x1, y1, x2, y2 = edges.tolist()
    return None if np.isnan(x1) else (x1, y1, x2, y2)
