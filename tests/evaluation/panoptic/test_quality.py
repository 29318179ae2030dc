import json

import numpy as np
import pytest
import torch
from hotcoco.panoptic import PanopticEval
from PIL import Image

from boxmask.evaluation.panoptic.merge import (
    PanopticConfig,
    PanopticMap,
    panoptic_map,
    panoptic_map_from_labels,
)
from boxmask.evaluation.panoptic.quality import Quality, panoptic_quality
from boxmask.masks import Masks
from boxmask.types import IGNORED, Detections, SegmentationMap, SegmentationTarget, Target

NAMES, THINGS = ("cell", "leaf", "soil", "sky"), (True, True, False, False)


def map_of(segments, labels, crowd=()) -> PanopticMap:
    flags = np.zeros(len(labels), bool)
    flags[list(crowd)] = True
    return PanopticMap(np.array(segments, np.int32), np.array(labels, np.int64), flags, NAMES, THINGS)


def scene(rng: np.random.Generator) -> tuple[PanopticMap, PanopticMap]:
    """A map of blocks and a distorted copy, both with void, one with a crowd region."""
    segments = np.kron(rng.permutation(12).reshape(3, 4) % 10, np.ones((12, 12), int))
    truth = map_of(segments, rng.integers(0, 4, 9), crowd=[int(rng.integers(0, 9))])
    segments = np.roll(segments, rng.integers(-2, 3, 2), axis=(0, 1))
    y, x = rng.integers(0, 20, 2)
    segments[y : y + 9, x : x + 15] = rng.integers(0, 10)
    there = np.unique(segments[segments > 0])
    segments = np.where(segments > 0, np.searchsorted(there, segments) + 1, 0)
    labels = truth.labels[there - 1]
    labels[rng.integers(0, len(labels), 2)] = rng.integers(0, 4, 2)
    return truth, map_of(segments, labels)


def written(maps: list[PanopticMap], folder, name: str) -> str:
    """Write COCO's panoptic JSON and PNGs, whose colors are segment ids."""
    annotations = []
    (folder / name).mkdir()
    for i, one in enumerate(maps):
        ids = one.segments * 300  # over 255, so that two channels are used
        rgb = np.stack([ids % 256, ids // 256, ids * 0], axis=-1).astype(np.uint8)
        Image.fromarray(rgb).save(folder / name / f"{i}.png")
        segments = [
            {"id": 300 * (k + 1), "category_id": int(label) + 1, "iscrowd": int(crowd),
             "area": int((one.segments == k + 1).sum()), "bbox": [0, 0, 1, 1]}
            for k, (label, crowd) in enumerate(zip(one.labels, one.crowd, strict=True))
        ]  # fmt: skip
        segments = [segment for segment in segments if segment["area"]]
        annotations.append({"image_id": i, "file_name": f"{i}.png", "segments_info": segments})
    content = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "height": 36, "width": 48} for i in range(len(maps))],
        "categories": [
            {"id": k + 1, "name": name, "isthing": int(thing)}
            for k, (name, thing) in enumerate(zip(NAMES, THINGS, strict=True))
        ],
        "annotations": annotations,
    }
    (folder / f"{name}.json").write_text(json.dumps(content))
    return str(folder / f"{name}.json")


@pytest.mark.parametrize("seed", range(4))
def test_quality_equals_hotcocos_panopticapi(seed, tmp_path):
    rng = np.random.default_rng(seed)
    pairs = [scene(rng) for _ in range(12)]
    truth, found = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    run = PanopticEval(written(truth, tmp_path, "truth"), written(found, tmp_path, "found"))
    run.evaluate()
    theirs, ours = run.results(), panoptic_quality(truth, found)
    for group, quality in (("All", ours.all), ("Things", ours.things), ("Stuff", ours.stuff)):
        expected = [theirs[group][key] for key in ("pq", "sq", "rq")]
        assert [quality.PQ, quality.SQ, quality.RQ] == pytest.approx(expected, abs=1e-9)
    assert 0.1 < ours.all.PQ < 0.9


def test_equal_maps_are_perfect_and_empty_maps_have_no_quality():
    one = map_of([[1, 1, 2], [0, 0, 3]], [0, 0, 2])
    metrics = panoptic_quality([one], [one])
    assert metrics.all == metrics.things == metrics.per_class["soil"] == Quality(1.0, 1.0, 1.0)
    assert metrics.per_class["sky"] == Quality(None, None, None)
    assert panoptic_quality([], []).all == Quality(None, None, None)
    empty = map_of([[0]], [])
    assert panoptic_quality([empty], [empty]).all.PQ is None


