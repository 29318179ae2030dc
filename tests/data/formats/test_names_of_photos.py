"""Labels go to the photo that they mean, whatever the folders, endings, spellings and copies around it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.detection.read_labels import read_labels
from boxmask.data.findings import Findings
from boxmask.errors import LabelError

Write = Callable[..., Path]
NFC = "사진"
NFD = unicodedata.normalize("NFD", NFC)


def first_x(root: Path) -> dict[str, float]:
    """The left edge of each photo's first box, which tells whose label file was read."""
    dataset = read_unsplit_detection(root)
    return {
        file: float(dataset.boxes[dataset.rows(photo)][0, 0])
        for photo, file in enumerate(dataset.files.tolist())
        if len(dataset.boxes[dataset.rows(photo)])
    }


def notes_of(root: Path) -> str:
    return "\n".join(read_unsplit_detection(root).notes)


@pytest.fixture
def write(tmp_path: Path, save_photo: Write, voc_xml: Write) -> Callable[..., Path]:
    """Write photos, and label files {path: filename}; the box of the n-th label file begins at x = n."""

    def write_files(photos: list[str], sheets: dict[str, str], **sizes: tuple[int, int]) -> Path:
        for photo in photos:
            save_photo(tmp_path / photo, sizes.get(Path(photo).stem, (40, 60)))
        for number, (sheet, filename) in enumerate(sheets.items()):
            text = voc_xml(filename, [("cat", number + 1, 5, 30, 30)])
            (tmp_path / sheet).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / sheet).write_text(text, encoding="utf-8")
        return tmp_path

    return write_files


# ---------------------------------------------------------------- <filename> and the label file's own name


def test_exchanged_filenames_do_not_exchange_the_labels(write: Callable[..., Path]) -> None:
    root = write(["p0.jpg", "p1.jpg"], {"p0.xml": "p1.jpg", "p1.xml": "p0.jpg"})
    assert first_x(root) == {"p0.jpg": 0, "p1.jpg": 1}
    assert "<filename> is another photo; the photo with the name of this file is used" in notes_of(root)
    assert f"{root / 'p0.xml'}:2: p0.jpg, not p1.jpg" in notes_of(root)


def test_filenames_shifted_by_one(write: Callable[..., Path]) -> None:
    root = write(["p0.jpg", "p1.jpg", "p2.jpg"], {"p0.xml": "p1.jpg", "p1.xml": "p2.jpg"})
    assert first_x(root) == {"p0.jpg": 0, "p1.jpg": 1}
    assert "p1.jpg, not p2.jpg" in notes_of(root)


def test_the_declared_size_decides_if_it_fits_only_the_photo_in_filename(write: Callable[..., Path]) -> None:
    root = write(["p0.jpg", "p1.jpg"], {"p0.xml": "p1.jpg"}, p0=(50, 50))
    assert first_x(root) == {"p1.jpg": 0}
    assert "because only it has the declared size" in notes_of(root)
    assert "p0.xml:2: p1.jpg, not p0.jpg" in notes_of(root)


def test_the_declared_size_decides_for_the_own_name(write: Callable[..., Path]) -> None:
    root = write(["p0.jpg", "p1.jpg"], {"p0.xml": "p1.jpg", "p1.xml": "p1.jpg"}, p1=(50, 50))
    assert first_x(root)["p0.jpg"] == 0


def test_a_filename_that_does_not_exist_is_noted(write: Callable[..., Path]) -> None:
    root = write(["a.jpg"], {"a.xml": "old-name.jpg"})
    assert first_x(root) == {"a.jpg": 0}
    assert "<filename> does not exist" in notes_of(root)
    assert "a.xml:2: a.jpg, not old-name.jpg" in notes_of(root)


@pytest.mark.parametrize("filename", ["scan.0", "scan.0.jpg", "scan.0.png", "SCAN.0.JPG", ""])
def test_dots_belong_to_the_name(write: Callable[..., Path], filename: str) -> None:
    root = write(["scan.0.jpg", "scan.jpg"], {"scan.0.xml": filename})
    assert first_x(root) == {"scan.0.jpg": 0}
    assert "spelled" not in notes_of(root)


