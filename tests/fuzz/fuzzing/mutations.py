"""Damage files: their bytes, or the content of JSON, XML, lists and safetensors.

Every choice comes from a `Random` that hypothesis controls, so that a failing input is shrunk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any
from xml.sax.saxutils import quoteattr

from fuzzing.inputs import Files

ODD_NUMBERS = (
    0,
    1,
    -1,
    2,
    3,
    255,
    256,
    65535,
    65536,
    2**31 - 1,
    2**31,
    -(2**31),
    2**32,
    2**63 - 1,
    2**63,
    2**64,
    10**20,
    10**308,
    -(10**400),
    0.5,
    -0.0,
    1e-320,
    1e308,
    -1e308,
    1e400,
    float("nan"),
    float("inf"),
)
ODD_TEXTS = (
    "",
    " ",
    "a",
    "cat",
    "1",
    "1.0",
    "-1",
    "nan",
    "true",
    "None",
    "a" * 300,
    "a\nb",
    "a\tb",
    "\x00",
    "\x1b[31m",
    "é",
    "e\u0301",
    "상자",
    "箱",
    "قطة",
    "\u202eabc",
    "\ufeff",
    "\ud800",
    "😀",
    "a,b",
    '"',
    "<",
    "&amp;",
    "{}",
    "../a.png",
    "/etc/passwd",
    "C:\\a.png",
    "a%20b.png",
    "a.png?x=1",
    "*",
    "con",
    ".",
    "..",
    "a/b/c",
    "%s",
    "9" * 5000,
)
ODD_VALUES: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"a": 1}, *ODD_NUMBERS, *ODD_TEXTS)
ODD_BYTES = (
    b"\0",
    b"\xff",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\x80",
    b"\n",
    b"\r",
    b"<",
    b"]",
    b"}",
    b'"',
    b"\\u",
    b"9" * 40,
)
ENCODINGS = (
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "cp949",
    "gb18030",
    "cp932",
    "cp1252",
    "big5",
)


def mutate_files(files: Files, random: Random) -> Files:
    """Change one to four things in the files."""
    files = dict(files)
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        if files and random.randrange(8):
            name = random.choice(sorted(files))
            files[name] = mutate(name, files[name], random)
        elif files:
            files = _mutate_names(files, random)
    return files


def mutate(name: str, content: bytes, random: Random) -> bytes:
    """Change one thing in a file: in its bytes, or in what its format means."""
    suffix = name.rpartition(".")[2].lower()
    by_suffix: dict[str, Callable[[bytes, Random], bytes]] = {
        "json": mutate_json,
        "jsonl": mutate_json_lines,
        "xml": mutate_xml,
        "txt": mutate_lines,
        "csv": mutate_lines,
        "yaml": mutate_lines,
        "data": mutate_lines,
        "safetensors": mutate_safetensors,
    }
    mutation = by_suffix.get(suffix)
    if mutation is None or not random.randrange(4):
        mutation = mutate_bytes
    return mutation(content, random)


def _mutate_names(files: Files, random: Random) -> Files:
    """Remove, rename or copy a file, or exchange two contents."""
    name, other = random.choice(sorted(files)), random.choice(sorted(files))
    content = files[name]
    folder, _, base = name.rpartition("/")
    new = random.choice(
        [base.upper(), base + ".bak", "x" + base, "é" + base, base[::-1], "상자.png", "a b.txt", " "]
    )
    new = f"{folder}/{new}" if folder else new
    kind = random.randrange(4)
    if kind == 0:
        files.pop(name)
    elif kind == 1:
        files[new] = files.pop(name)
    elif kind == 2:
        files[new] = content
    else:
        files[name], files[other] = files[other], content
    return files


# ---------------------------------------------------------------- bytes


def mutate_bytes(content: bytes, random: Random) -> bytes:
    """Replace, remove, repeat or insert bytes, cut the file, or write it in another encoding."""
    start = random.randint(0, len(content))
    end = min(len(content), start + random.choice([1, 1, 2, 4, 16, 200]))
    kind = random.randrange(10)
    if kind == 0:
        return content[:start]
    if kind == 1:
        return content[:start] + content[end:]
    if kind == 2:
        return content[:end] + content[start:end] * random.choice([1, 2, 50]) + content[end:]
    if kind == 3:
        return content[:start] + random.choice(ODD_BYTES) + content[start:]
    if kind == 4:
        return content[:start] + bytes(end - start) + content[end:]
    if kind == 5:
        return bytes(len(content)) if random.randrange(2) else content[:start] + bytes(len(content) - start)
    if kind == 6:
        number = int(random.choice([0, 1, 255, 256, 65535, 2**16, 2**31 - 1, 2**31, 2**32 - 1]))
        code = number.to_bytes(4, random.choice(["big", "little"]))
        return content[:start] + code + content[start + 4 :]
    if kind == 7:
        return content.decode("utf-8", "replace").encode(random.choice(ENCODINGS), "replace")
    flipped = bytearray(content)
    for _ in range(random.choice([1, 1, 3])):
        if flipped:
            flipped[random.randrange(len(flipped))] = random.randrange(256)
    return bytes(flipped)


# ---------------------------------------------------------------- JSON


def mutate_json(content: bytes, random: Random) -> bytes:
    """Change a value of a JSON document, or how it is written."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return mutate_bytes(content, random)
    for _ in range(random.randint(1, 2)):
        document = mutate_value(document, random)
    text = json.dumps(document, ensure_ascii=bool(random.randrange(2)), indent=random.choice([None, None, 1]))
    if not random.randrange(12):
        opening = random.choice(["[", '{"a":'])
        text = opening * random.choice([50, 3000, 200_000]) + text
    return text.encode("utf-8", random.choice(["surrogatepass", "replace"]))


