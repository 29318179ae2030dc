"""Results that are kept on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxmask.comparison.results import (
    ARRAYS,
    Found,
    digest_of_photos,
    has_results,
    label_map_file,
    open_results,
    read_found,
    save_detections,
    save_label_map,
    stamp,
    write_found,
)
from boxmask.errors import OutputError
from boxmask.masks import Masks
from boxmask.types import Detections, SegmentationMap

NAMES = ("cat", "dog")
PHOTOS = [Path("a.jpg"), Path("b.jpg"), Path("c.jpg")]


def some_detections(count: int, size: tuple[int, int], seed: int, *, masks: bool) -> Detections:
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 5, (count, 2))
    boxes = np.concatenate([corners, corners + random.uniform(1, 9, (count, 2))], axis=1).astype(np.float32)
    scores = np.sort(random.uniform(0, 1, count).astype(np.float32))[::-1].copy()
    labels = random.integers(0, 2, count)
    dense = random.uniform(0, 1, (count, *size)) > 0.7
    return Detections(boxes, scores, labels, NAMES, size, Masks.from_dense(dense) if masks else None)


def found(kind: str, weights: Path) -> Found:
    return Found("ssd", kind, NAMES, stamp(weights), digest_of_photos(PHOTOS), 10, None)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (tmp_path / "best.safetensors").write_bytes(b"weights")
    return tmp_path / "best.safetensors"


@pytest.mark.parametrize("counts", [(3, 0, 5), (0, 0, 0)])
@pytest.mark.parametrize("masks", [False, True])
def test_detections_are_read_as_they_were_written(
    tmp_path: Path, weights: Path, masks: bool, counts: tuple[int, ...]
) -> None:
    sizes = [(20, 30), (17, 9), (20, 30)]
    detections = [
        some_detections(count, size, seed, masks=masks)
        for seed, (count, size) in enumerate(zip(counts, sizes, strict=True))
    ]
    save_detections(tmp_path / ARRAYS, detections)
    stored = open_results(tmp_path, found("detections", weights), PHOTOS)
    assert list(stored) == detections
    assert stored[1:] == detections[1:]
    assert [each.photo for each in stored] == PHOTOS


def test_label_maps_are_read_as_they_were_written(tmp_path: Path, weights: Path) -> None:
    draws = [np.random.default_rng(seed).integers(0, 2, (5, 6), dtype=np.uint8) for seed in range(3)]
    maps = [SegmentationMap(labels, NAMES) for labels in draws]
    for photo, label_map in enumerate(maps):
        save_label_map(tmp_path, photo, label_map)
    stored = open_results(tmp_path, found("label maps", weights), PHOTOS)
    assert list(stored) == maps
    assert stored[-1] == maps[-1]


def test_results_are_complete_with_their_mark(tmp_path: Path, weights: Path) -> None:
    assert not has_results(weights, PHOTOS, tmp_path)
    write_found(tmp_path, found("detections", weights))
    assert read_found(tmp_path) == found("detections", weights)
    assert has_results(weights, PHOTOS, tmp_path)
    assert not has_results(weights, PHOTOS[:2], tmp_path)
    weights.write_bytes(b"other weights")
    assert not has_results(weights, PHOTOS, tmp_path)


def test_a_damaged_mark_is_none(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "found.json").write_text('{"class_names": 3')
    assert read_found(tmp_path) is None


def test_a_missing_file_is_named(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(OutputError, match=r"detections\.safetensors: this file is missing or damaged"):
        open_results(tmp_path, found("detections", weights), PHOTOS)
    stored = open_results(tmp_path, found("label maps", weights), PHOTOS)
    with pytest.raises(OutputError, match=label_map_file(tmp_path, 0).name):
        stored[0]
