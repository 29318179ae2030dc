"""Class names that may mean the same class: "Banan" and "Banana", "cat" and "cats", "café" and "Cafe"."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np

from boxmask.data.checks.examination import Examination
from boxmask.data.checks.object_findings import class_finding
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.messages import format_count

MIN_LETTERS = 5
"""Shorter words that differ in one letter are mostly different words: "cat", "car" and "cart"."""

MIN_LETTERS_REPLACED = 7
"""Shorter words that differ in one replaced letter are mostly different words: "truck" and "track"."""

MAX_LENGTH = 60
"""Longer names are not compared letter by letter."""

CLASS_NAMES_SIMILAR = Kind(
    "class-names-similar",
    "warning",
    "Classes with similar names",
    "They stay separate classes. If they mean the same class, write them in one way, or merge them "
    "with --map old=new.",
)


def check_similar_class_names(examination: Examination, findings: Findings) -> None:
    """Find classes whose names differ only in case, separators, accents, a plural, or one letter of a word.

    Names that differ in a number, such as "class1" and "class2", are not similar.
    """
    labels = examination.labels
    counts = np.bincount(labels.labels, minlength=len(labels.class_names)).tolist()
    for label, other in similar_names(labels.class_names):
        pair = sorted((label, other), key=lambda number: (-counts[number], number))
        names = [f'"{labels.class_names[n]}" ({format_count(counts[n], "object")})' for n in pair]
        findings.add(class_finding(labels, CLASS_NAMES_SIMILAR, pair[1], " and ".join(names)))


def check_similar_names(names: Sequence[str], location: Location, findings: Findings) -> None:
    """`check_similar_class_names` for names alone, without labels."""
    for pair in similar_names(names):
        detail = " and ".join(sorted(f'"{names[number]}"' for number in pair))
        findings.add(Finding(CLASS_NAMES_SIMILAR, location, detail))


def similar_names(names: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of indices of similar names, each pair once."""
    words = [_words(name) for name in names]
    found = set(_pairs_with_a_key(["".join(parts)] for parts in words))
    singular = [tuple(map(_singular, parts)) for parts in words]
    found.update(_pairs_with_a_key(["".join(parts)] for parts in singular))
    found.update(
        pair
        for pair in _pairs_with_a_key(_shortened(parts) for parts in singular)
        if _differ_by_a_slip(singular[pair[0]], singular[pair[1]])
    )
    return sorted(found)


def _words(name: str) -> list[str]:
    """The words and numbers of a name, without case and accents: "RedCar_01" is red, car, 01."""
    decomposed = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
    return re.findall(r"[^\W\d_]+|\d+", plain) or [name]


def _singular(word: str) -> str:
    """An English word without its plural ending: cat, box, berry."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("xes", "ches", "shes", "sses", "zes", "oes", "buses")) else word[:-1]


def _pairs_with_a_key(keys_of_names: Iterable[Iterable[str]]) -> Iterator[tuple[int, int]]:
    """Pairs of indices of names that share a key."""
    by_key: dict[str, set[int]] = defaultdict(set)
    for number, keys in enumerate(keys_of_names):
        for key in keys:
            by_key[key].add(number)
    for numbers in by_key.values():
        yield from combinations(sorted(numbers), 2)


def _shortened(words: Sequence[str]) -> set[str]:
    """A name, and all that leave out one of its letters. Names that differ in a letter share one."""
    name = " ".join(words)
    if len(name) > MAX_LENGTH:
        return set()
    return {name} | {name[:n] + name[n + 1 :] for n in range(len(name)) if name[n].isalpha()}


def _differ_by_a_slip(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether names have the same words except one, in which one letter was mistyped."""
    if len(words) != len(others):
        return False
    different = [pair for pair in zip(words, others, strict=True) if pair[0] != pair[1]]
    return len(different) == 1 and _is_slip(*sorted(different[0], key=len))


def _is_slip(short: str, long: str) -> bool:
    """Whether two words differ by one letter that was left out, replaced, or exchanged with the next one.

    The first letter is seldom mistyped, and often makes another word: "lock" and "clock".
    """
    if len(short) < MIN_LETTERS or short[0] != long[0] or not (short + long).isalpha():
        return False
    start = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    exchanged = short[:start] + short[start : start + 2][::-1] + short[start + 2 :]
    replaced = short[start + 1 :] == long[start + 1 :] and len(short) >= MIN_LETTERS_REPLACED
    return exchanged == long or replaced