def test_a_label_file_named_after_the_photo_with_its_ending(write: Callable[..., Path]) -> None:
    root = write(["a.jpg", "a.png"], {"a.jpg.xml": "", "a.png.xml": ""})
    assert first_x(root) == {"a.jpg": 0, "a.png": 1}


def test_labels_of_one_folder_are_not_taken_for_another(write: Callable[..., Path]) -> None:
    photos = ["JPEGImages/cam1/g.jpg", "JPEGImages/cam2/f.jpg"]
    root = write(photos, {"Annotations/cam1/f.xml": "f.jpg", "Annotations/cam1/g.xml": "g.jpg"})
    with pytest.raises(LabelError, match=r"cam1/f\.xml:2: f\.jpg \(did you mean JPEGImages/cam2/f\.jpg\?\)"):
        read_unsplit_detection(root)


def test_equal_names_in_two_folders_stay_distinct(write: Callable[..., Path]) -> None:
    photos = ["JPEGImages/cam1/f.jpg", "JPEGImages/cam2/f.jpg"]
    root = write(photos, {"Annotations/cam2/f.xml": "f.jpg", "Annotations/cam1/f.xml": "f.jpg"})
    assert first_x(root) == {photos[1]: 0, photos[0]: 1}
    assert notes_of(root) == ""


def test_photos_and_label_files_in_folders_called_alike(write: Callable[..., Path]) -> None:
    root = write(
        ["train_images/f.jpg", "val_images/f.jpg"], {"val_labels/f.xml": "", "train_labels/f.xml": ""}
    )
    assert first_x(root) == {"val_images/f.jpg": 0, "train_images/f.jpg": 1}


def test_names_in_another_unicode_form(write: Callable[..., Path]) -> None:
    root = write([f"{NFD}0.jpg", f"{NFC}1.jpg"], {f"{NFC}0.xml": f"{NFC}0.jpg", "x.xml": f"{NFD}1.jpg"})
    assert first_x(root) == {f"{NFD}0.jpg": 0, f"{NFC}1.jpg": 1}
    assert notes_of(root) == ""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.permutations(range(4)))
def test_any_permutation_of_filenames_leaves_every_label_file_with_its_own_photo(
    tmp_path_factory: pytest.TempPathFactory, save_photo: Write, voc_xml: Write, order: list[int]
) -> None:
    root = tmp_path_factory.mktemp("permutation")
    for number, other in enumerate(order):
        save_photo(root / f"p{number}.jpg")
        (root / f"p{number}.xml").write_text(voc_xml(f"p{other}.jpg", [("cat", number + 1, 5, 30, 30)]))
    assert first_x(root) == {f"p{number}.jpg": number for number in range(4)}
    assert ("another photo" in notes_of(root)) == (order != sorted(order))


# ---------------------------------------------------------------- COCO's file_name


@pytest.mark.parametrize(
    ("file_name", "photo"),
    [
        ("my%20photo.jpg", "my photo.jpg"),
        ("p1.jpg?token=x", "p1.jpg"),
        ("p1", "p1.jpg"),
        ("P1.JPG", "p1.jpg"),
        ("http://host/images/p1.jpg", "p1.jpg"),
        ("/home/me/images/p1.jpg", "p1.jpg"),
        ("C:\\data\\images\\p1.jpg", "p1.jpg"),
        ("images/p1.heic", "p1.jpg"),
    ],
)
def test_names_nearly_right_are_found_and_noted(
    tmp_path: Path, coco: Write, annotation: Write, save_photo: Write, file_name: str, photo: str
) -> None:
    for name in ("p1.jpg", "my photo.jpg", "p2.jpg"):
        save_photo(tmp_path / name)
    (tmp_path / "labels.json").write_text(
        json.dumps(coco([(1, file_name)], [annotation(1, 1, [1, 2, 3, 4])]))
    )
    dataset = read_unsplit_detection(tmp_path)
    assert dataset.files.tolist() == [photo]
    (note,) = (note for note in dataset.notes if re.match("Names that differ|Labels with paths", note))
    assert f"images[0] (id 1): {file_name} is {photo} (differs in " in note


