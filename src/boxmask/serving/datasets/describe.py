"""Describe data sets and photos for clients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from urllib.parse import quote

from boxmask.data.correction.versions import kept_versions
from boxmask.data.findings import Box, Finding
from boxmask.serving.datasets.data_set import DataSet
from boxmask.serving.datasets.objects import ViewObject
from boxmask.serving.datasets.places import Obstacle
from boxmask.serving.datasets.replies import (
    BoxValues,
    ClassCount,
    Correcting,
    DataSetReply,
    FindingGroupReply,
    FindingReply,
    ListedDataSet,
    ListedPhoto,
    ObjectReply,
    PhotoReply,
    ReadingProgress,
    VersionReply,
)
from boxmask.serving.datasets.saving import label_file_name
from boxmask.serving.datasets.snapshot import Snapshot
from boxmask.visualization.style import class_colors

MAX_DRAWN = 60
"""Boxes per photo in a list."""


def listed(data: DataSet) -> ListedDataSet:
    """A data set in the list."""
    done, total = data.progress
    reading = ReadingProgress(state=data.state, photos_checked=done, photos_to_check=total, error=data.error)
    return ListedDataSet(id=data.name, path=str(data.path), reading=reading)


def dataset_reply(data: DataSet) -> DataSetReply:
    """All about a data set but its photos."""
    snapshot = data.snapshot_or_none()
    fields = dict(listed(data))
    if snapshot is None:
        return DataSetReply(
            **fields,
            format="",
            kind="",
            photos=0,
            objects=0,
            label_files=0,
            classes=[],
            findings=[],
            correcting=Correcting(shapes=[], code="", message=""),
            changed=False,
        )
    return DataSetReply(
        **fields,
        format=snapshot.report.labels,
        kind=snapshot.report.label_kind,
        photos=len(snapshot.index.files),
        objects=len(snapshot.index.photo_of),
        label_files=len(snapshot.stamps),
        classes=_classes(snapshot),
        findings=_groups(snapshot),
        correcting=_correcting(snapshot, snapshot.places.obstacle),
        changed=data.has_changed(),
    )


def _classes(snapshot: Snapshot) -> list[ClassCount]:
    colors = class_colors(snapshot.index.class_names)
    return [
        ClassCount(name=name, color=color, objects=objects, photos=photos)
        for (name, objects, photos), color in zip(snapshot.index.counts(), colors, strict=True)
    ]


def _groups(snapshot: Snapshot) -> list[FindingGroupReply]:
    return [
        FindingGroupReply(
            id=group.kind.id,
            severity=group.kind.severity,
            heading=group.kind.heading,
            remedy=group.kind.remedy,
            count=group.count,
            photos=len(group.photos),
            others=list(group.others),
        )
        for group in snapshot.findings.groups
    ]


def _correcting(snapshot: Snapshot, obstacle: Obstacle | None) -> Correcting:
    if obstacle is not None:
        return Correcting(shapes=[], code=obstacle.code, message=obstacle.message)
    return Correcting(shapes=list(snapshot.places.shapes), code="", message="")


def photo_path(name: str, photo: int) -> str:
    """The route of a photo."""
    return f"/v1/datasets/{quote(name, safe='')}/photos/{photo}"


def listed_photo(data: DataSet, snapshot: Snapshot, photo: int) -> ListedPhoto:
    """A photo in a list, with some of its boxes."""
    labels, boxes = snapshot.index.objects_of(photo, len(snapshot.index.photo_of))
    height, width = snapshot.index.sizes[photo].tolist()
    values = [_values(box) for box in boxes[:MAX_DRAWN].tolist()]
    drawn = [(label, box) for label, box in zip(labels.tolist(), values, strict=False) if box is not None]
    return ListedPhoto(
        number=photo,
        file=snapshot.index.files[photo],
        width=width,
        height=height,
        thumbnail=f"{photo_path(data.name, photo)}/thumbnail",
        objects=len(labels),
        labels=[label for label, _ in drawn],
        boxes=[box for _, box in drawn],
    )


def photo_reply(data: DataSet, snapshot: Snapshot, photo: int, kept: str = "") -> PhotoReply:
    """A photo with its labels."""
    objects = snapshot.objects(photo)
    height, width = snapshot.index.sizes[photo].tolist()
    file = snapshot.places.label_file(photo, snapshot.index)
    obstacle = snapshot.places.obstacle_of(photo, snapshot.index)
    entry = int(snapshot.index.entries[photo])
    return PhotoReply(
        number=photo,
        file=snapshot.index.files[photo],
        width=width,
        height=height,
        split=snapshot.reader.labels.photos[entry].split or "" if entry >= 0 else "",
        image=f"{photo_path(data.name, photo)}/image",
        version=snapshot.version(photo),
        label_file=label_file_name(snapshot, photo),
        objects=[_object(number, each) for number, each in enumerate(objects)],
        findings=_findings(snapshot, photo, objects),
        findings_outdated=photo in snapshot.corrected,
        correcting=_correcting(snapshot, obstacle),
        versions=[
            VersionReply(number=old.number, file=old.path.name, time=old.time)
            for old in (kept_versions(file) if file and obstacle is None else ())
        ],
        changed=file is not None and snapshot.is_changed(file),
        kept=kept,
    )


def _object(number: int, each: ViewObject) -> ObjectReply:
    return ObjectReply(
        id=number,
        class_name=each.class_name,
        kind=each.kind,
        box=_values(each.box),
        rings=[list(ring) for ring in each.rings],
    )


def _findings(snapshot: Snapshot, photo: int, objects: Sequence[ViewObject]) -> list[FindingReply]:
    return [
        FindingReply(
            kind=finding.kind.id,
            severity=finding.kind.severity,
            heading=finding.kind.heading,
            remedy=finding.kind.remedy,
            detail=finding.detail,
            box=_values(finding.box),
            object=_object_of(snapshot, photo, finding, objects),
        )
        for finding in snapshot.findings.of_photo(photo)
    ]


def _object_of(snapshot: Snapshot, photo: int, finding: Finding, objects: Sequence[ViewObject]) -> int | None:
    """The object that a finding is about: the one at its place, or the one with its box."""
    entry = int(snapshot.index.entries[photo])
    place = finding.location
    if photo not in snapshot.corrected and entry >= 0 and (place.line is not None or place.entry):
        location = snapshot.reader.labels.location
        rows = snapshot.reader.rows(entry)
        found = next((n for n, row in enumerate(rows) if location(row) == place), None)
        if found is not None:
            return found
    if finding.box is None or not all(map(math.isfinite, finding.box)):
        return None
    boxes = ((number, each.box) for number, each in enumerate(objects))
    return next((number for number, box in boxes if box is not None and _is_near(box, finding.box)), None)


def _is_near(box: Box, other: Box) -> bool:
    return all(abs(edge - edge_of_other) < 0.5 for edge, edge_of_other in zip(box, other, strict=True))


def _values(box: Sequence[float] | None) -> BoxValues | None:
    """A box; None if it is unknown or not finite."""
    if box is None or not all(map(math.isfinite, box)):
        return None
    x1, y1, x2, y2 = box
    return x1, y1, x2, y2