def mutate_value(value: Any, random: Random) -> Any:
    """Go down into a JSON value at random, and change what is there."""
    if isinstance(value, dict) and value and random.randrange(8):
        key = random.choice(sorted(value))
        kind = random.randrange(12)
        if kind == 0:
            return {name: item for name, item in value.items() if name != key}
        if kind == 1:
            return {(name if name != key else random.choice(ODD_TEXTS)): item for name, item in value.items()}
        if kind == 2:
            return {**value, random.choice(ODD_TEXTS): random.choice(ODD_VALUES)}
        return {**value, key: mutate_value(value[key], random)}
    if isinstance(value, list) and value and random.randrange(8):
        index = random.randrange(len(value))
        kind = random.randrange(12)
        if kind == 0:
            return value[:index] + value[index + 1 :]
        if kind == 1:
            return value[: index + 1] + [value[index]] * random.choice([1, 1, 3, 100]) + value[index + 1 :]
        if kind == 2:
            return [*value, random.choice(ODD_VALUES)]
        return [*value[:index], mutate_value(value[index], random), *value[index + 1 :]]
    if isinstance(value, str) and random.randrange(2):
        position = random.randint(0, len(value))
        return value[:position] + random.choice(ODD_TEXTS) + value[position + random.randrange(2) :]
    if isinstance(value, int | float) and not isinstance(value, bool) and random.randrange(2):
        return random.choice([-value, value + 1, value * 1000, _fraction(value), str(value), [value]])
    return random.choice(ODD_VALUES)


def _fraction(value: float) -> float:
    """A third of a number that has one."""
    return value / 3 if abs(value) < 1e300 else 0.1


def mutate_json_lines(content: bytes, random: Random) -> bytes:
    """Change one line of a file with one JSON document per line."""
    lines = content.split(b"\n")
    index = random.randrange(len(lines))
    lines[index] = mutate_json(lines[index], random)
    return b"\n".join(lines)


# ---------------------------------------------------------------- XML, lists, safetensors


