"""The options of a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxmask.certificate.browser.chromium import WebRuntime, find_chromium, find_web_runtime
from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.outputs import check_replaceable

SUFFIXES = (".html", ".htm")


@dataclass(frozen=True)
class CertificateOptions:
    """Where a certificate is written, and what it measures.

    path:    of the page
    data:    photos for the comparison, with labels if accuracy is to be measured
    runtime: onnxruntime-web; None: the page says that no browser was tried
    """

    path: Path
    data: Path | None
    runtime: WebRuntime | None


def certificate_options(
    path: Path | None, data: Path | None, browser: Path | None
) -> CertificateOptions | None:
    """The options of a certificate, if one is wanted.

    browser: a folder with onnxruntime-web

    Raises UsageError if they do not fit together, and if the browser or its files are missing.
    """
    if path is None:
        if browser is not None:
            raise UsageError(
                f"{option('browser')} needs {option('certificate')}. Add "
                f"{option('certificate', 'PAGE.html')}."
            )
        return None
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: expected a file name that ends in .html. Change {option('certificate')}.")
    check_replaceable([path])
    runtime = None if browser is None else find_web_runtime(browser)
    if runtime is not None:
        find_chromium()
    return CertificateOptions(path, data, runtime)