@pytest.mark.parametrize("file_name", ["cam1/p1.jpg", "images/cam1/p1.jpg"])
def test_a_path_with_another_folder_is_refused_with_a_suggestion(
    tmp_path: Path, coco: Write, save_photo: Write, file_name: str
) -> None:
    save_photo(tmp_path / "cam2/p1.jpg")
    (tmp_path / "labels.json").write_text(json.dumps(coco([(1, file_name)])))
    with pytest.raises(LabelError, match=r"p1\.jpg \(did you mean cam2/p1\.jpg\?\)"):
        read_unsplit_detection(tmp_path)


def test_an_ambiguous_name_is_refused_with_all_candidates(
    tmp_path: Path, coco: Write, save_photo: Write
) -> None:
    for camera in "abc":
        save_photo(tmp_path / f"cam-{camera}/p1.jpg")
    (tmp_path / "labels.json").write_text(json.dumps(coco([(1, "p1.jpg")])))
    message = (
        r"labels\.json: images\[0\] \(id 1\): p1\.jpg may be cam-a/p1\.jpg, cam-b/p1\.jpg or cam-c/p1\.jpg\. "
        "Name its folders"
    )
    with pytest.raises(LabelError, match=message):
        read_unsplit_detection(tmp_path)


def test_two_names_of_one_photo_are_refused(tmp_path: Path, coco: Write, save_photo: Write) -> None:
    save_photo(tmp_path / "p1.jpg")
    (tmp_path / "labels.json").write_text(json.dumps(coco([(1, "p1.jpg"), (2, "P1.jpg")])))
    with pytest.raises(LabelError, match="labeled more than once"):
        read_unsplit_detection(tmp_path)


# ---------------------------------------------------------------- class names


def test_two_unicode_forms_of_a_class_are_one_class(write_voc: Write) -> None:
    root = write_voc(
        {"a": [(NFD, 5, 5, 30, 30), (NFC, 6, 6, 30, 30), ("Cat", 1, 1, 9, 9), ("cat", 2, 2, 9, 9)]}
    )
    dataset = read_unsplit_detection(root)
    assert dataset.class_names == ("Cat", "cat", NFC)
    assert dataset.labels.tolist() == [2, 2, 0, 1]
    notes = "\n".join(dataset.notes)
    file = re.escape(str(root / "Annotations" / "a.xml"))
    assert re.search(rf'count as one class \(1\):\n  {file}:\d+: "{NFC}" \(2 spellings\)', notes)
    assert '"Cat" (1 object) and "cat" (1 object)' in notes


def test_two_unicode_forms_in_two_coco_files_are_one_class(
    tmp_path: Path, coco: Write, annotation: Write, save_photo: Write
) -> None:
    for split, name in (("train", NFC), ("val", f"{NFD} ")):
        save_photo(tmp_path / f"{split}.jpg")
        document = coco([(1, f"{split}.jpg")], [annotation(1, 7, [1, 2, 3, 4])], [(7, name)])
        (tmp_path / f"instances_{split}.json").write_text(json.dumps(document))
    dataset = read_unsplit_detection(tmp_path)
    assert dataset.class_names == (NFC,)
    assert dataset.labels.tolist() == [0, 0]
    assert any("count as one class" in note for note in dataset.notes)


# ---------------------------------------------------------------- split lists


def with_lists(root: Path, **lists: list[str]) -> Path:
    for split, names in lists.items():
        file = root / f"ImageSets/Main/{split}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(names) + "\n", encoding="utf-8")
    return root


@pytest.fixture
def cameras(write: Callable[..., Path]) -> Path:
    names = ["cam1/f0", "cam1/f1", "cam2/f0", "cam2/f1"]
    return write(
        [f"JPEGImages/{name}.jpg" for name in names], {f"Annotations/{name}.xml": "" for name in names}
    )


def splits_of(root: Path) -> dict[str, str]:
    dataset = read_unsplit_detection(root)
    stems = [file.removeprefix("JPEGImages/").removesuffix(".jpg") for file in dataset.files.tolist()]
    return dict(zip(stems, dataset.splits.tolist(), strict=True))