def mutate_xml(content: bytes, random: Random) -> bytes:
    """Change a text, remove or repeat an element, declare another encoding, or add what XML allows."""
    text = content.decode("utf-8", "replace")
    kind = random.randrange(8)
    elements = list(re.finditer(r"<(\w+)>[^<]*</\1>", text)) or list(re.finditer(r"<[^>]*>", text))
    if (fields := list(re.finditer(r' (\w+)="([^"]*)"', text))) and random.randrange(2):
        found = random.choice(fields)
        value = str(random.choice((*ODD_NUMBERS, *ODD_TEXTS, found[2] * 2, "-" + found[2])))
        new = "" if not random.randrange(6) else f" {found[1]}={quoteattr(value[:6000])}"
        return (text[: found.start()] + new + text[found.end() :]).encode("utf-8", "replace")
    if kind < 6 and elements:
        found = random.choice(elements)
        new = {
            0: "",
            1: found[0] * random.choice([2, 2, 100]),
            2: "<!--" + "x" * 2000 + "-->" + found[0],
        }.get(kind)
        if new is None:
            number = random.choice(ODD_NUMBERS) if random.randrange(2) else random.choice(ODD_TEXTS)
            new = re.sub(r">[^<]*<", lambda _: f">{number!s:.6000}<", found[0], count=1)
        text = text[: found.start()] + new + text[found.end() :]
    elif kind == 6:
        name = random.choice(
            ["EUC-KR", "ANSI", "utf8", "UTF-16", "GB2312", "cp037", "zlib", "idna", "x" * 50, ""]
        )
        text = re.sub(r"^(<\?xml.*?\?>)?", f'<?xml version="1.0" encoding="{name}"?>', text, count=1)
    else:
        extra = [
            '<!DOCTYPE a [<!ENTITY x "y">]>',
            "<a>" * 500,
            "&x;",
            "<![CDATA[x]]>",
            "<?a b?>",
            '<!DOCTYPE a SYSTEM "b">',
        ]
        position = random.choice([0, len(text) // 2, len(text)])
        text = text[:position] + random.choice(extra) + text[position:]
    return text.encode(random.choice(["utf-8", "utf-8", "utf-16", "euc-kr", "cp1252", "gb18030"]), "replace")


def mutate_lines(content: bytes, random: Random) -> bytes:
    """Change, remove or repeat a line of a list, or one of its fields."""
    lines = content.decode("utf-8", "replace").split("\n")
    index = random.randrange(len(lines))
    kind = random.randrange(6)
    if kind == 0:
        del lines[index]
    elif kind == 1:
        lines.insert(index, lines[index])
    elif kind == 2:
        lines[index] = random.choice(ODD_TEXTS)
    else:
        separator = random.choice([",", " ", ":", "="])
        fields = lines[index].split(separator)
        fields[random.randrange(len(fields))] = str(random.choice((*ODD_TEXTS, *ODD_NUMBERS)))
        lines[index] = separator.join(fields)
    return "\n".join(lines).encode(random.choice(["utf-8", "utf-8", "utf-8", *ENCODINGS]), "replace")


def mutate_safetensors(content: bytes, random: Random) -> bytes:
    """Change the header of a safetensors file: its tensors, its metadata, or the JSON in its metadata."""
    length = int.from_bytes(content[:8], "little")
    header, tensors = content[8 : 8 + length], content[8 + length :]
    try:
        document = json.loads(header)
    except (ValueError, RecursionError):
        return mutate_bytes(content, random)
    metadata = document.get("__metadata__") if isinstance(document, dict) else None
    keys = (
        sorted(key for key, value in metadata.items() if isinstance(value, str))
        if isinstance(metadata, dict)
        else []
    )
    if keys and random.randrange(4):
        key = random.choice(keys)
        metadata[key] = mutate_json(metadata[key].encode("utf-8", "replace"), random).decode(
            "utf-8", "replace"
        )
    else:
        document = mutate_value(document, random)
    header = json.dumps(document).encode("utf-8", "replace")
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + tensors
