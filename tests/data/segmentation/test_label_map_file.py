"""Label maps in every mode of Pillow, read as runs of equal values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from boxmask.data.segmentation.label_map_file import LabelMapRuns, read_label_map, read_mode
from boxmask.errors import LabelError

INDICES = np.array([[0, 0, 2], [2, 1, 255]], dtype=np.uint8)
COLORS = {0: (0, 0, 0), 1: (10, 20, 30), 2: (255, 1, 128), 255: (224, 224, 192)}
RGB = np.array([[COLORS[index] for index in row] for row in INDICES.tolist()], dtype=np.uint8)


def values(runs: LabelMapRuns) -> list[list[int]]:
    """The value of every pixel."""
    return runs.values[runs.to_labels(np.arange(len(runs.values), dtype=np.uint8))].tolist()


def packed(colors: np.ndarray) -> list[list[int]]:
    red, green, blue = colors.astype(int).transpose(2, 0, 1)
    return (red * 65536 + green * 256 + blue).tolist()


def palette_image() -> Image.Image:
    image = Image.frombytes("P", (3, 2), INDICES.tobytes())
    flat = [0] * 768
    for index, color in COLORS.items():
        flat[3 * index : 3 * index + 3] = color
    image.putpalette(flat)
    return image


@pytest.mark.parametrize(
    "image", [palette_image(), Image.fromarray(RGB), Image.fromarray(RGB).convert("RGBA")]
)
def test_colors(tmp_path: Path, image: Image.Image) -> None:
    image.save(tmp_path / "x.png")
    runs = read_label_map(tmp_path / "x.png", by_color=True)
    assert values(runs) == packed(RGB)
    assert runs.counts().tolist() == [2, 1, 1, 2]
    assert runs.values.tolist() == sorted(runs.values.tolist())


def test_gray_is_a_color(tmp_path: Path) -> None:
    Image.fromarray(INDICES).save(tmp_path / "x.png")
    Image.fromarray(INDICES > 0).save(tmp_path / "bits.png")
    assert values(read_label_map(tmp_path / "x.png", by_color=True))[1] == [0x020202, 0x010101, 0xFFFFFF]
    assert values(read_label_map(tmp_path / "bits.png", by_color=True))[0] == [0, 0, 0xFFFFFF]


@pytest.mark.parametrize(
    "image",
    [
        palette_image(),
        Image.fromarray(INDICES),
        Image.fromarray(INDICES.astype(np.uint16)),
    ],
)
def test_indices(tmp_path: Path, image: Image.Image) -> None:
    image.save(tmp_path / "x.png")
    assert values(read_label_map(tmp_path / "x.png", by_color=False)) == INDICES.tolist()


def test_indices_of_16_bits_and_of_1_bit(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 300, 65535]], dtype=np.uint16)).save(tmp_path / "x.tif")
    assert values(read_label_map(tmp_path / "x.tif", by_color=False)) == [[0, 300, 65535]]
    Image.fromarray(np.array([[0, 300, 65535]], dtype=np.int32)).save(tmp_path / "wide.tif")
    assert values(read_label_map(tmp_path / "wide.tif", by_color=False)) == [[0, 300, 65535]]
    Image.fromarray(np.array([[0, 65536]], dtype=np.int32)).save(tmp_path / "wide.tif")
    with pytest.raises(LabelError, match=r"wide\.tif: indices from 0 to 65536; expected 0 to 65535"):
        read_label_map(tmp_path / "wide.tif", by_color=False)
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "x.png")
    assert values(read_label_map(tmp_path / "x.png", by_color=False)) == [[0, 1]]


def test_a_transparent_color_of_a_palette_is_a_class(tmp_path: Path) -> None:
    palette_image().save(tmp_path / "x.png", transparency=2)
    assert values(read_label_map(tmp_path / "x.png", by_color=True)) == packed(RGB)


@settings(max_examples=50, deadline=None)
@given(pixels=arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 3)))
def test_runs_give_back_the_image(tmp_path_factory: pytest.TempPathFactory, pixels: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("runs") / "x.png"
    Image.fromarray(pixels).save(path)
    runs = read_label_map(path, by_color=False)
    assert values(runs) == pixels.tolist()
    assert runs.counts().tolist() == [int((pixels == value).sum()) for value in runs.values]
    assert runs.lengths.sum() == pixels.size


@pytest.mark.parametrize(
    ("image", "by_color", "message"),
    [
        (Image.fromarray(RGB), False, r"x\.png: has colors \(mode RGB\), but the classes have none"),
        (Image.fromarray(INDICES.astype(np.uint16)), True, r"x\.png: has indices \(mode I;16\)"),
        (Image.fromarray(np.dstack([RGB, INDICES])), True, r"x\.png: has transparent pixels"),
    ],
)
def test_label_maps_of_the_wrong_kind_are_refused(
    tmp_path: Path, image: Image.Image, by_color: bool, message: str
) -> None:
    image.save(tmp_path / "x.png")
    with pytest.raises(LabelError, match=message):
        read_label_map(tmp_path / "x.png", by_color)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(LabelError, match=r"x\.png: this label map cannot be read: this file is not an image"):
        read_label_map(tmp_path / "x.png", by_color=True)
    assert read_mode(tmp_path / "x.png") == ""
    noise = np.random.default_rng(0).integers(0, 9, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "y.png")
    (tmp_path / "y.png").write_bytes((tmp_path / "y.png").read_bytes()[:300])
    with pytest.raises(LabelError, match=r"y\.png: .*truncated"):
        read_label_map(tmp_path / "y.png", False)