@pytest.mark.parametrize("form", ["{}", "{}.jpg", "JPEGImages/{}.jpg", "./{}", "Annotations/{}.xml"])
def test_listed_paths_are_matched_with_their_folders(cameras: Path, form: str) -> None:
    with_lists(cameras, train=[form.format("cam1/f0"), form.format("cam1/f1")], val=[form.format("cam2/f0")])
    assert splits_of(cameras) == {"cam1/f0": "train", "cam1/f1": "train", "cam2/f0": "val", "cam2/f1": ""}
    assert notes_of(cameras) == ""


def test_listed_paths_with_backslashes(cameras: Path) -> None:
    with_lists(cameras, train=["cam1\\f0"])
    assert splits_of(cameras)["cam1/f0"] == "train"
    assert splits_of(cameras)["cam2/f0"] == ""


def test_ambiguous_bare_names_are_refused_with_the_candidates(cameras: Path) -> None:
    with_lists(cameras, train=["f0"])
    message = r"train\.txt:1: f0 may be JPEGImages/cam1/f0\.jpg or JPEGImages/cam2/f0\.jpg"
    with pytest.raises(LabelError, match=message):
        read_unsplit_detection(cameras)


def test_one_photo_in_two_lists_under_two_names_is_refused(cameras: Path) -> None:
    with_lists(cameras, train=["cam1/f0"], val=["JPEGImages/cam1/f0.jpg"])
    with pytest.raises(LabelError, match=r"val\.txt:1: JPEGImages/cam1/f0\.jpg, also at .*train\.txt:1"):
        read_unsplit_detection(cameras)


def test_listed_names_in_another_unicode_form(write: Callable[..., Path]) -> None:
    root = write([f"{NFD}.jpg", "b.jpg"], {f"{NFD}.xml": "", "b.xml": ""})
    with_lists(root, train=[NFC], val=["B"])
    dataset = read_unsplit_detection(root)
    assert dict(zip(dataset.files.tolist(), dataset.splits.tolist(), strict=True)) == {
        f"{NFD}.jpg": "train",
        "b.jpg": "val",
    }
    assert "B is b.jpg (differs in case)" in "\n".join(dataset.notes)


def test_a_listed_name_that_does_not_exist_is_refused_with_a_suggestion(cameras: Path) -> None:
    with_lists(cameras, train=["cam3/f0"])
    with pytest.raises(LabelError, match=r"train\.txt:1: cam3/f0 \(did you mean JPEGImages/cam1/f0\.jpg"):
        read_unsplit_detection(cameras)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(splits=st.lists(st.sampled_from(["train", "val", "test", ""]), min_size=4, max_size=4))
def test_lists_with_folders_give_every_photo_its_split(cameras: Path, splits: list[str]) -> None:
    wanted = dict(zip(["cam1/f0", "cam1/f1", "cam2/f0", "cam2/f1"], splits, strict=True))
    lists = {s: [name for name, split in wanted.items() if split == s] for s in ("train", "val", "test")}
    with_lists(cameras, **lists)
    assert splits_of(cameras) == wanted if any(splits) else set(splits_of(cameras).values()) == {""}


# ---------------------------------------------------------------- files that are not read


COMMENT = "<!-- " + "x" * 5000 + " <annotation> -->"


def test_label_files_that_begin_late_or_in_utf16_are_read(write: Callable[..., Path], voc_xml: Write) -> None:
    root = write(["a.jpg", "b.jpg", "c.jpg"], {"a.xml": "a.jpg"})
    (root / "b.xml").write_text(
        f"<?xml version='1.0'?>\n{COMMENT}\n" + voc_xml("b.jpg", [("cat", 2, 5, 30, 30)])
    )
    (root / "c.xml").write_bytes(voc_xml("c.jpg", [("cat", 3, 5, 30, 30)]).encode("utf-16"))
    assert first_x(root) == {"a.jpg": 0, "b.jpg": 1, "c.jpg": 2}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (bytes(300), "all 300 bytes of this file are zero"),
        (b"<!-- only this -->", "broken XML"),
        (b"\xff\xfe\x00", "is not UTF-16"),
    ],
)
@pytest.mark.parametrize("others", [0, 2])
def test_unreadable_label_files_are_reported(
    write: Callable[..., Path], content: bytes, reason: str, others: int
) -> None:
    root = write(["a.jpg", "b.jpg", "c.jpg"], {f"{stem}.xml": "" for stem in "bc"[:others]})
    (root / "a.xml").write_bytes(content)
    with pytest.raises(LabelError, match=r"Label files that cannot be read \(1\)") as raised:
        read_unsplit_detection(root)
    assert f"{root / 'a.xml'}" in str(raised.value)
    assert reason in str(raised.value)


