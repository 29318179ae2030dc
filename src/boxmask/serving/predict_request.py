"""What a client asks: photos, a model by name, and which objects to keep; as a form or as JSON."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from boxmask.serving.errors import RequestError
from boxmask.serving.multipart import FormField, parse_form

DEFAULT_MIN_SCORE = 0.5  # as in `boxmask predict`
MAX_NAME, MAX_CLASSES, MAX_TEXT = 255, 1000, 1000

_DATA_URL = re.compile(r"data:[^,]{0,100};base64,")


class Selection(BaseModel):
    """The fields that forms and JSON have in common."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(
        default=None,
        max_length=MAX_TEXT,
        description="Name of the model, see GET /v1/models. Default: the first.",
    )
    min_score: float = Field(
        default=DEFAULT_MIN_SCORE, ge=0, le=1, description="Detectors only. Minimum score of the objects."
    )
    classes: list[str] | None = Field(
        default=None,
        max_length=MAX_CLASSES,
        description="Detectors only. Classes to keep, by name. Default: all.",
    )


class EncodedPhoto(BaseModel):
    """A photo in JSON."""

    model_config = ConfigDict(extra="forbid")

    base64: str = Field(description="The bytes of the photo file, in Base64. May begin as a data: URL does.")
    name: str = Field(default="", max_length=4096, description="Is returned with the result.")


class EncodedPhotos(BaseModel):
    """What all bodies in JSON have in common."""

    photos: list[EncodedPhoto] = Field(min_length=1)


class JsonRequest(Selection, EncodedPhotos):
    """The body of a request in JSON."""


@dataclass(frozen=True)
class UploadedPhoto:
    """The bytes of a photo file, and its name in messages and results."""

    content: bytes
    name: str


FieldsT = TypeVar("FieldsT", bound=BaseModel)


@dataclass(frozen=True)
class PhotoRequest(Generic[FieldsT]):
    """Photos, and what is asked about them."""

    photos: Sequence[UploadedPhoto]
    fields: FieldsT


def parse_request(
    body: bytes, content_type: str, max_photos: int, fields: type[FieldsT], document: type[EncodedPhotos]
) -> PhotoRequest[FieldsT]:
    """The request in a body. Raises RequestError for one that is broken, incomplete or too large.

    fields:   that forms and JSON have in common
    document: the body in JSON, with these fields
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = parse_form(body, content_type, 2 * max_photos + MAX_CLASSES)
        return _from_form(form, max_photos, fields)
    if kind == "application/json":
        return _from_json(body, max_photos, fields, document)
    raise RequestError(
        415,
        "wrong-content-type",
        f"Content-Type: expected multipart/form-data or application/json, found {kind[:60] or 'none'}.",
    )


def plain_name(name: str) -> str:
    """A name to return: the last part of a path, without characters that terminals obey."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(character if character.isprintable() else "_" for character in last)[:MAX_NAME]


# ---------------------------------------------------------------- forms


def _from_form(form: Sequence[FormField], max_photos: int, fields: type[FieldsT]) -> PhotoRequest[FieldsT]:
    photos, values = [], dict[str, Any]()
    for field in form:
        if field.name == "photos":
            if field.file_name is None:
                raise RequestError(
                    422, "invalid", "photos: expected a file, found text. With curl: -F photos=@photo.jpg"
                )
            photos.append(UploadedPhoto(field.content, plain_name(field.file_name)))
            continue
        text = field.content[: MAX_TEXT + 1].decode("utf-8", "replace")
        if field.name == "classes":
            values.setdefault("classes", []).append(text)
        elif field.name in values:
            raise RequestError(
                422, "invalid", f"{plain_name(field.name)[:60]}: this field is given twice. Give it once."
            )
        else:
            values[field.name] = text
    validated = _validated(values, fields)
    check_count(len(photos), max_photos)
    return PhotoRequest(photos, validated)


def _validated(values: Mapping[str, Any], fields: type[FieldsT]) -> FieldsT:
    try:
        return fields.model_validate(values)
    except ValidationError as error:
        raise invalid(error) from error


def check_count(count: int, max_photos: int) -> None:
    """Raise RequestError for a request without photos, or with too many."""
    if not count:
        raise RequestError(
            422,
            "no-photos",
            "photos: expected at least one photo, found none. With curl: -F photos=@photo.jpg",
        )
    if count > max_photos:
        raise RequestError(
            413,
            "too-many-photos",
            f"photos: at most {max_photos} per request, found {count}. Send several requests, or start the "
            "server with a larger --max-photos.",
        )


# ---------------------------------------------------------------- JSON


def _from_json(
    body: bytes, max_photos: int, fields: type[FieldsT], document: type[EncodedPhotos]
) -> PhotoRequest[FieldsT]:
    try:
        request = document.model_validate_json(body, strict=True)  # "0.5" is no number
    except ValidationError as error:
        raise invalid(error) from error
    check_count(len(request.photos), max_photos)
    photos = [decoded_photo(photo, number) for number, photo in enumerate(request.photos, start=1)]
    values = request.model_dump(include=set(fields.model_fields), exclude_unset=True)
    return PhotoRequest(photos, fields.model_validate(values))


def decoded_photo(photo: EncodedPhoto, number: int) -> UploadedPhoto:
    """The bytes of a photo in JSON. Raises RequestError for text that is not Base64."""
    text = photo.base64
    if prefix := _DATA_URL.match(text):
        text = text[prefix.end() :]
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(
            422, "invalid", f"photo {number}: expected Base64 in the field base64, found other text."
        ) from error
    return UploadedPhoto(content, plain_name(photo.name))


def invalid(error: ValidationError) -> RequestError:
    """The refusal of a body that is no JSON, or whose fields are not as expected."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        return RequestError(400, "json-broken", f"the body is broken JSON ({problems[0]['msg'][:200]}).")
    lines = [f"{_place(problem['loc'])}: {_reason(problem)}" for problem in problems[:5]]
    more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
    return RequestError(422, "invalid", "; ".join(lines) + more)


def _place(location: Sequence[int | str]) -> str:
    """Where a field is: photos[0].base64."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:60]}" for part in location)
    return plain_name(text.removeprefix(".")) or "the body"


def _reason(problem: Mapping[str, Any]) -> str:
    reasons = {"extra_forbidden": "there is no such field", "missing": "this field is missing"}
    message = str(problem["msg"])
    return reasons.get(problem["type"], message[:1].lower() + message[1:])[:200]
