"""The view of data in a browser: browse, filter, open a finding, correct labels, save and undo."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.serving.datasets.conftest import write_coco
from tests.serving.page.conftest import OpenSite, Site, check_accessibility, take_shots

from boxmask.data.conversion.convert import convert


@pytest.fixture
def pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three photos; a.jpg has a cat and the same dog twice. They stay as long as the server may read them."""
    folder = write_coco(tmp_path_factory.mktemp("data") / "pets")
    document = json.loads((folder / "labels.json").read_text())
    document["annotations"].append(document["annotations"][1] | {"id": 9})
    (folder / "labels.json").write_text(json.dumps(document, indent=1))
    return folder


@pytest.fixture
def open_pets(start_site: Site, open_site: OpenSite, pets: Path, tmp_path: Path) -> Any:
    """Opens the data set in a browser, and waits until it was checked."""

    def start(rest: str = "", **options: Any) -> Any:
        address = start_site([], data=(pets,), out=tmp_path / "runs")
        page = open_site(address, f"#/data/pets{rest}", **options)
        page.wait_for_selector(".photo-grid a" if not rest else ".editor .shape")
        page.wait_for_selector(".progress", state="detached")
        return page

    return start


def names(page: Any) -> list[str]:
    return [text.strip() for text in page.locator(".photo-grid .caption").all_inner_texts()]


