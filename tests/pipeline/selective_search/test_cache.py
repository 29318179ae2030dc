from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.cache_folder import cache_folder
from boxmask.errors import PhotoError
from boxmask.pipeline.selective_search import cache as proposal_cache
from boxmask.pipeline.selective_search.cache import ProposalCache
from boxmask.pipeline.selective_search.search import MODES, selective_search

CONFIG = replace(MODES["single"], width=60, min_box_size=5)


def photo(folder: Path, seed: int = 0) -> Path:
    picture = np.random.default_rng(seed).integers(0, 255, (8, 10, 3)).astype(np.uint8)
    path = folder / f"{seed}.png"
    Image.fromarray(picture).resize((60, 48), Image.Resampling.NEAREST).save(path)
    return path


def test_a_photo_is_searched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, path = ProposalCache(CONFIG, tmp_path / "cache"), photo(tmp_path)
    first = cache.boxes(path)
    assert torch.equal(first, selective_search(np.asarray(Image.open(path)), CONFIG))
    monkeypatch.setattr(proposal_cache, "selective_search", lambda *_: pytest.fail("searched again"))
    assert torch.equal(cache.boxes(path), first)


def test_another_photo_or_other_settings_use_another_file(tmp_path: Path) -> None:
    cache, path = ProposalCache(CONFIG, tmp_path), photo(tmp_path)
    before = cache.path(path)
    assert ProposalCache(replace(CONFIG, seed=1), tmp_path).path(path) != before
    path.write_bytes(photo(tmp_path, 1).read_bytes())
    assert cache.path(path) != before


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    cache, path = ProposalCache(CONFIG, tmp_path), photo(tmp_path)
    expected = cache.boxes(path)
    for content in (b"", b"\x93NUMPY rubbish", cache.path(path).read_bytes()[:-7]):
        cache.path(path).write_bytes(content)
        assert torch.equal(cache.boxes(path), expected)
        assert torch.equal(torch.from_numpy(np.load(cache.path(path))), expected)


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"nowhere\.jpg"):
        ProposalCache(CONFIG, tmp_path).boxes(tmp_path / "nowhere.jpg")


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("BOXMASK_CACHE")
    assert cache_folder().name == "boxmask"
