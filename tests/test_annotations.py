"""Every annotation of the package can be resolved at run time, as editors and documentation tools do."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, get_type_hints

import pytest

import boxmask

MODULES = ["boxmask", *(module.name for module in pkgutil.walk_packages(boxmask.__path__, "boxmask."))]


def type_checking_names(module: ModuleType) -> dict[str, Any]:
    """The names that a module imports for type checkers only."""
    names: dict[str, Any] = {}
    for node in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), str(module.__file__), "exec"), names)
    return names


def annotated_objects(owner: ModuleType | type, module: str) -> Iterator[tuple[str, Any]]:
    """The classes, functions, methods and properties that are defined in a module or class, by name."""
    for name, value in vars(owner).items():
        where = (
            f"{module}.{name}" if isinstance(owner, ModuleType) else f"{module}.{owner.__qualname__}.{name}"
        )
        for part in parts_of(value):
            if getattr(part, "__module__", None) == module:
                yield where, part
        if inspect.isclass(value) and value.__module__ == module and value.__qualname__.endswith(name):
            yield from annotated_objects(value, module)


def parts_of(value: Any) -> list[Any]:
    """The functions behind a descriptor or decorator; any other object itself."""
    if isinstance(value, property):
        return [part for part in (value.fget, value.fset, value.fdel) if part is not None]
    if isinstance(value, cached_property):
        return [value.func]
    if isinstance(value, staticmethod | classmethod):
        return [value.__func__]
    if hasattr(value, "py_func"):  # compiled by numba
        return [value.py_func]
    return [inspect.unwrap(value)] if callable(value) else []


def resolve(annotated: Any, module: ModuleType, names: dict[str, Any]) -> None:
    """Evaluate the annotations of one object; those of base classes belong to their own modules."""
    own = {"__annotations__": inspect.get_annotations(annotated)}
    holder = type("Holder", (), own) if inspect.isclass(annotated) else SimpleNamespace(**own)
    get_type_hints(holder, vars(module), names, include_extras=True)


def test_every_annotation_resolves() -> None:
    num_resolved, errors = 0, []
    for module_name in MODULES:
        module = import_module(module_name)
        names = type_checking_names(module)
        for where, annotated in annotated_objects(module, module_name):
            try:
                resolve(annotated, module, names)
            except Exception as error:  # whatever an annotation raises is reported with its place
                errors.append(f"{where}: {type(error).__name__}: {error}")
            num_resolved += 1
    assert errors == []
    assert num_resolved > 1000


def test_an_undefined_name_is_an_error() -> None:
    def function(argument: Undefined) -> None:  # type: ignore[name-defined]  # noqa: F821
        pass

    with pytest.raises(NameError, match="Undefined"):
        resolve(function, boxmask, {})
