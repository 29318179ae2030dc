"""Render a certificate as one page that loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import Image

from boxmask.certificate.accuracy import Metric
from boxmask.certificate.contract import Certificate, ComparedPhoto, FormReport
from boxmask.certificate.differences import MIN_SCORE
from boxmask.evaluation.contract import Interval
from boxmask.exporting.parity.check import above_limits
from boxmask.exporting.parity.differences import Differences
from boxmask.messages import format_count, printable
from boxmask.pages.pictures import encode_picture
from boxmask.pages.render import render_template
from boxmask.types import Classification, Detections

PICTURE_SIDE, MAX_BOXES = 240, 30
NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """Column titles, and rows of cells, whose first is the name of the form."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def render_certificate(certificate: Certificate, now: datetime | None = None) -> str:
    """The page as text."""
    now, metadata = now or datetime.now().astimezone(), certificate.metadata
    values = {
        "title": printable(certificate.file.name),
        "facts": [metadata.model, format_count(len(metadata.class_names), "class"), _size(certificate)],
        "verdict": _verdict(certificate),
        "date": f"{now:%B} {now.day}, {now:%Y, %H:%M}",
        "origin": certificate.origin,
        "differences": differences_table(certificate),
        "accuracy": accuracy_table(certificate.forms),
        "accuracy_photos": certificate.accuracy,
        "speed": speed_table(certificate.forms),
        "in_browser": any(form.in_browser for form in certificate.forms),
        "has_int8": any(form.is_int8 for form in certificate.forms),
        "int8": metadata.int8,
        "training": _training(metadata.training),
        "weights": [weight for weight in metadata.weights if isinstance(weight, dict)],
        "photos": [_photo(photo) for photo in certificate.photos],
        "machine": certificate.machine,
        "notes": certificate.notes,
    }
    return render_template("boxmask.certificate", "page.html", ["style.css"], [], values)


def _size(certificate: Certificate) -> str:
    return f"{certificate.file.stat().st_size / 2**20:.1f} MB"


def _verdict(certificate: Certificate) -> str:
    """One sentence on the files in 32 bits, and one on those in 8 bits."""
    total = Differences()
    for form in certificate.forms:
        if form.differences is not None and not form.is_int8:
            total |= form.differences
    if wrong := above_limits(total):
        first = f"In 32 bits, the results of the file differ from those of the model ({wrong})."
    elif total.mismatches:
        mismatches = format_count(total.mismatches, "object")
        first = f"{mismatches} of {total.compared:,} were found by only one of the two."
    else:
        first = "In 32 bits, the file gives the results of the model but for rounding."
    changes = [
        f"{metric.name} changes by {metric.change:+.4f}"
        for form in certificate.forms
        if form.is_int8 and not form.in_browser
        for metric in form.metrics
    ]
    return f"{first} In 8 bits, {' and '.join(changes)}." if changes else first


# ---------------------------------------------------------------- tables


def differences_table(certificate: Certificate) -> Table:
    """The largest differences of each form from PyTorch."""
    titles: tuple[str, ...]
    match certificate.metadata.task:
        case "segmentation":
            titles = ("label maps", "pixels that differ, at most")
        case "classification":
            titles = ("photos", "score")
        case _:
            titles = ("objects", "box", "score", "only in one")
            if any(getattr(photo.result, "masks", None) is not None for photo in certificate.photos):
                titles = ("objects", "box", "score", "mask IoU", "only in one")
    rows = tuple(
        (form.name, *(_difference(title, form.differences) for title in titles))
        for form in certificate.forms
        if form.differences is not None
    )
    return Table(("", *titles), rows)


def _difference(title: str, found: Differences) -> str:
    match title:
        case "box":
            return f"{found.box:.2g} px"
        case "score":
            return f"{found.score:.1e}"
        case "mask IoU":
            return f"{found.mask_iou:.3f}"
        case "only in one":
            return f"{found.mismatches:,}"
        case "pixels that differ, at most":
            return f"{found.pixels:.3%}"
    return f"{found.compared:,}"


def accuracy_table(forms: Sequence[FormReport]) -> Table | None:
    """Each metric of each form, with intervals; None without labeled photos."""
    if not forms[0].metrics:
        return None
    names = [metric.name for metric in forms[0].metrics]
    titles = [title for name in names for title in (name, "95 % interval", "change", "95 % interval")]
    rows = tuple((form.name, *(cell for metric in form.metrics for cell in _cells(metric))) for form in forms)
    return Table(("", *titles), rows)


def _cells(metric: Metric) -> tuple[str, ...]:
    change = NOTHING if metric.change_interval is None else f"{metric.change:+.4f}"
    own, of_change = _interval(metric.interval, ".3f"), _interval(metric.change_interval, "+.4f")
    return f"{metric.value:.4f}", own, change, of_change


def _interval(interval: Interval | None, form: str) -> str:
    return NOTHING if interval is None else f"{interval.low:{form}} to {interval.high:{form}}"


def speed_table(forms: Sequence[FormReport]) -> Table:
    """Milliseconds, ratio, memory and size of each form."""
    first = forms[0].speed.median_ms
    rows = []
    for form in forms:
        time, memory = form.speed.median_ms, form.speed.memory_mb
        rows.append(
            (
                form.name,
                NOTHING if time is None else f"{time:,.1f} ms",
                NOTHING if time is None or first is None else f"{first / time:.2f}×",
                f"{form.speed.threads}",
                NOTHING if memory is None else f"{memory:,.0f} MB",
                NOTHING if form.file_mb is None else f"{form.file_mb:.1f} MB",
            )
        )
    titles = ("", "time per photo", "speed", "threads", "peak memory", "file")
    return Table(titles, tuple(rows))


# ---------------------------------------------------------------- lineage and photos


def _training(training: dict[str, Any]) -> list[tuple[str, str]]:
    """The facts about the training data; empty if they are not known."""
    facts = []
    if "data" in training:
        facts.append(("fingerprint of the data set", str(training["data"])))
    if "photos" in training:
        facts.append(("fingerprint of the training photos", str(training["photos"])))
    if isinstance(counts := training.get("counts"), dict):
        facts.append(("photos", ", ".join(f"{name} {count}" for name, count in counts.items())))
    return facts


def _photo(compared: ComparedPhoto) -> dict[str, Any]:
    """A small picture, with the boxes that PyTorch found."""
    pixels, result = compared.photo.pixels, compared.result
    height, width = pixels.shape[:2]
    boxes: list[tuple[float, ...]] = []
    if isinstance(result, Detections):
        likely = result[result.scores >= MIN_SCORE]
        found = format_count(len(likely), "object")
        for x1, y1, x2, y2 in likely.boxes[:MAX_BOXES].tolist():
            boxes.append((x1, y1, x2 - x1, y2 - y1))
    else:
        found = result.name if isinstance(result, Classification) else ""
    uri = encode_picture(Image.fromarray(pixels), PICTURE_SIDE)
    caption = f"{compared.photo.name}, {width}x{height}" + (f": {found}" if found else "")
    return {"caption": caption, "uri": uri, "width": width, "height": height, "boxes": boxes}
