"""The tasks of one Label Studio file: each is a photo with its annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from boxmask.data.formats.label_studio.references import photo_key
from boxmask.data.formats.label_studio.regions import Region, is_region, minimal_regions, regions_of
from boxmask.data.json_text import read_json
from boxmask.data.text import read_bytes, read_text
from boxmask.errors import LabelError

Entry: TypeAlias = Mapping[str, Any]

_MINIMAL_FIELDS = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time")
_ANNOTATIONS = ("annotations", "completions")


@dataclass(frozen=True, slots=True)
class Task:
    """A photo, and one of its annotations.

    number:         in the file
    references:     names of the photo, the likeliest first
    place:          keys and numbers that lead to the list of regions in the file, for locations
    attributes:     of the photo
    errors:         entries that cannot be read, by their number
    is_labeled:     False without any annotation, or if all were cancelled
    num_rejected:   annotations that are not used, because another one is
    num_predictions: predictions, which are not used
    num_rejected_regions: in annotations that are not used, cancelled ones and predictions among them
    time:           of the annotation, to choose the latest
    """

    number: int
    task_id: int | None
    references: list[str]
    regions: list[Region] = field(default_factory=list)
    place: tuple[str | int, ...] = ()
    attributes: dict[str, object] = field(default_factory=dict)
    errors: list[tuple[int, str]] = field(default_factory=list)
    is_labeled: bool = True
    num_rejected: int = 0
    num_predictions: int = 0
    num_rejected_regions: int = 0
    time: str = ""

    @property
    def num_regions(self) -> int:
        """All regions, those that cannot be read and those that are not used among them."""
        return len(self.regions) + len(self.errors) + self.num_rejected_regions


class TaskError(ValueError):
    """A task that cannot be read."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number


def read_tasks(path: Path, on_note: Callable[[str], None]) -> Iterator[Task | TaskError]:
    """The tasks of a file, one by one; errors in place of those that cannot be read.

    on_note: called with why the file was read in another encoding than UTF-8

    Raises LabelError for broken JSON, and for anything but a list.
    """
    content: str | bytes = read_bytes(path)
    if not content.isascii():
        text = read_text(path)
        content = text.content
        if text.note:
            on_note(text.note)
    try:
        entries: Sequence[object] = msgspec.json.decode(content, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        decoded = read_json(path)  # says what is wrong, and where
        if not isinstance(decoded, list):
            raise LabelError.in_file(path, "expected a list of tasks, as Label Studio exports it.") from None
        entries = decoded
    for number, entry in enumerate(entries):
        try:
            yield _task(number, msgspec.json.decode(entry) if isinstance(entry, msgspec.Raw) else entry)
        except TaskError as error:
            yield error
        except (msgspec.MsgspecError, RecursionError) as error:
            yield TaskError(number, f"broken JSON ({error})")


def _task(number: int, entry: object) -> Task:
    if not isinstance(entry, dict):
        raise TaskError(number, f"expected a task as an object, found {str(entry)[:60]}")
    task_id = entry.get("id")
    task_id = task_id if isinstance(task_id, int) and not isinstance(task_id, bool) else None
    data = entry.get("data")
    if isinstance(data, dict):
        return _full_task(number, task_id, entry, data)
    return _minimal_task(number, task_id, entry)


def _references(number: int, entry: Entry, data: Entry) -> tuple[str, list[str]]:
    """The field of the photo, and the names of the photo."""
    key = photo_key(data)
    if key is None:
        raise TaskError(number, f'expected a photo, such as "image", found {", ".join(data) or "nothing"}')
    reference = str(data[key])
    if reference.startswith("data:"):
        raise TaskError(number, "the photo is embedded; save it as a file, and name it here")
    others = (entry.get("storage_filename"), entry.get("file_upload"))
    return key, [reference, *(name for name in others if isinstance(name, str) and name)]


# ---------------------------------------------------------------- full exports


def _full_task(number: int, task_id: int | None, entry: Entry, data: Entry) -> Task:
    key, references = _references(number, entry, data)
    others = {name: value for name, value in data.items() if name != key}
    predictions = entry.get("predictions")
    predictions = predictions if isinstance(predictions, list) else []
    task = Task(number, task_id, references, attributes=others, num_predictions=len(predictions))
    name, annotations = _annotations(number, entry)
    usable = {i: a for i, a in enumerate(annotations) if not a.get("was_cancelled")}
    rejected = _count_results([*annotations, *predictions])
    if not usable:
        return replace(task, is_labeled=False, num_rejected_regions=rejected)
    chosen = max(usable, key=lambda index: (_is_ground_truth(usable[index]), _time(usable[index]), index))
    results = usable[chosen].get("result")
    if not isinstance(results, list):
        raise TaskError(number, f'expected a list as "result", found {str(results)[:60]}')
    regions, of_photo, errors = regions_of(results)
    return replace(
        task,
        regions=regions,
        place=(name, chosen, "result"),
        attributes=others | of_photo,
        errors=errors,
        num_rejected=len(usable) - 1,
        num_rejected_regions=rejected - len(results),
    )


def _count_results(annotations: Sequence[object]) -> int:
    """The number of regions in annotations or predictions."""
    results = (each.get("result") for each in annotations if isinstance(each, dict))
    return sum(len(result) for result in results if isinstance(result, list))


def _is_ground_truth(annotation: Entry) -> bool:
    return bool(annotation.get("ground_truth"))


def _annotations(number: int, entry: Entry) -> tuple[str, list[Entry]]:
    name = next((name for name in _ANNOTATIONS if name in entry), _ANNOTATIONS[0])
    annotations = entry.get(name) or []
    if not isinstance(annotations, list) or not all(isinstance(each, dict) for each in annotations):
        raise TaskError(number, f'expected a list of objects as "{name}", found {str(annotations)[:60]}')
    return name, annotations


def _time(annotation: Entry) -> str:
    """The time of the last change, as text that sorts by time."""
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")


# ---------------------------------------------------------------- minimal exports


def _minimal_task(number: int, task_id: int | None, entry: Entry) -> Task:
    data = {name: value for name, value in entry.items() if name not in _MINIMAL_FIELDS}
    key, references = _references(number, entry, data)
    lists = {name: value for name, value in data.items() if _holds_regions(value)}
    if len(lists) > 1:
        raise TaskError(number, f"regions in several fields: {', '.join(lists)}; export the full JSON")
    name = next(iter(lists), "")
    others = {field: value for field, value in data.items() if field not in (key, name)}
    regions = minimal_regions(lists.get(name, []))
    return Task(number, task_id, references, regions, (name,), others, time=_time(entry))


def _holds_regions(value: object) -> bool:
    return isinstance(value, list) and any(map(is_region, value))
