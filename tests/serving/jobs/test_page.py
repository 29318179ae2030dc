"""The views Train, Compare and Forecast in a browser, with a quick program in place of boxmask."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from PIL import Image
from tests.serving.conftest import served
from tests.serving.jobs.conftest import FAKE
from tests.serving.jobs.fake_boxmask import FAILS, WAITS

from boxmask.outputs import write_output
from boxmask.pages.render import content_policy
from boxmask.serving.app import create_app
from boxmask.serving.jobs import process, queue
from boxmask.serving.options import ServeOptions
from boxmask.serving.page.bundle import read_bundle

AXE = Path(__file__).parents[3] / "page" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (360, 768, 1400)


@pytest.fixture
def url(demo: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server with the page, in a thread of this process."""
    if not read_bundle():
        pytest.skip("needs the page: run make page")
    monkeypatch.setattr(process, "PROGRAM", FAKE)
    monkeypatch.setattr(queue, "POLL_SECONDS", 0.05)
    app = create_app([served()], ServeOptions(data=(demo,), out=out))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(60)


@pytest.fixture
def open_view(browser: Any, url: str) -> Iterator[Callable[..., Any]]:
    """Opens a view; messages of the browser fail the test."""
    problems: list[str] = []
    contexts = []

    def open_view(view: str, width: int = 1400, scheme: str = "light", locale: str = "en-US") -> Any:
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, locale=locale)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{url}/#/{view}")
        return page

    yield open_view
    for context in contexts:
        context.close()
    assert problems == []


def test_a_training_is_started_stopped_and_resumed(open_view: Callable[..., Any]) -> None:
    page = open_view("train")
    page.get_by_label("Method").select_option("fcos")
    page.get_by_label("Minutes").fill("1")
    page.get_by_text("More options").click()
    page.get_by_label("Random seed").fill(str(WAITS))
    assert page.locator(".plan").inner_text() == "Trains fcos on digits for one minute. It starts at once."
    page.get_by_role("button", name="Start training").click()
    detail = page.get_by_role("article")
    detail.get_by_text("running").wait_for()
    detail.get_by_role("progressbar", name="training").wait_for()
    assert "30 s left · 8 photos/s" in detail.inner_text()
    detail.get_by_role("img", name="Loss").wait_for()
    detail.get_by_role("button", name="Stop: fcos-1").click()
    detail.get_by_text("stopped", exact=True).wait_for()
    detail.get_by_role("button", name="Resume: fcos-1").click()
    detail.get_by_text("done", exact=True).wait_for()


def test_a_failure_is_explained(open_view: Callable[..., Any]) -> None:
    page = open_view("train")
    page.get_by_text("More options").click()
    page.get_by_label("Random seed").fill(str(FAILS))
    page.get_by_role("button", name="Start training").click()
    detail = page.get_by_role("article")
    detail.get_by_text("Why it failed").wait_for()
    assert "photo.jpg: this photo is damaged." in detail.inner_text()
    assert detail.locator("code").inner_text().startswith("boxmask train ")


def test_the_queue_is_put_in_order_by_keyboard(open_view: Callable[..., Any]) -> None:
    page = open_view("train")
    page.get_by_text("More options").click()
    page.get_by_label("Random seed").fill(str(WAITS))
    start = page.get_by_role("button", name="Start training")
    page.locator("button.main:enabled").wait_for()
    for name in ("ssd-1", "ssd-2", "ssd-3"):
        start.focus()
        page.keyboard.press("Enter")
        page.get_by_role("article").get_by_role("heading", name=name).wait_for()
    page.get_by_role("list").get_by_role("button", name="Move up: ssd-3").press("Enter")
    page.locator("ul.jobs li:nth-child(2)", has_text="ssd-3").wait_for()
    page.get_by_role("list").get_by_role("button", name="Remove: ssd-2").press("Enter")
    page.get_by_role("link", name="ssd-2").wait_for(state="detached")
    page.get_by_role("article").get_by_role("button", name="Remove: ssd-3").press("Enter")
    page.get_by_role("article").wait_for(state="detached")
    page.wait_for_timeout(3000)  # the removed job is not asked for: an answer 404 would fail the test


def test_wrong_numbers_are_not_sent(open_view: Callable[..., Any]) -> None:
    page = open_view("forecast")
    page.get_by_label("Method").wait_for()
    more = page.get_by_label("More photos")
    more.fill("25, many")
    assert page.get_by_role("button", name="Start forecast").is_disabled()
    assert more.get_attribute("aria-invalid") == "true"
    more.fill("25, 50")
    page.get_by_label("Minutes per training").fill("")
    page.get_by_role("button", name="Start forecast").click()
    page.wait_for_timeout(500)
    assert page.get_by_role("article").count() == 0


