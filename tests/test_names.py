"""Two names mean the same file or class, or they do not: spellings from many tools and systems."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from boxmask.names import (
    AmbiguousNameError,
    NameIndex,
    class_name,
    without_suffix,
)

CAT_NFC = "고양이"
CAT_NFD = unicodedata.normalize("NFD", CAT_NFC)


# ---------------------------------------------------------------- classes


@pytest.mark.parametrize(
    "spelling", [CAT_NFC, CAT_NFD, f" {CAT_NFD}\n", f"\ufeff{CAT_NFC}", f"{CAT_NFC}\xa0"]
)
def test_spellings_of_one_class(spelling: str) -> None:
    assert class_name(spelling) == CAT_NFC


@pytest.mark.parametrize("other", ["Cat", "c at", "cat1", "саt"])
def test_other_classes(other: str) -> None:
    assert class_name(other) != class_name("cat")


@given(st.text(), st.sampled_from(["NFC", "NFD"]))
def test_a_class_name_does_not_depend_on_the_unicode_form(text: str, form: str) -> None:
    written = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert class_name(written) == class_name(text) == class_name(class_name(text))


# ---------------------------------------------------------------- exact matches


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("images/a.jpg", "images/a.jpg"),
        ("a.jpg", "images/a.jpg"),
        ("./a.jpg", "images/a.jpg"),
        ("images\\a.jpg", "images/a.jpg"),
        ("images//a.jpg", "images/a.jpg"),
        ("cam1/f 0.jpg", "images/cam1/f 0.jpg"),
        ("cam2\\f 0.jpg", "images/cam2/f 0.jpg"),
        (f"{CAT_NFD}.jpg", f"images/{CAT_NFC}.jpg"),
        ("50%25.jpg", "images/50%25.jpg"),
    ],
)
def test_exact_matches(name: str, file: str) -> None:
    files = ["images/a.jpg", "images/cam1/f 0.jpg", "images/cam2/f 0.jpg", f"images/{CAT_NFC}.jpg"]
    match = NameIndex([*files, "images/50%25.jpg", "images/50%.jpg"]).find(name)
    assert match is not None
    assert (match.file, match.is_exact) == (file, True)


def test_a_relative_path_is_tried_from_its_folder_first() -> None:
    index = NameIndex(["a.jpg", "test/a.jpg", "train/a.jpg"])
    assert [match.file for match in index.matches("a.jpg", "train")] == ["train/a.jpg"]
    assert [match.file for match in index.matches("../test/a.jpg", "train")] == ["test/a.jpg"]
    assert [match.file for match in index.matches("a.jpg")] == ["a.jpg"]


# ---------------------------------------------------------------- inexact matches


@pytest.mark.parametrize(
    ("name", "file", "difference"),
    [
        ("my%20photo.jpg", "my photo.jpg", "percent-encoding or query string"),
        ("%EA%B3%A0%EC%96%91%EC%9D%B4.jpg", f"{CAT_NFC}.jpg", "percent-encoding or query string"),
        ("p1.jpg?token=x", "p1.jpg", "percent-encoding or query string"),
        ("https://h.org/b/p1.jpg?X-Amz=a%2Fb#x", "p1.jpg", "percent-encoding or query string, folders"),
        ("s3://bucket/p1.jpg", "p1.jpg", "folders"),
        ("/data/local-files/?d=sub/q.png", "sub/q.png", "percent-encoding or query string"),
        ("P1.JPG", "p1.jpg", "case"),
        ("p1", "p1.jpg", "ending"),
        ("p1.HEIC", "p1.jpg", "ending"),
        ("P1.png", "p1.jpg", "ending, case"),
        ("MY%20PHOTO", "my photo.jpg", "percent-encoding or query string, ending, case"),
        ("C:\\Users\\me\\p1.jpg", "p1.jpg", "folders"),
        ("/home/me/sub/q.png", "sub/q.png", "folders"),
        ("/home/me/elsewhere/q.png", "sub/q.png", "folders"),
        ("images/p1.jpg", "p1.jpg", "folders"),
    ],
)
def test_inexact_matches_name_the_difference(name: str, file: str, difference: str) -> None:
    match = NameIndex(["my photo.jpg", "p1.jpg", "sub/q.png", f"{CAT_NFC}.jpg"]).find(name)
    assert match is not None
    assert (match.file, ", ".join(match.differences)) == (file, difference)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("cam1/f.jpg", ["cam2/f.jpg"]),
        ("images/cam1/f.jpg", ["images/cam2/f.jpg"]),
        ("/home/me/cam1/f.jpg", ["cam1/g.jpg", "cam2/f.jpg"]),
        ("scan.0", ["scan.jpg"]),
        ("scan", ["scan.0.jpg"]),
        ("a.b.jpg", ["a.jpg"]),
        ("rame.jpg", ["frame.jpg"]),
        ("", ["a.jpg"]),
        (".", ["a.jpg"]),
        ("..", ["a.jpg"]),
        (".jpg", ["a.jpg"]),
    ],
)
def test_another_file_is_not_meant(name: str, files: list[str]) -> None:
    assert NameIndex(files).find(name) is None


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("frame.jpg", ["cam1/frame.jpg", "cam2/frame.jpg"]),
        ("P1.jpg", ["p1.JPG", "p1.jpg"]),
        ("p1", ["p1.jpg", "p1.png"]),
        ("p1.bmp", ["p1.jpg", "p1.png"]),
        (f"{CAT_NFC}.JPG", [f"{CAT_NFC}.jpg", f"{CAT_NFD}.jpg"]),
    ],
)
def test_ambiguous_names_are_refused_with_the_candidates(name: str, files: list[str]) -> None:
    with pytest.raises(AmbiguousNameError, match=" may be ") as raised:
        NameIndex(files).find(name)
    assert all(file in str(raised.value) for file in files)


def test_of_two_unicode_forms_on_the_disk_each_is_itself() -> None:
    index = NameIndex([f"{CAT_NFC}.jpg", f"{CAT_NFD}.jpg"])
    for name in (f"{CAT_NFC}.jpg", f"{CAT_NFD}.jpg"):
        match = index.find(name)
        assert match is not None
        assert match.file == name


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.jpg", "a"), ("a.0", "a.0"), ("a.0.JPG", "a.0"), ("b/a.xml", "b/a"), ("v1.5/a", "v1.5/a")],
)
def test_only_known_endings_are_stripped(path: str, expected: str) -> None:
    assert without_suffix(path) == expected


# ---------------------------------------------------------------- properties

names = st.text("aA가é%20.?/\\_1 ", min_size=1, max_size=8).map(
    lambda text: unicodedata.normalize("NFC", text)
)


@given(st.lists(names, min_size=1, max_size=6, unique=True), st.data())
def test_every_file_is_found_by_its_own_path(files: list[str], data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(files))
    match = NameIndex(files).find(file)
    assert match is not None
    assert (match.file, match.is_exact) == (file, True)


@given(st.lists(names, max_size=6, unique=True), names)
def test_any_name_gives_a_file_of_the_index_or_an_error_of_ours(files: list[str], name: str) -> None:
    try:
        match = NameIndex(files).find(name)
    except AmbiguousNameError:
        return
    assert match is None or match.file in files


@given(st.lists(st.sampled_from(["cam1", "cam2", "images"]), min_size=1, max_size=3), st.data())
def test_a_name_with_folders_never_means_a_file_in_contradicting_folders(
    folders: list[str], data: st.DataObject
) -> None:
    other = data.draw(st.lists(st.sampled_from(["cam1", "cam2", "images"]), min_size=1, max_size=3))
    telling = [[folder for folder in parts if folder != "images"] for parts in (folders, other)]
    inner, outer = sorted(telling, key=len)
    assume(inner != outer[len(outer) - len(inner) :])
    assert NameIndex(["/".join([*other, "f.jpg"])]).find("/".join([*folders, "f.jpg"])) is None
