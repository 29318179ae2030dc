"""Data sets of photos with label maps: read, checked, split and decoded; and a real one of Dubai."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.class_checks import check_training_classes
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.data.segmentation.label_map_folder import read_unsplit_label_maps
from boxmask.data.segmentation.pairs import has_label_maps
from boxmask.data.segmentation.read import read_segmentation
from boxmask.data.split_file import write_split_file
from boxmask.errors import LabelError, PhotoError
from boxmask.types import IGNORED

CLASSES = "road FF0000\ngrass 00FF00\nvoid 000000 ignore\n"
RED, GREEN, BLACK, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 0), (0, 0, 255)
DUBAI = (
    "Building 3C1098\nLand 8429F6\nRoad 6EC1E4\nVegetation FEDD3A\nWater E2A929\nUnlabeled 9B9B9B ignore\n"
)


def colored(*rows: tuple[tuple[int, int, int], ...]) -> Image.Image:
    return Image.fromarray(np.array(rows, dtype=np.uint8))


PLAIN = colored((RED, RED, GREEN), (RED, BLACK, GREEN))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write {photo: label map} with the label maps in `masks/` beside `images/`, and the classes."""

    def written(labels: dict[str, Image.Image], classes: str | None = CLASSES) -> Path:
        root = tmp_path / "set"
        for name, label in labels.items():
            photo = root / name
            mask = (root / name.replace("images/", "masks/")).with_suffix(".png")
            for path, image in ((photo, Image.new("RGB", label.size, "gray")), (mask, label)):
                path.parent.mkdir(parents=True, exist_ok=True)
                image.save(path)
        if classes is not None:
            (root / "classes.txt").write_text(classes)
        return root

    return written


def splits(dataset: SegmentationDataset) -> dict[str, list[str]]:
    return {name: dataset.files[dataset.splits == name].tolist() for name in ("train", "val", "test")}


# ---------------------------------------------------------------- labels


def test_a_data_set_is_read(write: Callable[..., Path]) -> None:
    palette = PLAIN.convert("P", palette=Image.Palette.ADAPTIVE)
    assert palette.mode == "P"
    dataset = read_segmentation(write({"images/b.jpg": PLAIN, "images/a.png": palette}))
    assert dataset.class_names == ("road", "grass")
    assert dataset.files.tolist() == ["images/a.png", "images/b.jpg"]
    assert dataset.sizes.tolist() == [[2, 3]] * 2
    assert dataset.pixel_counts.tolist() == [[3, 2]] * 2
    assert dataset.path(1).is_file()
    for photo in range(2):
        assert dataset.target(photo).labels.tolist() == [[0, 0, 1], [0, IGNORED, 1]]


def test_indices_with_names_only(write: Callable[..., Path]) -> None:
    label = Image.fromarray(np.array([[0, 1], [2, 255]], dtype=np.uint8))
    wide = Image.fromarray(np.array([[2, 2]], dtype=np.uint16))
    dataset = read_unsplit_label_maps(
        write({"images/a.jpg": label, "images/b.jpg": wide}, "ground\ncat\ndog\n")
    )
    assert dataset.class_names == ("ground", "cat", "dog")
    assert dataset.target(0).labels.tolist() == [[0, 1], [2, IGNORED]]
    assert dataset.target(1).labels.tolist() == [[2, 2]]


def test_one_pixel_and_a_grayscale_photo(write: Callable[..., Path]) -> None:
    root = write({"images/a.png": colored((GREEN,))})
    Image.new("L", (1, 1)).save(root / "images/a.png")
    dataset = read_segmentation(root)
    assert dataset.target(0).labels.tolist() == [[1]]
    assert dataset.sizes.tolist() == [[1, 1]]
    assert "classes of" in dataset.notes[0]
    assert "\n  road" in dataset.notes[0]


def test_subsets_keep_their_labels_and_can_be_pickled(write: Callable[..., Path]) -> None:
    dataset = read_segmentation(write({"images/a.png": colored((RED,)), "images/b.png": colored((GREEN,))}))
    turned = dataset.subset(np.array([1, 0]))
    assert turned.files.tolist() == ["images/b.png", "images/a.png"]
    assert turned.target(0).labels.tolist() == [[1]]
    assert turned.pixel_counts.tolist() == [[0, 1], [1, 0]]
    assert pickle.loads(pickle.dumps(turned)).target(1).labels.tolist() == [[0]]
    assert len(dataset.subset(np.zeros(0, dtype=np.int64))) == 0


