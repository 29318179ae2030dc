"""Reports for a browser: pages that boxmask wrote, kept apart from the server's own pages."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import Response

from boxmask.outputs import is_unchanged_output
from boxmask.serving.errors import RequestError

MAX_BYTES = 256 * 2**20
HEAD = 4096  # characters in which the policy is

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_HASH = r"(sha256-[A-Za-z0-9+/]{43}=)"
_HASHES = re.compile(rf"style-src (?:'|&#39;){_HASH}(?:'|&#39;); script-src (?:'|&#39;){_HASH}(?:'|&#39;)")


def report_reply(report: Path) -> Response:
    """A report, with headers that let only its own style and script run, in an origin of its own.

    Raises RequestError for a file that boxmask did not write, or that was changed since.
    """
    if not is_unchanged_output(report):
        raise _refused(report, "was changed since boxmask wrote it")
    try:
        if report.stat().st_size > MAX_BYTES:
            raise _refused(report, "is too large for this page")
        content = report.read_bytes()
    except OSError as error:
        raise _refused(report, f"cannot be read ({error.strerror})") from error
    policy = _POLICY.search(content[:HEAD].decode("utf-8", "replace"))
    hashes = policy and _HASHES.search(policy[1])
    if not hashes:
        raise _refused(report, "has no policy for its style and script")
    headers = {"Content-Security-Policy": content_policy(hashes[1], hashes[2])}
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


def content_policy(style: str, script: str) -> str:
    """The policy of a report. Its sandbox has no origin, so that its script reaches nothing of the server."""
    return (
        f"default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts"
    )


def _refused(report: Path, problem: str) -> RequestError:
    message = f"{report.name}: this report {problem}. Open the file itself, or make it again."
    return RequestError(409, "report-refused", message)
