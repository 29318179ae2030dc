"""Which findings the page shows on their photos, and which photos that takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from boxmask.data.checks.consequences import ABOUT_ALL_LABELS
from boxmask.data.checks.plausibility import BOXES_IDENTICAL
from boxmask.data.findings import Finding, Kind
from boxmask.data.formats.yolo.kinds import SPLIT_PATH_WRONG
from boxmask.doctor.page.sample import sample_photos
from boxmask.doctor.photos.kinds import PHOTO_TRUNCATED, PHOTO_UNREADABLE
from boxmask.doctor.report import CheckReport
from boxmask.file_kinds import PHOTO_SUFFIXES

MAX_CARDS = 12
"""Findings of one kind that are shown on their photos; the others are listed as text."""

MAX_MORE = 50
"""Further findings that are drawn on the photo of the first."""

MAX_PER_SPLIT = 4
"""Photos of a group or of copies that are shown per split."""

_ABOUT_ALL_PHOTOS = {*ABOUT_ALL_LABELS, BOXES_IDENTICAL} - {SPLIT_PATH_WRONG}
"""Kinds that are shown on some photos, whichever the finding names."""

_MAX_EXAMPLES = 4
"""Photos that are shown for a finding about all photos."""

_MAX_SAMPLE = 32
"""Photos from which these are chosen."""

_DAMAGED = (PHOTO_UNREADABLE, PHOTO_TRUNCATED)

LABEL_MAP = "label map"
"""In place of a split, for the label map of a photo."""


@dataclass(frozen=True, slots=True)
class Card:
    """A finding that is shown on its photos.

    more:   further findings of its kind about boxes in the same photo
    photos: each with its split, "train", "val", "test" or "", or with LABEL_MAP; that of the finding first
    hidden: the number of photos that are not shown
    """

    finding: Finding
    more: tuple[Finding, ...]
    photos: tuple[tuple[str, str], ...]
    hidden: int


def choose_cards(report: CheckReport) -> dict[Kind, list[Card]]:
    """The first findings of each kind that have a photo, those on different photos first."""
    cards = {}
    for kind in report.kinds():
        findings = report.findings.of(kind)
        if kind in _ABOUT_ALL_PHOTOS and len(findings) == 1:
            cards[kind] = [_card(findings[0], report, _examples(report))]
            continue
        first_and_more = _by_photo([finding for finding in findings if _photos(finding)])[:MAX_CARDS]
        cards[kind] = [_card(finding, report, more=more) for finding, more in first_and_more]
    return cards


def _examples(report: CheckReport) -> list[str]:
    """Some photos that can be shown, those without objects last."""
    if report.examination is None:
        return []
    labels = report.examination.labels
    damaged = {finding.photo for kind in _DAMAGED for finding in report.findings.of(kind)}
    has_objects = np.bincount(labels.photo_of, minlength=len(labels.photos)) > 0
    sample = sample_photos(labels, _MAX_SAMPLE)
    shown = [photo for photo in sample if labels.photos[photo].file not in damaged]
    shown.sort(key=lambda photo: not has_objects[photo])
    return [labels.photos[photo].file for photo in shown[:_MAX_EXAMPLES]]


def by_priority(cards: dict[Kind, list[Card]]) -> list[Card]:
    """The first card of each kind, then the second of each, so that a full page shows some of each kind."""
    rounds = zip_longest(*cards.values())
    return [card for card in chain.from_iterable(rounds) if card is not None]


def _by_photo(findings: Sequence[Finding]) -> list[tuple[Finding, list[Finding]]]:
    """The first finding of each photo, with further ones that are drawn with it; then the others."""
    more: dict[str, list[Finding]] = {}
    first, others = [], []
    for finding in findings:
        if finding.photo not in more:
            first.append(finding)
            more[finding.photo] = []
        elif _is_box_alone(finding) and len(more[finding.photo]) < MAX_MORE:
            more[finding.photo].append(finding)
        else:
            others.append(finding)
    together = [(finding, more[finding.photo] if _is_box_alone(finding) else []) for finding in first]
    return [*together, *((finding, []) for finding in others)]


def _is_box_alone(finding: Finding) -> bool:
    """Whether all that is drawn is a box, so that others can be drawn on the same picture."""
    return finding.box is not None and finding.detection is None and not finding.related


def _photos(finding: Finding) -> list[str]:
    files = (finding.photo, *finding.related)
    return list(dict.fromkeys(file for file in files if file.lower().endswith(PHOTO_SUFFIXES)))


def _card(
    finding: Finding, report: CheckReport, examples: Sequence[str] = (), more: Sequence[Finding] = ()
) -> Card:
    """examples: other photos to show; more: findings about boxes in the same photo"""
    files = list(dict.fromkeys([*_photos(finding), *examples]))[: _MAX_EXAMPLES if examples else None]
    by_split: dict[str, list[str]] = defaultdict(list)
    for file in files:
        by_split[report.splits.get(file, "")].append(file)
    shown = [(file, split) for split, members in by_split.items() for file in members[:MAX_PER_SPLIT]]
    label_map = _label_map(finding, report.root)
    photos = (*shown, *([(label_map, LABEL_MAP)] if label_map else []))
    return Card(finding, tuple(more), photos, len(files) - len(shown))


def _label_map(finding: Finding, root: Path) -> str | None:
    """The label map of a finding about one, relative to the root."""
    file = Path(finding.location.file)
    if not finding.photo or file.suffix.lower() not in PHOTO_SUFFIXES or not file.is_relative_to(root):
        return None
    relative = file.relative_to(root).as_posix()
    return None if relative in _photos(finding) else relative
