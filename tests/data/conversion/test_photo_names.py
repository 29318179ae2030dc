"""Names of photos in a data set that is written."""

from boxmask.data.conversion.photo_names import names_of_photos


def test_folders_for_layout_and_splits_are_left_out() -> None:
    files = ["images/train/a.jpg", "images/val/b.jpg", "JPEGImages/c.jpg", "valid/images/d.jpg"]
    assert names_of_photos(files, ["train", "val", "", "val"]) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]


def test_folders_that_tell_more_are_kept() -> None:
    files = ["images/cam1/a.jpg", "images/cam2/a.jpg", "images/cam1_train/b.jpg"]
    expected = ["cam1/a.jpg", "cam2/a.jpg", "cam1_train/b.jpg"]
    assert names_of_photos(files, ["train"] * 3) == expected


def test_a_folder_of_another_split_is_kept() -> None:
    assert names_of_photos(["train/a.jpg", "train/b.jpg"], ["val", "train"]) == ["train/a.jpg", "b.jpg"]


def test_equal_names_keep_the_folders_that_tell_them_apart() -> None:
    files = ["images/train/a.jpg", "images/val/a.jpg"]
    assert names_of_photos(files, ["train", "val"]) == ["train/a.jpg", "val/a.jpg"]


def test_names_that_differ_in_case_or_suffix_only_keep_all_folders() -> None:
    for files in (["images/a.jpg", "photos/A.jpg"], ["images/a.jpg", "photos/a.png"]):
        assert names_of_photos(files, ["", ""]) == files


def test_names_in_one_folder_that_differ_in_case_or_suffix_only_get_numbers() -> None:
    files = ["images/a.jpg", "images/a.png", "images/A.jpg", "images/a_2.jpg", "images/a.jpg.png"]
    expected = ["a.jpg", "a_3.png", "A_4.jpg", "a_2.jpg", "a.jpg_2.png"]
    assert names_of_photos(files, [""] * 5) == [f"images/{name}" for name in expected]


def test_characters_that_label_files_cannot_hold_are_replaced() -> None:
    assert names_of_photos(["a\nb.jpg", "c\udcff.jpg"], ["", ""]) == ["a_0ab.jpg", "c_ff.jpg"]
