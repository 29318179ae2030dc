"""Exported files are served without torch, by the program and from Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

FORBIDDEN = """
import sys

names = (
    "torch torchvision timm numba jaxtyping scipy hotcoco supervision matplotlib sklearn fontTools shapely "
    "msgspec yaml filelock platformdirs psutil safetensors accelerate jinja2 pandas onnx"
)
for name in names.split():
    sys.modules[name] = None  # importing it fails
"""
PROGRAM = "from boxmask.cli import main\nmain()"
FUNCTION = """
import boxmask

boxmask.serve(sys.argv[2], port=0, started=lambda listening: print("at", listening.url, flush=True))
"""


@pytest.mark.parametrize("code", [PROGRAM, FUNCTION], ids=["program", "function"])
def test_an_exported_file_is_served_without_torch(write: Any, photo: Path, code: str) -> None:
    command = [sys.executable, "-c", FORBIDDEN + code, "serve", str(write()), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = next((line for line in process.stdout if "http" in line), "")
        assert line, process.communicate()
        url = line.split(" at ")[-1].removeprefix("at ").partition(";")[0].strip()
        with photo.open("rb") as file:
            reply = httpx.post(f"{url}/v1/predict", files={"photos": file}, timeout=30)
        assert reply.json()["results"] == [
            {
                "name": "photo.png",
                "width": 6,
                "height": 4,
                "objects": [{"class": "dog", "score": 0.5, "box": [0, 0, 6, 4]}],
            }
        ]
        assert httpx.get(f"{url}/label-studio/health").status_code == 404
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def test_what_needs_torch_says_what_to_install(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORBIDDEN + PROGRAM, "serve", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is not an ONNX file, so it needs the package" in done.stderr


def test_without_the_packages_of_the_server(write: Any) -> None:
    for package in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
        hide = f"import sys\nsys.modules[{package!r}] = None\n"
        command = [sys.executable, "-c", hide + PROGRAM, "serve", str(write()), "--port", "0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr == (
            f"boxmask: boxmask serve needs the package {package}, which is not installed. Install it with: "
            'pip install "boxmask[serve]"\n'
        )
