"""The findings of a report by severity and kind, with their pictures, as the template takes them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from boxmask.data.findings import Box, Finding, Kind, Severity
from boxmask.doctor.page.cards import LABEL_MAP, Card, by_priority, choose_cards
from boxmask.doctor.page.guesses import SHOWN_AS_WRITTEN, Guesser
from boxmask.doctor.page.objects import ClassInPhoto, ObjectFinder
from boxmask.doctor.page.views import View, crop_view, labeled_view, whole_view
from boxmask.doctor.report import SEVERITIES, CheckReport
from boxmask.messages import format_count
from boxmask.pages.pictures import Album, PhotoPictures, make_album
from boxmask.pages.regions import around_both

MAX_ROWS = 200
"""Findings of one kind that are listed as text, beside those on their photos."""

_HEADINGS = {"error": "Errors", "warning": "Warnings", "note": "Notes"}


@dataclass(frozen=True, slots=True)
class DrawnPhoto:
    """A photo of a card: its frames, or why there are none.

    classes: those of its objects, if all are drawn
    """

    file: str
    split: str
    views: tuple[View, ...]
    words: str
    absent: str
    classes: tuple[ClassInPhoto, ...] = ()


@dataclass(frozen=True, slots=True)
class DrawnCard:
    """A finding with its photos.

    more:    further findings of its kind in the same photo, on the same picture
    hidden:  the number of photos that are not shown
    is_wide: whether photos are drawn larger than in other cards
    """

    id: str
    finding: Finding
    more: tuple[Finding, ...]
    photos: tuple[DrawnPhoto, ...]
    hidden: int
    is_wide: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One kind. rows: findings as text; hidden: the number of those that are not on the page"""

    kind: Kind
    anchor: str
    count: int
    cards: tuple[DrawnCard, ...]
    rows: tuple[Finding, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Group:
    """The kinds of one severity."""

    severity: Severity
    anchor: str
    heading: str
    noun: str
    count: int
    sections: tuple[Section, ...]


def make_groups(
    report: CheckReport, finder: ObjectFinder | None, max_bytes: int
) -> tuple[list[Group], Album]:
    """All findings in groups, errors first, and the pictures that they show.

    finder:    None if there are no labels
    max_bytes: of all pictures together
    """
    cards = choose_cards(report)
    label_maps = {
        file for each in cards.values() for card in each for file, split in card.photos if split == LABEL_MAP
    }
    album = make_album(report.root, _boxes_by_photo(cards), label_maps, max_bytes)
    drawer = _Drawer(report, finder, cards, album)
    return [drawer.group(severity) for severity in SEVERITIES], album


def _boxes_by_photo(cards: dict[Kind, list[Card]]) -> dict[str, list[Box]]:
    """The photos to show, with the boxes to show closely, the most important first."""
    boxes: dict[str, list[Box]] = {}
    for card in by_priority(cards):
        for file, _ in card.photos:
            boxes.setdefault(file, [])
        around = around_both(card.finding.box, _detected_box(card.finding))
        if around is not None and card.finding.photo in boxes:
            boxes[card.finding.photo].append(around)
    return boxes


def _detected_box(finding: Finding) -> Box | None:
    return None if finding.detection is None else finding.detection.box


class _Drawer:
    """Puts findings and pictures together."""

    def __init__(
        self, report: CheckReport, finder: ObjectFinder | None, cards: dict[Kind, list[Card]], album: Album
    ) -> None:
        self._report, self._cards, self._album, self._finder = report, cards, album, finder
        self._guesser = Guesser(report.examination) if report.examination else None
        self._anchors: Counter[str] = Counter()

    def group(self, severity: Severity) -> Group:
        """The kinds of one severity."""
        kinds = [kind for kind in self._report.kinds() if kind.severity == severity]
        count = self._report.count(severity)
        noun = format_count(count, severity).partition(" ")[2]
        sections = tuple(self._section(kind) for kind in kinds)
        return Group(severity, f"{severity}s", _HEADINGS[severity], noun, count, sections)

    def _section(self, kind: Kind) -> Section:
        self._anchors[kind.id] += 1
        times = self._anchors[kind.id]
        anchor = kind.id if times == 1 else f"{kind.id}-again-{times}"
        cards = tuple(
            self._card(card, f"{anchor}-{number}") for number, card in enumerate(self._cards[kind], start=1)
        )
        visible = tuple(card for card in cards if any(photo.views for photo in card.photos))
        on_cards = {id(finding) for card in visible for finding in (card.finding, *card.more)}
        others = [finding for finding in self._report.findings.of(kind) if id(finding) not in on_cards]
        count = self._report.findings.count(kind)
        rows = tuple(others[:MAX_ROWS])
        return Section(kind, anchor, count, visible, rows, count - len(on_cards) - len(rows))

    def _card(self, card: Card, name: str) -> DrawnCard:
        outline = self._finder.outlines.path_of(card.finding) if self._finder else ""
        photos = tuple(self._photo(card, file, split, outline) for file, split in card.photos)
        is_wide = any(view.objects for photo in photos for view in photo.views)
        return DrawnCard(name, card.finding, card.more, photos, card.hidden, is_wide)

    def _photo(self, card: Card, file: str, split: str, outline: str) -> DrawnPhoto:
        pictures, finding = self._album.photos.get(file), card.finding
        if pictures is None:
            is_unreadable = file in self._album.unreadable
            absent = "This photo cannot be shown." if is_unreadable else "Left out to keep the page small."
            return DrawnPhoto(file, split, (), "", absent)
        words = f"{file}: {finding.detail}" if finding.detail else file
        if labeled := self._labeled_views(finding, file, pictures):
            return DrawnPhoto(file, split, labeled, words, "", self._classes(file))
        if file != finding.photo:
            return DrawnPhoto(file, split, (whole_view(pictures, None),), words, "")
        drawn = (finding.box, outline, _detected_box(finding))
        close = None if card.more else crop_view(pictures, *drawn)
        more = [other.box for other in card.more]
        views = (whole_view(pictures, *drawn, more), *([close] if close else []))
        return DrawnPhoto(file, split, views, words, "")

    def _labeled_views(self, finding: Finding, file: str, pictures: PhotoPictures) -> tuple[View, ...]:
        """The photo with all its objects, in each way in which they may be meant; none for most kinds."""
        finder, guesser = self._finder, self._guesser
        photo = finder.index_of(file) if finder else None
        if finder is None or guesser is None or photo is None:
            return ()
        if finding.kind in SHOWN_AS_WRITTEN:
            return (labeled_view(pictures, finder.objects(photo, pictures.size)),)
        return tuple(
            labeled_view(pictures, finder.boxes(photo, guess.boxes), caption=guess.words)
            for guess in guesser.of(finding, photo)
        )

    def _classes(self, file: str) -> tuple[ClassInPhoto, ...]:
        photo = self._finder.index_of(file) if self._finder else None
        return () if self._finder is None or photo is None else self._finder.classes(photo)