def test_the_fingerprint_changes_with_any_pixel(write: Callable[..., Path]) -> None:
    labels = {"images/a.png": colored((RED, GREEN)), "images/b.png": colored((RED, GREEN))}
    first = read_segmentation(write(labels)).fingerprint()
    assert read_segmentation(write(labels)).fingerprint() == first
    swapped = labels | {"images/a.png": colored((GREEN, RED))}
    assert read_segmentation(write(swapped)).fingerprint() != first
    assert read_segmentation(write(labels), split_seed=5).fingerprint() != first
    assert read_segmentation(write(labels, "road FF0000\ngreen 00FF00\n")).fingerprint() != first
    exchanged = read_segmentation(write(labels, "void 000000 ignore\nroad 00FF00\ngrass FF0000\n"))
    assert exchanged.class_names == ("road", "grass")
    assert exchanged.fingerprint() != first


# ---------------------------------------------------------------- errors


def test_without_a_classes_file_the_error_offers_one_with_colors(write: Callable[..., Path]) -> None:
    root = write({"images/a.png": PLAIN, "images/b.png": colored((RED, BLUE))}, classes=None)
    with pytest.raises(LabelError) as raised:
        read_segmentation(root)
    message = str(raised.value)
    assert "The 2 label maps have 4 colors:\n  FF0000: 50.0% of all pixels, first in masks/a.png" in message
    assert "0000FF: 12.5% of all pixels, first in masks/b.png" in message
    assert f"Write {root / 'classes.txt'}" in message
    offered = message[message.index("class1 ") :].splitlines()[:4]
    assert offered == ["class1 FF0000", "class2 00FF00", "class3 000000", "class4 0000FF"]
    (root / "classes.txt").write_text("\n".join(offered))  # what is offered can be used
    assert read_segmentation(root).class_names == ("class1", "class2", "class3", "class4")


@pytest.mark.parametrize(
    ("indices", "offered"),
    [
        ([0, 1, 2, 255], ["class1", "class2", "class3"]),
        ([0, 255], ["class1 000000", "class2 FFFFFF"]),
        ([0, 7], ["class1 000000", "class2 070707"]),
        ([0, 700], ["class1,0", "class2,700"]),
    ],
)
def test_without_a_classes_file_the_error_offers_one_with_indices(
    write: Callable[..., Path], indices: list[int], offered: list[str]
) -> None:
    kind = np.uint16 if max(indices) > 255 else np.uint8
    root = write({"images/a.png": Image.fromarray(np.array([indices], dtype=kind))}, classes=None)
    with pytest.raises(LabelError, match=f"have {len(indices)} indices") as raised:
        read_unsplit_label_maps(root)
    assert "\n".join([":", *offered, "Write one class per line"]) in str(raised.value)
    (root / "classes.txt").write_text("\n".join(offered))
    assert len(read_unsplit_label_maps(root).class_names) == len(offered)


def test_smoothed_label_maps_and_instance_maps_are_recognized(write: Callable[..., Path]) -> None:
    smooth = np.arange(3000, dtype=np.uint32).astype("<u4").view(np.uint8).reshape(1, 3000, 4)[..., :3]
    with pytest.raises(LabelError, match=r"and 2968 more\. That many usually come from smoothing"):
        read_unsplit_label_maps(
            write({"images/a.png": Image.fromarray(np.ascontiguousarray(smooth))}, classes=None)
        )
    counted = Image.fromarray(np.arange(300, dtype=np.uint16).reshape(1, 300))
    with pytest.raises(LabelError, match=r"and 268 more\. That many usually count objects"):
        read_unsplit_label_maps(write({"images/a.png": counted}, classes=None))


