"""The options of a certificate."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.certificate.options import certificate_options
from boxmask.errors import UsageError


def test_no_certificate(tmp_path: Path) -> None:
    assert certificate_options(None, None, None) is None
    with pytest.raises(UsageError, match=r"--browser needs --certificate\. Add --certificate PAGE\.html"):
        certificate_options(None, None, tmp_path)


def test_a_page(tmp_path: Path) -> None:
    options = certificate_options(tmp_path / "page.html", tmp_path, None)
    assert options is not None
    assert (options.path, options.data, options.runtime) == (tmp_path / "page.html", tmp_path, None)


def test_another_ending(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"page\.pdf: expected a file name that ends in \.html"):
        certificate_options(tmp_path / "page.pdf", None, None)


def test_files_of_the_user_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("mine")
    with pytest.raises(UsageError, match=r"page\.html"):
        certificate_options(tmp_path / "page.html", None, None)
    assert (tmp_path / "page.html").read_text() == "mine"
