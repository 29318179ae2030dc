"""Fixtures of many tests: real photos if they are present, a small data set, and trainings on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

if TYPE_CHECKING:
    from boxmask.runs.recipe import Recipe
    from boxmask.types import Detections


settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # a busy machine is no fault of what is tested


@pytest.fixture(scope="session", autouse=True)
def _separate_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests away from the user's cache of proposals."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOXMASK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _stop_signals_as_in_a_terminal() -> None:
    """Undo what `nohup` and `command &` do: they let a program ignore SIGHUP and Ctrl-C."""
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real labeled photos beside the repository. Skips the test if it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real photos in {folder}")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright. Skips the test if either is absent."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        pytest.skip("needs chromium: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[[Path], Any]]:
    """Opens a file in the browser, offline. Messages of the browser and requests fail the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True, locale="en-US")
    problems: list[str] = []

    def open_file(file: Path) -> Any:
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.extend([request.url] * request.url.startswith("http")))
        page.goto(file.as_uri())
        return page

    yield open_file
    assert problems == []
    context.close()


def scene(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A photo of (width, height) with large and small details; another one for each seed."""
    random = np.random.default_rng(seed)
    layers = [random.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (5, 40)]
    large = Image.fromarray(layers[0]).resize(size, Image.Resampling.BICUBIC)
    return Image.blend(large, Image.fromarray(layers[1]).resize(size, Image.Resampling.NEAREST), 0.3)


@pytest.fixture(name="scene", scope="session")
def _scene() -> Callable[..., Image.Image]:
    return scene


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set with 18 training, 2 validation and 4 test photos. Tests must not change it."""
    from boxmask.data.demo.make import make_demo

    return make_demo(tmp_path_factory.mktemp("demo") / "digits", photos=24)


@pytest.fixture(scope="session")
def quick() -> Recipe:
    """A recipe of nine steps, which take three seconds. The model hardly learns anything."""
    from boxmask.runs.recipe import Recipe

    return Recipe(
        model="faster-rcnn",
        backbone="test_resnet",
        weights="none",
        size=64,
        anchors="preset",
        batch_size=2,
        epochs=1,
        workers=0,
        num_validations=1,
    )


@pytest.fixture(scope="session")
def trained(demo: Path, quick: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished `quick` training on `demo`. Tests must not change it."""
    return train_in_one_thread(demo, quick, tmp_path_factory.mktemp("trained") / "run")


SMALL_BOXES = ("channels=16", "rpn_channels=16", "hidden=16", "test_proposals=(50, 20)")


@pytest.fixture(scope="session")
def recipes(quick: Recipe) -> dict[str, Recipe]:
    """A recipe of three to five steps for each kind of model, by name; "tiles" is a segmenter of tiles."""
    few = replace(quick, batch_size=6)
    return {
        "faster-rcnn": replace(few, model="faster-rcnn", model_options=SMALL_BOXES),
        "mask-rcnn": replace(few, model="mask-rcnn", model_options=(*SMALL_BOXES, "mask_channels=8")),
        "unet": replace(few, model="unet", model_options=("channels=(16, 16, 8, 8)",)),
        "tiles": replace(few, model="fcn", size=None, model_options=("tile=64", "hidden=((16, 3),)")),
        "classifier": replace(few, model="classifier", size=32, batch_size=16),
    }


@pytest.fixture(scope="session")
def runs(
    demo: Path, recipes: dict[str, Recipe], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Call it with a name from `recipes` for the folder of a finished training. Tests must not change it."""

    @cache
    def run(kind: str) -> Path:
        return train_in_one_thread(demo, recipes[kind], tmp_path_factory.mktemp(kind) / "run")

    return run


@pytest.fixture(scope="session")
def boxes_only(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`demo` without masks. Tests must not change it."""
    root = Path(shutil.copytree(demo, tmp_path_factory.mktemp("boxes") / "digits"))
    for file in root.glob("instances_*.json"):
        labels = json.loads(file.read_text())
        for annotation in labels["annotations"]:
            del annotation["segmentation"]
        file.write_text(json.dumps(labels))
    return root


@pytest.fixture(scope="session")
def label_maps(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos of `demo` with label maps: 1 on digits, else 0. There is no classes file."""
    from boxmask.data.detection.read import read_detection

    root, dataset = tmp_path_factory.mktemp("label-maps"), read_detection(demo)
    for photo in range(len(dataset)):
        split, path = str(dataset.splits[photo]), dataset.path(photo)
        masks = dataset.masks(photo)
        assert masks is not None
        label = Image.fromarray(masks.dense().any(axis=0).astype(np.uint8))
        for folder, name in (("images", path.name), ("masks", f"{path.stem}.png")):
            (root / folder / split).mkdir(parents=True, exist_ok=True)
            file = root / folder / split / name
            shutil.copy(path, file) if folder == "images" else label.save(file)
    return root


def train_in_one_thread(data: Path, recipe: Recipe, folder: Path) -> Path:
    """Train, and return the folder of the run. On so little data, a second thread would only wait."""
    import torch

    from boxmask.training.train import train

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train(data, recipe, folder)[0].path
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def masked_detections() -> Detections:
    """Four detections in a 60 x 80 photo: a ring, an object of two parts, an empty mask, one pixel."""
    import torch

    from boxmask.masks import Masks
    from boxmask.types import Detections

    dense = np.zeros((4, 60, 80), bool)
    dense[0, 10:40, 20:50] = True
    dense[0, 20:30, 30:40] = False
    dense[1, 35:50, 45:60] = True
    dense[1, 52:58, 5:9] = True
    dense[3, 59, 79] = True
    boxes = [(20, 10, 50, 40), (5, 35, 60, 58), (1.5, 2.25, 9, 8), (79, 59, 80, 60)]
    return Detections(
        torch.tensor(boxes, dtype=torch.float32),
        torch.tensor([0.9, 0.8, 0.7, 0.6]),
        torch.tensor([1, 0, 1, 1]),
        ("chat noir", "犬"),
        (60, 80),
        Masks.from_dense(dense),
    )