def test_unknown_colors_stop_or_are_skipped(write: Callable[..., Path]) -> None:
    root = write({"images/a.png": PLAIN, "images/b.png": colored((RED, BLUE))})
    with pytest.raises(LabelError) as raised:
        read_segmentation(root)
    assert "0000FF: 12.5% of all pixels, first in masks/b.png" in str(raised.value)
    assert "a line `name 0000FF`" in str(raised.value)
    assert "--on-unknown-colors skip" in str(raised.value)
    dataset = read_segmentation(root, on_unknown_colors="skip")
    assert dataset.target(1).labels.tolist() == [[0, IGNORED]]
    assert dataset.pixel_counts.tolist() == [[3, 2], [1, 0]]
    assert any(
        "not labeled: the pixels of 1 value" in note
        and "0000FF: 12.5% of all pixels, first in masks/b.png" in note
        for note in dataset.notes
    )


def test_a_color_that_is_new_since_reading_is_named(write: Callable[..., Path]) -> None:
    dataset = read_segmentation(write({"images/a.png": PLAIN}))
    colored((RED, BLUE, RED), (RED, RED, RED)).save(dataset.root / "masks/a.png")
    with pytest.raises(LabelError, match=r"masks/a\.png: 0000FF is new since"):
        dataset.target(0)
    colored((RED, RED)).save(dataset.root / "masks/a.png")
    with pytest.raises(LabelError, match="its label map is 2 × 1, the photo is 3 × 2"):
        dataset.target(0)


def test_a_label_map_of_another_size_than_its_photo_is_refused(write: Callable[..., Path]) -> None:
    root = write({"images/a.png": PLAIN, "images/b.png": PLAIN})
    Image.new("RGB", (6, 4)).save(root / "images/b.png")
    with pytest.raises(LabelError, match=r"\(1\):\n.*masks/b\.png: 3 × 2, its photo images/b\.png is 6 × 4"):
        read_segmentation(root)


def test_a_photo_that_is_shown_rotated_needs_a_rotated_label_map(write: Callable[..., Path]) -> None:
    root = write({"images/a.jpg": PLAIN})
    sideways = Image.Exif()
    sideways[0x0112] = 6
    Image.new("RGB", (3, 2)).save(root / "images/a.jpg", exif=sideways)
    with pytest.raises(LabelError, match=r"its photo images/a\.jpg is 2 × 3"):
        read_segmentation(root)
    PLAIN.transpose(Image.Transpose.ROTATE_270).save(root / "masks/a.png")
    assert read_segmentation(root).sizes.tolist() == [[3, 2]]


def test_jpeg_label_maps_are_refused(write: Callable[..., Path]) -> None:
    root = write({"images/a.png": PLAIN})
    (root / "masks/a.png").unlink()
    PLAIN.save(root / "masks/a.jpg")
    with pytest.raises(LabelError, match=r"masks/a\.jpg: a lossy format\n.*JPEG .* blurs the borders"):
        read_segmentation(root)


def test_missing_and_empty_folders(tmp_path: Path, write: Callable[..., Path]) -> None:
    with pytest.raises(LabelError, match="no such file or folder"):
        read_segmentation(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelError, match="no label maps found"):
        read_segmentation(tmp_path / "empty")
    assert not has_label_maps(tmp_path / "empty")
    root = write({"images/a.png": colored((BLACK,))})
    assert has_label_maps(root)
    with pytest.raises(LabelError, match="no pixel of any label map has a class"):
        read_segmentation(root)
    (root / "images/a.png").write_bytes(b"no photo")
    with pytest.raises(PhotoError, match=r"images/a\.png"):
        read_segmentation(root)


# ---------------------------------------------------------------- splits


def test_folders_name_the_split(write: Callable[..., Path]) -> None:
    root = write({f"{split}/images/{split}.png": PLAIN for split in ("train", "valid", "test")})
    dataset = read_segmentation(root)
    assert splits(dataset) == {
        "train": ["train/images/train.png"],
        "val": ["valid/images/valid.png"],
        "test": ["test/images/test.png"],
    }
    assert dataset.notes == ()
    assert dataset.split("val").files.tolist() == ["valid/images/valid.png"]


def test_the_name_of_a_photo_names_no_split(write: Callable[..., Path]) -> None:
    dataset = read_segmentation(write({f"images/train_{n}.png": PLAIN for n in range(4)}))
    assert {name: len(files) for name, files in splits(dataset).items()} == {"train": 2, "val": 1, "test": 1}


