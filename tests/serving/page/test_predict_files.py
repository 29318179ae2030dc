"""The view Predict in a browser: photos that are dropped and pasted, files that are downloaded, errors."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.serving.page.conftest import OpenSite, check_accessibility, take_shots
from tests.serving.page.predicting import SIZE, await_found, give, set_score


def saved(page: Any, name: str) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).click()
    download = waiting.value
    page.get_by_role("button", name=name, exact=True).wait_for()
    return download.suggested_filename, Path(download.path()).read_bytes()


def test_downloads_hold_what_is_shown(predict_site: str, open_site: OpenSite, photos: list[Path]) -> None:
    page = open_site(predict_site, "#/predict", accept_downloads=True)
    give(page, *photos)
    set_score(page, 0.7)
    page.get_by_role("checkbox", name="dust").uncheck()
    await_found(page, "3 objects")
    name, content = saved(page, "COCO")
    document = json.loads(content)
    assert name == "detections.json"
    assert [image["file_name"] for image in document["images"]] == ["one.jpg"]
    assert [each["category_id"] for each in document["annotations"]] == [1, 2, 1]
    assert all(each["segmentation"]["counts"] for each in document["annotations"])
    name, content = saved(page, "LabelMe")
    assert (name, json.loads(content)["imagePath"]) == ("one.json", "one.jpg")
    name, content = saved(page, "CSV")
    assert len(list(csv.DictReader(io.StringIO(content.decode())))) == 3
    name, content = saved(page, "Picture")
    picture = Image.open(io.BytesIO(content))
    assert (name, picture.size) == ("one.jpg", SIZE)
    page.get_by_label("All 3 photos").check()
    name, content = saved(page, "YOLO")
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == [
        "classes.txt",
        "one.txt",
        "three.txt",
        "two.txt",
    ]


TRANSFER = """([name, bytes, type]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(bytes)], name, {type}));
  return data;
}"""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_photos_are_dropped_and_pasted(
    predict_site: str, open_site: OpenSite, photos: list[Path], way: str
) -> None:
    page = open_site(predict_site, "#/predict")
    data = page.evaluate_handle(TRANSFER, ["one.jpg", list(photos[0].read_bytes()), "image/jpeg"])
    if way == "drop":
        page.locator("main").dispatch_event("dragover", {"dataTransfer": data})
        page.get_by_text("Drop the photos here").wait_for()
        page.locator("main").dispatch_event("drop", {"dataTransfer": data})
    else:
        page.evaluate(
            "data => document.body.dispatchEvent("
            "new ClipboardEvent('paste', {clipboardData: data, bubbles: true}))",
            data,
        )
    await_found(page, "6 objects")


def test_errors_are_sentences(
    predict_site: str, open_site: OpenSite, photos: list[Path], tmp_path: Path
) -> None:
    page = open_site(predict_site, "#/predict", expected=("422", "ERR_FILE_NOT_FOUND"))
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    page.locator("input[type=file]").first.set_input_files(str(broken))
    page.get_by_text("Photo 1 (broken.jpg): ").wait_for()
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("Photo 1 (broken.jpg): ").wait_for()
    text = tmp_path / "notes.txt"
    text.write_text("no photo")
    page.locator("input[type=file]").first.set_input_files(str(text))
    page.get_by_text("notes.txt is not a photo.").wait_for()
    check_accessibility(page)
    page.get_by_role("button", name="Close").click()
    give(page, photos[0])
    await_found(page, "6 objects")


def test_label_maps_and_classes(predict_site: str, open_site: OpenSite, photos: list[Path]) -> None:
    page = open_site(predict_site, "#/predict", accept_downloads=True)
    give(page, photos[0])
    page.get_by_label("Model", exact=True).select_option("quarters")
    page.get_by_label("Beside it").select_option("kinds")
    page.locator(".class-scores li").nth(1).wait_for()
    canvas = page.locator(".overlay canvas")
    canvas.wait_for()
    pixel = "canvas => [...canvas.getContext('2d').getImageData(300, 10, 1, 1).data]"
    assert canvas.evaluate(pixel) == [0x56, 0xB4, 0xE9, 255]
    take_shots(page, "predict-map-and-classes")
    check_accessibility(page)
    page.get_by_role("checkbox", name="sky").uncheck()
    page.wait_for_function(f"({pixel})(document.querySelector('.overlay canvas'))[3] === 0")
    name, content = saved(page, "Label map")
    assert set(np.unique(np.array(Image.open(io.BytesIO(content))))) == {0, 2, 255}
    name, content = saved(page, "CSV")
    assert name == "classes.csv"
