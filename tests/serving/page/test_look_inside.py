"""The view that looks inside a model, in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.serving.explain.test_explain_route import painted, png, torch_model
from tests.serving.page.conftest import OpenSite, Site, check_accessibility, take_shots

TWO_STAGES = [
    "Image",
    "Features",
    "Anchors",
    "RPN objectness",
    "Proposals",
    "RoI pooling",
    "Class scores",
    "Box regression",
    "Non-maximum suppression",
    "Masks before pasting",
    "Detections",
]


@pytest.fixture(scope="module")
def site(start_site: Site, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server with small models of each kind."""
    from dataclasses import replace

    names = ("mask-rcnn", "fcos", "unet", "classifier")
    models = [replace(torch_model(name), name=name) for name in names]
    out = tmp_path_factory.mktemp("out") / "runs"
    return start_site(models, timeout=600.0, data=(tiny_data,), out=out)


@pytest.fixture
def view(site: str, open_site: OpenSite) -> Any:
    """The view."""
    return open_site(site, "#/look-inside")


def choose(page: Any, model: str, photo: bytes | None = None) -> None:
    """Choose a model and a photo, and wait for the stages."""
    page.get_by_label("Model", exact=True).select_option(model)
    with page.expect_response("**/v1/explain"):
        page.locator("input[type=file]").first.set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": photo or png(painted())}
        )
    page.wait_for_function("() => document.querySelector('.look-status').textContent === ''")
    page.wait_for_selector(".look-stages")


def stage_names(page: Any) -> list[str]:
    """Without their numbers."""
    return [name.split(None, 1)[1] for name in page.locator(".look-row li button").all_inner_texts()]


def go(page: Any, stage: str) -> None:
    page.locator(".look-row li button", has_text=re.compile(rf"^\d+\s*{re.escape(stage)}$")).click()
    page.get_by_role("heading", name=stage, exact=True).wait_for()


def colors(page: Any) -> int:
    """How many colors the map over the photo has."""
    page.wait_for_selector(".raster canvas")
    return int(
        page.evaluate(
            """() => {
              const canvas = document.querySelector('.raster canvas');
              const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
              return new Set(new Uint32Array(pixels.buffer)).size;
            }"""
        )
    )


def marks(page: Any) -> int:
    return int(page.locator("g.mark").count())


def test_the_arrow_keys_step_through_the_stages(view: Any) -> None:
    choose(view, "mask-rcnn")
    assert stage_names(view) == TWO_STAGES
    assert view.get_by_role("button", name="Previous stage").is_disabled()
    for name in TWO_STAGES[1:]:
        view.keyboard.press("ArrowRight")
        view.get_by_role("heading", name=name, exact=True).wait_for()
        assert view.locator("button[aria-current=step]").inner_text().endswith(name)
    assert view.get_by_role("button", name="Next stage").is_disabled()
    assert view.get_by_text("Detections", exact=True).count() >= 1
    view.keyboard.press("ArrowLeft")
    view.get_by_role("heading", name="Masks before pasting").wait_for()
    view.get_by_role("button", name="Next stage").click()
    view.get_by_role("heading", name="Detections").wait_for()


def test_knobs_act_at_once(view: Any) -> None:
    choose(view, "mask-rcnn")
    requests: list[str] = []
    view.on("request", lambda request: requests.append(request.url))
    go(view, "Proposals")
    assert marks(view) == 30
    slider = view.get_by_label("of 40 proposals are shown")
    slider.fill("12")
    assert marks(view) == 12
    go(view, "Detections")
    before = marks(view)
    view.get_by_label("Shown from a score of").fill("0")
    assert marks(view) > before
    go(view, "Non-maximum suppression")
    everything = marks(view)
    view.get_by_label("Show the boxes that NMS removed").uncheck()
    assert 0 < marks(view) < everything
    go(view, "Features")
    fine = view.locator(".raster canvas").element_handle()
    view.get_by_role("button", name="stride 32").click()
    view.wait_for_function("fine => document.querySelector('.raster canvas') !== fine", arg=fine)
    assert colors(view) > 3
    assert [url for url in requests if url.startswith("http")] == []


