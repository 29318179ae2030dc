"""Read the text of a label file so that it can be written back byte by byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxmask.data.text import SAVE_AS_UTF8, decode_text, read_bytes
from boxmask.errors import LabelError


@dataclass(frozen=True, slots=True)
class LabelText:
    """The text of a label file.

    data:     the text as UTF-8, without byte order mark
    encoding: of the file
    mark:     its byte order mark
    """

    path: Path
    data: bytes
    encoding: str = "utf-8"
    mark: bytes = b""

    def encode(self, data: bytes) -> bytes:
        """Changed text in the encoding of the file. Raises LabelError for characters that this lacks."""
        try:
            return self.mark + data.decode().encode(self.encoding)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise LabelError.in_file(
                self.path, f"{self.encoding} does not have the character {character!r}. {SAVE_AS_UTF8}"
            ) from error


def read_label_text(path: Path) -> LabelText:
    """The text of a file. Raises LabelError as `read_text` does, and if writing would change it."""
    content = read_bytes(path)
    text = decode_text(content, path)
    encoded = text.content.encode(text.encoding)
    if not content.endswith(encoded):
        raise LabelError.in_file(path, f"cannot be written back as {text.encoding}. {SAVE_AS_UTF8}")
    return LabelText(path, text.content.encode(), text.encoding, content[: len(content) - len(encoded)])
