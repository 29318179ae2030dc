"""The flags that choose classes by name."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from cyclopts import Parameter

ChosenClasses: TypeAlias = Annotated[tuple[str, ...] | None, Parameter(consume_multiple=1)]
"""--classes: names to keep; None keeps all."""

RenamedClasses: TypeAlias = Annotated[tuple[str, ...], Parameter(consume_multiple=1, show_default=False)]
"""--map: OLD=NEW for each class with another name."""
