"""Photos keep their split when a data set grows, shrinks or is renamed, and new ones join it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.groups.choose import choose_splits
from boxmask.data.groups.growth import EarlierSplit
from boxmask.data.split_file import read_split_file, write_split_file
from boxmask.errors import LabelError

Make = Callable[..., DetectionDataset]


class Growing:
    """A folder of photos on which one training follows another. The contents of a photo are its text."""

    def __init__(self, dataset_of: Make, root: Path, group_by: str | None = None) -> None:
        self.dataset_of, self.root, self.group_by = dataset_of, root, group_by
        self.contents: dict[str, str] = {}
        self.own: dict[str, str] = {}
        self.earlier: tuple[EarlierSplit, ...] = ()
        self.notes = ""

    def write(self, photos: Mapping[str, str]) -> None:
        """Replace the photos of the folder."""
        shutil.rmtree(self.root, ignore_errors=True)
        for file, text in photos.items():
            (self.root / file).parent.mkdir(parents=True, exist_ok=True)
            (self.root / file).write_text(text)
        self.contents = dict(photos)

    def add(self, photos: Iterable[str]) -> None:
        """Add photos that contain their names."""
        self.write({**self.contents, **{file: file for file in photos}})

    def train(
        self,
        labels: Mapping[str, list[int]] | None = None,
        seed: int | None = None,
        group_by: str | None = None,
    ) -> dict[str, str]:
        """Choose the splits and write them; returns the split of each contents."""
        files = sorted(self.contents)
        classes = [(labels or {}).get(file, [0]) for file in files]
        made = self.dataset_of(classes, [self.own.get(file, "") for file in files])
        unsplit = replace(made, root=self.root, files=np.array(files))
        dataset = choose_splits(
            unsplit,
            seed,
            group_by=group_by or (None if self.earlier else self.group_by),
            earlier=self.earlier,
        )
        self.notes = "\n".join(dataset.notes)
        path = self.root.parent / "split.json"
        write_split_file(dataset, path)
        file = read_split_file(path)
        if file.draw:
            merged = replace(file, splits={**file.draw.vanished, **file.splits})
            self.earlier = (EarlierSplit(merged, file.draw, "runs/first", read_from_here=True),)
        pairs = zip(dataset.files.tolist(), dataset.splits.tolist(), strict=True)
        return {self.contents[photo]: split for photo, split in pairs}


@pytest.fixture
def growing(dataset_of: Make, tmp_path: Path) -> Growing:
    return Growing(dataset_of, tmp_path / "data")


def photos(first: int, last: int) -> list[str]:
    return [f"p{number:03}.jpg" for number in range(first, last)]


def shares(splits: Mapping[str, str]) -> tuple[int, int, int]:
    values = list(splits.values())
    return values.count("train"), values.count("val"), values.count("test")


# ---------------------------------------------------------------- adding photos


def test_adding_ten_photos_changes_no_split(growing: Growing) -> None:
    growing.add(photos(0, 100))
    before = growing.train()
    assert growing.train() == before
    assert growing.notes == "the split of runs/first is kept"
    growing.add(photos(100, 110))
    after = growing.train()
    assert before.items() <= after.items()
    assert shares(after) == (77, 11, 22)
    assert "the split of runs/first is kept, with 10 new photos (7 train, 1 val, 2 test)" in growing.notes
    assert "p100.jpg: " in growing.notes


def test_few_new_photos_are_named(growing: Growing) -> None:
    growing.add(photos(0, 20))
    growing.train()
    growing.add(["new.jpg"])
    split = growing.train()["new.jpg"]
    assert growing.notes == f"the split of runs/first is kept, with 1 new photo (1 {split}): new.jpg: {split}"


@pytest.mark.parametrize("step", [1, 3, 10])
def test_shares_stay_as_drawn_when_photos_are_added_again_and_again(growing: Growing, step: int) -> None:
    growing.add(photos(0, 40))
    splits = growing.train()
    for count in range(40 + step, 91, step):
        growing.add(photos(0, count))
        grown = growing.train()
        assert splits.items() <= grown.items()
        splits = grown
        _, val, test = shares(splits)
        assert abs(test - 0.2 * len(splits)) <= 1
        assert abs(val - 0.1 * len(splits)) <= 1.5


def test_half_of_the_new_photos_are_for_training_even_if_all_test_photos_vanished(growing: Growing) -> None:
    growing.add(photos(0, 50))
    splits = growing.train()
    growing.write({file: file for file, split in splits.items() if split != "test"})
    growing.add(photos(50, 60))
    grown = growing.train()
    assert [grown[file] for file in photos(50, 60)].count("train") == 5


def test_a_new_class_gets_a_training_photo(growing: Growing) -> None:
    for seed in range(8):
        growing.earlier = ()
        growing.write({file: file for file in photos(0, 30)})
        growing.train(seed=seed)
        growing.add(photos(30, 32))
        growing.train({"p030.jpg": [1], "p031.jpg": [1]})
        growing.add(photos(32, 33))
        splits = growing.train({"p030.jpg": [1], "p031.jpg": [1], "p032.jpg": [2]})
        assert splits["p032.jpg"] == "train"
        assert "train" in (splits["p030.jpg"], splits["p031.jpg"])


# ---------------------------------------------------------------- groups


def test_a_new_photo_of_a_known_group_joins_its_split(growing: Growing) -> None:
    growing.group_by = "folder"
    growing.add(f"cam{camera}/{number}.jpg" for camera in range(10) for number in range(5))
    splits = growing.train()
    growing.add(
        [f"cam{camera}/9.jpg" for camera in range(10)] + [f"cam99/{number}.jpg" for number in range(5)]
    )
    grown = growing.train()
    assert splits.items() <= grown.items()
    for camera in range(10):
        assert grown[f"cam{camera}/9.jpg"] == splits[f"cam{camera}/0.jpg"]
    assert len({grown[f"cam99/{number}.jpg"] for number in range(5)}) == 1


def test_a_group_whose_photos_vanished_is_remembered(growing: Growing) -> None:
    growing.group_by = "folder"
    growing.add(f"cam{camera}/{number}.jpg" for camera in range(10) for number in range(5))
    splits = growing.train()
    camera = next(file[:4] for file, split in splits.items() if split == "test")
    growing.write({file: file for file in splits if not file.startswith(camera)})
    growing.train()
    growing.train()
    assert "no longer there" not in growing.notes
    growing.add([f"{camera}/9.jpg"])
    assert growing.train()[f"{camera}/9.jpg"] == "test"


def test_a_copy_joins_its_original(growing: Growing) -> None:
    growing.add(photos(0, 30))
    splits = growing.train()
    growing.write({**growing.contents, **{f"copy-{file}": file for file in splits}})
    grown = growing.train()
    assert grown == splits
    assert sorted(growing.earlier[0].file.splits.values()) == sorted([*splits.values()] * 2)


# ---------------------------------------------------------------- photos that moved, vanished or changed


def test_renamed_photos_keep_their_split(growing: Growing) -> None:
    growing.add(photos(0, 30))
    splits = growing.train()
    growing.write({f"sub/x{29 - int(file[1:4])}.jpg": file for file in splits})
    assert growing.train() == splits
    assert "photos with another path than in runs/first:\n  sub/x0.jpg: p029.jpg" in growing.notes


def test_photos_that_were_numbered_anew_keep_their_split(growing: Growing) -> None:
    growing.add(photos(0, 30))
    splits = growing.train()
    growing.write({f"p{number + 1:03}.jpg": file for number, file in enumerate(splits)} | {"p000.jpg": "new"})
    assert splits.items() <= growing.train().items()
    assert ": p000.jpg: " in growing.notes


def test_a_photo_that_comes_back_has_the_split_that_it_had(growing: Growing) -> None:
    growing.add(photos(0, 30))
    splits = growing.train()
    growing.write({file: file for file in photos(0, 20)})
    growing.train()
    assert "no longer there: 10 photos" in growing.notes
    growing.add(photos(0, 30))
    assert growing.train() == splits


def test_a_changed_photo_keeps_its_split(growing: Growing) -> None:
    growing.add(photos(0, 30))
    splits = growing.train()
    growing.write({**growing.contents, "p004.jpg": "mended"})
    assert growing.train()["mended"] == splits["p004.jpg"]
    assert "photos whose contents have changed since runs/first:\n  p004.jpg" in growing.notes


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sets(st.integers(0, 60), max_size=5),
            st.sets(st.integers(0, 60), max_size=5),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([None, "folder"]),
)
def test_no_photo_changes_its_split(
    dataset_of: Make,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, set[int], set[int]]],
    group_by: str | None,
) -> None:
    """In any sequence of added, removed and renamed photos, each contents keep the split they first had."""
    growing = Growing(dataset_of, tmp_path_factory.mktemp("growth") / "data", group_by)
    growing.add(f"g{number % 7}/{number}.jpg" for number in range(24))
    first = growing.train()
    for added, removed, renamed in steps:
        kept = [file for number, file in enumerate(sorted(growing.contents)) if number not in removed]
        contents = {
            f"{file[:-4]}r.jpg" if number in renamed else file: growing.contents[file]
            for number, file in enumerate(kept)
        }
        start = 100 * (1 + len(first))
        new = {f"g{number % 9}/{number}.jpg": str(number) for number in range(start, start + added)}
        growing.write({**contents, **new})
        splits = growing.train()
        assert set(splits) == {*contents.values(), *new.values()}
        for text, split in splits.items():
            assert first.setdefault(text, split) == split


# ---------------------------------------------------------------- which split is kept


def test_a_seed_draws_a_new_split_and_says_so(growing: Growing) -> None:
    growing.add(photos(0, 40))
    before = growing.train()
    assert growing.train(seed=3) != before
    assert growing.notes.startswith("the split of runs/first is not kept: --split-seed")


def test_other_groups_draw_a_new_split_and_say_so(growing: Growing) -> None:
    growing.add(f"cam{camera}/{number}.jpg" for camera in range(10) for number in range(5))
    growing.train()
    growing.train(group_by="folder")
    assert "is not kept: it was drawn without --group-by" in growing.notes
    grouped = growing.train(group_by="folder")
    assert growing.notes == "the split of runs/first is kept"
    assert growing.train() == grouped
    growing.train(group_by="name")
    assert "is not kept: it was drawn with --group-by folder" in growing.notes


def test_the_data_sets_own_splits_stay(growing: Growing) -> None:
    growing.add(photos(0, 30))
    growing.own = dict.fromkeys(photos(0, 10), "test")
    splits = growing.train()
    growing.add(photos(30, 40))
    growing.own |= dict.fromkeys(photos(30, 33), "test")
    grown = growing.train()
    assert {file for file, split in grown.items() if split == "test"} == {*photos(0, 10), *photos(30, 33)}
    assert {f: s for f, s in splits.items() if s == "val"}.items() <= grown.items()
    growing.own = dict(zip(photos(0, 40), ["train", "val", "test", "train"] * 10, strict=True))
    assert growing.train() == growing.own


def test_a_split_that_replaced_the_data_sets_own_is_kept(growing: Growing) -> None:
    growing.add(f"cam{camera}/{number}.jpg" for camera in range(10) for number in range(4))
    growing.own = {file: ["train", "val", "test", "train"][int(file[-5])] for file in growing.contents}
    grouped = growing.train(group_by="folder")
    assert grouped != growing.own
    assert growing.train() == grouped
    assert growing.notes == "the split of runs/first is kept"
    assert growing.train(seed=1) == growing.own
    assert growing.notes.startswith("the split of runs/first is not kept: --split-seed")


@pytest.mark.parametrize("group_by", [None, "folder"])
def test_a_chosen_file_comes_before_the_data_sets_own_splits(growing: Growing, group_by: str | None) -> None:
    growing.add(f"cam{camera}/{number}.jpg" for camera in range(10) for number in range(4))
    splits = growing.train(group_by=group_by)
    growing.own = {file: ["train", "val", "test", "train"][int(file[-5])] for file in growing.contents}
    growing.earlier = (replace(growing.earlier[0], is_chosen=True),)
    assert growing.train() == splits != growing.own


def test_a_chosen_file_fits_by_names_where_all_photos_have_changed(growing: Growing) -> None:
    growing.add(photos(0, 31))
    growing.train()
    growing.write({file: file for file in photos(0, 30)})
    splits = growing.train()
    (earlier,) = growing.earlier
    assert earlier.draw.vanished
    growing.earlier = (replace(earlier, is_chosen=True, read_from_here=False),)
    growing.write({file: f"brighter {file}" for file in photos(0, 30)})
    assert growing.train() == {f"brighter {file}": split for file, split in splits.items()}


def test_the_split_of_other_photos_is_not_kept(growing: Growing) -> None:
    growing.add(photos(0, 30))
    growing.train()
    growing.write({file: f"other {file}" for file in photos(0, 30)})
    growing.train()
    assert growing.notes.startswith("the data set has no splits: drew 20% for test")


def test_a_chosen_file_of_other_photos_is_an_error(growing: Growing) -> None:
    growing.add(photos(0, 30))
    growing.train()
    growing.earlier = (replace(growing.earlier[0], is_chosen=True),)
    growing.add(photos(30, 33))
    growing.train()
    assert "with 3 new photos" in growing.notes
    growing.earlier = (replace(growing.earlier[0], is_chosen=True),)
    growing.write({f"q{number}.jpg": f"other {number}" for number in range(9)})
    with pytest.raises(LabelError, match="Photos that the split file does not name"):
        growing.train()
