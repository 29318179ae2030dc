"""Names tell which photos are frames of a video, tiles of a picture, or augmented from one photo."""

from __future__ import annotations

import pytest

from boxmask.data.groups.names import (
    folder_of_photo,
    numbered_stem,
    photo_of_augmentation,
    picture_of_tile,
    running_number,
    video_of_frame,
)

HASH = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("file", "video"),
    [
        ("images/cam1_0001.jpg", "cam1"),
        ("cam_2-0001.jpg", "cam_2"),
        ("camera_2_left_0005.jpg", "camera_2_left"),
        ("street_mp4-0017.jpg", "street_mp4"),
        (f"train/images/street_mp4-17_jpg.rf.{HASH}.jpg", "street_mp4"),
        ("drive7_frame0012.png", "drive7"),
        ("drive7/frame_0012.png", "drive7"),
        ("train/drive7/frame_0012.png", "drive7"),
        ("BloodImage_00001.jpg", None),
        ("raccoon-1.jpg", None),
        ("camel_12.jpg", None),
        ("scam_12.jpg", None),
        ("cat.12.jpg", None),
        ("000000000030.jpg", None),
        ("IMG_20200101_120000.jpg", None),
        ("16c3d5935ba9.png", None),
    ],
)
def test_frames_of_videos(file: str, video: str | None) -> None:
    assert video_of_frame(file) == video


@pytest.mark.parametrize(
    ("file", "picture"),
    [
        ("scene_x0_y512.png", "scene"),
        ("scene_r1_c2.tif", "scene"),
        ("scene_row1_col12.tif", "scene"),
        ("P0001__1__0___824.png", "P0001"),
        ("Tile 1/images/image_part_001.jpg", "Tile_1/image"),
        ("a_tile_3_4.png", "a"),
        ("scene12_crop3.jpg", "scene12"),
        ("BloodImage_00001.jpg", None),
        ("raccoon-1.jpg", None),
        ("fox1.jpg", None),
        ("1280x720_2.jpg", None),
        ("2019_000123.jpg", None),
    ],
)
def test_tiles_of_pictures(file: str, picture: str | None) -> None:
    assert picture_of_tile(file) == picture


def test_augmented_photos_have_one_name_in_all_splits() -> None:
    files = [f"train/images/cat-1_jpg.rf.{HASH}.jpg", f"valid/images/cat-1_jpg.rf.{HASH[::-1]}.jpg"]
    assert [photo_of_augmentation(file) for file in files] == ["cat-1"] * 2
    assert photo_of_augmentation("cat-1.jpg") is None


def test_numbered_stems_and_their_order() -> None:
    files = ["images/cam1_0002.jpg", "cam1_10.png", "cam1 (3).jpg", "x/cam1_1.jpg", "cam.jpg"]
    assert [numbered_stem(file) for file in files] == ["cam1", "cam1", "cam1", "x/cam1", None]
    assert [running_number(file) for file in files] == [2, 10, 3, 1, 0]


def test_folders_of_splits_and_layouts_tell_nothing() -> None:
    files = ["train/images/a.jpg", "images/val/site1/a.jpg", "site1/images/a.jpg", "a.jpg", "Tile 1/a.jpg"]
    assert [folder_of_photo(file) for file in files] == ["", "site1", "site1", "", "Tile_1"]