def annotations(pets: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((pets / "labels.json").read_text())["annotations"]
    return found


def at(page: Any, x: float, y: float) -> tuple[float, float]:
    """The place on the screen of a pixel of the photo."""
    place = page.evaluate(
        """([x, y]) => {
            const group = document.querySelector(".editor > g");
            const point = new DOMPoint(x, y).matrixTransform(group.getScreenCTM());
            return [point.x, point.y];
        }""",
        [x, y],
    )
    return place[0], place[1]


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from a pixel of the photo to another one."""
    page.mouse.move(*at(page, *start))
    page.mouse.down()
    page.mouse.move(*at(page, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    page.mouse.move(*at(page, *end))
    page.mouse.up()


def save(page: Any) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector(".saved")


def test_browse_and_filter(open_pets: Any) -> None:
    page = open_pets()
    assert names(page) == ["a.jpg", "b.jpg", "c.jpg"]
    page.get_by_label("Class").select_option("dog")
    page.get_by_text("2 photos", exact=True).wait_for()
    page.get_by_label("Object size").select_option("small")
    page.get_by_text("1 photo", exact=True).wait_for()
    assert names(page) == ["b.jpg"]
    page.get_by_role("button", name="Clear the filter").click()
    page.get_by_label("Without objects").check()
    page.get_by_text("1 photo", exact=True).wait_for()
    assert names(page) == ["c.jpg"]
    page.get_by_role("button", name="Clear the filter").click()
    page.set_viewport_size({"width": 360, "height": 500})
    page.locator(".findings > summary").click()
    page.get_by_text("c.jpg").wait_for()
    page.get_by_label("Name contains").fill("nothing")
    page.get_by_text("No photo passes this filter.").wait_for()


def test_a_finding_leads_to_its_object(open_pets: Any) -> None:
    page = open_pets()
    group = page.locator(".finding", has_text="repeated")
    group.get_by_role("button").click()
    page.get_by_text("1 photo", exact=True).wait_for()
    page.locator(".photo-grid a").click()
    page.wait_for_selector(".editor .shape")
    assert page.locator(".chosen").count() == 0
    page.locator("aside .finding", has_text="repeated").get_by_role("button").click()
    assert page.locator(".editor .chosen").count() == 1
    assert page.locator(".objects [aria-pressed=true]").inner_text().startswith("3.")
    page.keyboard.press("Delete")
    assert page.locator(".editor .shape").count() == 2
    save(page)
    page.get_by_text("Checked before your last changes").wait_for()


def test_correct_with_the_mouse(open_pets: Any, pets: Path) -> None:
    before = annotations(pets)
    page = open_pets("/0")
    page.locator(".objects button").first.click()
    drag(page, (40, 35), (60, 45))  # the cat as a whole
    drag(page, (90, 70), (110, 100))  # its lower right corner
    page.get_by_role("button", name="Draw a box").click()
    page.get_by_label("Class of new objects").select_option("cat")
    drag(page, (150, 120), (190, 150))
    page.get_by_role("button", name="Draw a polygon").click()
    for x, y in ((10, 100), (40, 100), (25, 140), (10, 100)):
        page.mouse.click(*at(page, x, y))
    assert page.locator(".editor .shape").count() == 5
    save(page)
    after = annotations(pets)
    assert [each for each in after if each["id"] in (2, 3, 4, 9)] == before[1:]
    cat = after[0]
    assert cat["rare"] == "cat"
    assert cat["bbox"] == pytest.approx([30, 20, 80, 80], abs=1)
    assert [each["category_id"] for each in after[-2:]] == [1, 1]
    assert after[-2]["bbox"] == pytest.approx([150, 120, 40, 30], abs=1)
    assert after[-1]["segmentation"][0] == pytest.approx([10, 100, 40, 100, 25, 140], abs=1)


def test_correct_with_the_keyboard(open_pets: Any, pets: Path) -> None:
    before = annotations(pets)
    page = open_pets("/0")
    page.locator(".objects button").nth(1).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    x, y, width, height = before[1]["bbox"]
    changed = annotations(pets)[1]
    assert (changed["category_id"], changed["bbox"]) == (1, [x + 10, y, width, height + 1])
    assert changed["area"] == width * (height + 1)
    page.keyboard.press("n")
    page.get_by_role("heading", name="b.jpg").wait_for()
    page.get_by_text("2 of 3").wait_for()
    page.keyboard.press("p")
    page.get_by_role("heading", name="a.jpg").wait_for()


def test_old_versions_come_back(open_pets: Any, pets: Path) -> None:
    before = (pets / "labels.json").read_bytes()
    page = open_pets("/0")
    page.locator(".objects button").first.click()
    page.keyboard.press("Delete")
    save(page)
    assert (pets / ".labels.json.old-1").read_bytes() == before
    page.get_by_text("Old versions of the label file").click()
    page.get_by_role("button", name="Restore").click()
    page.get_by_text("The old labels are back.").first.wait_for()
    assert (pets / "labels.json").read_bytes() == before
    assert page.locator(".editor .shape").count() == 3


def test_changes_are_not_lost_silently(open_pets: Any) -> None:
    page = open_pets("/0")
    page.locator(".objects button").first.click()
    page.keyboard.press("Delete")
    page.get_by_role("link", name="All photos").click()
    page.get_by_role("link", name="1 photo with changes that are not saved").click()
    page.wait_for_selector(".dirty")
    assert page.locator(".editor .shape").count() == 2
    page.get_by_role("button", name="Undo").click()
    assert page.locator(".editor .shape").count() == 3
    page.wait_for_selector(".dirty", state="detached")


def test_conflicts_are_shown(open_pets: Any, pets: Path) -> None:
    page = open_pets("/0", expected=("409",))
    page.locator(".objects button").first.click()
    page.keyboard.press("Delete")
    (pets / "labels.json").write_text((pets / "labels.json").read_text() + "\n")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed by another program").wait_for()
    page.get_by_role("button", name="Load this photo again and drop my changes").click()
    page.wait_for_selector(".conflict", state="detached")
    page.wait_for_selector(".editor .shape")  # the data set is read again
    assert page.locator(".editor .shape").count() == 3


def test_the_view_is_accessible_and_fits_all_screens(open_pets: Any) -> None:
    page = open_pets()
    check_accessibility(page)
    take_shots(page, "data")
    page.locator(".photo-grid a").first.click()
    page.wait_for_selector(".editor .shape")
    page.locator(".objects button").nth(1).click()
    check_accessibility(page)
    take_shots(page, "data-photo")


def test_korean(open_pets: Any) -> None:
    page = open_pets(language="ko-KR")
    assert page.get_by_role("heading", name="데이터").count() == 1
    page.locator(".photo-grid a").first.click()
    page.get_by_role("button", name="상자 그리기").wait_for()
    page.wait_for_load_state("networkidle")


def test_ten_thousand_photos_scroll_without_a_stall(
    start_site: Site, open_site: OpenSite, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parent = tmp_path_factory.mktemp("data")
    small, folder = write_coco(parent / "small"), parent / "many"
    convert(small, "yolo", folder)
    photos = sorted(folder.rglob("*.jpg"))
    for number in range(3, 10_000):
        photo = photos[number % 2]
        label = Path(re.sub("images", "labels", str(photo))).with_suffix(".txt")
        photo.with_name(f"photo-{number}.jpg").hardlink_to(photo)
        shutil.copy(label, label.with_name(f"photo-{number}.txt"))
    page = open_site(start_site([], data=(folder,), out=parent / "runs"), "#/data/many")
    page.get_by_text("10,000 photos", exact=True).wait_for(timeout=120_000)
    page.evaluate(
        """() => {
            window.longest = 0;
            new PerformanceObserver((list) => {
                for (const { duration } of list.getEntries()) window.longest = Math.max(longest, duration);
            }).observe({ type: "longtask" });
        }"""
    )
    page.mouse.move(400, 600)
    for step in range(60):
        page.mouse.wheel(0, 400 if step % 10 else 40_000)
        page.wait_for_timeout(50)
    page.wait_for_selector(".photo-grid a")
    assert page.locator(".photo-grid .cell").count() < 120
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.longest") <= 100  # milliseconds


def test_labels_that_another_program_has_written_are_read_again(open_pets: Any, pets: Path) -> None:
    page = open_pets("/0", expected=("409",))
    page.locator(".objects button").first.click()
    page.keyboard.press("ArrowRight")
    document = json.loads((pets / "labels.json").read_text())
    document["annotations"] = document["annotations"][:1]  # one of the three objects of a.jpg
    (pets / "labels.json").write_text(json.dumps(document))
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Load this photo again").click()
    page.wait_for_function("() => document.querySelectorAll('.objects button').length === 1")
    page.locator(".objects button").first.click()
    page.keyboard.press("ArrowRight")
    save(page)
    assert len(annotations(pets)) == 1


def test_the_check_is_done_again_from_the_photo(open_pets: Any) -> None:
    page = open_pets("/0")
    page.locator("aside .finding", has_text="repeated").get_by_role("button").click()
    page.keyboard.press("Delete")
    save(page)
    page.get_by_role("button", name="Read again").click()
    page.locator("aside .finding", has_text="Repeated").wait_for(state="detached")
    page.locator(".objects button").nth(1).wait_for()
