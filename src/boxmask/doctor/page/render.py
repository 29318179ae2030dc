"""Render the report as one HTML page that loads nothing."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import cache
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from boxmask.data.findings import MAX_PER_KIND
from boxmask.doctor.page.charts import make_charts
from boxmask.doctor.page.gallery import make_gallery
from boxmask.doctor.page.groups import make_groups
from boxmask.doctor.page.objects import ObjectFinder
from boxmask.doctor.page.pictures import MAX_BYTES
from boxmask.doctor.report import CheckReport
from boxmask.doctor.text import printable
from boxmask.messages import format_count


def render_page(report: CheckReport, max_bytes: int = MAX_BYTES) -> str:
    """The page as text.

    max_bytes: of all pictures of findings together. Findings without a picture are shown as text.
    """
    has_boxes = report.label_kind != "class folders"
    finder = ObjectFinder(report.examination) if report.examination else None
    groups, album = make_groups(report, finder, max_bytes)
    gallery = make_gallery(report, finder, album)
    style, script = _file("style.css"), _file("script.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            album=album,
            charts=make_charts(report.summary, has_boxes) if report.summary else None,
            date=_date(datetime.now().astimezone()),
            facts=_facts(report),
            gallery=gallery,
            groups=groups,
            has_findings=any(group.sections for group in groups),
            max_per_kind=MAX_PER_KIND,
            pictures=[*album.pictures(), *(gallery.pictures if gallery else ())],
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
