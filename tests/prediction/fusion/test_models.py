"""Several models, or views of a photo, as one model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.prediction.painted import PaintDetector, painted

from boxmask.classifiers.classifier import ClassifierConfig, ImageClassifier
from boxmask.detectors.fast_rcnn import FastRCNNConfig
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.detectors.mask_rcnn import MaskRCNN, MaskRCNNConfig
from boxmask.detectors.ssd import SSD, SSDConfig
from boxmask.errors import UsageError
from boxmask.models.table import name_of
from boxmask.pipeline.segmentation.inference import probability_strips
from boxmask.prediction.fusion.classifier import FusedClassifier
from boxmask.prediction.fusion.detector import FusedDetector, hflip
from boxmask.prediction.fusion.segmenter import FusedSegmenter
from boxmask.prediction.fusion.views import View, rescaled, views_of
from boxmask.segmenters.fcn import FCN, FCNConfig
from boxmask.types import Detections

SMALL: dict[str, Any] = {"backbone": "test_resnet", "shorter_side": 64, "longer_side": 96}
BOXES = {**SMALL, "channels": 16, "rpn_channels": 16, "hidden": 16, "score_threshold": 0.01}


@pytest.fixture
def photo(scene: Callable[..., Image.Image]) -> np.ndarray:
    return np.array(scene(3))


def segmenter(*names: str, seed: int = 0, **options: Any) -> FCN:
    torch.manual_seed(seed)
    model = FCN(FCNConfig(names, **SMALL, hidden=((16, 3),), **options))
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.normal_()
    return model.eval()


def detector(*names: str, seed: int = 0) -> FasterRCNN:
    torch.manual_seed(seed)
    model = FasterRCNN(FasterRCNNConfig(names, **BOXES)).eval()
    with torch.no_grad():
        for parameter in model.box_head.parameters():
            parameter.mul_(3)
    return model


# ---------------------------------------------------------------- views


def test_test_time_augmentation_sees_each_size_twice() -> None:
    model = detector("cat")
    views = views_of([model], (0.5, 1.0, 1.0))
    sides = [(view.model.config.shorter_side, view.model.config.longer_side) for view in views]
    assert sides == [(32, 48), (32, 48), (64, 96), (64, 96)]
    assert [view.is_mirrored for view in views] == [False, True] * 2
    assert views[2].model is model
    assert model.config.shorter_side == 64
    assert views_of([model]) == [View(model)]


def test_a_rescaled_network_shares_its_weights_also_inside() -> None:
    torch.manual_seed(0)
    model = MaskRCNN(MaskRCNNConfig(("cat",), **BOXES, mask_channels=8)).eval()
    view = rescaled(model, 2)
    assert view.boxes.config.shorter_side == view.config.shorter_side == 128
    assert model.boxes.config.shorter_side == 64
    assert all(a is b for a, b in zip(view.parameters(), model.parameters(), strict=True))
    assert view.boxes.prepare([torch.zeros(3, 64, 64)]).sizes == [(128, 128)]


def test_segmenters_of_tiles_have_one_scale() -> None:
    assert len(views_of([segmenter("a", "b", tile=32)], (0.8, 1.0))) == 2


@pytest.mark.parametrize("scale", [0.0, 11.0, float("nan")])
def test_scales_out_of_range_are_refused(scale: float) -> None:
    with pytest.raises(UsageError, match=r"--tta-scales .* expected factors from 0.1 to 10, found"):
        views_of([detector("cat")], (1.0, scale))


@pytest.mark.parametrize(
    ("options", "scale"),
    [
        ({"extra_layers": ((16, 3, 1, 0), (16, 3, 1, 0)), "shorter_side": 160}, 0.8),  # maps of 5, 3 and 1
        ({"extra_layers": ((16, 3, 2, 1), (16, 3, 2, 1)), "default_box_strides": (32, 64, 128)}, 1.25),
    ],
)
def test_a_size_that_does_not_fit_the_network_is_refused(options: dict[str, Any], scale: float) -> None:
    ratios, scales = ((2,), (2,), (2,)), (0.1, 0.3, 0.6, 0.9)
    config = SSDConfig(("cat",), "test_resnet", strides=(32,), aspect_ratios=ratios, scales=scales, **options)
    model = SSD(config).eval()
    with pytest.raises(UsageError, match=rf"at {scale} times the size of its training\. Add --tta-scales 1"):
        views_of([model], (1.0, scale))
    assert len(views_of([model], (1.0,))) == 2


def test_an_ssd_of_several_sizes_is_rescaled() -> None:
    model = SSD(SSDConfig(("cat",), "test_resnet")).eval()
    assert [view.model.config.shorter_side for view in views_of([model], (0.8, 1.25))[::2]] == [256, 400]


def test_exported_files_see_one_size_and_their_segmenters_are_not_joined() -> None:
    exported: Any = PaintDetector()  # any model that is no network
    assert len(views_of([exported], (1.0,))) == 2
    with pytest.raises(UsageError, match="an ONNX file has a fixed photo size"):
        views_of([exported], (0.8, 1.0))
    with pytest.raises(UsageError, match="an ONNX file of a segmenter gives no probabilities to average"):
        FusedSegmenter([View(exported)])


# ---------------------------------------------------------------- detectors


def assert_close(found: Detections, expected: Detections) -> None:
    """The same up to rounding: boxes are fused as fractions of the photo."""
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)
    assert (found.labels == expected.labels).all()
    assert found.masks == expected.masks


@pytest.mark.parametrize("mirrored", [[True], [False, True], [False, False]])
def test_views_that_see_the_same_objects_agree(mirrored: list[bool]) -> None:
    photo = painted((60, 90), [(5, 5, 30, 20), (40, 30, 88, 55)])
    exact: Any = PaintDetector()
    fused = FusedDetector([View(exact, is_mirrored) for is_mirrored in mirrored])
    assert_close(fused.predict(photo), exact.predict(photo))


def test_a_mirrored_photo_gives_mirrored_detections(photo: np.ndarray) -> None:
    fused = FusedDetector(views_of([detector("cat", "dog")], (1.0,)))
    found, mirrored = fused.predict(photo), hflip(fused.predict(photo[:, ::-1]))
    assert len(found) == len(mirrored) > 0
    np.testing.assert_allclose(np.sort(found.scores), np.sort(mirrored.scores), atol=1e-4)


def test_an_ensemble_knows_the_classes_of_all_and_remembers_the_photo(
    photo: np.ndarray, tmp_path: Path
) -> None:
    fused = FusedDetector(views_of([detector("cat", "dog"), detector("owl", "cat", seed=1)]))
    assert fused.class_names == fused.config.class_names == ("cat", "dog", "owl")
    assert name_of(fused) == "faster-rcnn"
    Image.fromarray(photo).save(tmp_path / "a.png")
    [found] = fused.predict([tmp_path / "a.png"])
    assert isinstance(found, Detections)
    assert found.photo == tmp_path / "a.png"
    assert found.class_names == ("cat", "dog", "owl")


def test_masks_are_found_if_all_detectors_find_them(photo: np.ndarray) -> None:
    torch.manual_seed(0)
    masked = MaskRCNN(MaskRCNNConfig(("cat",), **BOXES, mask_channels=8)).eval()
    assert FusedDetector(views_of([masked, masked])).predict(photo).masks is not None
    mixed = FusedDetector(views_of([masked, detector("cat")]))
    assert name_of(mixed) == "faster-rcnn"
    assert mixed.predict(photo).masks is None


def test_proposals_go_to_the_detectors_that_search_for_them() -> None:
    given = []

    class Recorder(PaintDetector):
        def __init__(self, config: Any) -> None:
            super().__init__()
            self.config = config

        def predict(self, photo: Any, proposals: Any = None) -> Any:  # type: ignore[override]
            given.append(proposals)
            height, width = photo.shape[-2:]
            nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
            return Detections(*nothing, ("cat",), (height, width))

    searching: Any = Recorder(FastRCNNConfig(("cat",)))
    other: Any = Recorder(FasterRCNNConfig(("cat",)))
    fused = FusedDetector([View(searching), View(searching, is_mirrored=True), View(other)])
    fused.predict(torch.zeros(3, 40, 100), proposals=torch.tensor([[10.0, 5.0, 30.0, 20.0]]))
    assert [boxes if boxes is None else boxes.tolist() for boxes in given] == [
        [[10, 5, 30, 20]],
        [[70, 5, 90, 20]],
        None,
    ]


# ---------------------------------------------------------------- segmenters


@pytest.mark.parametrize("options", [{}, {"tile": 32}], ids=["whole", "tiles"])
def test_probabilities_in_strips_sum_to_one_and_give_the_label_map(
    photo: np.ndarray, options: dict[str, int]
) -> None:
    model = segmenter("a", "b", "c", **options)
    image = torch.from_numpy(photo).permute(2, 0, 1)
    with torch.inference_mode():
        strips = torch.cat(list(probability_strips(image, model)), dim=1)
    torch.testing.assert_close(strips.sum(dim=0), torch.ones(photo.shape[:2]))
    expected = model.predict(photo)
    assert (strips.argmax(dim=0).numpy() == expected.labels).all()
    assert FusedSegmenter([View(model), View(model)]).predict(photo) == expected


def test_segmenters_of_other_classes_tiles_and_sizes_are_averaged(photo: np.ndarray) -> None:
    models = [segmenter("a", "b"), segmenter("b", "c", seed=1, tile=32), segmenter("a", "b", seed=2)]
    fused = FusedSegmenter(views_of(models, (0.5, 1.0)))
    assert fused.class_names == ("a", "b", "c")
    label_map = fused.predict(photo)
    assert label_map.size == photo.shape[:2]
    assert (fused.predict(photo[:, ::-1]).labels[:, ::-1] == label_map.labels).mean() > 0.99
    image = torch.from_numpy(photo).permute(2, 0, 1)
    with torch.inference_mode():
        first, second, third = (torch.cat(list(probability_strips(image, model)), 1) for model in models)
    expected = torch.stack([(first[0] + third[0]) / 2, (first[1] + second[0] + third[1]) / 3, second[1]])
    assert (
        FusedSegmenter(views_of(models)).predict(photo).labels == expected.argmax(0).numpy()
    ).mean() > 0.999


def test_a_label_map_holds_no_more_than_255_classes() -> None:
    names = [f"{number}" for number in range(256)]
    models = [segmenter(*names[:200]), segmenter(*names[100:])]
    with pytest.raises(UsageError, match="the models know 256 classes; a label map has at most 255"):
        FusedSegmenter(views_of(models))


# ---------------------------------------------------------------- classifiers


def test_classifiers_are_averaged_by_class_name(photo: np.ndarray) -> None:
    torch.manual_seed(0)
    models = [ImageClassifier(ClassifierConfig(names, **SMALL)).eval() for names in (("a", "b"), ("b", "c"))]
    first, second = (model.predict(photo).scores for model in models)
    means = np.array([first[0], (first[1] + second[0]) / 2, second[1]])
    found = FusedClassifier(views_of(models)).predict(photo)
    assert found.class_names == ("a", "b", "c")
    np.testing.assert_allclose(found.scores, means / means.sum(), rtol=1e-5)
    augmented = FusedClassifier(views_of(models[:1], (1.0,)))
    np.testing.assert_allclose(
        augmented.predict(photo).scores, augmented.predict(photo[:, ::-1]).scores, atol=1e-5
    )
