"""What a client asks of POST /v1/explain: one photo, a model by name, and which objects to follow."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from boxmask.serving.errors import RequestError
from boxmask.serving.models import ServedModel
from boxmask.serving.predict_request import DEFAULT_MIN_SCORE, MAX_TEXT, EncodedPhotos, UploadedPhoto


class ExplainFields(BaseModel):
    """The fields that forms and JSON have in common."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(
        default=None,
        max_length=MAX_TEXT,
        description="Name of the model, see GET /v1/models. Default: the first.",
    )
    min_score: float = Field(
        default=DEFAULT_MIN_SCORE,
        ge=0,
        le=1,
        description="Detectors only. Minimum score of the objects that are followed. If there are none, the "
        "three with the highest scores are followed.",
    )
    pictures: bool = Field(
        default=False, description="Whether to add the pictures that boxmask explain draws, one per stage."
    )


class ExplainRequest(ExplainFields, EncodedPhotos):
    """The body of a request in JSON."""


def check_single(photos: Sequence[UploadedPhoto]) -> None:
    """Raise RequestError for several photos."""
    if len(photos) > 1:
        raise RequestError(
            413,
            "too-many-photos",
            f"photos: one photo is explained per request, found {len(photos)}. Send several requests.",
        )


def check_explainable(model: ServedModel, fields: ExplainFields) -> None:
    """Raise RequestError for a model without stages, and for fields of another task."""
    if model.form != "torch":
        raise RequestError(
            422,
            "no-stages",
            f"model: {model.name} is an exported file, which has no stages any more. Start the server with "
            "the RUN that it was exported from.",
        )
    if model.task != "detection" and "min_score" in fields.model_fields_set:
        raise RequestError(422, "invalid", "min_score: this works for detectors only. Leave it out.")
