"""Photos that belong together are found by name, time and likeness; numbered photos alone are no group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageDraw

from boxmask.data.groups import components
from boxmask.data.groups.components import Components, members_of_groups, number_in_order
from boxmask.data.groups.group_by import Groups, find_groups
from boxmask.errors import UsageError

Scene = Callable[..., Image.Image]


def grouped(root: Path, group_by: str = "auto") -> dict[tuple[str, ...], str]:
    """The reason of each group of two or more, by the names of its photos."""
    files = sorted(file.relative_to(root).as_posix() for file in root.rglob("*.*"))
    groups = find_groups(root, files, group_by)
    return {
        tuple(files[photo] for photo in photos): groups.reasons[groups.numbers[photos[0]]]
        for photos in members_of_groups(groups.numbers)
    }


def save_sequence(
    folder: Path, stem: str, scene: Image.Image, count: int = 4, step: int = 1, start: int = 1
) -> tuple[str, ...]:
    """Frames in which an object moves; gives their names."""
    folder.mkdir(exist_ok=True)
    names = [f"{stem}{start + number:04}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        frame = scene.copy()
        ImageDraw.Draw(frame).rectangle((10 + 6 * step * number, 50, 20 + 6 * step * number, 60), "white")
        frame.save(folder / name)
    return tuple(names)


def test_numbered_photos_of_different_things_are_no_group(tmp_path: Path, scene: Scene) -> None:
    for number in range(20):
        scene(number).save(tmp_path / f"img_{number:04}.jpg")
    assert grouped(tmp_path) == {}


def test_class_names_with_numbers_are_no_groups(tmp_path: Path, scene: Scene) -> None:
    for number in range(10):
        scene(number).save(tmp_path / f"cat.{number}.jpg")
        scene(100 + number).save(tmp_path / f"dog.{number}.jpg")
    assert grouped(tmp_path) == {}


def test_frames_are_found_by_likeness_under_any_name(tmp_path: Path, scene: Scene) -> None:
    first = save_sequence(tmp_path, "a_", scene(0))
    second = save_sequence(tmp_path, "a_", scene(1), start=20)
    reason = "the same scene from the same place"
    assert grouped(tmp_path) == {first: reason, second: reason}


def test_stems_of_consecutive_photos_that_look_alike_are_groups(tmp_path: Path, scene: Scene) -> None:
    for number in range(6):
        for place, seeds in (("north", (0, 1)), ("south", (2, 3))):
            share = number / 5
            Image.blend(scene(seeds[0]), scene(seeds[1]), share).save(tmp_path / f"{place}_{number}.png")
    found = grouped(tmp_path)
    assert [len(files) for files in found] == [6, 6]
    assert all(len({name.split("_")[0] for name in files}) == 1 for files in found)


def test_frames_of_videos_tiles_and_augmented_photos_are_groups_by_their_names(
    tmp_path: Path, scene: Scene
) -> None:
    names = ["cam1_1", "cam1_2", "cam2_1", "cam2_2", "s_x0_y0", "s_x0_y9", "t_x0_y0", "a_jpg.rf." + "0" * 32]
    names += ["a_jpg.rf." + "1" * 32, "other_1"]
    for seed, name in enumerate(names):
        scene(seed).save(tmp_path / f"{name}.jpg")
    assert set(grouped(tmp_path).values()) == {
        "frames of one video",
        "tiles of one picture",
        "augmented from one photo",
    }
    assert [len(files) for files in grouped(tmp_path)] == [2, 2, 2, 2]


def test_one_video_alone_tells_nothing(tmp_path: Path, scene: Scene) -> None:
    for number in range(4):
        scene(number).save(tmp_path / f"cam1_{number}.jpg")
    assert grouped(tmp_path) == {}


def test_photos_of_one_camera_within_seconds_are_a_burst(tmp_path: Path, scene: Scene) -> None:
    times = {"a": ("C1", 0), "b": ("C1", 8), "c": ("C1", 16), "d": ("C1", 40), "e": ("C2", 8), "f": ("", 8)}
    for seed, (name, (camera, seconds)) in enumerate(times.items()):
        exif = Image.Exif()
        exif[ExifTags.Base.Model] = camera
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"2024:05:01 10:00:{seconds:02}"
        scene(seed).save(tmp_path / f"{name}.jpg", exif=exif)
    reason = "taken with one camera within seconds"
    assert grouped(tmp_path) == {("a.jpg", "b.jpg", "c.jpg"): reason}
    assert grouped(tmp_path, "capture-time") == {("a.jpg", "b.jpg", "c.jpg"): reason}
    assert grouped(tmp_path, "likeness") == {}


def test_a_camera_whose_clock_is_not_set_has_no_bursts(tmp_path: Path, scene: Scene) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "C1"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2024:05:01 10:00:00"
    for number in range(40):
        scene(number, (32, 24)).save(tmp_path / f"{number}.jpg", exif=exif)
    assert grouped(tmp_path, "capture-time") == {}


def test_folders_names_and_patterns(tmp_path: Path) -> None:
    files = ["s1/a1.jpg", "s1/b1.jpg", "s2/a1.jpg", "s2/a2.jpg"]
    numbers = {by: find_groups(tmp_path, files, by).numbers.tolist() for by in ("folder", "name")}
    assert numbers == {"folder": [0, 0, 1, 1], "name": [0, 1, 2, 2]}
    assert find_groups(tmp_path, files, r"([ab])\d").numbers.tolist() == [0, 1, 0, 0]
    assert find_groups(tmp_path, files, r"a\d").numbers.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("group_by", ["nmae", "(", "z+"])
def test_a_pattern_that_fits_no_photo_is_an_error(tmp_path: Path, group_by: str) -> None:
    with pytest.raises(UsageError, match="expected auto, name, folder, capture-time, likeness, or a regular"):
        find_groups(tmp_path, ["s1/a1.jpg"], group_by)


def test_groups_of_some_of_the_photos() -> None:
    groups = Groups(np.array([0, 1, 1, 2, 2]), ("", "x", "y"))
    chosen = groups.of(list("abcde"), list("edb"))
    assert chosen.numbers.tolist() == [0, 0, 1]
    assert chosen.reasons == ("y", "")


# ---------------------------------------------------------------- components


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30), st.integers(1, 5))
def test_components_do_not_depend_on_when_they_are_merged(
    pairs: list[tuple[int, int]], max_waiting: int
) -> None:
    number_of = list(range(20))
    for first, second in pairs:
        number_of = [number_of[first] if number == number_of[second] else number for number in number_of]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(components, "_MAX_WAITING", max_waiting)
        found = Components(20)
        for first, second in pairs:
            found.join(np.array([first]), np.array([second]))
        assert found.numbers().tolist() == number_in_order(np.array(number_of)).tolist()
