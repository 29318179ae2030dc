"""Label maps and class folders are read back as they were written, whatever their names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from boxmask.data.classification.read import read_unsplit_classification
from boxmask.data.conversion.convert import convert
from boxmask.data.segmentation.read import read_unsplit_segmentation

SPLITS = ("", "train", "val", "test")
quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

_letters = st.sampled_from("abzAZ09 _-.,;:'()[]{}#%&+=@!äé상字")
names = st.text(_letters, min_size=1, max_size=12).filter(
    lambda name: name == name.strip(" .") and name.lower() not in ("train", "val", "test", "images", "masks")
)
"""Names of files and classes: no dots and spaces at their ends, which Windows cannot hold."""

stems = st.lists(names, min_size=2, max_size=5, unique_by=str.casefold)
class_names = st.lists(
    names, min_size=2, max_size=4, unique_by=lambda name: " ".join(name.casefold().split())
)


def by_stem(files: list[str]) -> dict[str, int]:
    return {PurePosixPath(file).stem: index for index, file in enumerate(files)}


@quick
@given(stems, class_names, st.sampled_from([True, False]), st.integers(0, 2**32 - 1))
def test_label_maps(photos: list[str], classes: list[str], with_splits: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.array([*range(len(classes)), 255], dtype=np.uint8)
    with TemporaryDirectory() as name:
        root, out, again = (Path(name) / part for part in ("data", "out", "again"))
        maps = {}
        for index, stem in enumerate(photos):
            split = SPLITS[1 + index % 3] if with_splits else ""
            maps[stem] = rng.choice(values, (9, 12))
            maps[stem][0, : len(classes)] = values[:-1]  # each class is in each map
            for folder, image in (("images", maps[stem] // 2), ("masks", maps[stem])):
                (root / folder / split).mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(root / folder / split / f"{stem}.png")
        (root / "classes.json").write_text(json.dumps({label: i for i, label in enumerate(classes)}))
        convert(root, "label-maps", out)
        old, new = read_unsplit_segmentation(root), read_unsplit_segmentation(out)
        assert new.class_names == old.class_names == tuple(classes)
        index_of, old_index_of = by_stem(new.files.tolist()), by_stem(old.files.tolist())
        assert index_of.keys() == set(photos)
        for stem, pixels in maps.items():
            assert np.array_equal(new.source.labels(index_of[stem]), pixels)
            assert new.splits[index_of[stem]] == old.splits[old_index_of[stem]]
        convert(out, "label-maps", again)
        assert _contents(again) == _contents(out)


@quick
@given(stems, class_names, st.sampled_from([True, False]), st.sampled_from(["class-folders", "csv"]))
def test_class_folders(photos: list[str], classes: list[str], with_splits: bool, to: str) -> None:
    with TemporaryDirectory() as name:
        root, out = Path(name) / "data", Path(name) / "out"
        for index, stem in enumerate(photos):
            split = SPLITS[1 + index % 3] if with_splits else ""
            folder = root / split / classes[index % len(classes)]
            folder.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (12, 9), (index, 0, 0)).save(folder / f"{stem}.png")
        convert(root, to, out)
        old = read_unsplit_classification(root)
        if to == "csv":
            back = out.parent / "back"
            convert(out, "class-folders", back)
            out = back
        new = read_unsplit_classification(out)
        index_of, old_index_of = by_stem(new.files.tolist()), by_stem(old.files.tolist())
        assert index_of.keys() == old_index_of.keys() == set(photos)
        for stem, index in index_of.items():
            old_index = old_index_of[stem]
            assert new.class_names[new.labels[index]] == old.class_names[old.labels[old_index]]
            assert new.splits[index] == old.splits[old_index]
        shutil.rmtree(out)


def _contents(folder: Path) -> dict[str, bytes]:
    """All files but the account, which names the folder that was read."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith((".", "conversion.txt"))
    }
