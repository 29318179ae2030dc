"""The figures of an evaluation as tables for the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from boxmask.evaluation.detection.evaluate import DetectionEvaluation, MaskEvaluation

NOTHING = "–"  # what stands where there is nothing to measure


def detection_table(evaluation: DetectionEvaluation) -> Group:
    """The overall figures, a row for each class, and the notes; fractions, as in the JSON."""
    notes = [Text(note, style="yellow") for note in evaluation.notes]
    return Group(overall_table(evaluation), class_table(evaluation), *notes)


def overall_table(evaluation: DetectionEvaluation) -> Table:
    """COCO's and VOC's figures with their intervals."""
    coco, voc, interval = evaluation.coco, evaluation.voc, evaluation.interval
    table = Table(title=f"{evaluation.images} photos, {evaluation.objects} objects", title_justify="left")
    table.add_column("over all classes")
    table.add_column("figure", justify="right")
    if interval is not None:
        table.caption = f"the interval rests on {interval.resamples} draws of the {evaluation.images} photos"
    table.add_column(
        "interval" if interval is None else f"{interval.confidence:.0%} interval", justify="right"
    )
    table.add_row("AP   (COCO, IoU 0.50 to 0.95)", figure(coco.AP), _span(interval.AP if interval else None))
    table.add_row("AP50 (COCO, IoU 0.50)", figure(coco.AP50), _span(interval.AP50 if interval else None))
    table.add_row("AP75 (COCO, IoU 0.75)", figure(coco.AP75))
    table.add_row("APs  (objects under 32² px)", figure(coco.APs))
    table.add_row("APm  (32² to 96² px)", figure(coco.APm))
    table.add_row("APl  (over 96² px)", figure(coco.APl))
    table.add_row("AR100 (recall, 100 detections)", figure(coco.AR100))
    table.add_row("VOC AP, 11 points (VOC2007)", figure(voc.AP_11))
    table.add_row("VOC AP, all points (VOC2010)", figure(voc.AP_all))
    if evaluation.masks is not None:
        _add_masks(table, evaluation.masks)
    return table


def _add_masks(table: Table, masks: MaskEvaluation) -> None:
    """The figures of the outlines, under a line."""
    coco, interval = masks.coco, masks.interval
    table.add_section()
    table.add_row(
        "mask AP   (COCO, IoU of pixels)", figure(coco.AP), _span(interval.AP if interval else None)
    )
    table.add_row("mask AP50", figure(coco.AP50), _span(interval.AP50 if interval else None))
    for name in ("AP75", "APs", "APm", "APl"):
        table.add_row(f"mask {name}", figure(getattr(coco, name)))
    table.add_row("boundary AP   (2 % of the diagonal)", figure(masks.boundary.AP))
    table.add_row("boundary AP50", figure(masks.boundary.AP50))


def class_table(evaluation: DetectionEvaluation) -> Table:
    """A row for each class, in the data set's order."""
    table = Table()
    table.add_column("class")
    masks = evaluation.masks
    for heading in ("objects", "AP", "AP50", "VOC AP", *(("mask AP", "mask AP50") if masks else ())):
        table.add_column(heading, justify="right")
    for name, ap in evaluation.coco.per_class.items():
        voc = evaluation.voc.per_class[name].AP_all
        outlines = masks.of_class(name).values() if masks else ()
        figures = (figure(fraction) for fraction in (ap.AP, ap.AP50, voc, *outlines))
        table.add_row(Text(name), str(ap.objects), *figures)
    return table


def figure(fraction: float | None) -> str:
    """A fraction with three decimals, or a dash for None."""
    return NOTHING if fraction is None else f"{fraction:.3f}"


def _span(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{figure(ends[0])} to {figure(ends[1])}"
