"""Render the report as one HTML page that loads nothing."""

from __future__ import annotations

from datetime import datetime

from boxmask.data.findings import MAX_PER_KIND
from boxmask.doctor.page.charts import make_charts
from boxmask.doctor.page.gallery import make_gallery
from boxmask.doctor.page.groups import make_groups
from boxmask.doctor.page.objects import ObjectFinder
from boxmask.doctor.report import CheckReport
from boxmask.messages import format_count, printable
from boxmask.pages.pictures import MAX_BYTES
from boxmask.pages.render import ENLARGE, render_template


def render_page(report: CheckReport, max_bytes: int = MAX_BYTES) -> str:
    """The page as text.

    max_bytes: of all pictures of findings together. Findings without a picture are shown as text.
    """
    has_boxes = report.label_kind != "class folders"
    finder = ObjectFinder(report.examination) if report.examination else None
    groups, album = make_groups(report, finder, max_bytes)
    gallery = make_gallery(report, finder, album)
    values = {
        "album": album,
        "charts": make_charts(report.summary, has_boxes) if report.summary else None,
        "date": _date(datetime.now().astimezone()),
        "facts": _facts(report),
        "gallery": gallery,
        "groups": groups,
        "has_findings": any(group.sections for group in groups),
        "max_per_kind": MAX_PER_KIND,
        "pictures": [*album.pictures(), *(gallery.pictures if gallery else ())],
        "title": printable(report.data.resolve().name or str(report.data)),
        "verdict": _verdict(report),
    }
    return render_template("boxmask.doctor.page", "page.html", ["style.css"], ["script.js", ENLARGE], values)


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
