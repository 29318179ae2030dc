"""The programs in the docs for C++ and JavaScript find the objects that Python finds."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from boxmask.certificate.browser.chromium import find_chromium, find_web_runtime, started_browser
from boxmask.errors import UsageError
from boxmask.exporting.parity.photos import generated_photos
from boxmask.exporting.session import Session
from boxmask.exporting.table import build_graph
from boxmask.models.table import make_config, model_entry

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "how-to" / "export.md"
WEB = Path(os.environ.get("ONNXRUNTIME_WEB", ROOT / "node_modules"))
CPP = Path(os.environ.get("ONNXRUNTIME_CPP", "/usr"))  # with include and lib
HEADERS = [CPP / "include", CPP / "include" / "onnxruntime"]
SMALL = {"backbone": "resnet18", "shorter_side": 64, "longer_side": 96, "channels": 64, "rpn_channels": 64}


def example(language: str) -> str:
    [code] = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.S)
    return str(code)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.onnx and the same photo as photo.ppm and photo.png."""
    folder = tmp_path_factory.mktemp("example")
    torch.manual_seed(0)
    options = {**SMALL, "hidden": 64, "score_threshold": 0.01}
    config = make_config("faster-rcnn", "default", class_names=("cat", "dog"), **options)
    model = model_entry("faster-rcnn").build(config, None).eval()
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d) and "backbone" not in name:
            nn.init.normal_(layer.weight, std=0.05)
    (folder / "model.onnx").write_bytes(build_graph(model).model().SerializeToString())  # type: ignore[arg-type]
    photo = Image.fromarray(generated_photos()[0].pixels)
    photo.save(folder / "photo.ppm")
    photo.save(folder / "photo.png")
    return folder


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    with Image.open(folder / "photo.png") as photo:
        found = Session(folder / "model.onnx").run([np.asarray(photo)])
    assert len(found["scores"]) > 10
    return found


def check(found: dict[str, Any], expected: dict[str, Any]) -> None:
    np.testing.assert_array_equal(found["labels"], expected["labels"])
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-4)
    np.testing.assert_allclose(np.reshape(found["boxes"], (-1, 4)), expected["boxes"], atol=0.05)


# ---------------------------------------------------------------- C++


def compile_command(source: Path, program: Path) -> list[str]:
    compiler = shutil.which("g++") or shutil.which("clang++")
    libraries = sorted(CPP.glob("lib/**/libonnxruntime.so*"))
    if compiler is None or not libraries or not any(path.is_dir() for path in HEADERS[1:]):
        pytest.skip(
            "needs a C++ compiler and ONNX Runtime's headers and library, in $ONNXRUNTIME_CPP or /usr"
        )
    includes = [f"-I{path}" for path in HEADERS]
    library = libraries[0]
    return [
        compiler,
        "-std=c++17",
        *includes,
        str(source),
        str(library),
        f"-Wl,-rpath,{library.parent}",
        "-o",
        str(program),
    ]


def test_cpp(folder: Path, expected: dict[str, Any]) -> None:
    source, program = folder / "detect.cpp", folder / "detect"
    source.write_text(example("cpp"))
    subprocess.run(compile_command(source, program), check=True, timeout=300)
    done = subprocess.run([program], cwd=folder, check=True, capture_output=True, text=True, timeout=300)
    rows = [re.split(r"[ :,]+", line) for line in done.stdout.splitlines()]
    found = np.array(rows, dtype=np.float64)
    check({"labels": found[:, 0], "scores": found[:, 1], "boxes": found[:, 2:]}, expected)


# ---------------------------------------------------------------- JavaScript

CALL = """
  const image = new Image();
  image.src = "photo.png";
  try {
    await image.decode();
    const found = await detect(image);
    const lists = {};
    for (const [name, data] of Object.entries(found)) lists[name] = [...data].map(Number);
    await fetch("found", { method: "POST", body: JSON.stringify(lists) });
  } catch (error) {
    await fetch("found", { method: "POST", body: JSON.stringify({ error: String(error) }) });
  }
</script>"""


@pytest.fixture
def page(folder: Path) -> Iterator[tuple[str, Queue[dict[str, Any]]]]:
    """A server for the folder, and what the page sends back."""
    answers: Queue[dict[str, Any]] = Queue()

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

        def do_POST(self) -> None:
            answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    Handler.extensions_map[".mjs"] = "text/javascript"
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html", answers
        server.shutdown()


def test_javascript(folder: Path, expected: dict[str, Any], page: tuple[str, Queue[dict[str, Any]]]) -> None:
    try:
        program, runtime = find_chromium(), find_web_runtime(WEB)
    except UsageError as error:
        pytest.skip(f"{error} Tests look for it in node_modules and in $ONNXRUNTIME_WEB.")
    code, changed = re.subn(r'from "https://[^"]*"', 'from "./ort/ort.min.mjs"', example("html"))
    assert changed == 1
    (folder / "index.html").write_text(code.replace("</script>", CALL))
    (folder / "ort").symlink_to(runtime.folder)
    address, answers = page
    with started_browser(program, address):
        found = answers.get(timeout=300)
    assert "error" not in found, found
    check(found, expected)
