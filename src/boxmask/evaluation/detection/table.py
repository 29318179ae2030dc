"""Tables of a detector's metrics for the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from boxmask.evaluation.detection.evaluate import DetectionEvaluation
from boxmask.evaluation.format import describe_resamples, format_fraction, format_interval
from boxmask.evaluation.mark import mark_lines
from boxmask.messages import format_count


def detection_table(evaluation: DetectionEvaluation) -> Group:
    """The overall metrics, one row per class, and the notes. Fractions, as in the JSON."""
    notes = [Text(note, style="yellow") for note in evaluation.notes]
    return Group(*mark_lines(evaluation.seen), overall_table(evaluation), class_table(evaluation), *notes)


def overall_table(evaluation: DetectionEvaluation) -> Table:
    """COCO's and VOC's metrics with their intervals."""
    bootstrap, heading = evaluation.ap_intervals, "interval"
    counts = [format_count(evaluation.images, "photo"), format_count(evaluation.objects, "object")]
    table = Table(title=", ".join(counts), title_justify="left")
    if bootstrap is not None:
        heading = f"{bootstrap.confidence:.0%} interval"
        table.caption = describe_resamples(bootstrap.resamples, bootstrap.groups, evaluation.images)
    table.add_column("over all classes")
    table.add_column("metric", justify="right")
    table.add_column(heading, justify="right")
    _add_row(table, evaluation, "AP   (COCO, IoU 0.50 to 0.95)", "AP")
    _add_row(table, evaluation, "AP50 (COCO, IoU 0.50)", "AP50")
    _add_row(table, evaluation, "AP75 (COCO, IoU 0.75)", "AP75")
    _add_row(table, evaluation, "APs  (objects under 32² px)", "APs")
    _add_row(table, evaluation, "APm  (32² to 96² px)", "APm")
    _add_row(table, evaluation, "APl  (over 96² px)", "APl")
    _add_row(table, evaluation, "AR100 (recall, 100 detections)", "AR100")
    _add_row(table, evaluation, "VOC AP, 11 points (VOC2007)", "VOC_AP_11")
    _add_row(table, evaluation, "VOC AP, all points (VOC2010)", "VOC_AP_all")
    if evaluation.masks is not None:
        _add_mask_rows(table, evaluation)
    return table


def _add_mask_rows(table: Table, evaluation: DetectionEvaluation) -> None:
    """The metrics of masks, below a line."""
    table.add_section()
    _add_row(table, evaluation, "mask AP   (COCO, IoU of pixels)", "mask_AP")
    _add_row(table, evaluation, "mask AP50", "mask_AP50")
    for name in ("AP75", "APs", "APm", "APl"):
        _add_row(table, evaluation, f"mask {name}", f"mask_{name}")
    _add_row(table, evaluation, "boundary AP   (2 % of the diagonal)", "boundary_AP")
    _add_row(table, evaluation, "boundary AP50", "boundary_AP50")


def _add_row(table: Table, evaluation: DetectionEvaluation, title: str, name: str) -> None:
    table.add_row(title, format_fraction(evaluation[name]), format_interval(evaluation.interval(name)))


def class_table(evaluation: DetectionEvaluation) -> Table:
    """One row per class, in the order of the data set.

    With masks, intervals are left out: the table would be wider than a terminal. `to_dict()` has them.
    """
    table = Table()
    table.add_column("class")
    if evaluation.masks is None:
        headings = ["objects", "AP", "interval", "AP50", "VOC AP"]
    else:
        headings = ["objects", "AP", "AP50", "VOC AP", "mask AP", "mask AP50"]
    for heading in headings:
        table.add_column(heading, justify="right")
    for name in evaluation.coco.per_class:
        table.add_row(Text(name), *_class_cells(evaluation, name))
    return table


def _class_cells(evaluation: DetectionEvaluation, name: str) -> list[str]:
    ap, masks = evaluation.coco.per_class[name], evaluation.masks
    interval = [format_interval(evaluation.intervals_of_class(name)["AP"])] if masks is None else []
    voc_ap = format_fraction(evaluation.voc.per_class[name].AP_all)
    cells = [str(ap.objects), format_fraction(ap.AP), *interval, format_fraction(ap.AP50), voc_ap]
    if masks is not None:
        of_masks = masks.coco.per_class[name]
        cells += [format_fraction(of_masks.AP), format_fraction(of_masks.AP50)]
    return cells