# ---------------------------------------------------------------- results


def write_results(out: Path, demo: Path) -> None:
    """A training, a comparison in work, and a finished forecast."""
    run = out / "trained"
    (run / "predictions").mkdir(parents=True)
    write(run / "recipe.json", {"data": str(demo.absolute()), "recipe": {"model": "ssd", "max_minutes": 2}})
    rows: list[dict[str, Any]] = [
        {"stage": "training", "step": step, "minutes": step / 50, "box": 4 / step, "class": 9 / step}
        for step in range(1, 101)
    ]
    rows += [
        {"stage": "training", "step": step, "minutes": step / 50, "val": {"AP": step / 200, "images": 6}}
        for step in (33, 66, 100)
    ]
    (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "last.safetensors").touch()
    for percent in (33, 100):
        Image.new("RGB", (400, 100), (90, percent, 150)).save(
            run / "predictions" / f"validation-{percent:03d}.jpg"
        )
    folder = out / "compared"
    (folder / "runs" / "ssd-seed-0").mkdir(parents=True)
    write(folder / "settings.json", {"data": str(demo.absolute()), "max_minutes": 5})
    row = {"name": "ssd", "value": 0.41, "interval": [0.3, 0.5], "minutes": 5, "ms_per_photo": {"torch": 31}}
    failed = {"name": "fcos", "message": "out of memory. Close other programs."}
    write(
        folder / "progress.json",
        {"plan": ["two models"], "metric": "AP", "models": [row], "failed": [failed]},
    )
    write_report(folder / "report.html")
    folder = out / "forecast"
    folder.mkdir()
    write(folder / "settings.json", {"data": str(demo.absolute()), "model": "ssd", "max_minutes": 5})
    write(folder / "forecast.json", FORECAST)


FORECAST: dict[str, Any] = {
    "metric": "AP",
    "training_photos": 40,
    "trainings": [{"photos": photos, "AP": 0.1 + photos / 100} for photos in (40, 40, 5, 10, 20)],
    "overall": {
        "now": 0.5,
        "now_interval": [0.45, 0.55],
        "forecast": [{"more": 40, "photos": 80, "value": 0.6, "interval": [0.5, 0.7]}],
    },
    "sentences": ["40 more photos would bring 0.1."],
    "warnings": ["The test photos are few."],
}


def write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content))


def write_report(file: Path) -> None:
    """A page whose script writes whether it reaches the server."""
    style = "body { color: green }"
    script = "document.body.append(` origin ${self.origin}`)"
    policy = content_policy(style, script).replace("'", "&#39;")
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
    with write_output(file) as partial:
        partial.write_text(
            f"<!doctype html><html lang=en><head>{head}<title>report</title><style>{style}</style></head>"
            f"<body>report<script>{script}</script></body></html>"
        )


SHOWN = {"train": "Found after 100% of the training", "compare": "0.410", "forecast": "40 more photos"}


@pytest.mark.parametrize("view", SHOWN)
def test_results_fit_every_screen(open_view: Callable[..., Any], demo: Path, out: Path, view: str) -> None:
    write_results(out, demo)
    for width in WIDTHS:
        page = open_view(view, width)
        page.get_by_text(SHOWN[view]).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page = open_view(view, 1400, "dark", "ko-KR")
    page.locator("article").wait_for()
    assert page.evaluate("document.documentElement.lang") == "ko"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, url: str, demo: Path, out: Path, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("needs axe-core: npm ci in page/")
    write_results(out, demo)
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)  # axe itself is an inline script
    page = context.new_page()
    for view in SHOWN:
        page.goto(f"{url}/#/{view}")
        page.get_by_text(SHOWN[view]).first.wait_for(timeout=60_000)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        violations = page.evaluate("axe.run()")["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []
    context.close()


def test_a_report_opens_in_an_origin_of_its_own(open_view: Callable[..., Any], demo: Path, out: Path) -> None:
    write_results(out, demo)
    page = open_view("compare")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the report").click()
    report = opened.value
    report.get_by_text("origin null").wait_for()
    assert report.evaluate("getComputedStyle(document.body).color") == "rgb(0, 128, 0)"


def test_the_pictures_are_stepped_through(open_view: Callable[..., Any], demo: Path, out: Path) -> None:
    write_results(out, demo)
    page = open_view("train")
    page.get_by_role("button", name="Earlier").click()
    page.get_by_text("Found after 33% of the training").wait_for()
    picture = page.get_by_role("img", name="A few validation photos")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 400
    assert page.get_by_role("button", name="Earlier").is_disabled()
