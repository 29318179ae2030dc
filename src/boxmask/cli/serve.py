"""boxmask serve RUN...: answer requests of other programs over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from boxmask.serving.options import ServeOptions

if TYPE_CHECKING:
    from boxmask.serving.models import ServedModel
    from boxmask.serving.server import Listening


def serve(
    runs: list[Path],
    /,
    *,
    options: Annotated[ServeOptions, Parameter(name="*")] = ServeOptions(),  # noqa: B008 (frozen)
) -> None:
    """Answer requests of other programs over HTTP: photos in, objects out.

    The first run is the default; requests choose another by its name. Ctrl-C, SIGTERM and a closed terminal
    stop the server after the requests that are in work; the exit code is then 0. It writes no files and asks
    no other server. docs/how-to/serve.md shows requests with curl and Python.

    Parameters
    ----------
    runs
        Folders written by training, checkpoints, exported files (.onnx), or names of published weights
        (boxmask weights list).
    """
    from boxmask.missing_packages import needs_packages
    from boxmask.serve_verb import INSTALL

    with needs_packages("boxmask serve", INSTALL):
        from boxmask.serving.models import load_models
        from boxmask.serving.server import serve_models

    models = load_models(runs, options.device)
    serve_models(models, options, lambda listening: _show(models, listening, options.token))


def _show(models: list[ServedModel], listening: Listening, token: str | None) -> None:
    """Print where the server listens and how to ask it."""
    for model in models:
        classes = "1 class" if len(model.class_names) == 1 else f"{len(model.class_names)} classes"
        print(f"{model.name}: {model.method}, {classes}")
    print(f"serving at {listening.url}; Ctrl-C stops it", flush=True)
    if listening.new_token is not None:
        print(f"token (shown once): {listening.new_token}", file=sys.stderr)
    if not listening.is_local:
        print(
            "note: other computers can reach this server. The connection is not encrypted: use it in a "
            "trusted network, or behind a proxy with HTTPS.",
            file=sys.stderr,
        )
    has_token = token is not None or listening.new_token is not None
    header = '-H "Authorization: Bearer TOKEN" ' if has_token else ""
    print(f"to try it: curl {header}-F photos=@photo.jpg {listening.url}/v1/predict", file=sys.stderr)
