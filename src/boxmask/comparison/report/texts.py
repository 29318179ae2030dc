"""The texts of the page in all its languages.

Texts are written in English. An element that holds one carries the others in attributes ("data-ko"), and the
script of the page exchanges them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from boxmask.messages import printable

LANGUAGES = {"en": "English", "ko": "한국어"}
"""The languages of the page, by code, with their own names."""

OTHERS = tuple(code for code in LANGUAGES if code != "en")


@cache
def messages(language: str) -> Mapping[str, str]:
    """The texts of one language, by key. "{name}" stands for a value."""
    text = files("boxmask.comparison.report").joinpath("messages", f"{language}.json")
    read: dict[str, str] = json.loads(text.read_text(encoding="utf-8"))
    return read


def text_in(language: str, key: str, **values: object) -> str:
    """A text with its values. The key gets the ending "_one" if `n` is "1" and there is such a text."""
    table = messages(language)
    one = f"{key}_one"
    template = table[one] if str(values.get("n")) == "1" and one in table else table[key]
    return template.format(**{name: printable(str(value)) for name, value in values.items()})


class Texts:
    """Writes texts into the template, as `t`."""

    def __call__(self, key: str, /, **values: object) -> Markup:
        """A text in an element of its own."""
        return Markup("<span{}>{}</span>").format(self.on(key, **values), self.plain(key, **values))

    def svg(self, key: str, /, **values: object) -> Markup:
        """A text inside of `<text>`."""
        return Markup("<tspan{}>{}</tspan>").format(self.on(key, **values), self.plain(key, **values))

    def plain(self, key: str, /, **values: object) -> str:
        """The English text alone, for an element that has the attributes of `on`."""
        return text_in("en", key, **values)

    def on(self, key: str, /, **values: object) -> Markup:
        """The attributes of an element that holds nothing but this text."""
        return _attributes("data-{}", key, values)

    def label(self, key: str, /, **values: object) -> Markup:
        """The attribute aria-label with this text."""
        return Markup(' aria-label="{}"{}').format(
            self.plain(key, **values), _attributes("data-{}-label", key, values)
        )

    def sentence(self, english: str, translations: Mapping[str, str]) -> Markup:
        """A sentence that was written elsewhere, with its translations by language."""
        attributes = Markup("").join(
            Markup(' data-{}="{}"').format(code, printable(text)) for code, text in translations.items()
        )
        return Markup("<span{}>{}</span>").format(attributes, printable(english))


def _attributes(name: str, key: str, values: Mapping[str, object]) -> Markup:
    return Markup("").join(
        Markup(' {}="{}"').format(name.format(code), text_in(code, key, **values)) for code in OTHERS
    )


def texts_of_script() -> Markup:
    """The texts that the script of the page needs, as JSON that cannot end its element."""
    prefix = "script."
    table = {
        code: {
            key.removeprefix(prefix): text for key, text in messages(code).items() if key.startswith(prefix)
        }
        for code in LANGUAGES
    }
    return Markup(json.dumps(table, ensure_ascii=True).replace("<", "\\u003c"))
