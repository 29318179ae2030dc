"""Copies of photos are found in any size, encoding and orientation; other photos are no copies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance

from boxmask.data.photo_records.examine import examine_photos
from boxmask.data.photo_records.hash_search import Pairs, similar_pairs, similar_pairs_between
from boxmask.data.photo_records.hashes import (
    TURNS,
    UNTURNED,
    coefficient_signs,
    hamming_distances,
    hashes,
    turn_thumbnails,
)
from boxmask.data.photo_records.likeness import (
    ALIKE_RADIUS,
    COPY_RADIUS,
    TURNED_COPY_RADIUS,
    are_alike,
    are_copies,
    pairs_to_compare,
)
from boxmask.data.photo_records.records import PhotoRecords

Scene = Callable[..., Image.Image]


def pairs_of(found: Iterable[Pairs]) -> set[tuple[int, int]]:
    return {
        (min(pair), max(pair))
        for first, second in found
        for pair in zip(first.tolist(), second.tolist(), strict=True)
    }


def copy_pairs(records: PhotoRecords) -> Iterator[Pairs]:
    for first, second in pairs_to_compare(records, UNTURNED, COPY_RADIUS):
        found = are_copies(records, (first, second))
        yield first[found], second[found]


def turned_copy_pairs(records: PhotoRecords) -> Iterator[Pairs]:
    for turn in TURNS[1:]:
        for first, second in pairs_to_compare(records, turn, TURNED_COPY_RADIUS):
            found = are_copies(records, (first, second), turn)
            yield first[found], second[found]


def alike_pairs(records: PhotoRecords) -> Iterator[Pairs]:
    for first, second in pairs_to_compare(records, UNTURNED, ALIKE_RADIUS):
        found = are_alike(records, (first, second))
        yield first[found], second[found]


def examine(folder: Path) -> PhotoRecords:
    return examine_photos(folder, sorted(file.name for file in folder.iterdir()))


# ---------------------------------------------------------------- hashes

bits = st.integers(0, 2**64 - 1)


@given(st.lists(bits, max_size=40), st.lists(st.integers(0, 63), max_size=8), st.integers(0, 9))
def test_the_search_finds_the_same_pairs_as_brute_force(
    values: list[int], flips: list[int], radius: int
) -> None:
    near = [value ^ sum(1 << bit for bit in set(flips[:count])) for count, value in enumerate(values)]
    codes = np.array(values + near, dtype=np.uint64)
    expected = {
        (i, j)
        for i, j in combinations(range(len(codes)), 2)
        if (int(codes[i]) ^ int(codes[j])).bit_count() <= radius
    }
    assert pairs_of(similar_pairs(codes, radius)) == expected


@given(st.lists(st.tuples(bits, bits), max_size=30), st.integers(0, 30))
def test_the_search_between_two_lists_finds_the_same_pairs_as_brute_force(
    values: list[tuple[int, int]], radius: int
) -> None:
    codes, others = np.array(values, dtype=np.uint64).reshape(-1, 2).T
    expected = {
        (i, j)
        for i, j in combinations(range(len(codes)), 2)
        if (int(codes[i]) ^ int(others[j])).bit_count() <= radius
    }
    assert pairs_of(similar_pairs_between(codes, others, radius)) == expected


def test_the_search_is_bounded_for_equal_hashes() -> None:
    found = list(similar_pairs(np.zeros(100, dtype=np.uint64), 4, max_compared=3))
    assert sum(len(first) for first, _ in found) == 5 * (99 + 98 + 97)
    assert len(pairs_of(found)) == 99 + 98 + 97


@given(st.lists(st.tuples(bits, bits), max_size=20))
def test_bits_are_counted_with_every_numpy(values: list[tuple[int, int]]) -> None:
    codes, others = np.array(values, dtype=np.uint64).reshape(-1, 2).T
    expected = [(a ^ b).bit_count() for a, b in values]
    assert hamming_distances(codes, others).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(np, "bitwise_count", raising=False)
        assert hamming_distances(codes, others).tolist() == expected


def test_the_hashes_of_turned_photos_follow_from_one_transform() -> None:
    thumbnails = np.random.default_rng(0).integers(0, 256, (20, 16, 16), dtype=np.uint8)
    signs = coefficient_signs(thumbnails)
    for turn in TURNS:
        turned = hashes(coefficient_signs(turn_thumbnails(thumbnails, turn)))
        assert hamming_distances(turned, hashes(signs, turn)).max() == 0


# ---------------------------------------------------------------- copies

COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half.png": lambda photo: photo.resize((160, 120), Image.Resampling.BICUBIC),
    "double.png": lambda photo: photo.resize((640, 480), Image.Resampling.BILINEAR),
    "brighter.png": lambda photo: ImageEnhance.Brightness(photo).enhance(1.1),
    "gray.png": lambda photo: photo.convert("L"),
    "other.bmp": lambda photo: photo,
}


def test_copies_of_other_sizes_and_encodings(tmp_path: Path, scene: Scene) -> None:
    for seed in range(5):
        scene(seed, (320, 240)).save(tmp_path / f"{seed}.jpg", quality=95)
    photo = scene(0, (320, 240))
    photo.save(tmp_path / "q30.jpg", quality=30)
    for name, change in COPIES.items():
        change(photo).save(tmp_path / name)
    records = examine(tmp_path)
    copies = [index for index, name in enumerate(records.files) if name[0] not in "1234"]
    assert pairs_of(copy_pairs(records)) == set(combinations(copies, 2))
    assert pairs_of(turned_copy_pairs(records)) == set()


@pytest.mark.parametrize("turn", list(Image.Transpose))
def test_turned_copies(tmp_path: Path, scene: Scene, turn: Image.Transpose) -> None:
    for seed in range(3):
        scene(seed).save(tmp_path / f"{seed}.png")
    scene(1).transpose(turn).save(tmp_path / "turned.jpg")
    records = examine(tmp_path)
    assert pairs_of(copy_pairs(records)) == set()
    assert pairs_of(turned_copy_pairs(records)) == {(1, 3)}


def test_a_frame_in_which_an_object_has_moved_is_alike_but_no_copy(tmp_path: Path, scene: Scene) -> None:
    for number, x in enumerate((150, 250)):
        frame = scene(0, (320, 240))
        ImageDraw.Draw(frame).rectangle((x, 100, x + 10, 110), fill="white")
        frame.save(tmp_path / f"{number}.png")
    scene(1, (320, 240)).save(tmp_path / "other.png")
    records = examine(tmp_path)
    assert pairs_of(copy_pairs(records)) == set()
    assert pairs_of(alike_pairs(records)) == {(0, 1)}


def test_photos_of_another_shape_and_blank_photos_are_no_copies(tmp_path: Path, scene: Scene) -> None:
    scene(0, (320, 240)).save(tmp_path / "a.png")
    scene(0, (320, 240)).resize((320, 200)).save(tmp_path / "b.png")
    Image.new("RGB", (320, 240), "white").save(tmp_path / "c.png")
    Image.new("RGB", (320, 240), "white").save(tmp_path / "d.png")
    records = examine(tmp_path)
    assert pairs_of(alike_pairs(records)) == set()


def test_real_photos_that_differ_are_no_copies(shared_data: Path) -> None:
    found = {}
    for name in ("coco_ccby/images", "dsb2018/images", "fruits_nuts/images", "raccoon/images"):
        records = examine(shared_data / name)
        found[name] = {
            (records.files[first], records.files[second])
            for first, second in pairs_of(copy_pairs(records)) | pairs_of(turned_copy_pairs(records))
        }
    raccoons = found.pop("raccoon/images")
    assert not any(found.values())
    assert raccoons == {
        ("raccoon-11.jpg", "raccoon-116.jpg"),
        ("raccoon-120.jpg", "raccoon-83.jpg"),
        ("raccoon-21.jpg", "raccoon-45.jpg"),
        ("raccoon-50.jpg", "raccoon-52.jpg"),
        ("raccoon-50.jpg", "raccoon-74.jpg"),
        ("raccoon-52.jpg", "raccoon-74.jpg"),
        ("raccoon-65.jpg", "raccoon-98.jpg"),
    }
