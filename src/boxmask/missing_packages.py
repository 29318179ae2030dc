"""Say in one sentence what to install where boxmask-runtime lacks a package that boxmask has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boxmask.errors import UsageError

WHOLE_TOOLKIT = (
    "Replace boxmask-runtime by the whole toolkit: pip uninstall boxmask-runtime, then pip install boxmask."
)


@contextmanager
def needs_packages(what: str, remedy: str = WHOLE_TOOLKIT) -> Iterator[None]:
    """Raise UsageError in place of the ModuleNotFoundError of another package. Also a decorator.

    what: what needs the package, for example "boxmask.train"
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "boxmask").partition(".")[0]
        if package == "boxmask":  # an error of ours
            raise
        raise UsageError(f"{what} needs the package {package}, which is not installed. {remedy}") from error