def test_an_object_is_followed_to_its_anchor(view: Any) -> None:
    choose(view, "mask-rcnn")
    view.locator(".look-objects button").nth(1).click()
    name = view.locator(".look-objects button").nth(1).inner_text()
    sentences = {
        "RPN objectness": f"{name} comes from the marked anchor",
        "Proposals": f"The anchor of {name} (dashed) had an objectness of",
        "RoI pooling": f"{name} comes from part 1.",
        "Box regression": f"The edges of {name} moved by up to",
        "Non-maximum suppression": f"{name} removed",
        "Detections": f"{name} reached the result.",
    }
    for stage, sentence in sentences.items():
        go(view, stage)
        assert view.locator(".look-followed").inner_text().startswith(sentence)
    assert marks(view) == 1
    assert view.locator("text.name").text_content() == name


@pytest.mark.parametrize(
    ("model", "maps"),
    [
        ("fcos", ["Features", "Class scores per map", "Centerness per map", "Scores per map"]),
        ("unet", ["Features", "What the copied maps add", "Class scores", "Where it is unsure", "Label map"]),
        ("classifier", ["Features", "What speaks for each class"]),
    ],
)
def test_maps_are_drawn_over_the_photo(view: Any, model: str, maps: list[str]) -> None:
    choose(view, model)
    for name in maps:
        go(view, name)
        assert colors(view) > 2, name
        place = view.locator(".raster").bounding_box()
        photo = view.locator(".zoom-stage > img").bounding_box()
        assert place == pytest.approx(photo, abs=1)


def test_details_show_the_photo_beside_what_the_model_sees(view: Any) -> None:
    choose(view, "mask-rcnn")
    go(view, "RoI pooling")
    first = view.locator(".look-gallery li").first
    for part in (".look-crop", ".look-cells canvas"):
        box = first.locator(part).bounding_box()
        assert max(box["width"], box["height"]) == pytest.approx(112, abs=2)
    go(view, "Class scores")
    assert view.locator(".look-gallery li").first.locator("tr").count() == 3


def test_a_photo_of_a_data_set_has_an_address(site: str, open_site: OpenSite) -> None:
    page = open_site(site, "#/look-inside")
    page.get_by_label("Model", exact=True).select_option("classifier")
    links = page.locator(".look-data a")
    links.nth(1).click()
    page.wait_for_selector(".look-stages")
    again = open_site(site, links.nth(1).get_attribute("href"))
    again.wait_for_selector(".look-stages")
    assert again.locator(".look-data a[aria-current]").count() == 1


def test_what_is_no_photo_is_refused_with_a_sentence(site: str, open_site: OpenSite) -> None:
    page = open_site(site, "#/look-inside", expected=("422",))
    page.locator("input[type=file]").first.set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": b"no photo"}
    )
    page.get_by_text("Photo 1 (a.png):").wait_for()


@pytest.mark.parametrize("model", ["mask-rcnn", "unet"])
def test_everybody_can_use_it(view: Any, model: str) -> None:
    check_accessibility(view)
    choose(view, model)
    for name in stage_names(view):
        go(view, name)
        check_accessibility(view)
        take_shots(view, f"look-inside-{model}-{name.replace(' ', '-').lower()}")


def test_korean(site: str, open_site: OpenSite) -> None:
    page = open_site(site, "#/look-inside", language="ko-KR", width=360)
    with page.expect_response("**/v1/explain") as answer:
        page.locator("input[type=file]").first.set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": png(painted())}
        )
    assert json.loads(answer.value.text())["method"] == "mask-rcnn"
    page.get_by_role("heading", name="이미지").wait_for()
    for heading in ("특징", "앵커", "RPN 물체 점수", "제안 영역"):
        page.get_by_role("button", name="다음 단계").click()
        page.get_by_role("heading", name=heading, exact=True).wait_for()
