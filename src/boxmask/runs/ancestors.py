"""The photos that a run has seen before its own training: those of the runs whose weights it starts from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from boxmask.data.photo_digest import photo_digest
from boxmask.data.seen import Seen
from boxmask.data.split_file import SplitFile, read_split_file
from boxmask.errors import CheckpointError, LabelError
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe, write_json
from boxmask.runs.same_photos import is_same_data
from boxmask.weights.checkpoint import is_checkpoint
from boxmask.weights.published.manifest import is_published_name, training_data

_SEEN = ("train", "val")


@dataclass(frozen=True)
class EarlierTraining:
    """A training whose weights others start from.

    run:      its folder
    data:     the path of its data set; "" if it is not known
    photos:   "train" or "val" by photo
    contents: the digests of these photos, as far as they are known
    """

    run: str
    data: str
    photos: Mapping[str, str]
    contents: Mapping[str, str]


@dataclass(frozen=True)
class Ancestors:
    """The trainings that a run builds on, the nearest first.

    published: published weights, with the data set that they were trained on; "" if that is not listed
    unknown:   weights of which no record tells what they were trained on
    """

    trainings: tuple[EarlierTraining, ...] = ()
    published: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.trainings or self.published or self.unknown)

    def find(
        self, root: Path, photos: list[str], data: Path, contents: Mapping[str, str] | None = None
    ) -> dict[str, Seen]:
        """The photos that were seen, by their contents. Training photos come before validation photos.

        Names count only for trainings of old versions, which recorded no contents, on the same data set.

        contents: digests that are known already
        """
        if not self.trainings:
            return {}
        by_contents, by_name = self._index(data)
        found: dict[str, Seen] = {}
        for photo in photos:
            digest = (contents or {}).get(photo) or photo_digest(root / photo)
            if seen := by_contents.get(digest) or by_name.get(photo):
                found[photo] = seen
        return found

    def _index(self, data: Path) -> tuple[dict[str, Seen], dict[str, Seen]]:
        by_contents: dict[str, Seen] = {}
        by_name: dict[str, Seen] = {}
        for split in _SEEN:
            for training in self.trainings:
                has_names = not training.contents and is_same_data(Path(training.data), data)
                for photo, found in training.photos.items():
                    if found != split:
                        continue
                    seen = Seen(training.run, split, photo)
                    if digest := training.contents.get(photo):
                        by_contents.setdefault(digest, seen)
                    elif has_names:
                        by_name.setdefault(photo, seen)
        return by_contents, by_name

    def write(self, run: Run) -> None:
        """Write ancestors.json, if there are any."""
        if self:
            write_json(run.ancestors_file, asdict(self))


def read_ancestors(run: Run) -> Ancestors:
    """The ancestors of a run; none without ancestors.json. Raises CheckpointError if it is damaged."""
    path = run.ancestors_file
    if not path.is_file():
        return Ancestors()
    try:
        return _from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        remedy = "Restore the file, or remove it: photos of earlier trainings then go unnoticed."
        raise CheckpointError(f"{path}: this is not a record of ancestors ({error}). {remedy}") from error


def _from_json(content: object) -> Ancestors:
    """What `Ancestors.write` wrote. Raises ValueError for anything else."""
    if not isinstance(content, dict) or not isinstance(content.get("trainings"), list):
        raise ValueError('expected an object with "trainings"')
    trainings = tuple(_training_from_json(entry) for entry in content["trainings"])
    published, unknown = content.get("published", {}), content.get("unknown", [])
    if not _is_text_by_text(published) or not isinstance(unknown, list):
        raise ValueError('expected an object in "published" and a list in "unknown"')
    return Ancestors(trainings, published, tuple(map(str, unknown)))


def _training_from_json(entry: Any) -> EarlierTraining:
    if not isinstance(entry, dict) or set(entry) != {"run", "data", "photos", "contents"}:
        raise ValueError("expected run, data, photos and contents")
    if not (isinstance(entry["run"], str) and isinstance(entry["data"], str)):
        raise ValueError('expected text in "run" and "data"')
    if not (_is_text_by_text(entry["photos"]) and set(entry["photos"].values()) <= set(_SEEN)):
        raise ValueError('expected "train" or "val" by photo in "photos"')
    if not _is_text_by_text(entry["contents"]):
        raise ValueError('expected digests by photo in "contents"')
    return EarlierTraining(**entry)


def _is_text_by_text(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


# ---------------------------------------------------------------- at the start of a training


def starting_points(recipe: Recipe) -> list[Path]:
    """The runs, checkpoints, files or names of weights that a training starts from."""
    sources = (recipe.init, recipe.detector, recipe.classifier)
    return [Path(source) for source in sources if source is not None]


def ancestors_of(sources: Sequence[Path]) -> Ancestors:
    """The ancestors of a training that starts from these runs, checkpoints, files or published weights.

    A photo is recorded once, with the nearest training that had it among its training photos.
    """
    trainings: list[EarlierTraining] = []
    published: dict[str, str] = {}
    unknown: list[str] = []
    trained: set[str] = set()
    for path in sources:
        if is_published_name(path):
            published[path.as_posix()] = training_data(path.as_posix())
        elif (own := _own_training(path)) is None:
            unknown.append(str(path))
        else:
            earlier = read_ancestors(Run.from_path(path))
            for training in (own, *earlier.trainings):
                trainings.append(_without(training, trained))
            published |= earlier.published
            unknown += earlier.unknown
    kept = tuple(training for training in trainings if training.photos)
    return Ancestors(kept, published, tuple(dict.fromkeys(unknown)))


def _own_training(path: Path) -> EarlierTraining | None:
    """The training and validation photos of a run; None if it has no split file that can be read.

    A file of other weights is not of the run in whose folder it lies.
    """
    if path.is_file() and not is_checkpoint(path):
        return None
    run = Run.from_path(path)
    try:
        file = read_split_file(run.split_file)
    except LabelError:
        return None
    try:
        data = str(read_recipe(run)[1])
    except CheckpointError:
        data = ""
    return EarlierTraining(str(run.path.absolute()), data, *_seen_photos(file))


def _seen_photos(file: SplitFile) -> tuple[dict[str, str], dict[str, str]]:
    photos = {photo: split for photo, split in file.splits.items() if split in _SEEN}
    return photos, {photo: digest for photo, digest in file.contents.items() if photo in photos}


def _without(training: EarlierTraining, trained: set[str]) -> EarlierTraining:
    """The training without photos that are recorded as training photos; its own are added to `trained`."""
    kept = {
        photo: split
        for photo, split in training.photos.items()
        if training.contents.get(photo) not in trained
    }
    contents = {photo: digest for photo, digest in training.contents.items() if photo in kept}
    trained |= {digest for photo, digest in contents.items() if kept[photo] == "train"}
    return EarlierTraining(training.run, training.data, kept, contents)
