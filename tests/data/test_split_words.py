"""The split that the names of files and folders tell."""

from __future__ import annotations

import pytest

from boxmask.data.formats.yolo.definition import _SPLIT_KEYS
from boxmask.data.split_words import SPLIT_WORDS, is_split_folder, split_from_name, split_from_path


@pytest.mark.parametrize(("word", "split"), SPLIT_WORDS.items())
def test_each_word_is_known_everywhere(word: str, split: str) -> None:
    """In files, in folders, and in folders that tell nothing but their split."""
    assert split_from_name(word) == split
    assert split_from_path(f"{word}/images/a.jpg") == split
    assert is_split_folder(word)
    assert is_split_folder(f"{word.upper()}2017")


def test_the_words_of_a_data_yaml_are_known() -> None:
    """They are keys of its own, such as "valid"."""
    assert set(_SPLIT_KEYS) <= SPLIT_WORDS.keys()


def test_other_words_name_no_split() -> None:
    """They only begin like one, or name several."""
    assert split_from_name("trains") is None
    assert split_from_name("val_test") is None
    assert not is_split_folder("train_images")
    assert split_from_path("cats/a.jpg") is None
