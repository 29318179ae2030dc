"""Every detector gives the same results as an ONNX file, where it can be exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from boxmask.detectors.contract import Detector
from boxmask.exporting.graph import IR_VERSION, OPSET
from boxmask.exporting.parity.check import compare_batch
from boxmask.exporting.parity.differences import Differences
from boxmask.exporting.parity.photos import NamedPhoto
from boxmask.exporting.session import Session, pack
from boxmask.exporting.table import BUILDERS, build_graph
from boxmask.runtime.paste import paste_masks

Build = Callable[..., Detector]
SIZES = [(120, 150), (97, 96), (60, 200), (200, 61), (1, 1), (333, 250)]


def export(detector: Detector, path: Path) -> Session:
    path.write_bytes(build_graph(detector).model().SerializeToString())
    return Session(path)


@pytest.fixture(scope="module")
def session(model: str, detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Session:
    if model not in BUILDERS:
        pytest.skip(f"{model} is not exported yet")
    return export(detector, tmp_path_factory.mktemp("export") / "model.onnx")


def noise(size: tuple[int, int]) -> NamedPhoto:
    """Colored rectangles on noise."""
    numbers = np.random.default_rng(sum(size))
    pixels = numbers.integers(100, 150, (*size, 3)).astype(np.uint8)
    height, width = size
    pixels[height // 5 : height // 2, width // 5 : width // 2] = (210, 40, 30)
    pixels[height // 2 :, width // 2 :] = (40, 60, 220)
    return NamedPhoto(str(size), pixels)


def assert_equal(session: Session, detector: Detector, photos: Sequence[NamedPhoto]) -> Differences:
    differences = compare_batch(session, detector, photos)
    assert differences.mismatches == 0
    assert differences.box < 0.1
    assert differences.score < 1e-3
    assert differences.mask_iou >= 0.99
    return differences


@pytest.mark.parametrize("size", SIZES)
def test_a_photo_alone(session: Session, detector: Detector, size: tuple[int, int]) -> None:
    assert_equal(session, detector, [noise(size)])


def test_photos_of_different_sizes_in_a_batch(session: Session, detector: Detector, photo: Tensor) -> None:
    painted = NamedPhoto("painted", photo.permute(1, 2, 0).contiguous().numpy())
    for batch in ([painted, *map(noise, SIZES[:3])], [noise((150, 120)), painted]):
        assert assert_equal(session, detector, batch).compared > 10


def test_no_objects(build: Build, model: str, tmp_path: Path) -> None:
    if model not in BUILDERS:
        pytest.skip(f"{model} is not exported yet")
    nothing = export(build(score_threshold=0.999).eval(), tmp_path / "nothing.onnx")
    no_proposals = [np.zeros((0, 4), dtype=np.float32)] * 2 if nothing.needs_proposals else []
    outputs = nothing.run([noise((90, 120)).pixels, noise((50, 40)).pixels], no_proposals)
    assert outputs["counts"].tolist() == [0, 0]
    assert outputs["boxes"].shape == (0, 4)
    assert outputs["scores"].shape == outputs["labels"].shape == (0,)
    if "masks" in outputs:
        assert outputs["masks"].shape == (0, 90, 120)


def test_versions_that_older_runtimes_read(session: Session) -> None:
    assert (OPSET, IR_VERSION) == (18, 8)  # ONNX Runtime 1.17
    loaded = onnx.load(session.path)
    onnx.checker.check_model(loaded, full_check=False)
    assert [(entry.domain, entry.version) for entry in loaded.opset_import] == [("", OPSET)]
    assert loaded.ir_version == IR_VERSION
    for graph in graphs_of(loaded.graph):
        names = [node.name for node in graph.node]
        assert len(set(names)) == len(names)  # ONNX Runtime 1.19 does not load others
        assert all(names)


def graphs_of(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and the bodies of its loops."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs_of(attribute.g)


def test_torch_export(model: str, detector: Detector) -> None:
    """The network contains operators that PyTorch's own export knows."""
    pixels = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    if model == "ssd":
        pixels = torch.randn(1, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    inputs = (pixels, [torch.tensor([[5.0, 5, 40, 60]])]) if model == "fast-rcnn" else (pixels,)
    with torch.no_grad():
        expected = detector(*inputs)
        found = torch.export.export(detector, inputs, strict=False).module()(*inputs)
    for a, b in zip(tree_leaves(found), tree_leaves(expected), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3)


def test_mask_scores_in_place_of_masks(model: str, session: Session, detector: Detector) -> None:
    """The same masks without a full map for each object."""
    if model != "mask-rcnn":
        pytest.skip("finds boxes only")
    pixels = noise((120, 150)).pixels
    full = session.run([pixels])
    scores = dict(
        zip(
            session.outputs,
            session.session.run(None, {**pack([pixels]), "dense_masks": np.array(False)}),
            strict=True,
        )
    )
    assert scores["masks"].shape == (0, 120, 150)
    masks = paste_masks(scores["mask_scores"], scores["boxes"], (120, 150), detector.config.mask_threshold)
    assert len(masks) > 10
    assert (masks.dense() != full["masks"]).sum() <= 2


def test_wrong_mask_scores_are_a_difference(
    model: str, session: Session, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    if model != "mask-rcnn":
        pytest.skip("finds boxes only")
    run = session.run

    def without_scores(*inputs: Any) -> dict[str, Any]:
        outputs = run(*inputs)
        return outputs | {"mask_scores": np.zeros_like(outputs["mask_scores"])}

    monkeypatch.setattr(session, "run", without_scores)
    assert compare_batch(session, detector, [noise((120, 150))]).mask_iou < 0.1
