"""An ONNX file that is ready to run, whose inputs and outputs are those of boxmask."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from boxmask.errors import CheckpointError, UsageError
from boxmask.options import option
from boxmask.runtime.metadata import Task
from boxmask.runtime.onnx_file import REMEDY, OnnxFile

if TYPE_CHECKING:
    import onnxruntime
    from numpy.typing import NDArray

UINT8, INT64, FLOAT, BOOL = "tensor(uint8)", "tensor(int64)", "tensor(float)", "tensor(bool)"

Form = tuple[str, int]
"""The type of an input or output, and its number of axes."""

INPUTS: dict[str, Form] = {"photos": (UINT8, 4), "sizes": (INT64, 2)}
PROPOSALS: dict[str, Form] = {"proposals": (FLOAT, 2), "proposal_counts": (INT64, 1)}
OUTPUTS: dict[Task, dict[str, Form]] = {
    "detection": {"boxes": (FLOAT, 2), "scores": (FLOAT, 1), "labels": (INT64, 1), "counts": (INT64, 1)},
    "segmentation": {"label_map": (UINT8, 3)},
    "classification": {"scores": (FLOAT, 2)},
}
MASKS: dict[str, Form] = {"masks": (BOOL, 3)}
MASK_SCORES: dict[str, Form] = {"mask_scores": (FLOAT, 3)}
DENSE_MASKS = "dense_masks"
"""Option of files with MASK_SCORES: False leaves MASKS empty, which take gigabytes for many objects."""


class Session:
    """An exported file in ONNX Runtime.

    path:           of the file
    has_masks:      whether the model finds masks
    has_mask_scores: whether it gives their scores, from which only the pixels in the boxes are computed
    has_proposals:  whether it needs proposals

    Raises CheckpointError, naming the file, if ONNX Runtime does not read it, or if its inputs and outputs
    are not those of the task; UsageError for a device or a number of threads that this machine does not have.
    """

    def __init__(self, file: OnnxFile, task: Task, device: str = "auto", threads: int | None = None) -> None:
        self.path = file.path
        self._session = open_file(file, device, threads)
        inputs = {each.name: each for each in self._session.get_inputs()}
        outputs = {each.name: each for each in self._session.get_outputs()}
        self.has_proposals = "proposals" in inputs
        self.has_masks = "masks" in outputs
        self._check("inputs", inputs, INPUTS | (PROPOSALS if self.has_proposals else {}))
        self.has_mask_scores = self.has_masks and "mask_scores" in outputs
        self._options = without_dense_masks(self._session)
        needed = OUTPUTS[task] | (MASKS if self.has_masks and task == "detection" else {})
        self._check("outputs", outputs, needed | (MASK_SCORES if self.has_mask_scores else {}))
        self._outputs = OUTPUTS[task] | MASK_SCORES if self.has_mask_scores else needed

    def run(self, pixels: NDArray[np.uint8], proposals: NDArray[np.float32] | None) -> dict[str, Any]:
        """The outputs by name for one photo (H, W, 3), with its proposals if the model needs them.

        Raises CheckpointError, naming the file, if ONNX Runtime fails.
        """
        feeds: dict[str, Any] = {
            "photos": pixels[None],
            "sizes": np.array([pixels.shape[:2]], dtype=np.int64),
            **self._options,
        }
        if proposals is not None:
            feeds |= {"proposals": proposals, "proposal_counts": np.array([len(proposals)], dtype=np.int64)}
        try:
            values = self._session.run(list(self._outputs), feeds)
        except _errors() as error:
            raise CheckpointError.in_file(
                self.path, f"ONNX Runtime cannot run this file ({_first_line(error)}). {REMEDY}"
            ) from error
        return dict(zip(self._outputs, values, strict=True))

    def _check(self, kind: str, found: Mapping[str, Any], expected: Mapping[str, Form]) -> None:
        """Raise CheckpointError unless these are the inputs or outputs, with axes of any length."""
        forms = {name: (each.type, len(each.shape)) for name, each in found.items()}
        if forms != dict(expected):
            raise self._mismatch(kind, _describe(expected), _describe(forms))
        if kind == "inputs":
            shape = found["photos"].shape
            if any(isinstance(side, int) for side in shape[:3]) or shape[3] not in (3, "", None):
                raise self._mismatch(kind, "photos of any size", f"photos of {shape}")

    def _mismatch(self, kind: str, expected: str, found: str) -> CheckpointError:
        reason = f"expected the {kind} {expected}; found {found}. {REMEDY}"
        return CheckpointError.in_file(self.path, reason)


def _describe(forms: Mapping[str, Form]) -> str:
    return ", ".join(f"{name} {kind} with {axes} axes" for name, (kind, axes) in forms.items()) or "nothing"


# ---------------------------------------------------------------- ONNX Runtime


def open_file(
    file: OnnxFile, device: str, threads: int | None, profile: Path | None = None
) -> onnxruntime.InferenceSession:
    """Open a checked file in ONNX Runtime.

    profile: beginning of the name of the file for a profile of the operators

    Raises CheckpointError and UsageError as `Session` does.
    """
    onnxruntime = _import()
    if threads is not None and threads < 1:
        raise UsageError(f"{option('threads')}: expected 1 or more, found {threads}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores() if threads is None else threads
    options.log_severity_level = 4  # errors are raised, and not printed as well
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # other programs need the cores
    options.add_session_config_entry("session.load_model_format", "ONNX")  # not ORT's, which was not checked
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    providers = _providers(device, onnxruntime.get_available_providers())
    try:
        return onnxruntime.InferenceSession(
            file.content,
            options,
            providers=providers,
            enable_fallback=0,  # which prints, and tries again
        )
    except _errors() as error:
        raise CheckpointError.in_file(
            file.path, f"ONNX Runtime cannot read this file ({_first_line(error)}). {REMEDY}"
        ) from error


def without_dense_masks(session: onnxruntime.InferenceSession) -> dict[str, NDArray[np.bool_]]:
    """The input that leaves full masks out, for files that have it. They take gigabytes for many objects."""
    options = [each.name for each in session.get_overridable_initializers()]
    return {name: np.array(False) for name in options if name == DENSE_MASKS}


def _import() -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise UsageError(
            "an ONNX file needs the package onnxruntime. Install it with: pip install onnxruntime"
        ) from error
    return onnxruntime


def _errors() -> tuple[type[Exception], ...]:
    """The exceptions of ONNX Runtime, which share no base class; ValueError for names that are no UTF-8."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = (getattr(state, name) for name in dir(state))
    own = (each for each in found if isinstance(each, type) and issubclass(each, Exception))
    return (*own, ValueError, RuntimeError)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__


def _providers(device: str, available: Sequence[str]) -> list[Any]:
    """What runs the file: "auto" is a GPU if onnxruntime-gpu is installed."""
    name, _, number = str(device).partition(":")
    has_gpu = "CUDAExecutionProvider" in available
    if name == "cpu" or (name == "auto" and not has_gpu):
        return ["CPUExecutionProvider"]
    if name not in ("auto", "cuda") or (number and not number.isdecimal()):
        raise UsageError(
            f"{option('device')} {device}: expected auto, cpu, cuda or cuda:NUMBER for an ONNX file"
        )
    if not has_gpu:
        raise UsageError(
            f"{option('device')} {device}: this ONNX Runtime has no CUDA. Install onnxruntime-gpu in place "
            "of onnxruntime, or leave the option out."
        )
    return [("CUDAExecutionProvider", {"device_id": int(number or 0)}), "CPUExecutionProvider"]


def usable_cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
