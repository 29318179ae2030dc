"""Data sets in archives: the same labels as in their folder, and nothing outside it."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.data.conftest import save_photo, voc_xml

from boxmask.data import filled_folder
from boxmask.data.archives import unpack
from boxmask.data.archives.unpack import is_archive, unpacked
from boxmask.data.classification.read import read_classification
from boxmask.data.detection.read import read_detection
from boxmask.data.segmentation.read import read_segmentation
from boxmask.doctor.check import check_data
from boxmask.errors import LabelError, OutputError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        save_photo(tmp_path / f"voc/JPEGImages/{name}.png")
        (tmp_path / "voc/Annotations").mkdir(exist_ok=True)
        (tmp_path / f"voc/Annotations/{name}.xml").write_text(voc_xml(f"{name}.png", [("cat", 2, 3, 20, 30)]))
    return tmp_path / "voc"


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def zip_of(path: Path, **contents: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("form", ["zip", "tar", "gztar", "bztar", "xztar"])
def test_an_archive_is_the_same_data_set_as_its_folder(tmp_path: Path, voc: Path, form: str) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "labels.v1"), form, voc.parent, voc.name))
    dataset = read_detection(archive)
    assert len(dataset) == 3
    assert dataset.class_names == ("cat",)
    assert [Path(file).name for file in dataset.files] == ["a.png", "b.png", "c.png"]
    assert all(dataset.path(photo).is_file() for photo in range(3))
    assert (dataset.boxes == read_detection(voc).boxes).all()


def test_label_maps_and_class_folders_are_read_from_archives(tmp_path: Path) -> None:
    for name in ("cat", "tiger"):
        for number in range(3):
            save_photo(tmp_path / f"classes/{name}/{number}.png", (20 + number, 30 + len(name)))
    archive = shutil.make_archive(str(tmp_path / "classes"), "zip", tmp_path / "classes")
    assert read_classification(archive).class_names == ("cat", "tiger")
    for number in range(4):
        save_photo(tmp_path / f"maps/images/{number}.jpg")
        save_photo(tmp_path / f"maps/masks/{number}.png")
    (tmp_path / "maps/classes.txt").write_text("road 808080\nsky 0000FF\n")
    archive = shutil.make_archive(str(tmp_path / "maps"), "zip", tmp_path / "maps")
    assert read_segmentation(archive).class_names == ("road", "sky")


def test_it_is_unpacked_once_and_again_when_it_changes(tmp_path: Path, voc: Path, cache: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "set"), "zip", voc))
    folder = unpacked(archive)
    assert cache in folder.parents
    (folder / "seen").touch()
    assert (unpacked(archive) / "seen").exists()
    os.utime(archive, (1, 1))
    assert not (unpacked(archive) / "seen").exists()


def test_other_paths_stay_as_they_are(tmp_path: Path) -> None:
    for name in ("folder.zip", "folder"):
        (tmp_path / name).mkdir()
        assert unpacked(tmp_path / name) == tmp_path / name
    text = tmp_path / "notes.zip"
    text.write_text("no archive")
    assert not is_archive(text)
    assert unpacked(tmp_path / "missing.zip") == tmp_path / "missing.zip"


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "/tmp/evil.txt", "..\\evil.txt"])
def test_files_outside_the_folder_are_refused(tmp_path: Path, cache: Path, name: str) -> None:
    path = zip_of(tmp_path / "evil.zip", **{name: b"x"})
    with pytest.raises(LabelError, match=r"evil\.zip: the archive holds .* a file outside its folder"):
        unpacked(path)
    assert not list(cache.rglob("*.txt"))
    assert not list(tmp_path.glob("**/evil.txt"))
    if "\\" not in name:
        with pytest.raises(LabelError, match="outside its folder"):
            unpacked(tar_of(tmp_path / "evil.tar.gz", (tarfile.TarInfo(name), b"x")))


def test_links_and_devices_are_not_unpacked(tmp_path: Path) -> None:
    link, hard, pipe = tarfile.TarInfo("link.txt"), tarfile.TarInfo("hard.txt"), tarfile.TarInfo("pipe")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard.type, hard.linkname = tarfile.LNKTYPE, "/etc/passwd"
    pipe.type = tarfile.FIFOTYPE
    path = tar_of(
        tmp_path / "x.tar.gz", (link, b""), (hard, b""), (pipe, b""), (tarfile.TarInfo("a.txt"), b"1")
    )
    assert [file.name for file in unpacked(path).rglob("*")] == ["a.txt"]
    info = zipfile.ZipInfo("link.txt")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
        archive.writestr("__MACOSX/._a.txt", "resource fork")
        archive.writestr("a.txt", "1")
    assert [file.name for file in unpacked(tmp_path / "x.zip").rglob("*")] == ["a.txt"]


@pytest.mark.parametrize("pack", [zip_of, lambda path, **files: tar_of(path, *map(_member, files.items()))])
def test_an_archive_that_grows_beyond_measure_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[..., Path]
) -> None:
    monkeypatch.setattr(unpack, "MIN_LIMIT", 1000)
    name = "bomb.zip" if pack is zip_of else "bomb.tar.gz"
    path = pack(tmp_path / name, **{"zeros.txt": bytes(3_000_000)})
    with pytest.raises(LabelError, match="more than 200 times its size"):
        unpacked(path)
    assert not list(cache.rglob("*.txt"))


def _member(file: tuple[str, bytes]) -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(file[0]), file[1]


def test_an_entry_that_is_larger_than_announced_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MIN_LIMIT", 1000)
    path = zip_of(tmp_path / "bomb.zip", **{"zeros.txt": bytes(3_000_000)})
    content = path.read_bytes().replace((3_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(content)
    with pytest.raises(LabelError, match=r"damaged|times its size"):
        unpacked(path)


def test_damaged_archives_and_passwords_are_errors(tmp_path: Path, voc: Path, cache: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "set"), "gztar", voc))
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(LabelError, match=r"set\.tar\.gz: the archive is damaged .* Download it again"):
        unpacked(archive)
    assert not list(cache.rglob("*.xml"))
    locked = zip_of(tmp_path / "locked.zip", **{"a.txt": b"x"})
    content = bytearray(locked.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(content)
    with pytest.raises(LabelError, match=r"the archive has a password\. Unpack it, and give the folder"):
        unpacked(locked)


def test_a_full_disk_is_an_error_that_leaves_nothing(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zip_of(tmp_path / "set.zip", **{"a.txt": b"x"})
    monkeypatch.setattr(filled_folder, "KEPT_FREE", 10**18)
    with pytest.raises(LabelError, match="than the disk has free"):
        unpacked(path)
    assert not list(cache.rglob("*.txt"))
    monkeypatch.setenv("BOXMASK_CACHE", str(path))
    with pytest.raises(OutputError):
        unpacked(path)


def test_names_in_utf_8_without_its_flag_are_read_as_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("XXXX.txt", b"x")
    path.write_bytes(path.read_bytes().replace(b"XXXX.txt", "äö.txt".encode()))
    assert [file.name for file in unpacked(path).iterdir()] == ["äö.txt"]


def test_photos_with_names_as_of_texts_for_people_are_unpacked(tmp_path: Path) -> None:
    path = zip_of(
        tmp_path / "set.zip", **{"license_plate_1.jpg": b"x", "a/notice.png": b"x", "a/._b.png": b""}
    )
    names = sorted(file.name for file in unpacked(path).rglob("*.*"))
    assert names == ["license_plate_1.jpg", "notice.png"]


def test_labels_alone_are_not_read_with_the_photos_of_other_archives(tmp_path: Path, voc: Path) -> None:
    unpacked(Path(shutil.make_archive(str(tmp_path / "photos"), "zip", voc / "JPEGImages")))
    labels = Path(shutil.make_archive(str(tmp_path / "labels"), "zip", voc / "Annotations"))
    with pytest.raises(LabelError, match=r"(?s)Labels of photos that do not exist \(3"):
        read_detection(labels)


def test_a_file_that_is_named_as_an_archive_must_be_one(tmp_path: Path) -> None:
    path = tmp_path / "set.tar.gz"
    path.write_bytes(b"\x1f\x8b" + bytes(100))
    with pytest.raises(LabelError, match=r"set\.tar\.gz: this file is damaged, or is no archive"):
        read_detection(path)
    (finding,) = check_data(path).findings
    assert (finding.kind.id, finding.location.file) == ("data-unreadable", str(path))


def test_a_folder_of_archives_tells_what_to_give(tmp_path: Path, voc: Path) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / "README.txt").write_text("Labels of apples.")
    shutil.make_archive(str(folder / "photos"), "zip", voc)
    for read in (read_detection, read_classification, read_segmentation):
        with pytest.raises(
            LabelError, match=r"holds an archive and nothing else\. Give the archive: .*photos\.zip"
        ):
            read(folder)
    shutil.make_archive(str(folder / "labels"), "gztar", voc)
    (finding,) = check_data(folder).findings
    assert finding.detail == (
        "this folder holds 2 archives and nothing else (labels.tar.gz, photos.zip). Give one of them. If "
        "they belong together, unpack them into one folder, and give that."
    )
