"""Servers with data sets in this process, and their page in a browser.

    def test_a_view(tiny_site, open_site):
        page = open_site(tiny_site, "#/predict")
        ...
        check_accessibility(page)
        take_shots(page, "predict")

`BOXMASK_SCREENSHOTS=FOLDER` keeps the screenshots.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from PIL import Image
from tests.serving.page.predicting import SIZE, steady_models

from boxmask.serving.app import create_app
from boxmask.serving.models import load_models
from boxmask.serving.options import ServeOptions
from boxmask.serving.page.bundle import INDEX, read_bundle

AXE = Path(__file__).parents[3] / "page" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {360: 740, 768: 1024, 1400: 900}
THEMES = ("light", "dark")


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """A data set of one photo with one box, as COCO."""
    root = tmp_path / "boxes"
    root.mkdir()
    Image.new("RGB", (40, 30), (90, 120, 150)).save(root / "a.png")
    labels = {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 10, 10], "area": 100, "iscrowd": 0}
        ],
    }
    (root / "labels.json").write_text(json.dumps(labels))
    return root


@pytest.fixture
def client_with_data(boxes: Path, tmp_path: Path) -> TestClient:
    """A server with a data set and without models."""
    options = ServeOptions(data=(boxes,), out=tmp_path / "runs")
    return TestClient(create_app([], options, names=["testserver"]), raise_server_exceptions=False)


# ---------------------------------------------------------------- servers with a page


@pytest.fixture(scope="session")
def _page_is_built() -> None:
    if INDEX not in read_bundle():
        pytest.skip("needs the page: make page")


Site = Callable[..., str]


@pytest.fixture(scope="module")
def start_site(_page_is_built: None) -> Iterator[Site]:
    """Starts a server with models; keyword arguments are options. Returns its address."""
    with ExitStack() as stack:

        def start(models: Any, **options: Any) -> str:
            return stack.enter_context(running(create_app(models, ServeOptions(**options))))

        yield start


@contextmanager
def running(app: Any) -> Iterator[str]:
    """A server in a thread, on a free port of this computer. Gives its address."""
    opened = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{opened.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def tiny_data(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 24 photos of digits, which the tests of a module may change."""
    return Path(shutil.copytree(demo, tmp_path_factory.mktemp("data") / "digits"))


@pytest.fixture(scope="module")
def tiny_site(
    start_site: Site,
    runs: Callable[[str], Path],
    tiny_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The address of a server with the tiny models `faster-rcnn` and `unet`, and with `tiny_data`.

    The models were trained for seconds, and find next to nothing.
    """
    models = load_models([runs("faster-rcnn"), runs("unet")], ServeOptions(device="cpu"))
    return start_site(models, data=(tiny_data,), out=tmp_path_factory.mktemp("out") / "runs")


# ---------------------------------------------------------------- browsers

OpenSite = Callable[..., Any]


@pytest.fixture
def open_site(browser: Any) -> Iterator[OpenSite]:
    """Opens the page of a server. Messages of the browser, and requests to other servers, fail the test.

    open_site(address, "#/train", width=360, theme="dark", language="ko", expected=("401",))

    expected: parts of messages that the test causes, for example "401" of a refused request
    """
    problems: list[str] = []
    with ExitStack() as stack:

        def open_page(
            address: str,
            view: str = "",
            *,
            width: int = 1400,
            theme: str = "light",
            language: str = "en-US",
            expected: tuple[str, ...] = (),
            **context: Any,
        ) -> Any:
            viewport = {"width": width, "height": WIDTHS.get(width, 900)}
            opened = browser.new_context(
                viewport=viewport, color_scheme=theme, locale=language, reduced_motion="reduce", **context
            )
            stack.callback(opened.close)
            page = opened.new_page()
            page.set_default_timeout(60_000)  # the tests may share their processors
            page.on("console", lambda message: note(message.text, expected))
            page.on("pageerror", lambda error: note(str(error), expected))
            own = (address, "blob:", "data:")
            page.on(
                "request", lambda request: problems.extend([request.url] * (not request.url.startswith(own)))
            )
            page.goto(f"{address}/{view}")
            page.wait_for_selector("main h1, main form")
            return page

        def note(message: str, expected: tuple[str, ...]) -> None:
            if not any(part in message for part in expected):
                problems.append(message)

        yield open_page
    assert problems == []


def check_accessibility(page: Any) -> None:
    """Fail for serious violations that axe-core finds in what the page shows, in both themes."""
    if not AXE.is_file():
        pytest.skip("needs axe-core: make page")
    page.evaluate(AXE.read_text(encoding="utf-8"))  # outside of the content policy, as a browser's own tools
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        serious = [
            f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == []


def take_shots(page: Any, name: str) -> None:
    """Take screenshots in all widths and themes, and fail if the page is wider than the screen."""
    folder = os.environ.get("BOXMASK_SCREENSHOTS")
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(200)
            if folder:
                page.screenshot(path=f"{folder}/{name}-{width}-{theme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"


# ---------------------------------------------------------------- the view Predict


@pytest.fixture(scope="module")
def predict_site(start_site: Site) -> str:
    """The address of a server whose models find the same in every photo."""
    return start_site(steady_models())


@pytest.fixture
def photos(tmp_path: Path, scene: Callable[..., Image.Image]) -> list[Path]:
    """Three photos."""
    files = [tmp_path / f"{name}.jpg" for name in ("one", "two", "three")]
    for number, file in enumerate(files):
        scene(number, SIZE).save(file)
    return files
