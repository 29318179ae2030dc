from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import boxmask as verbs
from boxmask.weights.checkpoint import read_checkpoint, save_checkpoint

Refused = Callable[..., str]


def test_the_metrics_are_printed_as_a_table_and_written_as_json(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    completed = boxmask("evaluate", trained, demo, "--json", "deep/metrics.json")
    assert completed.status == 0
    assert "AP50" in completed.out
    metrics = json.loads((here / "deep" / "metrics.json").read_text())
    assert {"AP", "AP50", "AP75", "APs", "APm", "APl", "per_class", "images"} <= set(metrics)
    assert metrics["images"] == 4
    assert set(metrics["per_class"]) == set(verbs.load(trained).config.class_names)
    assert metrics == json.loads(json.dumps(verbs.evaluate(trained, demo).to_dict()))


def test_failures_are_printed_and_written(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    completed = boxmask("evaluate", trained, demo, "--failures", "--json", "metrics.json")
    assert completed.status == 0
    for title in ("what each kind of error costs", "most frequent confusions", "photos to look at first"):
        assert title in completed.out
    metrics = json.loads((here / "metrics.json").read_text())
    assert metrics["failures"]["errors"]["AP50"] == pytest.approx(metrics["AP50"])
    assert len(metrics["failures"]["photos"]) == metrics["images"]
    assert metrics["failures"]["proposals"]["mean_proposals"] > 0


@pytest.mark.parametrize(
    ("kind", "unit"), [("unet", "pixels"), ("classifier", "objects"), ("mask-rcnn", "objects")]
)
def test_failures_of_every_task(
    boxmask: Callable[..., Any], runs: Callable[[str], Path], demo: Path, kind: str, unit: str
) -> None:
    completed = boxmask("evaluate", runs(kind), demo, "--failures", "--json", "-")
    assert completed.status == 0
    metrics = json.loads(completed.out)
    assert metrics["failures"]["confusion"]["unit"] == unit
    assert len(metrics["failures"]["photos"]) == metrics["images"]
    assert metrics["failures"].get("kind") == ("segm" if kind == "mask-rcnn" else None)


def test_tainted_metrics_are_marked_and_the_seen_photos_can_be_left_out(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    completed = boxmask("evaluate", trained, demo, "--split", "all", "--json", "metrics.json")
    mark = " ".join(completed.out.split())
    assert "tainted: 18 of 24 photos were seen in training (18 training photos of " in mark
    assert "Expect lower metrics on new photos. Only 6 photos would be left without them." in mark
    metrics = json.loads((here / "metrics.json").read_text())
    assert metrics["tainted"] is True
    assert len(metrics["seen_photos"]) == 18
    assert set(metrics["seen_photos"][0]) == {"photo", "run", "split", "name"}
    completed = boxmask("evaluate", trained, demo, "--split", "all", "--unseen", "--json", "-")
    assert "note: left out: 18 photos that were seen in training" in completed.err
    metrics = json.loads(completed.out)
    assert (metrics["images"], metrics["tainted"], metrics["seen_photos"]) == (6, False, [])
    assert verbs.evaluate(trained, demo, "all", unseen=True).images == 6


def test_a_dash_prints_only_the_json(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    completed = boxmask("evaluate", trained, demo, "--split", "val", "--json", "-")
    assert completed.status == 0
    assert json.loads(completed.out)["images"] == 2
    assert not list(here.iterdir())


def test_every_photo_is_drawn_as_labeled_and_as_detected(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    assert boxmask("evaluate", trained, demo, "--pictures", "pictures").status == 0
    pictures = sorted((here / "pictures").glob("*.jpg"))
    photos = sorted((demo / "images").glob("test-*.jpg"))
    assert [picture.name for picture in pictures] == [photo.name for photo in photos]
    assert Image.open(pictures[0]).width > 2 * Image.open(photos[0]).width


def test_pictures_never_overwrite_photos(boxmask: Callable[..., Any], trained: Path, demo: Path) -> None:
    before = {file: file.read_bytes() for file in (demo / "images").iterdir()}
    completed = boxmask("evaluate", trained, demo, "--pictures", demo / "images")
    assert completed.status == 2
    assert "would overwrite the photo itself" in completed.err
    assert {file: file.read_bytes() for file in (demo / "images").iterdir()} == before


def test_a_data_set_without_a_split_is_evaluated_with_the_split_of_the_run(
    boxmask: Callable[..., Any], here: Path, demo: Path, quick_flags: tuple[str, ...]
) -> None:
    data = here / "data"
    shutil.copytree(demo / "images", data / "images")
    labels: dict[str, Any] = {"images": [], "annotations": []}
    for split in ("train", "val", "test"):
        part = json.loads((demo / f"instances_{split}.json").read_text())
        labels["categories"] = part["categories"]
        labels["images"] += [
            {**image, "file_name": f"images/{image['file_name']}"} for image in part["images"]
        ]
        labels["annotations"] += part["annotations"]
    for image in labels["images"]:  # the split could be read from the name
        new = image["file_name"].replace("train-", "").replace("test-", "").replace("val-", "")
        (data / image["file_name"]).rename(data / new)
        image["file_name"] = new
    (data / "labels.json").write_text(json.dumps(labels))
    completed = boxmask("train", data, *quick_flags, "--split-seed", "3", "--out", "run")
    assert completed.status == 0, completed.err
    assert "with seed 3" in completed.err
    split = json.loads((here / "run" / "split.json").read_text())
    assert boxmask("evaluate", "run", data, "--pictures", "pictures").status == 0
    drawn = {picture.stem for picture in (here / "pictures").glob("*.jpg")}
    assert drawn == {Path(file).stem for file in split["test"]}
    from boxmask.data.detection.read import read_detection

    assert set(split["test"]) != set(read_detection(data).split("test").files.tolist())


# ---------------------------------------------------------------- what goes wrong


def test_a_missing_run_is_an_error(refused: Refused, demo: Path, here: Path) -> None:
    assert "nowhere: there is no such checkpoint" in refused(1, "evaluate", "nowhere", demo)
    (here / "empty").mkdir()
    assert "no checkpoint in this folder" in refused(1, "evaluate", "empty", demo)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "wrong file", "other tensors"])
def test_a_damaged_checkpoint_is_an_error(
    refused: Refused, trained: Path, demo: Path, tmp_path: Path, damage: str
) -> None:
    intact = (trained / "best.safetensors").read_bytes()
    broken = tmp_path / "best.safetensors"
    if damage == "other tensors":
        tensors, metadata = read_checkpoint(trained / "best.safetensors")
        save_checkpoint(broken, dict(list(tensors.items())[:5]), metadata)
    else:
        photo = next((demo / "images").iterdir()).read_bytes()
        broken.write_bytes(
            {"truncated": intact[:-1000], "garbage": b"x" * 999, "empty": b"", "wrong file": photo}[damage]
        )
    kinds = {
        "garbage": "is a text file, not a checkpoint",
        "wrong file": "is a photo (JPEG), not a checkpoint",
    }
    expected = f"boxmask: {broken}: this {kinds.get(damage, 'checkpoint ')}"
    for verb in ("evaluate", "predict"):
        assert expected in refused(1, verb, broken, demo)


def test_a_class_that_the_detector_does_not_know_is_an_error_or_skipped(
    refused: Refused, boxmask: Callable[..., Any], trained: Path, demo: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(demo, tmp_path / "data"))
    file = data / "instances_test.json"
    labels = json.loads(file.read_text())
    labels["categories"].append({"id": 99, "name": "ten"})
    labels["annotations"][0]["category_id"] = 99
    file.write_text(json.dumps(labels))
    message = refused(1, "evaluate", trained, data, "--json", "metrics.json")
    assert 'classes that the model does not know (1):\n  "ten": 1 object in ' in message
    completed = boxmask("evaluate", trained, data, "--json", "-", "--on-unseen-classes", "skip")
    assert "ten" not in json.loads(completed.out)["per_class"]
    assert any('"ten": 1 object in' in note for note in json.loads(completed.out)["notes"])


def test_a_split_without_photos_is_an_error(refused: Refused, trained: Path, demo: Path) -> None:
    message = refused(1, "evaluate", trained, demo / "instances_test.json", "--split", "val")
    assert "there are no val photos. " in message


def test_an_unknown_split_is_wrong_usage(refused: Refused, trained: Path, demo: Path) -> None:
    assert "--split" in refused(2, "evaluate", trained, demo, "--split", "exam")


def test_svd_is_for_fast_rcnn(refused: Callable[..., str], demo: Path, trained: Path) -> None:
    message = refused(2, "evaluate", trained, demo, "--svd", "8", "8")
    assert "--svd (in Python: compress_with_svd) needs a Fast R-CNN" in message
    assert "--svd (in Python: compress_with_svd) needs a Fast R-CNN" in refused(
        2, "predict", trained, demo / "images", "--svd", "8", "8"
    )


def test_a_file_of_the_users_is_not_replaced_by_metrics(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    (here / "metrics.json").write_text("mine")
    completed = boxmask("evaluate", trained, demo, "--json", "metrics.json")
    assert completed.status == 2
    assert "metrics.json: is not replaced, because boxmask did not write it" in completed.err
    assert (here / "metrics.json").read_text() == "mine"
    for _ in range(2):
        assert boxmask("evaluate", trained, demo, "--split", "val", "--json", "ours.json").status == 0


def test_pictures_of_two_evaluations_do_not_mix(
    boxmask: Callable[..., Any], here: Path, trained: Path, demo: Path
) -> None:
    assert boxmask("evaluate", trained, demo, "--pictures", "seen").status == 0
    (here / "seen" / "mine.jpg").write_bytes(b"mine")
    completed = boxmask("evaluate", trained, demo, "--split", "val", "--pictures", "seen")
    assert "note: seen: removed 4 outputs of an earlier call" in completed.err
    assert {file.name.split("-")[0] for file in (here / "seen").glob("*.jpg")} == {"val", "mine.jpg"}
    (here / "seen" / "val-00018.jpg").write_bytes(b"mine")
    assert boxmask("evaluate", trained, demo, "--split", "all", "--pictures", "seen").status == 2


def test_ensembles_and_augmentation_are_evaluated_like_a_run(
    boxmask: Callable[..., Any], trained: Path, runs: Callable[[str], Path], demo: Path
) -> None:
    other = runs("faster-rcnn")
    flags = ("--with", other, "--tta", "--tta-scales", "1", "--tiles", "64", "--split", "val", "--json", "-")
    completed = boxmask("evaluate", trained, demo, *flags)
    assert completed.status == 0
    passes: Any = {"tta": True, "tta_scales": (1.0,), "tiles": 64}
    evaluation = verbs.evaluate([trained, other], demo, "val", **passes)
    assert json.loads(completed.out) == json.loads(evaluation.to_json())
    assert json.loads(completed.out) != json.loads(verbs.evaluate(trained, demo, "val").to_json())


def test_segmenters_are_evaluated_with_augmentation(runs: Callable[[str], Path], demo: Path) -> None:
    run = runs("unet")
    assert 0 <= verbs.evaluate([run, run], demo, tta=True)["mIoU"] <= 1


def test_an_empty_list_of_runs_is_refused(demo: Path) -> None:
    with pytest.raises(verbs.UsageError, match="run: expected at least one run, found an empty list"):
        verbs.evaluate([], demo)
    with pytest.raises(TypeError, match="unexpected keyword argument 'tilse'"):
        verbs.load("run", tilse=3)


def test_the_report_is_one_page(
    boxmask: Callable[..., Any], refused: Refused, here: Path, trained: Path, demo: Path
) -> None:
    completed = boxmask("evaluate", trained, demo, "--html", "report.html")
    assert completed.status == 0
    assert "report: report.html" in completed.err
    page = (here / "report.html").read_text(encoding="utf-8")
    assert "boxmask evaluate" in page
    assert 'id="errors"' in page
    assert page.count('<figure class="card photo"') == 4
    verbs.evaluate(trained, demo, "val", html=here / "report.html")
    assert (here / "report.html").read_text(encoding="utf-8").count('<figure class="card photo"') == 2
    assert "ends in .html" in refused(2, "evaluate", trained, demo, "--html", "report.pdf")
