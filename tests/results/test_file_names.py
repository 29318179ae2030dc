from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxmask.outputs import write_output
from boxmask.results import file_names
from boxmask.results.file_names import (
    picture_names,
    renaming_notes,
    writable_name,
)


def photos_called(*names: str) -> list[Path]:
    return [Path(name) for name in names]


# ---------------------------------------------------------------- unique names


def test_names_follow_the_photos_and_are_unique() -> None:
    photos = photos_called("a/x.jpg", "b/x.jpg", "x-2.jpg", "c/x.png", "c/x-2.jpg", "y.jpg")
    assert picture_names(photos) == ["x", "x-3", "x-2", "x-4", "x-2-2", "y"]


@pytest.mark.parametrize("pair", [("A", "a"), ("가", "\u1100\u1161"), ("STRASSE", "straße")])
def test_names_that_some_disks_take_for_equal_are_numbered(pair: tuple[str, str]) -> None:
    first, second = picture_names(photos_called(f"{pair[0]}.jpg", f"{pair[1]}.jpg"))
    assert (first, second) == (pair[0], f"{pair[1]}-2")


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1), max_size=12
    )
)
def test_names_are_unique_and_short_for_any_photos(stems: list[str]) -> None:
    names = picture_names([Path(f"{number}/{stem}.jpg") for number, stem in enumerate(stems)])
    assert len({file_names._key(name) for name in names}) == len(stems)
    assert all(0 < len(os.fsencode(f"{name}.json")) <= 255 for name in names)


# ---------------------------------------------------------------- names that a disk does not accept


@pytest.mark.parametrize("stem", ["가" * 83, "a" * 251, "é" * 125, "x" * 243, "🦝" * 62])
def test_a_name_that_is_too_long_is_cut_between_characters(tmp_path: Path, stem: str) -> None:
    (name,) = picture_names([Path(f"{stem}.jpg")], tmp_path)
    assert stem.startswith(name[:-9])
    assert len(name) > 50
    with write_output(tmp_path / f"{name}.json") as temporary:
        temporary.touch()
    (note,) = renaming_notes([Path(f"{stem}.jpg")], tmp_path)
    assert note.startswith("names that are too long or not allowed in the output folder were changed:")
    assert f"{stem}.jpg -> {name}" in note


def test_cut_names_differ(tmp_path: Path) -> None:
    stems = ["가" * 83 + ending for ending in ("", "나", "다")]
    assert len(set(picture_names([Path(f"{stem}.jpg") for stem in stems], tmp_path))) == 3


@pytest.mark.parametrize(
    "stem",
    [
        "CON",
        "con.backup",
        "Lpt1",
        "a:b",
        "what?",
        "a<b>",
        "a|b",
        'a"b',
        "end.",
        "end ",
        "a\tb",
        "2024-01-01T10:00:00",
    ],
)
def test_names_that_windows_does_not_accept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stem: str
) -> None:
    photo = Path(f"{stem}.jpg")
    if os.name == "posix":
        assert picture_names([photo], tmp_path) == [stem]
        assert renaming_notes([photo], tmp_path) == ()
    monkeypatch.setattr(file_names, "_CAN_TRY_NAMES", False)
    file_names._rejected_names.cache_clear()
    (name,) = picture_names([photo], tmp_path)
    file_names._rejected_names.cache_clear()
    assert name != stem
    assert not file_names._UNUSUAL.search(name)
    assert not file_names._DEVICES.fullmatch(name)


@pytest.mark.parametrize(
    "stem", ["photo", "사진", "a b", "a.b", ".hidden", "console", "a-2", "~", "#1", "%20"]
)
def test_other_names_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stem: str) -> None:
    assert writable_name(stem, tmp_path) == stem
    monkeypatch.setattr(file_names, "_CAN_TRY_NAMES", False)
    assert writable_name(stem, tmp_path) == stem


# ---------------------------------------------------------------- nothing is overwritten
