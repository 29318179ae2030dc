"""What the layers of all stages need to know about the photo and the followed objects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from boxmask.explaining.contract import Explanation, Stage
from boxmask.serving.explain.encode import box_list, cells, rounded_all
from boxmask.serving.explain.reply import Box, BoxLayer, Layer, MapLayer

Found = tuple[dict[str, float | str], list[Layer]]
"""The facts and the layers of a stage."""

MAX_BOXES = 1000  # of one layer


@dataclass(frozen=True)
class Frame:
    """The photo and the followed objects.

    size:        (height, width) of the photo
    covered:     the fractions of the network's input, along height and width, that the photo covers
    followed:    number of the objects that the stages follow
    proposals:   two stages: the row of the proposal of each of them
    shown:       two stages: the rows of the proposals that are shown in detail
    class_names: of the model
    """

    size: tuple[int, int]
    covered: tuple[float, float]
    followed: int
    proposals: tuple[int, ...]
    shown: tuple[int, ...]
    class_names: tuple[str, ...]

    @staticmethod
    def of(explanation: Explanation, size: tuple[int, int]) -> Frame:
        """The frame of an explanation of a photo of `size` (height, width)."""
        image = explanation["image"].data
        inner, outer = image["image_size"], image["padded_size"]
        origins = _find(explanation, "box-regression") or _find(explanation, "winners")
        scores = _find(explanation, "scores")
        return Frame(
            size=size,
            covered=(inner[0] / outer[0], inner[1] / outer[1]),
            followed=len(origins["names"]) if origins else 0,
            proposals=tuple(origins["rows"].tolist()) if "rows" in origins else (),
            shown=tuple(map(int, scores.get("shown", ()))),
            class_names=tuple(explanation.result.class_names),
        )

    @property
    def area(self) -> Box:
        """The whole photo."""
        return [0.0, 0.0, float(self.size[1]), float(self.size[0])]

    def objects_of(self, row: int) -> list[int]:
        """The followed objects that came from a proposal."""
        return [number for number, proposal in enumerate(self.proposals) if proposal == row]

    def boxes(self, name: str, boxes: Float[np.ndarray, "N 4"], **columns: Any) -> BoxLayer:
        """A layer of the first of some boxes. columns: lists and arrays with a value per box"""
        first: dict[str, Any] = {key: _listed(values[:MAX_BOXES]) for key, values in columns.items()}
        return BoxLayer(name=name, boxes=box_list(boxes[:MAX_BOXES]), total=len(boxes), **first)

    def follow(self, name: str, boxes: Float[np.ndarray, "M 4"], **columns: Any) -> BoxLayer:
        """A layer with one box per followed object."""
        return self.boxes(name, boxes, objects=list(range(len(boxes))), **columns)

    def map(
        self,
        name: str,
        values: Float[np.ndarray, "h w"],
        limits: tuple[float, float] | None = None,
        **fields: Any,
    ) -> MapLayer:
        """A layer of a map of the network, which covers the padding as well.

        limits: of the values; by default those of the cells in the photo
        """
        return MapLayer(
            name=name,
            cells=cells(values, limits or self.span(values)),
            covered=list(self.covered),
            **fields,
        )

    def span(self, values: Float[np.ndarray, "h w"]) -> tuple[float, float]:
        """The lowest and the highest value in the photo."""
        rows, columns = (
            max(1, math.ceil(part * count)) for part, count in zip(self.covered, values.shape, strict=True)
        )
        inner = values[:rows, :columns]
        return float(inner.min()), float(inner.max())


def _find(explanation: Explanation, name: str) -> dict[str, Any]:
    """The data of a stage; empty if the method has no such stage."""
    found: list[Stage] = [stage for stage in explanation if stage.name == name]
    return found[0].data if found else {}


def _listed(values: Any) -> list[Any]:
    if not isinstance(values, np.ndarray):
        return list(values)
    listed: list[Any] = values.tolist()
    return rounded_all(listed) if values.dtype.kind == "f" else listed
