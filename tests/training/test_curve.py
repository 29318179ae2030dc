import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.training.curve import draw_curve

LOSSES = [{"step": n, "minutes": n / 60, "roi_class": 3 / n, "images_per_second": 5.0} for n in (1, 2, 3)]
VALIDATIONS = [
    {"step": n, "minutes": n / 60, "val": {"AP": ap, "AP50": ap}} for n, ap in ((1, None), (3, 0.4))
]


def drawn(tmp_path: Path, rows: list[dict[str, object]]) -> np.ndarray:
    log, picture = tmp_path / "log.jsonl", tmp_path / "curve.png"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    draw_curve(log, picture)
    assert sorted(tmp_path.iterdir()) == [picture, log]
    return np.array(Image.open(picture))


@pytest.mark.parametrize("rows", [[], LOSSES, VALIDATIONS, LOSSES + VALIDATIONS])
def test_a_curve_is_drawn_for_any_log(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    assert drawn(tmp_path, rows).shape == (400, 1000, 4)


def test_the_left_half_shows_losses_and_the_right_validation(tmp_path: Path) -> None:
    nothing, losses, both = (drawn(tmp_path, rows) for rows in ([], LOSSES, LOSSES + VALIDATIONS))
    assert (nothing[:, :500] != losses[:, :500]).any()
    assert (losses[:, 520:] != both[:, 520:]).any()


def test_a_curve_is_drawn_without_a_log(tmp_path: Path) -> None:
    draw_curve(tmp_path / "log.jsonl", tmp_path / "curve.png")
    assert (tmp_path / "curve.png").is_file()


def test_each_metric_has_a_line_with_gaps_where_it_is_missing(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"step": n, "minutes": n, "val": {"mIoU": 0.1 * n, "pixel_accuracy": 0.5, "images": 2}}
        for n in (1, 2)
    ]
    whole = drawn(tmp_path, rows)
    del rows[1]["val"]["pixel_accuracy"]  # type: ignore[attr-defined]
    gap = drawn(tmp_path, rows)
    nothing = drawn(tmp_path, [])
    assert (whole[:, 520:] != nothing[:, 520:]).any()
    assert (whole[:, 520:] != gap[:, 520:]).any()


def test_counts_of_photos_are_no_metrics(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"step": n, "minutes": n, "val": {"AP": 0.1 * n, "images": 2, "seen_photos": 1}} for n in (1, 2)
    ]
    with_counts = drawn(tmp_path, rows)
    for row in rows:
        row["val"] = {"AP": row["val"]["AP"]}  # type: ignore[index]
    assert (with_counts == drawn(tmp_path, rows)).all()
