"""Lists of photos, and one photo with its labels."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from boxmask.serving.datasets.data_set import DataSet
from boxmask.serving.datasets.data_sets import DataSets
from boxmask.serving.datasets.describe import listed_photo, photo_reply
from boxmask.serving.datasets.photo_index import ObjectSize, PhotoFilter, PhotoSize
from boxmask.serving.datasets.replies import PhotoPage, PhotoReply
from boxmask.serving.datasets.snapshot import Snapshot
from boxmask.serving.errors import RequestError
from boxmask.serving.openapi import error_responses

MAX_PER_PAGE = 500


class PhotoQuery(BaseModel, extra="forbid"):
    """Which photos to list, in the order of their names."""

    offset: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=MAX_PER_PAGE)
    class_name: str = Field("", max_length=1000, description="Photos with an object of this class.")
    object_size: ObjectSize | None = Field(
        None,
        description="Photos with an object of this size, of the class if one is given, as COCO measures.",
    )
    photo_size: PhotoSize | None = Field(None, description="Below 0.5 or 2 million pixels, or above.")
    finding: str = Field("", max_length=100, description="Photos with this kind of finding, by its id.")
    empty: bool = Field(False, description="Photos without objects.")
    text: str = Field("", max_length=1000, description="A part of the name.")


def add_photo_routes(router: APIRouter, data_sets: DataSets) -> None:
    """Add the routes."""

    @router.get("/v1/datasets/{name}/photos", summary="List photos", responses=error_responses(404, 409, 422))
    async def list_photos(name: str, query: Annotated[PhotoQuery, Query()]) -> PhotoPage:
        data = data_sets.get(name)
        return await asyncio.to_thread(_page, data, data.snapshot, query)

    @router.get(
        "/v1/datasets/{name}/photos/{photo}",
        summary="Describe a photo and its labels",
        responses=error_responses(404, 409, 422),
    )
    async def describe_photo(name: str, photo: int) -> PhotoReply:
        data, snapshot = data_sets.photo(name, photo)
        return await asyncio.to_thread(photo_reply, data, snapshot, photo)


def _page(data: DataSet, snapshot: Snapshot, query: PhotoQuery) -> PhotoPage:
    wanted = PhotoFilter(
        query.class_name,
        query.object_size,
        query.photo_size,
        query.empty,
        _photos_of(snapshot, query.finding),
        query.text,
    )
    found = snapshot.index.select(wanted)
    shown = found[query.offset : query.offset + query.limit].tolist()
    photos = [listed_photo(data, snapshot, photo) for photo in shown]
    return PhotoPage(total=len(found), offset=query.offset, photos=photos)


def _photos_of(snapshot: Snapshot, finding: str) -> frozenset[int] | None:
    """The photos of a kind of finding; None for no kind."""
    if not finding:
        return None
    photos = snapshot.findings.photos_of(finding)
    if photos is None:
        raise RequestError(
            404, "unknown-finding", f"there is no finding {finding[:100]!r}. Load the data set again."
        )
    return photos
