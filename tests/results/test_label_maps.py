from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.errors import UsageError
from boxmask.masks import Masks
from boxmask.results.label_maps import instance_map, save_classes_file, save_instance_map, save_label_map
from boxmask.types import Detections, SegmentationMap
from boxmask.visualization.style import PALETTE, class_colors


def test_instances_are_numbered_with_the_highest_score_on_top(masked_detections, tmp_path):
    save_instance_map(masked_detections, tmp_path / "label-maps" / "a.png")
    image = Image.open(tmp_path / "label-maps" / "a.png")
    numbers = np.asarray(image)
    assert image.mode.startswith("I;16")
    dense = masked_detections.masks.dense()
    assert np.array_equal(numbers == 1, dense[0])
    assert np.array_equal(numbers == 2, dense[1] & ~dense[0])
    assert (dense[0] & dense[1]).any()
    assert not (numbers == 3).any()  # only its box is known
    assert numbers[59, 79] == 4
    assert set(np.unique(numbers)) == {0, 1, 2, 4}


def test_boxes_and_too_many_objects_are_refused(masked_detections):
    with pytest.raises(UsageError, match=r"finds boxes only.*coco or labelme"):
        instance_map(replace(masked_detections, masks=None))
    n = 70_000
    many = Detections(
        torch.ones(n, 4) * torch.tensor([0.0, 0, 1, 1]), torch.ones(n), torch.zeros(n).long(), ("a",), (1, 1),
        Masks.from_dense(np.ones((n, 1, 1), bool)),
    )  # fmt: skip
    with pytest.raises(UsageError, match=r"at most 65535 objects, found 70000.*--min-score"):
        instance_map(many)
    many = many[torch.arange(300)]
    assert instance_map(many).tolist() == [[1]]


@pytest.mark.parametrize("count", [1, 12, 13, 255])
def test_classes_are_read_back_by_number_and_by_color(count, tmp_path):
    names = tuple(f"class {i}" for i in range(count))
    labels = np.random.default_rng(0).integers(0, count, (20, 30)).astype(np.uint8)
    found = SegmentationMap(torch.from_numpy(labels), names)
    save_label_map(found, tmp_path / "a.png")
    save_classes_file(names, tmp_path / "classes.txt")
    image = Image.open(tmp_path / "a.png")
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image), labels)
    lines = (tmp_path / "classes.txt").read_text(encoding="utf-8").splitlines()
    colors = {tuple(bytes.fromhex(line.rpartition(" ")[2])): i for i, line in enumerate(lines)}
    assert [line.rpartition(" ")[0] for line in lines] == list(names)
    assert len(colors) == count
    pixels = np.asarray(image.convert("RGB"))
    assert [[colors[tuple(pixel)] for pixel in row] for row in pixels.tolist()] == labels.tolist()


def test_background_is_black_and_class_names_must_fit_a_line(tmp_path):
    assert class_colors(("sky", "Background", "road")) == [PALETTE[0], "#000000", PALETTE[1]]
    assert len(set(class_colors(("background", "Background", "_background_")))) == 3
    for name in ("two\nlines", "", " blank ", "cup, bowl"):
        with pytest.raises(UsageError, match="cannot be written to a classes file"):
            save_classes_file(("sky", name), tmp_path / "classes.txt")
    assert list(tmp_path.iterdir()) == []
