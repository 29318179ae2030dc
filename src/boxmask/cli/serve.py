"""boxmask serve [RUN...]: a page in the browser, and answers to other programs over HTTP."""

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
    runs: list[Path] | None = None,
    /,
    *,
    options: Annotated[ServeOptions, Parameter(name="*")] = ServeOptions(),  # noqa: B008 (frozen)
) -> None:
    """Show a page in the browser: find objects in photos, correct labels, train, compare.

    Other programs ask over HTTP: photos in, objects out. The first run is the default; requests choose
    another by its name. Ctrl-C, SIGTERM and a closed terminal stop the server after the requests that are in
    work; the exit code is then 0. It asks no other server, and writes files only if --data is given.
    docs/how-to/serve.md shows requests with curl and Python.

    Parameters
    ----------
    runs
        Folders written by training, checkpoints, exported files (.onnx), or names of published weights
        (boxmask weights list). May be left out if --data is given.
    """
    from boxmask.missing_packages import needs_packages
    from boxmask.serve_verb import INSTALL

    with needs_packages("boxmask serve", INSTALL):
        from boxmask.serving.models import load_models
        from boxmask.serving.server import serve_models

    models = load_models(runs or [], options)
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
    print(f"page: open {listening.url} in a browser", file=sys.stderr)
    if models:
        print(f"to ask it: curl {header}-F photos=@photo.jpg {listening.url}/v1/predict", file=sys.stderr)
