"""Compare all forms of a model, and write what was found to one page."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boxmask.benchmarking.machine import describe_machine
from boxmask.certificate.accuracy import LabeledPhotos, find_labeled_photos, measure_accuracy
from boxmask.certificate.browser.chromium import WebRuntime
from boxmask.certificate.contract import Certificate, ComparedPhoto, FormReport
from boxmask.certificate.differences import compare_results
from boxmask.certificate.forms import INT8, ONNX, Form, open_forms, propose
from boxmask.certificate.options import CertificateOptions
from boxmask.certificate.page import render_certificate
from boxmask.certificate.speed import measure_speed
from boxmask.exporting.metadata import add_metadata
from boxmask.exporting.parity.differences import Differences
from boxmask.exporting.parity.photos import NamedPhoto, comparison_photos, few_photos, is_blank
from boxmask.exporting.table import build_graph
from boxmask.messages import format_percent
from boxmask.models.table import AnyModel
from boxmask.options import option
from boxmask.outputs import write_output
from boxmask.photos.read import to_image
from boxmask.progress import Progress
from boxmask.runtime.metadata import read_metadata
from boxmask.runtime.onnx_file import read_onnx_file
from boxmask.types import Detections
from boxmask.weights.checkpoint import load_model


def write_certificate(
    source: Path,
    file: Path,
    options: CertificateOptions,
    progress: Progress | None = None,
    speed_progress: Progress | None = None,
) -> Certificate:
    """Compare an exported file with its model, and write the page.

    source:         the run, checkpoint or name of published weights that was exported
    progress:       of the photos whose results are compared with the labels
    speed_progress: of the seconds in which speed is measured

    Raises ExportError if the browser cannot run the file; and as `export_model` does.
    """
    model = load_model(source, "cpu")
    with tempfile.TemporaryDirectory(prefix="boxmask-certificate-") as folder:
        files = _files(source, file, model, Path(folder))
        with open_forms(model, files, options.runtime) as forms:
            certificate = _measure(source, file, model, forms, options, (progress, speed_progress))
    with write_output(options.path) as partial:
        partial.write_text(render_certificate(certificate), encoding="utf-8")
    return certificate


def _files(source: Path, file: Path, model: AnyModel, folder: Path) -> dict[str, Path]:
    """The files by the names of their forms. If the file is in 8 bits, one in 32 bits is written beside."""
    if not read_metadata(file, read_onnx_file(file).properties).int8:
        return {ONNX: file}
    proto = build_graph(model).model()
    add_metadata(proto, model, source)
    (folder / "float32.onnx").write_bytes(proto.SerializeToString())
    return {ONNX: folder / "float32.onnx", INT8: file}


def _measure(
    source: Path,
    file: Path,
    model: AnyModel,
    forms: Sequence[Form],
    options: CertificateOptions,
    progress: tuple[Progress | None, Progress | None],
) -> Certificate:
    origin, photos = comparison_photos(source, options.data)
    compared, differences = compare_forms(forms, photos)
    labeled = find_labeled_photos(source, model, options.data)
    metrics = measure_accuracy(labeled, forms, progress[0]) if isinstance(labeled, LabeledPhotos) else {}
    with tempfile.TemporaryDirectory(prefix="boxmask-speed-") as folder:
        speeds, busy = measure_speed(source, options.data, forms, Path(folder), progress[1])
    reports = tuple(
        FormReport(
            form.name,
            form.is_int8,
            differences.get(form.name),
            metrics.get(form.name, ()),
            speeds[form.name],
            None if form.file is None else form.file.stat().st_size / 2**20,
            form.session is not None,
        )
        for form in forms
    )
    metadata = read_metadata(file, read_onnx_file(file).properties)
    accuracy = labeled.description if isinstance(labeled, LabeledPhotos) else labeled
    machine = describe_machine() | _web_versions(forms, options.runtime)
    return Certificate(file, metadata, reports, compared, origin, accuracy, machine, _notes(compared, busy))


def compare_forms(
    forms: Sequence[Form], photos: Sequence[NamedPhoto]
) -> tuple[tuple[ComparedPhoto, ...], dict[str, Differences]]:
    """What PyTorch finds in the photos, and the largest differences of each other form by its name."""
    reference, others = forms[0], forms[1:]
    if hasattr(reference.model.config, "search"):
        photos = few_photos(photos)
    compared, totals = [], {form.name: Differences() for form in others}
    for photo in photos:
        image = to_image(photo.pixels)
        proposals = propose(reference.model, image)
        expected = reference.model.predict(image, proposals)
        compared.append(ComparedPhoto(photo, expected))
        for form in others:
            found = form.model.predict(image, proposals)
            differences = compare_results(expected, found, reference.model.config, form.is_int8)
            if isinstance(expected, Detections) and is_blank(photo.pixels):
                differences = differences.without_objects()
            totals[form.name] |= differences
    return tuple(compared), totals


def _web_versions(forms: Sequence[Form], runtime: WebRuntime | None) -> dict[str, str]:
    agents = [form.session.agent for form in forms if form.session is not None]
    if runtime is None or not agents:
        return {}
    return {"onnxruntime-web": runtime.version or "unknown", "browser": agents[0]}


def _notes(photos: Sequence[ComparedPhoto], busy: float | None) -> tuple[str, ...]:
    notes = []
    results: list[Any] = [photo.result for photo in photos]
    if all(hasattr(result, "boxes") and not len(result) for result in results):
        notes.append(
            f"The model finds no objects in these photos. Give others with {option('data', 'PHOTOS')}."
        )
    if busy is not None and busy > 0.1:
        notes.append(
            f"Other processes used {format_percent(busy)} of the CPU while speed was measured, so the times "
            "are too long. Compare their ratios."
        )
    return tuple(notes)
