"""Label maps whose values do not mean what the classes file says: corrected, noted, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.errors import LabelError
from boxmask.runs.recipe import Recipe
from boxmask.tasks.segmentation.task import SegmentationTask
from boxmask.types import IGNORED

Write = Callable[..., Path]
SIZE = (24, 32)


def label_map(*values: int, size: tuple[int, int] = SIZE, dtype: type = np.uint8) -> Image.Image:
    """Equal stripes of the given values."""
    columns = np.arange(size[1]) * len(values) // size[1]
    return Image.fromarray(np.broadcast_to(np.array(values, dtype=dtype)[columns], size).copy())


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write label maps and their photos."""

    def written(*maps: Image.Image, classes: str, photo_size: tuple[int, int] | None = None) -> Path:
        for folder in ("images", "masks"):
            (tmp_path / folder).mkdir(exist_ok=True)
        for number, image in enumerate(maps):
            size = photo_size[::-1] if photo_size else image.size
            Image.new("RGB", size, "gray").save(tmp_path / f"images/p{number}.png")
            image.save(tmp_path / f"masks/p{number}.png")
        (tmp_path / "classes.txt").write_text(classes)
        return tmp_path

    return written


def labels_of(dataset: SegmentationDataset, photo: int = 0) -> list[int]:
    return np.unique(dataset.target(photo).labels.numpy()).tolist()


def refused(root: Path) -> str:
    with pytest.raises(LabelError) as raised:
        read_unsplit_segmentation(root)
    return str(raised.value)


# ---------------------------------------------------------------- index 255


@pytest.mark.parametrize("classes", ["background\nobject\n", "background,0\nobject,1\n"])
def test_masks_of_0_and_255_are_refused_with_the_lines_to_write(write: Write, classes: str) -> None:
    root = write(label_map(0, 0, 0, 255), label_map(0), classes=classes)
    message = refused(root)
    assert 'no label map shows "object", and index 255, which counts as not labeled, has 12.5%' in message
    assert "\nbackground 000000\nobject FFFFFF\n" in message
    assert "background,0\nobject,1\nunlabeled,255,ignore\n" in message
    for advice, shown in (
        ("background 000000\nobject FFFFFF\n", [0, 1]),
        (message.split("so:\n")[1].split("\nName index")[0], [0, 255]),
    ):
        (root / "classes.txt").write_text(advice)
        assert labels_of(read_unsplit_segmentation(root)) == shown


def test_masks_of_0_1_and_255_with_three_names(write: Write) -> None:
    message = refused(write(label_map(0, 1, 255), classes="background\ncat\ndog\n"))
    assert "background 000000\ncat 010101\ndog FFFFFF\n" in message


def test_inverted_masks_of_255_and_0(write: Write) -> None:
    message = refused(write(label_map(255), label_map(255), classes="background\nobject\n"))
    assert 'no label map shows "background"' in message


def test_a_white_palette_index_255(write: Write) -> None:
    image = label_map(0, 255).convert("P")
    image.putpalette([value for value in range(256) for _ in "rgb"])
    assert 'no label map shows "object"' in refused(write(image, classes="background\nobject\n"))


def test_255_that_the_file_calls_ignored_is_taken_at_its_word(write: Write) -> None:
    root = write(label_map(0, 1, 255), classes="background,0\ncat,1\ndog,2\nunlabeled,255,ignore\n")
    dataset = read_unsplit_segmentation(root)
    assert labels_of(dataset) == [0, 1, IGNORED]
    assert any("that no label map shows:\n  dog" in note for note in dataset.notes)


def test_vocs_border_of_another_color_beside_an_absent_class(write: Write) -> None:
    image = label_map(0, 1, 255).convert("P")
    palette = [0] * 768
    palette[3:6], palette[765:] = [128, 0, 0], [224, 224, 192]
    image.putpalette(palette)
    dataset = read_unsplit_segmentation(write(image, classes="background\ncat\ndog\n"))
    assert labels_of(dataset) == [0, 1, IGNORED]


