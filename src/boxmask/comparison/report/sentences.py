"""Translate the sentences of a comparison, which other packages write in English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from boxmask.comparison.report.texts import OTHERS, messages

_PREFIX = "sentence."


def translated_sentences(sentences: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Each sentence, with its translations by language. One that is not known stays English."""
    return [
        (sentence, {code: text for code in OTHERS if (text := _translate(sentence, code))})
        for sentence in sentences
    ]


def _translate(sentence: str, language: str) -> str:
    """The sentence in another language; "" if it has none of the known forms."""
    for key, pattern in _patterns():
        found = pattern.fullmatch(sentence)
        if found:
            return messages(language)[key].format(**found.groupdict())
    return ""


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """The forms of the sentences, from the English texts: "{name}" stands for any words."""
    english = {key: text for key, text in messages("en").items() if key.startswith(_PREFIX)}
    return [(key, re.compile(_expression(text))) for key, text in english.items()]


def _expression(text: str) -> str:
    parts = re.split(r"\{(\w+)\}", text)
    return "".join(f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
