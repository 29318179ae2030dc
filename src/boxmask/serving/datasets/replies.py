"""The JSON of the routes below /v1/datasets."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from boxmask.serving.datasets.data_set import DataState

Point = tuple[float, float]
BoxValues = tuple[float, float, float, float]


class ReadingProgress(BaseModel):
    """How far a data set was read."""

    state: DataState = Field(
        description='"reading" the labels, "checking" the photos, while labels can be seen already, "ready", '
        'or "failed".'
    )
    photos_checked: int
    photos_to_check: int
    error: str = Field(description="Why it failed.")


class ListedDataSet(BaseModel):
    """A data set that the server was started with."""

    id: str
    path: str
    reading: ReadingProgress


class DataSetList(BaseModel):
    """All data sets."""

    datasets: list[ListedDataSet]


class ClassCount(BaseModel):
    """A class, and how often it occurs."""

    name: str
    color: str = Field(description="As boxmask draws it: #RRGGBB.")
    objects: int
    photos: int


class FindingGroupReply(BaseModel):
    """All findings of one kind, as `boxmask check` groups them."""

    id: str
    severity: Literal["error", "warning", "note"]
    heading: str
    remedy: str
    count: int
    photos: int = Field(description="That they are about.")
    others: list[str] = Field(description="Findings about no photo, at most 20.")


class Correcting(BaseModel):
    """Whether labels can be corrected.

    code and message tell why not; both are empty if they can.
    """

    shapes: list[Literal["box", "polygon"]]
    code: str
    message: str


class DataSetReply(ListedDataSet):
    """A data set. Counts are 0 and lists are empty until it was read."""

    format: str
    kind: str = Field(description='What is labeled: "objects", "label maps" or "class folders".')
    photos: int
    objects: int
    label_files: int
    classes: list[ClassCount]
    findings: list[FindingGroupReply]
    correcting: Correcting
    changed: bool = Field(description="Whether another program has changed label files since.")


class ListedPhoto(BaseModel):
    """A photo in a list."""

    number: int
    file: str
    width: int
    height: int
    thumbnail: str
    objects: int
    labels: list[int] = Field(
        description="The class of each box in `boxes`, as its place in the list of classes."
    )
    boxes: list[BoxValues] = Field(description="x1, y1, x2, y2 of these objects, at most 60.")


class PhotoPage(BaseModel):
    """A part of a list of photos."""

    total: int = Field(description="Photos that pass the filter.")
    offset: int
    photos: list[ListedPhoto]


class ObjectReply(BaseModel):
    """An object, in continuous pixels of the photo as shown, from its upper left corner."""

    id: int
    class_name: str
    kind: Literal["box", "polygon", "outline"] = Field(
        description='"outline" can be seen, given another class and removed, but not drawn anew.'
    )
    box: BoxValues | None = Field(description="x1, y1, x2, y2.")
    rings: list[list[Point]] = Field(description="The outline. A polygon has one ring.")


class FindingReply(BaseModel):
    """A finding about a photo."""

    kind: str
    severity: Literal["error", "warning", "note"]
    heading: str
    remedy: str
    detail: str
    box: BoxValues | None
    object: int | None = Field(description="The id of the object that it is about.")


class VersionReply(BaseModel):
    """An old version of a label file."""

    number: int
    file: str
    time: float = Field(description="When it was replaced, in seconds since 1970.")


class PhotoReply(BaseModel):
    """A photo with its labels."""

    number: int
    file: str
    width: int
    height: int
    split: str
    image: str
    version: str = Field(description="To be sent with corrections.")
    label_file: str
    objects: list[ObjectReply]
    findings: list[FindingReply]
    findings_outdated: bool = Field(description="Whether labels were corrected since they were checked.")
    correcting: Correcting
    versions: list[VersionReply]
    changed: bool = Field(description="Whether another program has changed the label file since.")
    kept: str = Field(description="After saving: the file that the old version was kept in.")


class BoxBody(BaseModel, extra="forbid"):
    """A box."""

    kind: Literal["box"]
    box: BoxValues = Field(description="x1, y1, x2, y2.")


class PolygonBody(BaseModel, extra="forbid"):
    """A polygon."""

    kind: Literal["polygon"]
    points: list[Point] = Field(min_length=3, max_length=2000)


class ObjectBody(BaseModel, extra="forbid"):
    """An object as it should be."""

    id: int | None = Field(None, description="Of an object of the photo. Leave it out for a new one.")
    class_name: str = Field(max_length=1000)
    shape: BoxBody | PolygonBody | None = Field(
        None, discriminator="kind", description="Leave it out to keep the shape as it is."
    )


class ObjectsBody(BaseModel, extra="forbid"):
    """All objects of a photo as they should be. Those that are left out are removed."""

    version: str = Field(max_length=100)
    objects: list[ObjectBody] = Field(max_length=2000)


class RestoreBody(BaseModel, extra="forbid"):
    """Which old version to bring back."""

    version: str = Field(max_length=100, description="Of the photo.")
    number: int = Field(ge=1, description="Of the old version.")
