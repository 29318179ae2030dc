"""Options as users write them: their names in messages, and the values that they accept.

An option is a flag of the program and a keyword in Python. Messages that advise one name both.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from boxmask.errors import UsageError


def option(name: str, value: str = "") -> str:
    """The flag of an option, and its keyword in Python where that is spelled in another way.

    option("size"), option("weights", "none")   --size, --weights none
    option("learning_rate")                     --learning-rate (in Python: learning_rate)
    option("on_bad_photos", "skip")             --on-bad-photos skip (in Python: on_bad_photos="skip")
    """
    flag = f"--{name.replace('_', '-')} {value}".strip()
    if "_" not in name:
        return flag
    return f'{flag} (in Python: {name}="{value}")' if value else f"{flag} (in Python: {name})"


def model_option(name: str, value: object) -> str:
    """A field of a model's config, as the program and as Python set it."""
    return f'--model-option {name}={value} (in Python: model_options={{"{name}": {value!r}}})'


def check_names(function: str, given: Iterable[str], owner: type) -> None:
    """Raise TypeError, as Python does, for a keyword that a dataclass does not have; name a similar one."""
    names = [field.name for field in fields(owner)]
    for name in given:
        if name not in names:
            similar = difflib.get_close_matches(name, names, n=1)
            hint = f". Did you mean '{similar[0]}'?" if similar else ""
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'{hint}")


# ---------------------------------------------------------------- fixed sets of values


def check_choice(name: str, value: object, annotation: Any) -> None:
    """Raise UsageError for a value that its annotation, a Literal, Literal | int or with None, does not list.

    The items of a tuple[Literal, ...] are checked one by one. Other annotations accept any value.
    """
    if get_origin(annotation) is tuple:
        for item in value if isinstance(value, tuple) else (value,):
            check_choice(name, item, get_args(annotation)[0])
        return
    choices = _choices(annotation)
    accepts_integers = int in get_args(annotation) and get_origin(annotation) is not Literal
    if accepts_integers and isinstance(value, int) and not isinstance(value, bool):
        return
    if choices and value not in choices:
        integer = ["a whole number"] if accepts_integers else []
        shown = ", ".join([*integer, *(_quoted(choice) for choice in choices)])
        raise UsageError(f"{option(name)}: expected one of {shown}, found {_quoted(value)}")


def check_choices(owner: type, values: Mapping[str, object]) -> None:
    """Check all values whose fields in a class are annotated as Literal; see `check_choice`."""
    for name, annotation in _annotations(owner).items():
        check_choice(name, values[name], annotation)


@lru_cache
def _annotations(owner: type) -> dict[str, Any]:
    return get_type_hints(owner)


def _choices(annotation: Any) -> tuple[object, ...]:
    """The values in a Literal, and None if it is optional; none for other annotations."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    literals = [part for part in get_args(annotation) if get_origin(part) is Literal]
    if not literals:
        return ()
    optional = (None,) if type(None) in get_args(annotation) else ()
    return (*(choice for literal in literals for choice in get_args(literal)), *optional)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
