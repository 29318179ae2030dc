"""The public function that serves models. It imports what it needs, so that `import boxmask` is quick."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from boxmask.missing_packages import needs_packages

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from boxmask.runs.run import Run
    from boxmask.serving.options import ServeKeywords
    from boxmask.serving.server import Listening

Runs: TypeAlias = "Run | str | os.PathLike[str] | Sequence[Run | str | os.PathLike[str]]"
"""A run, checkpoint, name of published weights, or exported file: one, or several."""

INSTALL = 'Install it with: pip install "boxmask[serve]"'


@needs_packages("boxmask.serve", INSTALL)
def serve(
    runs: Runs = (), *, started: Callable[[Listening], None] | None = None, **options: Unpack[ServeKeywords]
) -> None:
    """Show a page in the browser, and answer requests over HTTP, until a signal stops the program.

        boxmask.serve("model.onnx", port=8000)
        boxmask.serve("runs/faster-rcnn-1", data=[Path("photos/")])

    runs:    one or several; the first is the default, and requests choose another by its name. May be left
             out if `data` is given
    started: called with the address, and with the token if one was made
    options: fields of `boxmask.serving.options.ServeOptions`; `boxmask serve --help` describes them

    Signals can be handled in the main thread only: call it there. For a server of your own, pass
    `boxmask.serving.app.create_app` to it.
    Raises UsageError and CheckpointError, and WeightsError for published weights.
    """
    from boxmask.options import check_names
    from boxmask.serving.models import load_models
    from boxmask.serving.options import ServeOptions
    from boxmask.serving.server import serve_models

    check_names("serve", options, ServeOptions)
    given = ServeOptions(**options)
    sources = [runs] if isinstance(runs, str) or not isinstance(runs, Sequence) else runs
    models = load_models([Path(source) for source in sources], given)
    serve_models(models, given, started)
