"""What a client wants to save: results of a model, as POST /v1/predict gave them, and their photos."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from boxmask.serving.predict_request import MAX_CLASSES, MAX_TEXT, EncodedPhoto

SaveFormat = Literal["jpg", "png", "coco", "yolo", "voc", "labelme", "csv", "label-maps"]

MAX_OBJECTS = 10_000  # per photo
MAX_MASK_TEXT = 1_000_000  # characters of run lengths


class SavedMask(BaseModel):
    """The pixels of an object, as the answer of /v1/predict has them."""

    model_config = ConfigDict(extra="forbid")

    size: tuple[int, int]
    counts: str = Field(max_length=MAX_MASK_TEXT)


class SavedObject(BaseModel):
    """An object, as the answer of /v1/predict has it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    class_name: str = Field(alias="class", max_length=MAX_TEXT)
    score: float = Field(ge=0, le=1)
    box: tuple[float, float, float, float] = Field(description="x1, y1, x2, y2 in pixels of the photo.")
    mask: SavedMask | None = None


class SavedResult(BaseModel):
    """The result of one photo, with what is to be left out already left out."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: str = Field(default="", max_length=4096, description="The name of the photo, which files hold.")
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    objects: list[SavedObject] | None = Field(None, max_length=MAX_OBJECTS, description="Of a detector.")
    label_map: str | None = Field(None, description="Of a segmenter: the PNG in Base64.")
    classes: list[str] | None = Field(
        None, max_length=MAX_CLASSES, description="Of a segmenter: the classes to keep. Default: all."
    )
    scores: dict[str, float] | None = Field(None, description="Of a classifier: the score of each class.")
    photo: EncodedPhoto | None = Field(None, description="For the formats jpg and png, which draw on it.")


class SaveBody(BaseModel):
    """Results of a model, and the format of the files."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=MAX_TEXT, description="The model that gave the results.")
    format: SaveFormat
    results: list[SavedResult] = Field(min_length=1)


EXAMPLE = {
    "model": "faster-rcnn-1",
    "format": "coco",
    "results": [
        {
            "name": "photo.jpg",
            "width": 640,
            "height": 480,
            "objects": [{"class": "WBC", "score": 0.99, "box": [254.6, 162.3, 498.2, 375.6]}],
        }
    ],
}
