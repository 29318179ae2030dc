"""What clients ask for: a training, a comparison or a forecast, with a closed set of options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter

MIN_MINUTES, MAX_MINUTES = 0.05, 7 * 24 * 60.0
MAX_SEED = 2**31 - 1
MAX_NAME = 255

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]

EXAMPLE: dict[str, Any] = {"kind": "train", "data": "my-photos", "model": "ssd", "minutes": 10}


class TrainingOptions(BaseModel):
    """What trainings, comparisons and forecasts have in common."""

    model_config = ConfigDict(extra="forbid")

    data: Name = Field(description="Id of the data set, see GET /v1/page.")
    minutes: float = Field(
        default=10.0, ge=0, le=MAX_MINUTES, description="Minutes of training, per model; at least 0.05."
    )
    size: int | None = Field(
        default=None,
        ge=32,
        le=16_384,
        description="Shorter side of photos in pixels. Default: automatic.",
    )
    seed: int = Field(default=0, ge=0, le=MAX_SEED, description="Random seed.")


class TrainRequest(TrainingOptions):
    """A training."""

    kind: Literal["train"]
    model: Name = Field(default="auto", description="The method, see GET /v1/jobs/choices.")
    init: Name | None = Field(
        default=None, description="Id of a training whose weights to start from, see GET /v1/jobs."
    )


class CompareRequest(TrainingOptions):
    """A comparison of several methods on the same photos."""

    kind: Literal["compare"]
    models: list[Name] = Field(
        default_factory=list, max_length=20, description="Methods. Default: those that suit the labels."
    )
    seeds: int = Field(default=1, ge=1, le=10, description="Trainings per method.")
    folds: int | None = Field(
        default=None, ge=2, le=20, description="Parts of the photos for cross-validation. Default: one split."
    )


class ForecastRequest(TrainingOptions):
    """A forecast of what more labeled photos would bring."""

    kind: Literal["forecast"]
    model: Name = Field(default="auto", description="The method, see GET /v1/jobs/choices.")
    more: list[Annotated[int, Field(ge=1, le=1_000_000)]] | None = Field(
        default=None, min_length=1, max_length=10, description="Numbers of further photos."
    )


AnyRequest = TrainRequest | CompareRequest | ForecastRequest


class JobRequest(RootModel[Annotated[AnyRequest, Field(discriminator="kind")]]):
    """A job to add to the queue."""


class NoOptions(BaseModel):
    """An empty object."""

    model_config = ConfigDict(extra="forbid")


_ADAPTER: TypeAdapter[AnyRequest] = TypeAdapter(Annotated[AnyRequest, Field(discriminator="kind")])


def request_from(content: Any) -> AnyRequest:
    """A request from plain values. Raises pydantic's ValidationError."""
    return _ADAPTER.validate_python(content)


def models_of(request: AnyRequest) -> list[str]:
    """The methods that a request names."""
    return list(request.models) if isinstance(request, CompareRequest) else [request.model]
