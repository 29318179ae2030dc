"""Notes on class names that are spelled alike."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from boxmask.messages import format_note
from boxmask.names import class_name


def notes_on_class_names(spellings: Iterable[str]) -> tuple[str, ...]:
    """Notes on spellings that count as one class, and on classes that hardly differ.

    spellings: class names as written, in any number
    """
    written: dict[str, set[str]] = defaultdict(set)
    for spelling in spellings:
        written[class_name(spelling)].add(spelling)
    merged = [f'"{name}" ({len(forms)} spellings)' for name, forms in written.items() if len(forms) > 1]
    alike: dict[str, list[str]] = defaultdict(list)
    for name in written:
        alike[re.sub(r"[\s_-]+", "", name.casefold())].append(f'"{name}"')
    similar = [" and ".join(sorted(names)) for names in alike.values() if len(names) > 1]
    return (
        *format_note("spellings that differ only in Unicode form or outer spaces count as one class", merged),
        *format_note("classes that differ only in case, spaces, - or _ stay separate classes", similar),
    )