def test_255_beside_classes_that_all_have_pixels(write: Write) -> None:
    dataset = read_unsplit_segmentation(write(label_map(0, 1, 255), classes="background\ncat\n"))
    assert labels_of(dataset) == [0, 1, IGNORED]
    assert dataset.notes == ()


# ---------------------------------------------------------------- other unused ranges


def test_masks_of_0_and_128_are_refused_with_the_lines_to_write(write: Write) -> None:
    message = refused(write(label_map(0, 128), classes="background\nobject\n"))
    assert "write:\nbackground,0\nobject,128\n" in message


def test_labels_that_count_from_1_are_refused_with_the_lines_to_write(write: Write) -> None:
    message = refused(write(label_map(1, 2, 3), classes="road\ncar\nsky\n"))
    assert "write:\nroad,1\ncar,2\nsky,3\n" in message


def test_labels_that_count_from_1_without_the_last_class_are_noted(write: Write) -> None:
    dataset = read_unsplit_segmentation(write(label_map(1, 2), classes="road\ncar\nsky\n"))
    assert any('no pixel has index 0, "road"' in note and "`road,1`" in note for note in dataset.notes)


def test_one_index_more_than_names(write: Write) -> None:
    message = refused(write(label_map(0, 1, 2), classes="car\nsky\n"))
    assert "Write `background` as the first line" in message
    assert "`unlabeled ignore`" in message


def test_the_lines_for_unknown_indices_keep_all_lines_alike(write: Write) -> None:
    message = refused(write(label_map(0, 1, 7, 9), classes="road\ncar\n"))
    assert "a line `name,7`, and the other classes with their index, such as `road,0`" in message


def test_indices_where_the_file_has_colors(write: Write) -> None:
    message = refused(write(label_map(0, 1), classes="background 000000\nobject FFFFFF\n"))
    assert "These grays look like indices. If they are, write names only, in their order" in message


def test_smeared_colors(write: Write, tmp_path: Path) -> None:
    colors = np.zeros((*SIZE, 3), np.uint8)
    colors[:, 16:] = (255, 40, 0)
    Image.fromarray(colors).resize((96, 72)).save(tmp_path / "smeared.jpg", quality=60)
    smeared = Image.open(tmp_path / "smeared.jpg").convert("RGB")
    message = refused(write(smeared, classes="background 000000\nobject FF2800\n"))
    assert "That many colors usually come from smoothing, or from JPEG" in message


def test_red_green_and_blue_with_equal_values_are_an_index(write: Write) -> None:
    for mode in ("RGB", "RGBA"):
        root = write(label_map(0, 1, 2).convert(mode), classes="background\ncat\ndog\n")
        assert labels_of(read_unsplit_segmentation(root)) == [0, 1, 2]


def test_colors_where_the_file_has_names_only(write: Write) -> None:
    image = Image.new("RGB", SIZE[::-1], (10, 0, 0))
    assert "has colors (mode RGB), but the classes have none" in refused(write(image, classes="a\nb\n"))


def test_transparent_pixels_have_no_class(write: Write) -> None:
    image = Image.new("RGBA", SIZE[::-1], (0, 0, 0, 0))
    message = refused(write(image, image, classes="background 000000\nobject FFFFFF\n"))
    assert "Label maps that cannot be read (2)" in message
    assert "transparent pixels" in message


