"""Split the body of a form (multipart/form-data, RFC 7578) into its fields, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from boxmask.serving.errors import RequestError

MAX_HEADERS = 8  # of one field
MAX_HEADER = 4096  # bytes of all headers of one field


@dataclass(frozen=True)
class FormField:
    """A field of a form. It is a file if it has a file name, which is never used as a path."""

    name: str
    content: bytes
    file_name: str | None = None


def parse_form(body: bytes, content_type: str, max_fields: int) -> list[FormField]:
    """The fields of a form, in their order.

    content_type: the header of the request, which holds the boundary between fields

    Raises RequestError for a form that is broken or has more fields.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise _broken("its Content-Type names no boundary")
    form = _Form(max_fields)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise _broken("it is no multipart/form-data") from error
    if not form.is_complete:
        raise _broken("its end is missing")
    return form.fields


def _broken(reason: str) -> RequestError:
    return RequestError(
        400, "form-broken", f"the form cannot be read: {reason}. Let a library of HTTP write it."
    )


class _Form:
    """Collects the fields that a parser finds."""

    def __init__(self, max_fields: int) -> None:
        self.fields: list[FormField] = []
        self.is_complete = False
        self._max_fields = max_fields
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = bytearray(), bytearray()
        self._content = bytearray()

    def callbacks(self) -> Any:
        """The functions that the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._add_header(self._name, data[start:end]),
            "on_header_value": lambda data, start, end: self._add_header(self._value, data[start:end]),
            "on_header_end": self._end_header,
            "on_part_data": self._add_content,
            "on_part_end": self._end,
            "on_end": self._complete,
        }

    def _begin(self) -> None:
        if len(self.fields) >= self._max_fields:
            raise RequestError(
                413, "too-many-fields", f"the form has too many fields: at most {self._max_fields} are read."
            )
        self._headers, self._content = {}, bytearray()
        self._name, self._value = bytearray(), bytearray()

    def _add_header(self, part: bytearray, data: bytes) -> None:
        if len(part) + len(data) > MAX_HEADER or len(self._headers) >= MAX_HEADERS:
            raise _broken("the headers of a field are too long")
        part += data

    def _end_header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name, self._value = bytearray(), bytearray()

    def _add_content(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise _broken("a field has no name")
        file_name = options.get(b"filename")
        self.fields.append(
            FormField(
                options[b"name"].decode("utf-8", "replace"),
                bytes(self._content),
                None if file_name is None else file_name.decode("utf-8", "replace"),
            )
        )

    def _complete(self) -> None:
        self.is_complete = True
