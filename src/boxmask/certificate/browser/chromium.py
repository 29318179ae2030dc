"""Find and start Chromium or a browser that is made from it, and find onnxruntime-web."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from boxmask.errors import UsageError
from boxmask.options import option

PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing is fetched from elsewhere
)
SCRIPTS = ("ort.wasm.min.mjs", "ort.min.mjs", "ort.all.min.mjs")
PLACES = ("", "dist", "onnxruntime-web/dist", "node_modules/onnxruntime-web/dist")
WATCHER = Path(__file__).with_name("watcher.py")
SECONDS_TO_END = 15  # more than the watcher gives the browser


@dataclass(frozen=True)
class WebRuntime:
    """The scripts of onnxruntime-web.

    folder:  with its scripts
    script:  the name of the main one
    version: "" if it is not known
    """

    folder: Path
    script: str
    version: str


def find_web_runtime(folder: Path) -> WebRuntime:
    """The scripts in a folder: onnxruntime-web itself, or where npm has installed it.

    Raises UsageError if there are none.
    """
    for place in PLACES:
        found = folder / place
        for script in SCRIPTS:
            if (found / script).is_file():
                return WebRuntime(found, script, _version(found.parent / "package.json"))
    raise UsageError(
        f"{option('browser')} {folder}: there is no onnxruntime-web in this folder. Install it with npm "
        "install onnxruntime-web, and give the folder node_modules/onnxruntime-web."
    )


def _version(package: Path) -> str:
    try:
        return str(json.loads(package.read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def find_chromium() -> str:
    """The program of a browser. Raises UsageError if there is none."""
    for program in PROGRAMS:
        if path := shutil.which(program):
            return path
    raise UsageError(
        f"{option('browser')} needs Chromium, Chrome or Edge, and none was found. Install one, or leave the "
        "option out."
    )


@contextmanager
def started_browser(program: str, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """A browser without a window that shows a page until the block ends, or this process, however it ends."""
    flags = [*FLAGS, *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else [])]  # root cannot
    process = subprocess.Popen(
        [sys.executable, str(WATCHER), program, *flags, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C ends it below
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)
        process.kill()
        process.wait()
