"""Every detector can be computed in 8 bits."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor

from boxmask.detectors.contract import Detector
from boxmask.exporting.int8.layers import find_layers
from boxmask.exporting.int8.predictor import Predictor, feeds_of
from boxmask.exporting.int8.quantize import quantize, tensors_to_measure
from boxmask.exporting.int8.ranges import measure_scales
from boxmask.exporting.table import build_graph
from boxmask.photos.rgb_tensors import to_uint8_array


def test_layers_but_the_last_ones_are_in_8_bits(detector: Detector, photo: Tensor) -> None:
    needs_proposals = hasattr(detector.config, "search")
    proposals = cast(Any, detector).propose([photo])[0] if needs_proposals else None
    model = build_graph(detector).model()
    layers = find_layers(model)
    assert len(layers) >= 15
    assert not any(layer.title.endswith(("logits", "deltas", "objectness", "scores")) for layer in layers)
    feeds = feeds_of(to_uint8_array(photo), proposals)
    quantized = quantize(model, layers, measure_scales(model, tensors_to_measure(model, layers), [feeds]))
    assert quantized.ByteSize() < 0.5 * model.ByteSize()
    predictor = Predictor(quantized, detector.config)
    found = predictor.predict(photo, proposals)
    assert len(found) > 0
    if "masks" in predictor.outputs:
        assert len(predictor.run(feeds)["masks"]) == 0  # dense masks, which take gigabytes
        assert found.masks is not None
        assert len(found.masks) == len(found)
