"""The tasks of Label Studio files as photos and rows of objects."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import replace

from boxmask.data.contract import SPLITS
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.json_places import JsonPlaces
from boxmask.data.formats.kinds import (
    ENTRY_UNREADABLE,
    NAME_INEXACT,
    PHOTO_AMBIGUOUS,
    PHOTO_LISTED_TWICE,
    PHOTO_WITHOUT_LABEL,
    report_encoding,
)
from boxmask.data.formats.label_studio.references import find_photo, paths_of
from boxmask.data.formats.label_studio.regions import Region
from boxmask.data.formats.label_studio.shapes import parse_shape
from boxmask.data.formats.label_studio.tasks import Task, TaskError, read_tasks
from boxmask.data.formats.labels import PhotoEntry, declared_side
from boxmask.data.formats.object_rows import ObjectRows
from boxmask.data.formats.photo_finder import PhotoFinder, path_of_missing
from boxmask.data.formats.shape_errors import kind_of_shape_error
from boxmask.data.formats.source import Source
from boxmask.data.split_words import split_from_folders, split_from_path
from boxmask.errors import LabelError
from boxmask.masks import Size
from boxmask.messages import format_count
from boxmask.names import Match, class_name

ANNOTATIONS_LEFT_OUT = Kind(
    "annotations-left-out",
    "note",
    "Annotations and predictions that are not used",
    "Of several annotations of a task, the ground truth is used, else the latest. To use another one, mark "
    "it as ground truth.",
)


class TaskRows:
    """The photos of all files, and their regions as rows."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self.rows, self.finder = ObjectRows(), PhotoFinder(source)
        self.photos: list[PhotoEntry] = []
        self.photo_attributes: dict[int, Mapping[str, object]] = {}
        self._source, self._findings = source, findings
        self._files: list[str] = []
        self._places: list[JsonPlaces] = []
        self._tasks: list[tuple[int, int, tuple[str | int, ...]]] = []  # of each photo: file, task, way
        self._rows = array("q")  # two numbers per row: photo, region
        self._location_of: dict[str, tuple[int, int]] = {}

    def location(self, row: int) -> Location:
        """File and line of a region."""
        file, number, place = self._tasks[self._rows[2 * row]]
        return self._locate(file, number, (*place, self._rows[2 * row + 1]))

    def _locate(self, file: int, number: int, place: tuple[str | int, ...] = ()) -> Location:
        path = self._source.root / self._files[file]
        entry = f"[{number}]" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
        return Location(str(path), self._places[file].line(number, *place), entry)

    def _add(self, kind: Kind, task: Task, detail: str, photo: str = "", num_left_out: int = 0) -> None:
        location = self._locate(len(self._files) - 1, task.number)
        self._findings.add(Finding(kind, location, detail, photo, num_left_out=num_left_out))

    # ---------------------------------------------------------------- tasks

    def add_file(self, file: str) -> None:
        """Add the tasks of a file. Raises LabelError for one that cannot be read."""
        self._files.append(file)
        self._places.append(JsonPlaces(self._source.root / file))
        path = self._source.root / file
        for task in self._chosen(read_tasks(path, report_encoding(path, self._findings))):
            self._add_task(task, file)

    def _chosen(self, tasks: Iterator[Task | TaskError]) -> Iterator[Task]:
        """One task per photo: minimal exports have one entry per annotation, of which the latest counts."""
        latest: dict[tuple[int | None, str], Task] = {}
        for task in tasks:
            if isinstance(task, TaskError):
                location = self._locate(len(self._files) - 1, task.number)
                self._findings.add(Finding(ENTRY_UNREADABLE, location, str(task)))
            elif not task.time:
                yield task
            else:
                key = (task.task_id, task.references[0])
                earlier = latest.setdefault(key, task)
                if earlier is not task:
                    newer = task if task.time >= earlier.time else earlier
                    older = earlier if newer is task else task
                    latest[key] = replace(
                        newer,
                        num_rejected=earlier.num_rejected + 1,
                        num_rejected_regions=earlier.num_rejected_regions + len(older.regions),
                    )
        yield from latest.values()

    def _add_task(self, task: Task, file: str) -> None:
        try:
            match = find_photo(task.references, self.finder, file)
        except LabelError as error:
            self._add(PHOTO_AMBIGUOUS, task, error.reason, num_left_out=task.num_regions)
            return
        photo = match.file if match else path_of_missing([*paths_of(task.references[0]), ""][0])
        if self._is_new(task, photo) and self._is_labeled(task, photo):
            if match is not None and not match.is_exact:
                self._add(NAME_INEXACT, task, match.describe(task.references[0]), photo)
            self._add_photo(task, photo, match, file)
            for region in task.regions:
                self._add_region(task, region)

    def _is_new(self, task: Task, photo: str) -> bool:
        """Whether no other task is about a photo. Another one is an error."""
        place = (len(self._files) - 1, task.number)
        first = self._location_of.setdefault(photo, place)
        if first != place:
            detail = f"{photo}, also at {self._locate(*first)}"
            self._add(PHOTO_LISTED_TWICE, task, detail, photo, num_left_out=task.num_regions)
        return first == place

    def _is_labeled(self, task: Task, photo: str) -> bool:
        """Whether a task has an annotation. What is left out is noted."""
        if not task.is_labeled:
            detail = "left out: its task has no annotation that was submitted"
            self._add(PHOTO_WITHOUT_LABEL, task, detail, photo, num_left_out=task.num_rejected_regions)
        elif task.num_rejected or task.num_predictions:
            counts = [(task.num_rejected, "annotation"), (task.num_predictions, "prediction")]
            left_out = " and ".join(format_count(number, noun) for number, noun in counts if number)
            count = task.num_rejected_regions
            self._add(ANNOTATIONS_LEFT_OUT, task, f"left out: {left_out}", photo, num_left_out=count)
        return task.is_labeled

    def _add_photo(self, task: Task, photo: str, match: Match | None, file: str) -> None:
        attributes, split = dict(task.attributes), task.attributes.get("split")
        if split in SPLITS:
            del attributes["split"]
        else:
            split = split_from_path(file) or split_from_folders(photo)
        if attributes:
            self.photo_attributes[len(self.photos)] = attributes
        location = Location(str(self._source.root / file), entry=f"[{task.number}]")  # without line: faster
        missing_name = "" if match else task.references[0]
        size = next((size for region in task.regions if (size := _size(region))), None)
        self._tasks.append((len(self._files) - 1, task.number, task.place))
        self.photos.append(
            PhotoEntry(photo, location, size, str(split) if split else None, task.task_id, missing_name)
        )
        for index, reason in task.errors:
            self._add_error(ENTRY_UNREADABLE, task, index, reason)

    # ---------------------------------------------------------------- regions

    def _add_region(self, task: Task, region: Region) -> None:
        try:
            name, size = _class(region), _size(region)
            declared = self.photos[-1].declared_size
            if size is None or size != declared:
                raise ValueError(f"expected the size of its photo, {declared}, found {region.size}")
            box, outline = parse_shape(region.value, size)
        except ValueError as error:
            self._add_error(kind_of_shape_error(error), task, region.index, str(error))
            return
        photo = len(self.photos) - 1
        self.rows.add(photo, name, box=box, outline=outline, attributes=region.attributes)
        self._rows.extend((photo, region.index))

    def _add_error(self, kind: Kind, task: Task, index: int, reason: str) -> None:
        location = self._locate(len(self._files) - 1, task.number, (*task.place, index))
        self._findings.add(Finding(kind, location, reason, self.photos[-1].file, num_left_out=1))


def _size(region: Region) -> Size | None:
    """(height, width) that a region is drawn on."""
    height, width = (declared_side(side) for side in region.size)
    return None if height is None or width is None else (height, width)


def _class(region: Region) -> str:
    """The only label of a region. Raises ValueError for none or several, and for a photo that was rotated."""
    if region.image_rotation not in (0, None):
        raise ValueError("the photo was rotated in Label Studio, so that the place of the region is unclear")
    if len(region.labels) != 1 or not isinstance(region.labels[0], str) or not class_name(region.labels[0]):
        found = ", ".join(map(str, region.labels))[:60] or "none"
        raise ValueError(f"expected one label per region, found {found}")
    return region.labels[0]
