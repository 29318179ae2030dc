from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from boxmask.errors import UsageError
from boxmask.geometry import rle
from boxmask.masks import Masks
from boxmask.results import parquet as writer
from boxmask.results.parquet import save_parquet
from boxmask.types import Detections

COLUMNS = ["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax", "score"]


def found(count: int, *, masks: bool = False) -> Detections:
    random = np.random.default_rng(count)
    boxes = np.sort(random.random((count, 4)).astype(np.float32) * 30, axis=1)
    scores = np.sort(random.random(count).astype(np.float32))[::-1].copy()
    dense = random.random((count, 30, 40)) < 0.5
    dense[1:2] = False
    known = Masks.from_dense(dense) if masks else None
    return Detections(boxes, scores, np.arange(count) % 2, ("cat", "dog"), (30, 40), known)


def test_all_values_are_exact(tmp_path: Path) -> None:
    results = [found(2), found(0), found(5)]
    photos = [Path("x/a.jpg"), Path("b.jpg"), Path("ü.jpg")]
    save_parquet(photos, results, tmp_path / "d.parquet", masks=False)
    table = parquet.read_table(tmp_path / "d.parquet").to_pydict()
    assert list(table) == COLUMNS
    assert table["filename"] == ["x/a.jpg"] * 2 + ["ü.jpg"] * 5
    assert table["score"] == [*results[0].scores.tolist(), *results[2].scores.tolist()]
    assert table["ymax"] == [*results[0].boxes[:, 3].tolist(), *results[2].boxes[:, 3].tolist()]
    assert table["class"] == [*results[0].names, *results[2].names]
    assert set(table["width"]), set(table["height"]) == ({40}, {30})


def test_masks_are_coco_run_lengths(tmp_path: Path) -> None:
    results = [found(3, masks=True)]
    save_parquet([Path("a.jpg")], results, tmp_path / "d.parquet", masks=True)
    texts = parquet.read_table(tmp_path / "d.parquet").to_pydict()["segmentation"]
    assert texts[1] is None  # the mask is unknown
    runs = [np.zeros(0, dtype=np.int64) if text is None else rle.decompress(text) for text in texts]
    assert rle.decode(runs, (30, 40)) == results[0].masks


def test_many_photos_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_PHOTOS_PER_GROUP", 2)
    results = [found(count) for count in (1, 0, 0, 0, 2)]
    save_parquet([Path(f"{n}.jpg") for n in range(5)], results, tmp_path / "d.parquet", masks=False)
    assert parquet.read_table(tmp_path / "d.parquet")["filename"].to_pylist() == ["0.jpg", "4.jpg", "4.jpg"]
    save_parquet([], [], tmp_path / "empty.parquet", masks=True)
    assert parquet.read_table(tmp_path / "empty.parquet").column_names == [*COLUMNS, "segmentation"]


def test_without_pyarrow_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match=r'pip install "boxmask\[parquet\]", or choose csv'):
        writer.check_parquet()
