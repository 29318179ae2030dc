"""The text of label files: the one place where their bytes become characters.

An encoding is found in this order: a byte order mark, the NUL bytes of UTF-16 and UTF-32, the encoding that
the file declares, UTF-8, and last the code page of a region (see `code_pages.py`).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.code_pages import codec_of, declared_encoding, guess_code_pages, is_plausible
from boxmask.errors import LabelError

SAVE_AS_UTF8 = "Save the file as UTF-8."
_RESTORE = "Restore it from a copy, or remove it."
CORRECT_OR_EXPORT = "Correct it, or export it again with the tool that made it."

_MARKS = (  # UTF-32 first: its mark begins with the one of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_EAST_ASIAN = frozenset(("cp949", "gb18030", "cp932", "cp950", "euc_jp"))
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a file.

    content:  without byte order mark
    encoding: Python's name of the encoding
    note:     why the file was read in an encoding other than its declared one or UTF-8, "" if it was not
    """

    content: str
    encoding: str
    note: str = ""

    def lines(self) -> list[str]:
        """The lines, without their ends. Only CR and LF end a line, unlike in `str.splitlines`."""
        return self.content.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def read_text(path: Path, kind: str = "file") -> Text:
    """Read a text file in any encoding that label tools write. An empty file is an empty text.

    kind: of file, for the message that there is none
    Raises LabelError, with the file and the first wrong byte, for a file that cannot be read, is overwritten
    with zeros, or is in no known encoding.
    """
    return decode_text(read_bytes(path, kind=kind), path)


def read_lines(path: Path, kind: str = "file") -> list[str]:
    """The lines of a list of names, without their ends.

    kind: of file, for the message that there is none

    Raises LabelError as `read_text` does, and for control characters, which text does not have.
    """
    lines = read_text(path, kind).lines()
    for number, line in enumerate(lines, start=1):
        if found := _CONTROL.search(line.rstrip("\x1a")):  # the end of a file in DOS
            character = f"the control character U+{ord(found[0]):04X}"
            raise LabelError.in_file(
                path, f"{character} in a text file. {_RESTORE}", number, found.start() + 1
            )
    return [line.rstrip("\x1a") for line in lines]


def read_beginning(path: Path, num_bytes: int = 4096) -> str:
    """The first characters of a file, to recognize its format. Wrong bytes become U+FFFD.

    Raises LabelError if the file cannot be read.
    """
    data = read_bytes(path, num_bytes)
    marked = _marked_encoding(data)
    if marked:
        mark, encoding = marked
        return data[len(mark) :].decode(encoding, errors="replace")
    return data.decode(_encoding_by_zeros(data) or "utf-8", errors="replace")


def decode_text(data: bytes, path: Path) -> Text:
    """Decode the bytes of a file. Raises LabelError as `read_text` does."""
    if marked := _marked_encoding(data):
        mark, encoding = marked
        return Text(_decode_strictly(data[len(mark) :], encoding, path), encoding)
    if b"\0" in data:
        return _decode_with_zeros(data, path)
    if data.isascii():
        return Text(data.decode("ascii"), "utf-8")
    return _decode_without_mark(data, path)


def read_bytes(path: Path, num_bytes: int = -1, kind: str = "file") -> bytes:
    """The first bytes of a file, or all of them. Raises LabelError if it cannot be read.

    kind: of file, for the message that there is none
    """
    try:
        with path.open("rb") as file:
            return file.read(num_bytes)
    except FileNotFoundError as error:
        raise LabelError.in_file(path, f"no such {kind}. Check the spelling.") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise LabelError.in_file(path, f"this file cannot be read ({error}).") from error


# ---------------------------------------------------------------- UTF-16 and UTF-32


def _marked_encoding(data: bytes) -> tuple[bytes, str] | None:
    """The byte order mark and its encoding, if there is one."""
    return next((mark for mark in _MARKS if data.startswith(mark[0])), None)


def _encoding_by_zeros(data: bytes) -> str | None:
    """The encoding in which the zeros among the first bytes are the upper halves of ASCII characters."""
    sample = data[:4096]
    zeros = [sample[start::4].count(0) * 4 / max(len(sample), 1) > 0.2 for start in range(4)]
    patterns = {
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
    }
    return patterns.get((zeros[0], zeros[1], zeros[2], zeros[3]))


def _decode_with_zeros(data: bytes, path: Path) -> Text:
    if not data.strip(b"\0"):
        reason = f"all {len(data):,} bytes of this file are zero, as after a crash"
        raise LabelError.in_file(path, f"{reason}. {_RESTORE}")
    encoding = _encoding_by_zeros(data)
    text = _decode_strictly(data, encoding, path) if encoding else ""
    if encoding is None or "\0" in text:
        reason = f"byte {data.index(0):,} is zero, which text does not have; the file is damaged or no text"
        raise LabelError.in_file(path, f"{reason}. {_RESTORE}")
    return Text(text, encoding)


def _decode_strictly(data: bytes, encoding: str, path: Path) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.upper().removesuffix("-LE").removesuffix("-BE")
        raise LabelError.in_file(path, f"byte {error.start:,} is not {name}. {SAVE_AS_UTF8}") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise LabelError.in_file(path, f"a zero where text should be; the file is damaged. {_RESTORE}", line)
    return text


# ---------------------------------------------------------------- declared encodings, UTF-8, code pages


def _decode_without_mark(data: bytes, path: Path) -> Text:
    """Decode text with characters beyond ASCII."""
    declared = declared_encoding(data)
    encoding = codec_of(declared) or "utf-8"
    utf8 = _try_decode(data, "utf-8")
    text = _try_decode(data, encoding)
    if utf8 is None and encoding == "utf-8":
        return _decode_by_guess(data, declared, path)
    if text is not None and (utf8 is None or _overrides_utf8(text, encoding)):
        return Text(text, encoding)
    if utf8 is None:
        raise _wrong_byte(data, encoding, path, f"is not {declared}, as declared. {SAVE_AS_UTF8}")
    is_expected = declared.lower() in ("", "utf-8", "utf8")
    return Text(utf8, "utf-8", "" if is_expected else f"declares {declared}, read as UTF-8")


def _try_decode(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeError:
        return None


def _overrides_utf8(text: str, encoding: str) -> bool:
    """Whether text that is also valid UTF-8 is more likely in its declared encoding.

    Text is rarely valid UTF-8 by accident, but two-byte characters of East Asia sometimes are.
    """
    return encoding in _EAST_ASIAN and is_plausible(text, encoding)


def _decode_by_guess(data: bytes, declared: str, path: Path) -> Text:
    candidates = guess_code_pages(data)
    if len(candidates) == 1:
        claim = f"declares {declared}" if declared else "is not UTF-8"
        return Text(data.decode(candidates[0]), candidates[0], f"{claim}, read as {candidates[0]}")
    claim = f" (the file declares {declared})" if declared else ""
    may_be = f" It may be {' or '.join(candidates)}." if candidates else ""
    raise _wrong_byte(data, "utf-8", path, f"is not UTF-8{claim}.{may_be} {SAVE_AS_UTF8}")


def _wrong_byte(data: bytes, encoding: str, path: Path, reason: str) -> LabelError:
    """The error for the first wrong byte, with its line, and which byte of the line it is."""
    try:
        data.decode(encoding)
        start = 0
    except UnicodeDecodeError as error:
        start = error.start
    except UnicodeError:
        start = 0
    line_start = data.rfind(b"\n", 0, start) + 1
    line = data.count(b"\n", 0, start) + 1
    return LabelError.in_file(path, f"byte {start - line_start + 1:,} of this line {reason}", line)
