"""What clients are told about jobs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from boxmask.serving.jobs.curves import Curves, Validation
from boxmask.serving.jobs.job import State

Action = Literal["stop", "resume", "remove", "up", "use"]


class Progress(BaseModel):
    """How far a running job has come. None: not known yet."""

    step: str = Field(description='What is being done, for example "training".')
    item: str = Field(
        default="", description="Of a comparison: the model in work. Of a forecast: its number of photos."
    )
    share: float | None = Field(default=None, description="Of the whole job, 0 to 1.")
    seconds_left: float | None = None
    images_per_second: float | None = None


class JobSummary(BaseModel):
    """A job in the list."""

    id: str
    kind: Literal["train", "compare", "forecast"]
    state: State
    name: str = Field(description="Of its folder inside --out.")
    data: str = Field(description="Name of its data set.")
    models: list[str] = Field(description="Its methods; none if they follow from the labels.")
    minutes: float = Field(description="Of training, per model. 0: passes over the photos decide.")
    created: float = Field(description="Seconds since 1970, as all times.")
    started: float | None
    ended: float | None
    place: int | None = Field(description="In the queue: 1 is the next. None unless it waits.")
    progress: Progress | None = Field(description="None unless it runs.")
    metric: str | None = Field(description="Name of the metric that decides, for a training with weights.")
    value: float | None = Field(description="Of the metric, on the validation photos.")
    reason: str = Field(description="Why it failed or was stopped. Empty if there is nothing to say.")
    actions: list[Action] = Field(description="What can be done with it now.")
    has_report: bool
    model: str | None = Field(description="Name of its model in GET /v1/models, once it is served.")


class Interval(BaseModel):
    """An interval of 95 %."""

    low: float
    high: float


class ComparedRow(BaseModel):
    """A model of a comparison that is done."""

    name: str
    value: float | None = Field(description="The metric that decides.")
    interval: Interval | None
    minutes: float | None = Field(description="Of training.")
    ms_per_photo: dict[str, float] = Field(description="By form: torch, onnx, int8.")


class FailedRow(BaseModel):
    """A model of a comparison that failed, and why."""

    name: str
    message: str


class Table(BaseModel):
    """The table of a comparison so far."""

    plan: list[str]
    metric: str
    models: list[ComparedRow]
    failed: list[FailedRow]
    sentences: list[str]


class CurvePoint(BaseModel):
    """A training of a forecast."""

    photos: int
    value: float


class OutlookPoint(BaseModel):
    """What a number of photos would bring."""

    more: int
    photos: int
    value: float
    interval: Interval


class LearningCurve(BaseModel):
    """The learning curve of a forecast so far."""

    metric: str | None
    trainings: int | None
    points: list[CurvePoint]
    outlooks: list[OutlookPoint]
    sentences: list[str]
    warnings: list[str]


class TrainedModel(BaseModel):
    """A training inside a comparison or forecast."""

    name: str
    validations: list[Validation]


class Picture(BaseModel):
    """What the model found in a few validation photos."""

    name: str = Field(description="Of GET /v1/jobs/ID/pictures/NAME.")
    percent: int = Field(description="Of the training that was done.")


class JobDetail(JobSummary):
    """A job with everything that is known about it."""

    size: int | None
    seed: int
    command: str = Field(description="To do the same, or to continue it, in a terminal.")
    messages: list[str] = Field(description="The last lines that its process has printed.")
    curves: Curves | None
    pictures: list[Picture]
    table: Table | None
    learning_curve: LearningCurve | None
    trainings: list[TrainedModel]


class JobListReply(BaseModel):
    """All jobs: those that wait in the order of the queue, and what lies in --out."""

    jobs: list[JobSummary]
    problem: str = Field(description="Why no job can be started. Empty if there is none.")


class UseReply(BaseModel):
    """The model of a training, which is served from now on."""

    model: str


class Choices(BaseModel):
    """What requests may choose."""

    models: dict[str, list[str]] = Field(description="The methods of each task.")
    needs_masks: list[str] = Field(description="Those that need masks in the labels.")
    max_minutes: float
