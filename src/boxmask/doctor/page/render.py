"""Render the report as one HTML page that loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from boxmask.data.findings import MAX_PER_KIND, Box, Finding, Kind, Severity
from boxmask.doctor.page.cards import Card, by_priority, choose_cards
from boxmask.doctor.page.charts import make_charts
from boxmask.doctor.page.pictures import MAX_BYTES, Album, make_album
from boxmask.doctor.page.views import View, crop_view, whole_view
from boxmask.doctor.report import SEVERITIES, CheckReport
from boxmask.doctor.text import printable
from boxmask.messages import format_count

MAX_ROWS = 200
"""Findings of one kind that are listed as text, beside those on their photos."""

_HEADINGS = {"error": "Errors", "warning": "Warnings", "note": "Notes"}


@dataclass(frozen=True, slots=True)
class _PhotoOfCard:
    """A photo of a card: its frames, or why there are none."""

    file: str
    split: str
    views: tuple[View, ...]
    words: str
    absent: str


@dataclass(frozen=True, slots=True)
class _DrawnCard:
    id: str
    finding: Finding
    photos: tuple[_PhotoOfCard, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class _Section:
    """One kind. rows: findings as text; hidden: the number of those that are on no page."""

    kind: Kind
    count: int
    cards: tuple[_DrawnCard, ...]
    rows: tuple[Finding, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class _Group:
    """The kinds of one severity."""

    severity: Severity
    anchor: str
    heading: str
    noun: str
    count: int
    sections: tuple[_Section, ...]


def render_page(report: CheckReport, max_bytes: int = MAX_BYTES) -> str:
    """The page as text.

    max_bytes: of all pictures together. Findings without a picture are shown as text.
    """
    cards = choose_cards(report)
    album = make_album(report.root, _boxes_by_photo(cards), max_bytes)
    groups = [_group(report, severity, cards, album) for severity in SEVERITIES]
    style, script = _file("style.css"), _file("script.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            album=album,
            charts=make_charts(report.summary) if report.summary else None,
            date=_date(datetime.now().astimezone()),
            facts=_facts(report),
            groups=groups,
            has_findings=any(group.sections for group in groups),
            max_per_kind=MAX_PER_KIND,
            policy=_policy(style, script),
            script=Markup(script),
            style=Markup(style),
            title=printable(report.data.resolve().name or str(report.data)),
            verdict=_verdict(report),
            version=version("boxmask"),
        )
    )


# ---------------------------------------------------------------- what is said


def _date(now: datetime) -> str:
    return f"{now:%B} {now.day}, {now:%Y, %H:%M}"


def _facts(report: CheckReport) -> list[str]:
    facts = [report.labels] if report.labels else []
    facts.append(format_count(report.num_photos, "photo"))
    if report.summary is not None:
        facts.append(format_count(report.summary.objects, "object"))
        facts.append(format_count(len(report.summary.classes), "class"))
    return facts


def _verdict(report: CheckReport) -> str:
    """One sentence on what the findings mean."""
    if report.count("error"):
        return "Errors stop a training. Correct them first; a model would learn from wrong labels."
    if report.count("warning"):
        return "No errors. The warnings are probably mistakes; look at each kind once."
    return "No errors and no warnings. These labels can be trained on."


# ---------------------------------------------------------------- findings


def _boxes_by_photo(cards: dict[Kind, list[Card]]) -> dict[str, list[Box]]:
    """The photos to show, with the boxes to show closely, the most important first."""
    boxes: dict[str, list[Box]] = {}
    for card in by_priority(cards):
        for file, _ in card.photos:
            boxes.setdefault(file, [])
        if card.finding.box is not None and card.finding.photo in boxes:
            boxes[card.finding.photo].append(card.finding.box)
    return boxes


def _group(report: CheckReport, severity: Severity, cards: dict[Kind, list[Card]], album: Album) -> _Group:
    kinds = [kind for kind in report.kinds() if kind.severity == severity]
    count = report.count(severity)
    heading = _HEADINGS[severity]
    sections = tuple(_section(report, kind, cards[kind], album) for kind in kinds)
    noun = format_count(count, severity).partition(" ")[2]
    return _Group(severity, f"{severity}s", heading, noun, count, sections)


def _section(report: CheckReport, kind: Kind, cards: Sequence[Card], album: Album) -> _Section:
    drawn = tuple(_draw(card, f"{kind.id}-{number}", album) for number, card in enumerate(cards, start=1))
    visible = tuple(card for card in drawn if any(photo.views for photo in card.photos))
    on_cards = {id(card.finding) for card in visible}
    others = [finding for finding in report.findings.of(kind) if id(finding) not in on_cards]
    count = report.findings.count(kind)
    rows = tuple(others[:MAX_ROWS])
    return _Section(kind, count, visible, rows, count - len(visible) - len(rows))


def _draw(card: Card, name: str, album: Album) -> _DrawnCard:
    photos = tuple(_photo(card, file, split, album) for file, split in card.photos)
    return _DrawnCard(name, card.finding, photos, card.hidden)


def _photo(card: Card, file: str, split: str, album: Album) -> _PhotoOfCard:
    pictures = album.photos.get(file)
    if pictures is None:
        absent = (
            "This photo cannot be shown." if file in album.unreadable else "Left out to keep the page small."
        )
        return _PhotoOfCard(file, split, (), "", absent)
    box = card.finding.box if file == card.finding.photo else None
    close = crop_view(pictures, box)
    views = (whole_view(pictures, box), *([close] if close else []))
    words = f"{file}: {card.finding.detail}" if card.finding.detail else file
    return _PhotoOfCard(file, split, views, words, "")


# ---------------------------------------------------------------- the template


@cache
def _environment() -> Environment:
    """Class names and file names may be hostile, so that every value is escaped."""
    loader = PackageLoader("boxmask.doctor.page", "template")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_printable)


def _printable(value: object) -> object:
    """Text without control characters and halves of characters, which a page cannot hold."""
    return value if isinstance(value, Markup) else printable(str(value))


def _file(name: str) -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0]


def _policy(style: str, script: str) -> str:
    """A content security policy that allows this style and this script alone, and loads nothing."""
    return (
        "default-src 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