def test_an_index_with_another_color_in_each_file(write: Write) -> None:
    maps = [label_map(0, 1).convert("P") for _ in range(2)]
    maps[0].putpalette([0, 0, 0, 255, 0, 0])
    maps[1].putpalette([255, 0, 0, 0, 0, 0])
    message = refused(write(*maps, classes="background\nobject\n"))
    assert "index 1 is FF0000 in masks/p0.png and 000000 in masks/p1.png" in message
    assert "Name the classes by their colors" in message
    root = write(*maps, classes="background 000000\nobject FF0000\n")
    dataset = read_unsplit_segmentation(root)
    assert dataset.target(0).labels[0, 0] == 0
    assert dataset.target(1).labels[0, 0] == 1


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize(("photo_size", "factor"), [((48, 64), "0.5"), ((12, 16), "2"), ((36, 48), "0.667")])
def test_label_maps_that_differ_by_one_factor_are_resized(
    write: Write, photo_size: tuple[int, int], factor: str
) -> None:
    root = write(label_map(0, 1), label_map(1, 0), classes="background\nobject\n", photo_size=photo_size)
    dataset = read_unsplit_segmentation(root)
    labels = dataset.target(1).labels
    assert tuple(labels.shape) == photo_size
    assert (labels[:, : photo_size[1] // 2] == 1).all()
    assert (labels[:, photo_size[1] // 2 :] == 0).all()
    assert dataset.pixel_counts.tolist() == [[photo_size[0] * photo_size[1] // 2] * 2] * 2
    (note,) = dataset.notes
    assert note.startswith("Labels made for photos of another size")
    assert f": {factor} times" in note


def test_label_maps_with_different_factors_are_refused(write: Write, tmp_path: Path) -> None:
    root = write(label_map(0, 1), label_map(1, 0), classes="background\nobject\n", photo_size=(48, 64))
    Image.new("RGB", (96, 72)).save(root / "images/p1.png")
    assert "differ in size from their photo (2)" in refused(root)


def test_cropped_label_maps_are_refused(write: Write) -> None:
    root = write(label_map(0, 1), classes="background\nobject\n", photo_size=(24, 48))
    assert "differ in size from their photo (1)" in refused(root)


# ---------------------------------------------------------------- nothing to learn


def test_inverted_masks_are_noted(write: Write) -> None:
    mostly_object = label_map(*[1] * 30, 0, 1)
    dataset = read_unsplit_segmentation(write(mostly_object, classes="background\nobject\n"))
    assert any('"background" has only 3.1% of the labeled pixels' in note for note in dataset.notes)


def test_label_maps_without_a_labeled_pixel_are_counted(write: Write) -> None:
    root = write(label_map(0, 1), label_map(2), label_map(2), classes="background\nobject\nvoid ignore\n")
    (note,) = read_unsplit_segmentation(root).notes
    maps = [root / f"masks/p{n}.png" for n in (1, 2)]
    assert note == f"Label maps without a labeled pixel (2):\n  {maps[0]}\n  {maps[1]}"


def test_training_on_one_class_is_refused(write: Write) -> None:
    root = write(*[label_map(0)] * 5, classes="background\nobject\n")
    with pytest.raises(LabelError, match=r'the training photos show only "background", so there is nothing'):
        SegmentationTask().read(root, Recipe(model="unet"))
    assert len(read_unsplit_segmentation(root)) == 5  # an evaluation may have photos without objects


# ---------------------------------------------------------------- properties


@given(
    values=st.lists(st.integers(0, 255), min_size=1, max_size=6, unique=True),
    count=st.integers(1, 6),
    with_indices=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_a_set_that_is_read_has_no_white_255_beside_an_absent_class(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], count: int, with_indices: bool
) -> None:
    root = tmp_path_factory.mktemp("set")
    for folder in ("images", "masks"):
        (root / folder).mkdir()
    label_map(*values).save(root / "masks/p.png")
    Image.new("RGB", SIZE[::-1]).save(root / "images/p.png")
    names = [f"class{n},{n}" if with_indices else f"class{n}" for n in range(count)]
    (root / "classes.txt").write_text("\n".join(names))
    try:
        dataset = read_unsplit_segmentation(root)
    except LabelError as error:
        assert str(root) in str(error)  # noqa: PT017
        return
    assert set(values) <= {*range(count), 255}
    assert 255 not in values or dataset.pixel_counts.all()
    labels = dataset.target(0).labels.numpy()
    assert np.bincount(labels.ravel(), minlength=256)[:count].tolist() == dataset.pixel_counts[0].tolist()
