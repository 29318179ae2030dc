"""What holds for the explanation of a photo by any model of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.explaining.contract import Explanation
from boxmask.explaining.explain import ExplainOptions, explain_photo
from boxmask.explaining.table import EXPLAINERS
from boxmask.models.table import MODELS, AnyModel, name_of
from boxmask.types import Detections, SegmentationMap
from boxmask.visualization.style import RGBImage

Build = Callable[..., AnyModel]

TWO_STAGES = "image features anchors objectness proposals roi-pooling scores box-regression nms"
STAGES = {
    "rcnn": "image regions proposals warped-regions scores box-regression nms detections",
    "fast-rcnn": "image regions proposals features roi-pooling scores box-regression nms detections",
    "faster-rcnn": f"{TWO_STAGES} detections",
    "mask-rcnn": f"{TWO_STAGES} masks detections",
    "retinanet": "image features anchors scores winners nms detections",
    "fcos": "image features class-scores centerness scores winners nms detections",
    "ssd": "image features anchors scores winners nms detections",
    "fcn": "image features skips class-scores entropy label-map",
    "unet": "image features skips class-scores entropy label-map",
    "deeplab-v3": "image features aspp class-scores entropy label-map",
    "classifier": "image features class-activation scores",
}


def test_every_model_is_explained() -> None:
    assert set(EXPLAINERS) == set(MODELS)


def test_the_result_is_that_of_predict(model: AnyModel, photo: RGBImage) -> None:
    explanation = explain_photo(model, photo)
    assert explanation.result == model.predict(photo)
    if isinstance(explanation.result, Detections):
        assert len(explanation.result) > 3
        shown = explanation["detections"].data
        assert np.array_equal(shown["boxes"], explanation.result.boxes)
        assert shown["names"] == explanation.result.names


def test_the_stages_are_those_of_the_method(model: AnyModel, photo: RGBImage) -> None:
    explanation = explain_photo(model, photo)
    assert explanation.model == name_of(model)
    assert [stage.name for stage in explanation] == STAGES[name_of(model)].split()
    assert len(explanation) == len(explanation.stages)
    assert explanation[0] is explanation["image"]
    for stage in explanation:
        assert stage.picture.dtype == np.uint8
        assert stage.picture.ndim == 3
        assert stage.picture.std() > 3  # not blank
        assert stage.title
        assert stage.text.endswith(".")
        assert stage.summary.endswith(".")
        assert stage.data
        assert_plain(stage.data)


def assert_plain(value: Any) -> None:
    """Numbers, texts, numpy arrays, and lists and dictionaries of them."""
    if isinstance(value, dict):
        assert all(isinstance(key, str) for key in value)
        for item in value.values():
            assert_plain(item)
    elif isinstance(value, list | tuple):
        for item in value:
            assert_plain(item)
    else:
        assert isinstance(value, str | int | float | np.ndarray), type(value)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (40, 30)])
def test_photos_of_any_size_are_explained(model: AnyModel, size: tuple[int, int]) -> None:
    photo = np.full((*size, 3), 90, np.uint8)
    assert explain_photo(model, photo).result == model.predict(photo)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_photo_without_detections_is_explained(name: str, photo: RGBImage, build: Build) -> None:
    strict = build(name, score_threshold=1.0)
    explanation = explain_photo(strict, photo)
    assert isinstance(explanation.result, Detections)
    assert len(explanation.result) == 0
    assert "0 objects" in explanation["detections"].text


def test_a_photo_explained_twice_gives_the_same(model: AnyModel, photo: RGBImage) -> None:
    one, two = explain_photo(model, photo), explain_photo(model, torch.from_numpy(photo).permute(2, 0, 1))
    assert one.result == two.result
    for first, second in zip(one, two, strict=True):
        assert first.text == second.text
        assert np.array_equal(first.picture, second.picture)


def test_an_unknown_stage_is_an_error(photo: RGBImage, build: Build) -> None:
    explanation = explain_photo(build("classifier"), photo)
    with pytest.raises(KeyError, match="the stages are image, features"):
        explanation["proposals"]
    assert isinstance(explanation[1:], tuple)


def test_options_out_of_range_are_errors(photo: RGBImage, build: Build) -> None:
    with pytest.raises(UsageError, match=r"--min-score .*expected 0 to 1, found 50"):
        ExplainOptions(min_score=50)
    with pytest.raises(UsageError, match="--saliency: expected 0 or more, found -1"):
        ExplainOptions(saliency=-1)
    with pytest.raises(UsageError, match="--saliency is for detectors, and this is a unet"):
        explain_photo(build("unet"), photo, ExplainOptions(saliency=5))


# ---------------------------------------------------------------- detectors


@pytest.mark.parametrize("name", ["rcnn", "fast-rcnn", "faster-rcnn", "mask-rcnn"])
def test_every_detection_of_two_stages_has_its_proposal(name: str, photo: RGBImage, build: Build) -> None:
    explanation = explain_photo(build(name), photo)
    result, data = explanation.result, explanation["box-regression"].data
    assert isinstance(result, Detections)
    count = len(data["after"])
    assert count > 0
    assert np.array_equal(data["after"], result.boxes[:count])
    proposals = explanation["scores"].data["boxes"]
    for before, name_of_class, score in zip(data["before"], data["names"], data["scores"], strict=True):
        rows = np.flatnonzero((proposals == before).all(axis=1))
        label = result.class_names.index(name_of_class)
        assert np.isclose(explanation["scores"].data["scores"][rows, label], score, atol=1e-5).any()


@pytest.mark.parametrize("name", ["retinanet", "fcos", "ssd"])
def test_every_detection_of_one_stage_has_its_anchor_or_point(
    name: str, photo: RGBImage, build: Build
) -> None:
    explanation = explain_photo(build(name), photo)
    data = explanation["winners"].data
    assert isinstance(explanation.result, Detections)
    assert np.array_equal(data["boxes"], explanation.result.boxes[: len(data["boxes"])])
    if name == "fcos":  # a point lies in its box
        points = data["starts"][:, :2]
        assert (points >= data["boxes"][:, :2] - 0.01).all()
        assert (points <= data["boxes"][:, 2:] + 0.01).all()
    else:
        levels = {level["stride"]: level["anchors"] for level in explanation["anchors"].data["levels"]}
        for start, stride in zip(data["starts"], data["strides"].tolist(), strict=True):
            assert np.isclose(levels[stride], start).all(axis=1).any()


@pytest.mark.parametrize(("name", "center"), [("faster-rcnn", 0.0), ("retinanet", 0.0), ("ssd", 0.5)])
def test_scores_are_drawn_where_their_anchors_are(
    name: str, center: float, photo: RGBImage, build: Build
) -> None:
    level = explain_photo(build(name), photo)["anchors"].data["levels"][0]
    first = level["anchors"][0]
    middle = (first[:2] + first[2:]) / 2  # in pixels of the photo
    sides = np.array([150, 120]) / np.array(level["grid"][::-1])
    if center:
        assert np.allclose(middle / sides, center, atol=0.01)
    else:
        assert np.allclose(middle, 0, atol=0.5 * sides.max() / 8)


def test_the_proposals_before_nms_hold_those_after_it(photo: RGBImage, build: Build) -> None:
    data = explain_photo(build("faster-rcnn"), photo)["proposals"].data
    before = {box.tobytes() for box in data["before_nms"]}
    assert len(data["boxes"]) < len(data["before_nms"])
    assert all(box.tobytes() in before for box in data["boxes"])


def test_the_anchors_of_detections_became_their_proposals(photo: RGBImage, build: Build) -> None:
    from boxmask.geometry.boxes import iou

    explanation = explain_photo(build("faster-rcnn"), photo, ExplainOptions(min_score=0.02))
    data, levels = explanation["proposals"].data["followed"], explanation["anchors"].data["levels"]
    proposals = explanation["proposals"].data["boxes"][explanation["box-regression"].data["rows"]]
    assert np.array_equal(proposals, explanation["box-regression"].data["before"])
    anchors = {level["stride"]: level["anchors"] for level in levels}
    for anchor, stride in zip(data["anchors"], data["strides"].tolist(), strict=True):
        assert (anchors[stride] == anchor).all(axis=1).any()
    best = {level["stride"]: level["objectness"].max() for level in explanation["objectness"].data["levels"]}
    assert all(0 < x <= best[s] + 1e-6 for x, s in zip(data["objectness"], data["strides"], strict=True))
    overlaps = iou(torch.from_numpy(data["anchors"]), torch.from_numpy(proposals)).diagonal()
    assert float(overlaps.mean()) > 0.05  # an anchor moves, but it does not jump


def test_the_middle_cell_has_anchors_around_the_middle(photo: RGBImage, build: Build) -> None:
    for level in explain_photo(build("retinanet"), photo)["anchors"].data["levels"]:
        centers = (level["middle"][:, :2] + level["middle"][:, 2:]) / 2
        assert len(centers) == level["per_cell"]
        assert (np.abs(centers - (75, 60)).max(axis=0) <= level["stride"] * 150 / 120 + 1).all()


def test_regions_merge_in_steps(photo: RGBImage, build: Build) -> None:
    data = explain_photo(build("fast-rcnn"), photo)["regions"].data
    counts = [step["count"] for step in data["steps"]]
    assert counts[0] == data["regions"].max() + 1
    assert counts[1:] == [count // 2 for count in counts[:-1]]
    for step in data["steps"]:
        assert step["picture"].shape == (*data["search_size"], 3)
        assert len(np.unique(step["picture"].reshape(-1, 3), axis=0)) <= step["count"]


def test_tiles_name_their_area(photo: RGBImage, build: Build) -> None:
    explanation = explain_photo(build("fcn", tile=64), photo)
    assert explanation["features"].data["area"] == (43, 28, 107, 92)
    whole = explain_photo(build("fcn"), photo)
    assert whole["features"].data["area"] == (0, 0, 150, 120)


def test_masks_are_those_before_pasting(photo: RGBImage, build: Build) -> None:
    model = build("mask-rcnn")
    data = explain_photo(model, photo)["masks"].data
    assert data["masks"].shape[1:] == (28, 28)
    assert data["masks"].min() >= 0
    assert data["masks"].max() <= 1


def test_svm_margins_are_shown_once_the_svms_are_fitted(photo: RGBImage, build: Build) -> None:
    from copy import deepcopy

    model = deepcopy(build("rcnn"))
    generator = torch.Generator().manual_seed(0)
    model.svm_weights = torch.randn(model.svm_weights.shape, generator=generator)
    model.regressor_weights = torch.randn(model.regressor_weights.shape, generator=generator) / 1000
    model.fitted = torch.tensor(True)
    explanation = explain_photo(model, photo)
    assert explanation.result == model.predict(photo)
    margins, scores = explanation["svm-margins"].data, explanation["scores"].data
    expected = 1 / (1 + np.exp(-margins["margins"]))  # with the calibration of a new model
    assert np.allclose(scores["scores"][scores["shown"]], expected, atol=1e-4)
    assert "(background)" not in explanation["scores"].text


# ---------------------------------------------------------------- segmenters and the classifier


@pytest.mark.parametrize("name", ["fcn", "unet", "deeplab-v3"])
@pytest.mark.parametrize("tile", [0, 64])
def test_the_label_map_has_the_most_probable_classes(
    name: str, tile: int, photo: RGBImage, build: Build
) -> None:
    explanation = explain_photo(build(name, tile=tile), photo)
    assert isinstance(explanation.result, SegmentationMap)
    data = explanation["class-scores"].data
    assert data["step"] == 1
    assert np.allclose(data["probabilities"].sum(axis=0), 1, atol=1e-4)
    agreement = data["probabilities"].argmax(axis=0) == explanation.result.labels
    assert agreement.mean() > 0.999  # but for ties
    entropy = explanation["entropy"].data["entropy"]
    assert entropy.min() >= 0
    assert entropy.max() <= 1.0001


def test_a_large_photo_is_sampled(monkeypatch: pytest.MonkeyPatch, photo: RGBImage, build: Build) -> None:
    from boxmask.explaining.segmentation import stages

    whole = explain_photo(build("fcn"), photo)["class-scores"].data["probabilities"]
    monkeypatch.setattr(stages, "MAX_PIXELS", 120 * 150 // 7)
    monkeypatch.setattr("boxmask.pipeline.segmentation.inference.MAX_LOGITS", 3 * 150 * 7)  # strips of 7 rows
    data = explain_photo(build("fcn"), photo)["class-scores"].data
    assert data["step"] == 3
    assert np.allclose(data["probabilities"], whole[:, ::3, ::3], atol=1e-5)
    skips = explain_photo(build("fcn"), photo)["skips"]
    assert skips.data["levels"][0]["labels"].shape == (512, 640)  # of the pictures


def test_the_last_step_of_fcn_is_its_label_map(photo: RGBImage, build: Build) -> None:
    explanation = explain_photo(build("fcn"), photo)
    levels = explanation["skips"].data["levels"]
    assert [level["stride"] for level in levels] == [32, 16, 8]
    assert np.array_equal(levels[-1]["labels"], explanation.result.labels)  # type: ignore[union-attr]


def test_unet_without_a_map_is_compared_with_all_maps(photo: RGBImage, build: Build) -> None:
    explanation = explain_photo(build("unet"), photo)
    data = explanation["skips"].data
    assert np.array_equal(data["labels"], explanation.result.labels)  # type: ignore[union-attr]
    assert [level["stride"] for level in data["levels"]] == [2, 4, 8, 16]
    for level in data["levels"]:
        assert level["changed"] == (level["labels"] != data["labels"]).mean()


def test_the_mean_of_a_class_activation_map_is_the_logit(photo: RGBImage, build: Build) -> None:
    model = build("classifier", shorter_side=64, longer_side=64)
    square = photo[:100, :100]  # no padding
    explanation: Explanation = explain_photo(model, square)
    means = explanation["class-activation"].data["maps"].mean(axis=(1, 2))
    logits = explanation["scores"].data["logits"] - model.logits.bias.detach().numpy()
    assert np.allclose(means, logits, atol=1e-4)
