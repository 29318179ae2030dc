"""Numbers, tables and plots of the summary."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from boxmask.data.checks.summary import ClassCount, Histogram, Summary
from boxmask.doctor.page.charts import MAX_CLASSES, MAX_MORE_CLASSES, Charts, make_charts
from boxmask.doctor.page.render import render_page
from boxmask.doctor.report import CheckReport


def charts_of(report: CheckReport, **changes: object) -> Charts:
    assert report.summary is not None
    summary: Summary = replace(report.summary, **changes)  # type: ignore[arg-type]
    return make_charts(summary)


def test_numbers_have_names(report: CheckReport) -> None:
    numbers = {number.name: number.value for number in charts_of(report).numbers}
    assert numbers["Objects per photo"] == "1.5"
    assert numbers["Median box"] == "20 × 30.5 px"
    assert numbers["Crowd regions"] == "1"
    assert "Marked difficult" not in numbers


def test_bars_of_classes_are_divided_by_split(report: CheckReport) -> None:
    cat, hostile = charts_of(report).classes
    assert [(part.number, part.start, part.length) for part in cat.parts] == [
        (0, 0.0, 33.33),
        (1, 33.33, 16.67),
        (2, 50.0, 50.0),
    ]
    assert [(part.number, part.length) for part in hostile.parts] == [(0, 50.0)]
    assert (cat.total, cat.photos) == (6, 5)


def test_many_classes_are_counted(report: CheckReport) -> None:
    classes = tuple(ClassCount(str(n), (n,), (n,)) for n in range(MAX_CLASSES + MAX_MORE_CLASSES + 7))
    charts = charts_of(report, classes=classes)
    assert (len(charts.classes), len(charts.folded_classes)) == (MAX_CLASSES, MAX_MORE_CLASSES)
    assert charts.more_classes == 7
    assert [row.total for row in charts.classes[:2]] == [len(classes) - 1, len(classes) - 2]


def test_classes_of_whole_photos_have_no_plots_of_boxes(report: CheckReport) -> None:
    assert "Sizes of boxes" in render_page(report)
    page = render_page(replace(report, label_kind="class folders"))
    assert "Photo sizes" in page
    assert not any(words in page for words in ("Sizes of boxes", "Places", "Median box", "Objects per photo"))


def test_the_highest_bar_fills_the_plot_and_ticks_do_not_overlap(report: CheckReport) -> None:
    edges = tuple(float(n) for n in (0, 1, 2, 10, 100, 1000, 10_000, 100_000))
    plot = charts_of(report, objects_per_photo=Histogram(edges, (1, 0, 200, 3, 4, 5, 6))).histograms[0]
    assert max(bar.height for bar in plot.bars) == 140
    assert plot.bars[1].height == 0
    assert plot.bars[2].words == "2–9: 200 photos"
    ends = [(tick.x - 3 * len(tick.text), tick.x + 3 * len(tick.text)) for tick in plot.ticks]
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))
    assert 0 <= ends[0][0]
    assert ends[-1][1] <= plot.width


def test_the_heat_map_covers_each_cell_once(report: CheckReport) -> None:
    assert report.summary is not None
    charts = charts_of(report)
    cells: dict[tuple[int, int], int] = {}
    for level in charts.heat:
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1", level.path):
            for column in range(int(x), int(x) + int(length)):
                assert cells.setdefault((column, int(y)), level.number) == level.number
    filled = {(x, y) for y, row in enumerate(report.summary.heat_map) for x, n in enumerate(row) if n}
    assert cells.keys() == filled
    assert max(cells.values()) == 8
    assert "lower center" in charts.heat_words


def test_a_data_set_without_objects_has_charts(report: CheckReport) -> None:
    empty = Histogram((0.5, 1), (0,))
    charts = charts_of(
        report, objects=0, classes=(), splits=(), heat_map=((0, 0), (0, 0)), median_box=None,
        objects_per_photo=empty, box_sides=empty, aspect_ratios=empty, photo_sizes=(),
    )  # fmt: skip
    assert charts.heat == ()
    assert charts.heat_words == "No boxes."
