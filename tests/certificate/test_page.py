"""The page of a certificate: what it says, and that hostile names stay text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from boxmask.certificate.accuracy import Metric
from boxmask.certificate.contract import Certificate, ComparedPhoto, FormReport
from boxmask.certificate.page import accuracy_table, differences_table, render_certificate, speed_table
from boxmask.certificate.speed import Speed
from boxmask.evaluation.contract import Interval
from boxmask.exporting.parity.differences import Differences
from boxmask.exporting.parity.photos import NamedPhoto
from boxmask.runtime.metadata import ExportMetadata
from boxmask.types import Detections

HOSTILE = '<script>alert("1")</script>'
NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    file = tmp_path / "model.onnx"
    file.write_bytes(bytes(2**20))
    pixels = np.zeros((40, 60, 3), dtype=np.uint8)
    boxes = np.array([[1, 2, 30, 40], [5, 5, 9, 9]], dtype=np.float32)
    found = Detections(boxes, np.array([0.9, 0.2], np.float32), np.zeros(2, np.int64), (HOSTILE,), (40, 60))
    metadata = ExportMetadata(
        "faster-rcnn",
        "detection",
        (HOSTILE,),
        training={"data": "ee4b", "counts": {"train": 3, "val": 2}},
        weights=[{"name": HOSTILE, "license": "MIT", "from": "training"}],
    )
    exact = Metric("AP", 0.6, Interval(0.5, 0.7), 0.0, None)
    lower = Metric("AP", 0.596, Interval(0.49, 0.7), -0.004, Interval(-0.01, 0.002))
    forms = (
        FormReport("PyTorch", False, None, (exact,), Speed(100.0, 900.0, 2), None, False),
        FormReport(
            "ONNX Runtime", False, Differences(18, 2e-4, 9e-7), (exact,), Speed(50.0, 200.0, 2), 27, False
        ),
        FormReport(
            "ONNX Runtime, 8 bits",
            True,
            Differences(18, 2.5, 0.04, mismatches=1),
            (lower,),
            Speed(None, None, 2),
            7,
            False,
        ),
    )
    photo = ComparedPhoto(NamedPhoto(f"{HOSTILE}.jpg", pixels), found)
    machine: dict[str, str | int] = {"cpu": "a CPU", "cores": 2, "torch": "2.9"}
    return Certificate(
        file, metadata, forms, (photo,), "photos of holiday", "40 validation photos of data", machine, ()
    )


def test_tables(certificate: Certificate) -> None:
    assert differences_table(certificate).rows == (
        ("ONNX Runtime", "18", "0.0002 px", "9.0e-07", "0"),
        ("ONNX Runtime, 8 bits", "18", "2.5 px", "4.0e-02", "1"),
    )
    accuracy = accuracy_table(certificate.forms)
    assert accuracy is not None
    assert accuracy.rows[2] == (
        "ONNX Runtime, 8 bits",
        "0.5960",
        "0.490 to 0.700",
        "-0.0040",
        "-0.0100 to +0.0020",
    )
    assert speed_table(certificate.forms).rows[1:] == (
        ("ONNX Runtime", "50.0 ms", "2.00×", "2", "200 MB", "27.0 MB"),
        ("ONNX Runtime, 8 bits", "–", "–", "2", "–", "7.0 MB"),
    )


def test_what_the_page_says(certificate: Certificate) -> None:
    page = render_certificate(certificate, NOW)
    assert "In 32 bits, the file gives the results of the model but for rounding." in page
    assert "In 8 bits, AP changes by -0.0040." in page
    assert "Not compared in a browser" in page
    assert "March 4, 2026, 05:06" in page
    assert page.count("<rect ") == 1  # objects that are likely
    browser = replace(certificate.forms[1], name="browser", in_browser=True)
    with_browser = render_certificate(replace(certificate, forms=(*certificate.forms, browser)), NOW)
    assert "Not compared in a browser" not in with_browser


def test_without_labels_the_page_says_why(certificate: Certificate) -> None:
    forms = tuple(replace(form, metrics=()) for form in certificate.forms)
    unlabeled = replace(certificate, forms=forms, accuracy="The photos of holiday have no labels.")
    assert "Not measured. The photos of holiday have no labels." in render_certificate(unlabeled, NOW)


def test_objects_that_only_one_found_are_in_the_first_sentence(certificate: Certificate) -> None:
    first, second, third = certificate.forms
    wrong = replace(second, differences=Differences(18, mismatches=2))
    page = render_certificate(replace(certificate, forms=(first, wrong, third)), NOW)
    assert "2 objects of 18 were found by only one of the two." in page


@pytest.mark.parametrize(
    ("differences", "says"),
    [
        (Differences(8, pixels=0.03), "differ from those of the model (label maps: 3.00% of the pixels)."),
        (Differences(8, score=0.2), "differ from those of the model (scores: 0.2000)."),
        (Differences(8, mask_iou=0.5), "differ from those of the model (masks: IoU 0.500)."),
    ],
)
def test_large_differences_are_in_the_first_sentence(
    certificate: Certificate, differences: Differences, says: str
) -> None:
    browser = replace(certificate.forms[1], name="browser", in_browser=True, differences=differences)
    page = render_certificate(replace(certificate, forms=(*certificate.forms, browser)), NOW)
    assert says in page
    assert "but for rounding" not in page


def test_hostile_names_stay_text_and_nothing_is_loaded(certificate: Certificate) -> None:
    page = render_certificate(certificate, NOW)
    assert "<script" not in page
    assert "&lt;script&gt;alert" in page
    assert "default-src &#39;none&#39;" in page
    assert "unsafe-inline" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "style=" not in page