def test_quality_by_hand():
    """One of two cells is found with IoU 0.75, the other is missed, and a third prediction is wrong."""
    truth = map_of([[1, 1, 1, 1, 3, 3], [2, 2, 3, 3, 3, 3]], [0, 0, 2])
    found = map_of([[1, 1, 1, 3, 3, 3], [3, 3, 3, 3, 2, 2]], [0, 0, 2])
    metrics = panoptic_quality([truth], [found])
    assert metrics.per_class["cell"] == Quality(0.75 / 2, 0.75, 0.5)
    assert metrics.per_class["soil"].PQ == 0.0  # IoU 4 / 8 is not over 0.5


def test_maps_that_differ_in_number_size_or_classes_are_refused():
    one = map_of([[1]], [0])
    with pytest.raises(ValueError, match="expected maps of 1 photos, found 0"):
        panoptic_quality([one], [])
    with pytest.raises(ValueError, match="size"):
        panoptic_quality([one], [map_of([[1, 0]], [0])])
    other = PanopticMap(one.segments, one.labels, one.crowd, ("a", "b", "c", "d"), THINGS)
    with pytest.raises(ValueError, match="classes"):
        panoptic_quality([one], [other])


def detections(masks: np.ndarray, labels, scores) -> Detections:
    boxes = torch.from_numpy(Masks.from_dense(masks).boxes())
    size = masks.shape[1:]
    return Detections(
        boxes, torch.tensor(scores), torch.tensor(labels), ("cell", "leaf"), size, Masks.from_dense(masks)
    )


def test_higher_score_keeps_the_pixels_and_stuff_fills_the_rest():
    masks = np.zeros((4, 4, 6), bool)
    masks[0, :, :3] = True
    masks[1, :, 2:5] = True  # a third is hidden
    masks[2, :, 1:4] = True  # hardly anything is visible: dropped
    masks[3] = True  # score too low
    found = detections(masks, [0, 0, 1, 1], [0.9, 0.8, 0.7, 0.2])
    pixels = torch.zeros(4, 6, dtype=torch.uint8)  # soil
    pixels[0] = 1  # a cell, possibly without a detection
    pixels[3] = 2
    label_map = SegmentationMap(pixels, ("soil", "cell", "sky"))
    map_ = panoptic_map(found, label_map, PanopticConfig(min_stuff_area=1))
    assert map_.class_names == ("cell", "leaf", "soil", "sky")
    assert map_.things == (True, True, False, False)
    assert map_.labels.tolist() == [0, 0, 2, 3]
    assert map_.segments.tolist() == [
        [1, 1, 1, 2, 2, 0],
        [1, 1, 1, 2, 2, 3],
        [1, 1, 1, 2, 2, 3],
        [1, 1, 1, 2, 2, 4],
    ]
    assert panoptic_map(found, label_map, PanopticConfig(min_stuff_area=2)).labels.tolist() == [0, 0, 2]
    assert panoptic_map(
        found, label_map, PanopticConfig(min_stuff_area=1, void_classes=("soil",))
    ).labels.tolist() == [0, 0, 2]


def test_stuff_alone_and_boxes_alone():
    label_map = SegmentationMap(torch.zeros(80, 80, dtype=torch.uint8), ("soil",))
    found = (torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long(), ("cell",), (80, 80))
    nothing = Detections(*found, Masks.unknown(0, (80, 80)))
    assert panoptic_map(nothing, label_map).labels.tolist() == [1]
    with pytest.raises(ValueError, match="found boxes only"):
        panoptic_map(Detections(*found), label_map)
    small = SegmentationMap(torch.zeros(8, 8, dtype=torch.uint8), ("soil",))
    with pytest.raises(ValueError, match="size"):
        panoptic_map(nothing, small)


def test_labels_become_a_panoptic_map():
    dense = np.zeros((4, 3, 6), bool)
    dense[0, :, :4] = True
    dense[1, 1, 1:3] = True  # lies on the first
    dense[2, 2, 5] = True  # ignored
    masks = Masks.from_dense(dense)  # the fourth has no mask
    target = Target(
        torch.tensor([[0.0, 0, 4, 3], [1, 1, 3, 2], [5, 2, 6, 3], [4, 0, 5, 1]]),
        torch.tensor([0, 1, 0, 0]),
        torch.tensor([False, False, True, False]),
        masks,
    )
    pixels = torch.full((3, 6), 1, dtype=torch.uint8)
    pixels[0, 4], pixels[1, 5] = 0, IGNORED  # a cell without mask; ignored
    map_ = panoptic_map_from_labels(
        target, ("cell", "leaf"), SegmentationTarget(pixels), ("cell", "soil", "sky")
    )
    assert map_.segments.tolist() == [
        [3, 3, 3, 3, 0, 4],
        [3, 2, 2, 3, 4, 0],
        [3, 3, 3, 3, 4, 1],
    ]
    assert map_.labels.tolist() == [0, 1, 0, 2]
    assert map_.crowd.tolist() == [True, False, False, False]
    metrics = panoptic_quality([map_], [map_])
    assert metrics.all.PQ == pytest.approx(1.0)
