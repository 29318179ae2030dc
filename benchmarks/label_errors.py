"""How many damaged labels `boxmask check DATA RUN` finds: `python benchmarks/label_errors.py [DATA]`.

Copies a data set, and damages the labels of a share of its objects in each of these ways:

    removed  the object has no label
    moved    its box is shifted, so that box and object have an IoU of 0.35 to 0.65
    class    it has another class (data sets with several classes)

A detector is then trained on the damaged labels, and the copy is checked with it. Per damage and kind of
finding, this prints

    damages         number of damaged labels
    findings        number of findings of the kind
    in the first k  share of the first k findings that are damages
    found at n      share of the n damages that are among the first n findings
    found           share of the damages that are among all findings

for all photos, and for those that the detector was not trained on. Labels that were wrong already count as
false findings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

KINDS = {"removed": "model-missing-label", "moved": "model-bad-box", "class": "model-wrong-class"}
FIRST = (10, 25, 50)
SPLITS = ("train", "val", "test")
DAMAGES_FILE = "damages.json"
SAME_OBJECT = 0.5
"""A finding is about the damaged object if its box and that of the object have at least this IoU."""
MOVED_IOU = (0.35, 0.65)
MIN_SIDE = 8.0  # pixels; smaller boxes are not damaged


@dataclass(frozen=True)
class Damage:
    """A damaged label. box: of the object; label_box: in the damaged labels, None if it was removed"""

    kind: str
    photo: str
    split: str
    box: list[float]
    label_box: list[float] | None


def main() -> int:
    arguments = _parser().parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        damaged, run = folder / "data", arguments.run or folder / "run"
        if not (damaged / DAMAGES_FILE).is_file():
            source = arguments.data or _generated(folder / "demo", arguments.photos)
            write_damaged_copy(source, damaged, arguments.share, arguments.seed)
        if not run.exists():
            _train(damaged, run, arguments)
        record = json.loads((damaged / DAMAGES_FILE).read_text())
        damages = [Damage(**values) for values in record["damages"]]
        print_table(damages, _findings(damaged, run), set(record["trained_on"]))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="label_errors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="?", help="labeled boxes (default: generated scenes)")
    parser.add_argument("--model", default="faster-rcnn", help="detector to train")
    parser.add_argument("--max-minutes", type=float, default=3.0, help="of the training")
    parser.add_argument("--share", type=float, default=0.05, help="share of the labels per damage")
    parser.add_argument("--photos", type=int, default=300, help="number of generated scenes")
    parser.add_argument("--seed", type=int, default=0, help="random seed for the damages")
    parser.add_argument("--run", type=Path, help="a run to check with, in place of a training")
    parser.add_argument("--folder", type=Path, help="keep the damaged copy and the run here")
    return parser


def _generated(folder: Path, photos: int) -> Path:
    from boxmask.data.demo import make_demo

    return make_demo(folder, photos=photos)


def _train(data: Path, run: Path, arguments: argparse.Namespace) -> None:
    import boxmask

    boxmask.train(data, model=arguments.model, max_minutes=arguments.max_minutes, out=run)


# ---------------------------------------------------------------- damage


def write_damaged_copy(source: Path, folder: Path, share: float, seed: int) -> None:
    """Write damaged labels as COCO JSON, one file per split, beside links to the photos."""
    from boxmask.data.detection.read import read_detection

    dataset = read_detection(source, on_bad_boxes="skip", needs_masks=False)
    photo_of = np.repeat(np.arange(len(dataset)), np.diff(dataset.offsets))
    boxes, labels = dataset.boxes.astype(np.float64), dataset.labels.copy()
    kept = np.ones(len(boxes), dtype=bool)
    rng = np.random.default_rng(seed)
    damages = []
    for kind, row in _choose(boxes, dataset.counted, len(dataset.class_names), share, rng):
        photo, box = photo_of[row], boxes[row].tolist()
        if kind == "removed":
            kept[row] = False
        elif kind == "moved":
            boxes[row] = _move(boxes[row], dataset.sizes[photo], rng)
        else:
            labels[row] = rng.choice(np.delete(np.arange(len(dataset.class_names)), labels[row]))
        name, split = str(dataset.files[photo]), str(dataset.splits[photo])
        damages.append(Damage(kind, name, split, box, boxes[row].tolist() if kept[row] else None))
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        photos = np.flatnonzero(dataset.splits == split)
        rows = np.flatnonzero(kept & np.isin(photo_of, photos))
        document = {
            "images": [
                {"id": int(n), "file_name": str(dataset.files[n]), "height": int(h), "width": int(w)}
                for n, (h, w) in zip(photos, dataset.sizes[photos], strict=True)
            ],
            "annotations": [
                {"id": int(row) + 1, "image_id": int(photo_of[row]), "category_id": int(labels[row]) + 1}
                | {"bbox": _xywh(boxes[row]), "iscrowd": int(dataset.crowd[row])}
                for row in rows
            ],
            "categories": [{"id": n + 1, "name": name} for n, name in enumerate(dataset.class_names)],
        }
        (folder / f"instances_{split}.json").write_text(json.dumps(document))
    for file in dataset.files.tolist():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        os.link(dataset.root / file, folder / file)
    trained_on = dataset.files[dataset.splits == "train"].tolist()
    record = {"damages": [vars(damage) for damage in damages], "trained_on": trained_on}
    (folder / DAMAGES_FILE).write_text(json.dumps(record))


def _choose(
    boxes: np.ndarray, counted: np.ndarray, num_classes: int, share: float, rng: np.random.Generator
) -> Iterator[tuple[str, int]]:
    """Damages with the rows of the objects that get them; each object gets one at most."""
    large = (boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= MIN_SIDE
    rows = rng.permutation(np.flatnonzero(counted & large)).tolist()
    kinds = [kind for kind in KINDS if kind != "class" or num_classes > 1]
    count = max(1, round(share * len(rows)))
    for number, kind in enumerate(kinds):
        yield from ((kind, row) for row in rows[number * count : (number + 1) * count])


def _move(box: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The box shifted in a random direction; where it would leave the photo, in the opposite one."""
    height, width = size.tolist()
    sides = box[2:] - box[:2]
    while True:
        shift = rng.uniform(-0.5, 0.5, 2) * sides
        moved = np.clip(box + np.tile(shift, 2), 0, [width, height, width, height])
        if MOVED_IOU[0] <= iou(box, moved) <= MOVED_IOU[1]:
            return moved


