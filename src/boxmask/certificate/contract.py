"""What a certificate holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxmask.certificate.accuracy import Metric
from boxmask.certificate.differences import AnyResult
from boxmask.certificate.speed import Speed
from boxmask.exporting.parity.differences import Differences
from boxmask.exporting.parity.photos import NamedPhoto
from boxmask.runtime.metadata import ExportMetadata


@dataclass(frozen=True)
class FormReport:
    """What was measured for a form.

    differences: from PyTorch; None for PyTorch itself
    metrics:     empty if there are no labeled photos
    file_mb:     size of the file in MiB; None for PyTorch
    """

    name: str
    is_int8: bool
    differences: Differences | None
    metrics: tuple[Metric, ...]
    speed: Speed
    file_mb: float | None
    in_browser: bool


@dataclass(frozen=True)
class ComparedPhoto:
    """A photo on which forms were compared, and what PyTorch found in it."""

    photo: NamedPhoto
    result: AnyResult


@dataclass(frozen=True)
class Certificate:
    """What the page says.

    file:      the exported file
    origin:    where the compared photos come from, in words
    accuracy:  the labeled photos in words, or why there are none
    machine:   the CPU, its cores, and versions
    notes:     what makes the numbers worth less
    """

    file: Path
    metadata: ExportMetadata
    forms: tuple[FormReport, ...]
    photos: tuple[ComparedPhoto, ...]
    origin: str
    accuracy: str
    machine: dict[str, str | int]
    notes: tuple[str, ...]
