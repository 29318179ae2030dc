"""The forms of a model that a certificate compares: PyTorch, ONNX Runtime and the browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import onnx
from torch import Tensor

from boxmask.certificate.browser.chromium import WebRuntime
from boxmask.certificate.browser.session import BrowserSession, browser_session
from boxmask.exporting.int8.predictor import Predictor, predict_photo
from boxmask.pipeline.selective_search import selective_search
from boxmask.runtime.session import usable_cores

PYTORCH, ONNX, INT8 = "PyTorch", "ONNX Runtime", "ONNX Runtime, 8 bits"
BROWSER, BROWSER_INT8 = "browser", "browser, 8 bits"
FULL_MASKS = "masks"  # an output that is large, and follows from "mask_scores"


class Predicts(Protocol):
    """A model, whatever runs it."""

    @property
    def config(self) -> Any:
        """The config of the model."""

    def predict(self, photo: Any, proposals: Any = None) -> Any:
        """The result for one photo."""


@dataclass(frozen=True)
class Form:
    """A form of a model that is ready to predict.

    file:    None for PyTorch
    is_int8: whether layers are computed in 8 bits
    session: None unless a browser runs the file
    """

    name: str
    model: Predicts
    file: Path | None = None
    is_int8: bool = False
    session: BrowserSession | None = None


class BrowserPredictor:
    """A file in a browser. `predict` takes one photo, as that of the model does."""

    def __init__(self, session: BrowserSession, config: Any) -> None:
        self.session, self.config = session, config

    def predict(self, photo: Path | Tensor, proposals: Tensor | None = None) -> Any:
        """The result for one photo. Raises ExportError if the browser cannot run the file."""
        return predict_photo(self.session.run_feeds, self.config, photo, proposals)


def propose(model: Predicts, image: Tensor) -> Tensor | None:
    """The boxes of Selective Search in a photo (3, H, W) for R-CNN and Fast R-CNN; None for other models."""
    search = getattr(model.config, "search", None)
    return None if search is None else selective_search(image, search)


@contextmanager
def open_forms(model: Predicts, files: dict[str, Path], runtime: WebRuntime | None) -> Iterator[list[Form]]:
    """All forms of a model, PyTorch first, until the block ends.

    files: of the forms ONNX and INT8
    """
    forms = [Form(PYTORCH, model)]
    with ExitStack() as stack:
        for name, file in files.items():
            forms.append(Form(name, Predictor(onnx.load(file), model.config), file, name == INT8))
        for name, file in files.items() if runtime is not None else ():
            assert runtime is not None
            session = stack.enter_context(_in_browser(file, runtime))
            in_browser = BrowserPredictor(session, model.config)
            title = BROWSER_INT8 if name == INT8 else BROWSER
            forms.append(Form(title, in_browser, file, name == INT8, session))
        yield forms


@contextmanager
def _in_browser(file: Path, runtime: WebRuntime) -> Iterator[BrowserSession]:
    graph = onnx.load(file).graph
    inputs = [info.name for info in graph.input]
    outputs = [info.name for info in graph.output]
    needed = [name for name in outputs if name != FULL_MASKS or "mask_scores" not in outputs]
    with browser_session(file, runtime, inputs, needed, usable_cores()) as session:
        yield session