def test_vocs_lists_for_segmentation(write: Callable[..., Path]) -> None:
    root = write({f"images/{name}.png": PLAIN for name in "abcd"})
    for task, lists in {
        "Segmentation": {"train": "a", "val": "b", "test": "c"},
        "Main": {"train": "d"},
    }.items():
        for split, names in lists.items():
            file = root / "ImageSets" / task / f"{split}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(names + "\n")
    dataset = read_segmentation(root)
    assert splits(dataset) == {"train": ["images/a.png"], "val": ["images/b.png"], "test": ["images/c.png"]}
    assert "images/d.png" in dataset.notes[0]


def test_a_random_split_that_mixes_tiles_of_larger_pictures_is_noted(write: Callable[..., Path]) -> None:
    root = write({f"Tile {n}/images/{name}.png": PLAIN for n in (1, 2) for name in "abcde"})
    dataset = read_segmentation(root, split_seed=1)
    assert {name: len(files) for name, files in splits(dataset).items()} == {"train": 7, "val": 1, "test": 2}
    assert "the random split mixes the photos of 2 folders (Tile 1, Tile 2)" in dataset.notes[-1]
    by_folder = {
        name: [f"Tile {n}/images/{x}.png" for x in "abcde"] for n, name in ((1, "train"), (2, "test"))
    }
    (root / "split.json").write_text(json.dumps(by_folder))
    chosen = read_segmentation(root, split_file=root / "split.json")
    assert splits(chosen) == by_folder | {"val": []}
    assert chosen.notes == ()
    write_split_file(chosen, root / "again.json")
    again = read_segmentation(root, split_file=root / "again.json")
    assert again.fingerprint() == chosen.fingerprint()


def test_a_class_without_training_photos(write: Callable[..., Path]) -> None:
    root = write({"train/images/a.png": colored((RED,)), "test/images/b.png": colored((GREEN, GREEN))})
    with pytest.raises(LabelError, match=r'"grass": 2 pixels in test/images/b\.png'):
        check_training_classes(read_segmentation(root))
    notes = check_training_classes(read_segmentation(root), on_unseen_classes="skip")
    assert notes == ('classes without training photos:\n  "grass": 2 pixels in test/images/b.png',)


# ---------------------------------------------------------------- real


@pytest.fixture(scope="session")
def dubai(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The aerial photos and a classes file for them, or skip."""
    folder = shared_data / "dubai_aerial"
    if not folder.is_dir():
        pytest.skip(f"needs {folder}")
    classes = tmp_path_factory.mktemp("dubai") / "classes.txt"
    classes.write_text(DUBAI)
    return folder, classes


def test_dubai_without_a_classes_file_or_with_unknown_colors(dubai: tuple[Path, Path]) -> None:
    with pytest.raises(LabelError, match=r"The 54 label maps have 7 colors:\n  8429F6: 39\.1%"):
        read_segmentation(dubai[0])
    with pytest.raises(
        LabelError, match=r"does not name \(1\):\n.*: 000000: 0\.0046% of all pixels, first in Tile 3"
    ):
        read_segmentation(dubai[0], classes_file=dubai[1])


def test_dubai_is_read(dubai: tuple[Path, Path]) -> None:
    dataset = read_segmentation(dubai[0], classes_file=dubai[1], on_unknown_colors="skip")
    assert dataset.class_names == ("Building", "Land", "Road", "Vegetation", "Water")
    assert len(dataset) == 54
    assert "Tile 1, Tile 2, Tile 3" in dataset.notes[-1]
    for photo in (0, 12, 53):  # RGB, palette, RGB
        labels = dataset.target(photo).labels.numpy()
        counts = np.bincount(labels.ravel(), minlength=256)
        assert counts[:5].tolist() == dataset.pixel_counts[photo].tolist()
        name = str(dataset.files[photo]).replace("images/", "masks/").replace(".jpg", ".png")
        mask = np.array(Image.open(dubai[0] / name).convert("RGB"))
        assert np.array_equal(labels == 4, (mask == (0xE2, 0xA9, 0x29)).all(axis=-1))
        assert np.array_equal(labels == 0, (mask == (0x3C, 0x10, 0x98)).all(axis=-1))
