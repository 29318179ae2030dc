"""What a case runs: a PyTorch model, or an ONNX file in ONNX Runtime."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from boxmask.benchmarking.cases import Case

if TYPE_CHECKING:
    from boxmask.runtime.metadata import ExportMetadata

Pixels = UInt8[np.ndarray, "H W 3"]
Propose = Callable[[Sequence[Pixels]], list[NDArray[np.float32]]]


class Runner(Protocol):
    """A model, ready to run on this number of threads."""

    def run(self, photos: Sequence[Pixels]) -> None:
        """Find what is in the photos, all in one call."""

    def profile(self, run_all: Callable[[Runner], None]) -> dict[str, float]:
        """Seconds by stage or by group of operators while `run_all` runs the model."""


def make_runner(case: Case) -> Runner:
    """Load the model of a case. Raises CheckpointError, WeightsError or UsageError."""
    if case.format == "PyTorch":
        return TorchRunner(Path(case.source), case.threads)
    return OnnxRunner(Path(case.source), case.threads)


# ---------------------------------------------------------------------- PyTorch


class TorchRunner:
    """A PyTorch model on the CPU."""

    def __init__(self, source: Path, threads: int) -> None:
        import torch

        from boxmask.weights.checkpoint import load_model

        torch.set_num_threads(threads)
        self._model = load_model(source, "cpu")

    def run(self, photos: Sequence[Pixels]) -> None:
        """Run the model on a batch. `predict` itself takes one photo at a time."""
        from boxmask.photos.read import to_image

        predict: Any = type(self._model).predict
        predict.__wrapped__(self._model, [to_image(photo) for photo in photos])

    def profile(self, run_all: Callable[[Runner], None]) -> dict[str, float]:
        """Seconds by stage."""
        from boxmask.benchmarking.stages import StageClock, time_stages

        clock = StageClock()
        time_stages(self._model, clock)
        run_all(self)
        return dict(clock.seconds)


# ---------------------------------------------------------------------- ONNX Runtime


class OnnxRunner:
    """An exported file on the CPU. Where it needs proposals, Selective Search is part of a call."""

    def __init__(self, path: Path, threads: int, profile: Path | None = None) -> None:
        from boxmask.runtime.metadata import read_metadata
        from boxmask.runtime.onnx_file import read_onnx_file
        from boxmask.runtime.session import open_file, without_dense_masks

        file = read_onnx_file(path)
        metadata = read_metadata(path, file.properties)
        self._path, self._threads = path, threads
        self._session = open_file(file, "cpu", threads, profile)
        self._options = without_dense_masks(self._session)  # as in `predict`
        needs_proposals = "proposals" in [each.name for each in self._session.get_inputs()]
        self._propose = proposer(path, metadata) if needs_proposals else None

    def run(self, photos: Sequence[Pixels]) -> None:
        """Run the file on a batch. `predict` itself takes one photo at a time."""
        from boxmask.exporting.session import pack

        proposals = None if self._propose is None else self._propose(photos)
        self._session.run(None, pack(photos, proposals) | self._options)

    def profile(self, run_all: Callable[[Runner], None]) -> dict[str, float]:
        """Seconds by group of operators."""
        from boxmask.benchmarking.operators import seconds_by_group

        with tempfile.TemporaryDirectory() as folder:
            profiled = OnnxRunner(self._path, self._threads, Path(folder) / "profile")
            run_all(profiled)
            return seconds_by_group(Path(profiled._session.end_profiling()))


def proposer(path: Path, metadata: ExportMetadata) -> Propose:
    """Selective Search as in the config of an exported model. Raises CheckpointError if it has none."""
    from boxmask.pipeline.selective_search import selective_search
    from boxmask.tasks.predictors import read_config

    search = read_config(path, metadata, needs_proposals=True).search

    def propose(photos: Sequence[Pixels]) -> list[NDArray[np.float32]]:
        return [selective_search(photo, search).numpy() for photo in photos]

    return propose