def test_xml_files_of_other_kinds_are_counted(write: Callable[..., Path]) -> None:
    root = write(["a.jpg"], {"a.xml": ""})
    (root / "project.xml").write_text("<!DOCTYPE project [<!ELEMENT a (b)>]><project><a/></project>")
    (root / "notes.txt").write_text("")
    (root / "film.mp4").write_text("")
    (root / "README.md").write_text("")
    (root / "Thumbs.db").write_text("")
    assert notes_of(root) == "not used: 1 .mp4 (video), 1 .txt, 1 .xml"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_coco_with_a_late_first_key(
    tmp_path: Path, coco: Write, annotation: Write, save_photo: Write, encoding: str
) -> None:
    save_photo(tmp_path / "a.jpg")
    document = {"description": "x" * 5000, **coco([(1, "a.jpg")], [annotation(1, 1, [1, 2, 3, 4])])}
    (tmp_path / "labels.json").write_bytes(json.dumps(document).encode(encoding))
    dataset = read_unsplit_detection(tmp_path)
    assert np.diff(dataset.offsets).tolist() == [1]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "is empty"), (bytes(99), "are zero"), (b'{"a": ', "broken")]
)
def test_unreadable_json_is_reported(
    tmp_path: Path, coco: Write, annotation: Write, save_photo: Write, content: bytes, reason: str
) -> None:
    save_photo(tmp_path / "a.jpg")
    (tmp_path / "broken.json").write_bytes(content)
    with pytest.raises(LabelError, match=rf"(?s)Label files that cannot be read.*broken\.json.*{reason}"):
        read_unsplit_detection(tmp_path)
    (tmp_path / "labels.json").write_text(json.dumps(coco([(1, "a.jpg")], [annotation(1, 1, [1, 2, 3, 4])])))
    if reason == "broken":  # it may be JSON of another program
        assert re.search(r"(?s)Label files that are not used.*broken\.json.*broken", notes_of(tmp_path))
        return
    with pytest.raises(LabelError, match=rf"(?s)Label files that cannot be read.*broken\.json.*{reason}"):
        read_unsplit_detection(tmp_path)


def test_photos_in_other_folders_are_counted(write: Callable[..., Path], save_photo: Write) -> None:
    root = write(["images/a.jpg"], {"labels/a.xml": ""})
    for number in range(3):
        save_photo(root / f"more/b{number}.jpg")
    assert notes_of(root) == "not used: images in folders without labeled photos:\n  3 in more/"


def test_a_run_inside_the_data_set_is_no_part_of_it(write: Callable[..., Path], save_photo: Write) -> None:
    root = write(["a.jpg"], {"a.xml": ""})
    run = root / "runs/faster-rcnn-1"
    save_photo(run / "curve.png")
    for name in ("recipe.json", "split.json"):
        (run / name).write_text("{}")
    (run / "labels.json").write_text('{"images": [], "annotations": [], "categories": []}')
    assert notes_of(root) == f"left out: folders of trainings:\n  {run}"


@pytest.mark.parametrize("folder", ["C:\\Users\\me\\", "/home/me/", "..\\..\\photos\\"])
def test_paths_of_another_computer_are_one_note(tmp_path: Path, save_photo: Write, folder: str) -> None:
    shape = {"label": "cat", "points": [[1, 2], [30, 20]], "shape_type": "rectangle"}
    for number in range(7):
        save_photo(tmp_path / f"{number}.jpg")
        document = {"shapes": [shape], "imagePath": f"{folder}{number}.jpg", "imageData": None}
        (tmp_path / f"{number}.json").write_text(json.dumps(document))
    findings = Findings()
    labels = read_labels(tmp_path, findings)
    assert len(labels.photos) == 7
    (finding,) = findings
    assert finding.kind.id == "path-elsewhere"
    assert finding.detail.startswith("7 paths; the first: ")