def _xywh(box: np.ndarray) -> list[float]:
    x1, y1, x2, y2 = np.round(box, 2).tolist()
    return [x1, y1, x2 - x1, y2 - y1]


def iou(box: Sequence[float] | np.ndarray, other: Sequence[float] | np.ndarray) -> float:
    box, other = np.asarray(box), np.asarray(other)
    common = float(np.maximum(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0).prod())
    union = float((box[2:] - box[:2]).prod() + (other[2:] - other[:2]).prod()) - common
    return common / union if union > 0 else 0.0


# ---------------------------------------------------------------- judge


@dataclass(frozen=True)
class Found:
    """A finding of the model: the photo and the box of the object that it is about."""

    kind: str
    photo: str
    box: tuple[float, ...]


def _findings(data: Path, run: Path) -> list[Found]:
    """The findings of each kind, the surest first."""
    import boxmask

    report = boxmask.check(data, run, keep_all=True)
    found = []
    for finding in report:
        if finding.kind.id in KINDS.values():
            box = finding.box or finding.detection.box
            found.append(Found(finding.kind.id, finding.photo, box))
    return found


def judge(damages: Sequence[Damage], found: Sequence[Found]) -> list[bool]:
    """Whether each finding is about a damage, each of which counts once."""
    free = list(damages)
    verdicts = []
    for finding in found:
        match = next((damage for damage in free if _is_about(finding, damage)), None)
        verdicts.append(match is not None)
        if match is not None:
            free.remove(match)
    return verdicts


def _is_about(finding: Found, damage: Damage) -> bool:
    box = damage.label_box or damage.box
    return finding.photo == damage.photo and iou(finding.box, box) >= SAME_OBJECT


def print_table(damages: Sequence[Damage], found: Sequence[Found], trained_on: set[str]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("damage", "photos", "damages", "findings"):
        table.add_column(heading, justify="left" if heading in ("damage", "photos") else "right")
    for heading in (*(f"in the first {k}" for k in FIRST), "found at n", "found"):
        table.add_column(heading, justify="right")
    for kind, finding_kind in KINDS.items():
        of_damage = [damage for damage in damages if damage.kind == kind]
        of_kind = [finding for finding in found if finding.kind == finding_kind]
        if of_damage:
            _add_row(table, kind, "all", of_damage, of_kind)
            unseen = [damage for damage in of_damage if damage.photo not in trained_on]
            _add_row(
                table, "", "not trained on", unseen, [one for one in of_kind if one.photo not in trained_on]
            )
    Console(width=120).print(table)


def _add_row(table: Table, name: str, photos: str, damages: Sequence[Damage], found: Sequence[Found]) -> None:
    verdicts = judge(damages, found)
    count = len(damages)
    first = [_share(sum(verdicts[:k]), min(k, len(verdicts))) for k in FIRST]
    shares = [*first, _share(sum(verdicts[:count]), count), _share(sum(verdicts), count)]
    table.add_row(name, photos, str(count), str(len(found)), *shares)


def _share(part: int, total: int) -> str:
    return f"{part / total:.2f}" if total else "–"


if __name__ == "__main__":
    sys.exit(main())
