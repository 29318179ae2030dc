"""What POST /v1/explain answers: stages, with layers that lie over the photo and the numbers behind them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Box = list[float]
"""x1, y1, x2, y2 in pixels of the photo."""


class Part(BaseModel):
    """A part of a reply, which is written once."""

    model_config = ConfigDict(frozen=True)


class Cells(Part):
    """The values of a small map, as bytes."""

    width: int
    height: int
    low: float = Field(description="The value of byte 0.")
    high: float = Field(description="The value of byte 255.")
    bytes: str = Field(description="Base64 of one byte per cell, row by row.")


class BoxLayer(Part):
    """Boxes over the photo, the most important first."""

    kind: Literal["boxes"] = "boxes"
    name: str
    boxes: list[Box] = Field(description="x1, y1, x2, y2 in pixels of the photo. Points have no extent.")
    total: int = Field(description="The boxes of this layer are the first of so many.")
    classes: list[str] | None = None
    scores: list[float] | None = None
    strides: list[int] | None = Field(default=None, description="Of the map that each box was read from.")
    objects: list[int | None] | None = Field(
        default=None, description="For each box, the followed object that it belongs to."
    )
    states: list[Literal["kept", "removed", "over-limit"]] | None = Field(
        default=None, description="What NMS did with each box."
    )


class MapLayer(Part):
    """A value for each cell of a map that covers the area of its stage."""

    kind: Literal["map"] = "map"
    name: str
    cells: Cells
    covered: list[float] = Field(
        description="The fractions of the map's height and width that lie over the area. The rest is padding."
    )
    center: float = Field(
        default=0.5, description="Where in its cell a value stands: 0 in its corner, 0.5 in its middle."
    )
    stride: int | None = None
    class_name: str | None = Field(default=None, serialization_alias="class")
    rate: int | None = Field(default=None, description="Of a dilated convolution; 0 for 1 × 1.")


class LabelLayer(Part):
    """A class, or an object, for each pixel of the area of its stage."""

    kind: Literal["labels"] = "labels"
    name: str
    png: str = Field(
        description="A gray PNG in Base64. Its pixels are indices into the class names, or numbers of "
        "objects from 1, and 0 for none."
    )
    of: Literal["classes", "objects"]
    stride: int | None = None
    changed: float | None = Field(
        default=None, description="The fraction of pixels that differ from the whole model."
    )
    shares: dict[str, float] | None = Field(
        default=None, description="The fraction of the pixels of each class."
    )


class PictureLayer(Part):
    """A picture that covers the area of its stage."""

    kind: Literal["picture"] = "picture"
    name: str
    jpeg: str = Field(description="A JPEG in Base64.")
    count: int | None = Field(default=None, description="Of regions.")


class AnchorLayer(Part):
    """The anchors of one map: the same shapes in every cell."""

    kind: Literal["anchors"] = "anchors"
    name: str
    stride: int
    width: int = Field(description="Cells per row.")
    height: int = Field(description="Rows of cells.")
    middle: list[Box] = Field(description="The anchors of the cell in the middle of the photo.")


class Detail(Part):
    """A part of the photo, and what the model makes of it."""

    box: Box
    objects: list[int] = Field(description="The followed objects that came from this part.")
    bars: dict[str, float] | None = Field(default=None, description="A value per class.")
    cells: Cells | None = None
    jpeg: str | None = Field(default=None, description="The part as the network sees it, a JPEG in Base64.")


class DetailLayer(Part):
    """Parts of the photo in detail."""

    kind: Literal["details"] = "details"
    name: str
    details: list[Detail]
    total: int = Field(description="The details are examples out of so many parts.")


Layer = Annotated[
    BoxLayer | MapLayer | LabelLayer | PictureLayer | AnchorLayer | DetailLayer, Field(discriminator="kind")
]


class StageReply(Part):
    """One stage."""

    name: str = Field(description='A word, for example "proposals".')
    title: str
    text: str = Field(description="What the stage does, in plain sentences.")
    area: Box = Field(description="The part of the photo that the layers cover.")
    facts: dict[str, float | str] = Field(description="Numbers about the stage, by name.")
    layers: list[Layer]
    picture: str | None = Field(
        default=None, description="The picture that boxmask explain draws, a JPEG in Base64."
    )


class FollowedObject(Part):
    """An object that is followed through the stages."""

    class_name: str = Field(serialization_alias="class")
    score: float
    box: Box


class ExplainReply(Part):
    """The stages of a photo's way through a model, in their order. The last one is the result."""

    model: str
    method: str
    task: str
    name: str = Field(description="The name that came with the photo.")
    width: int
    height: int
    class_names: list[str]
    objects: list[FollowedObject] = Field(
        description="Detectors: the objects with the highest scores, which the stages follow."
    )
    stages: list[StageReply]
