from __future__ import annotations

from collections.abc import Iterator

import pytest

from boxmask.prediction.threads import read_ahead, threads


def test_items_are_read_ahead_in_order() -> None:
    begun: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(10):
            begun.append(number)
            yield number

    with threads(1, "read") as pool:
        items = read_ahead(pool, numbers(), 3)
        assert next(items) == 0
        assert list(items) == list(range(1, 10))
    assert begun == list(range(10))


def test_an_error_comes_in_its_place() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with threads(1, "read") as pool:
        items = read_ahead(pool, broken(), 3)
        assert next(items) == 1
        with pytest.raises(ValueError, match="broken"):
            next(items)
