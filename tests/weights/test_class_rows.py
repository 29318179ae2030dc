"""Rows of classes, matched by name, for any classes, anchors and rows per class."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from boxmask.weights.class_rows import class_rows, merge_classes

NAMES = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True)


@given(
    ours=NAMES,
    theirs=NAMES,
    anchors=st.integers(1, 3),
    kind=st.sampled_from(
        ["roi_classes.weight", "roi_deltas.bias", "anchor_classes.weight", "default_box_classes.0.bias"]
    ),
)
def test_each_class_gets_its_rows(ours: list[str], theirs: list[str], anchors: int, kind: str) -> None:
    rows = class_rows(kind)
    assert rows is not None

    def labeled(names: list[str], sign: int) -> torch.Tensor:
        """The number of each row's class, its anchor and its place, with a sign for the network."""
        columns = [*names, "background"] if rows.background else names
        return torch.tensor(
            [
                sign * (100 * sum(map(ord, name)) + 10 * anchor + place)
                for anchor in range(anchors)
                for name in columns
                for place in range(rows.each)
            ]
        )

    tensor, found = labeled(ours, -1), labeled(theirs, 1)
    merged = merge_classes(kind, tensor, found, ours, theirs)
    assert merged is not None
    assert torch.equal(merged.abs(), tensor.abs())
    known = {sum(map(ord, name)) for name in ({*ours} & {*theirs}) | {"background"}}
    assert all((value > 0) == (abs(value) // 100 in known) for value in merged.tolist())


def test_another_number_of_anchors_does_not_fit() -> None:
    assert merge_classes("anchor_classes.weight", torch.zeros(6, 4), torch.zeros(4, 4), "ab", "ab") is None
    assert merge_classes("anchor_classes.weight", torch.zeros(6, 4), torch.zeros(6, 5), "ab", "ab") is None


def test_layers_without_classes_need_the_same_shape() -> None:
    assert class_rows("pyramid.lateral.stride 8.weight") is None
    found = torch.ones(3)
    assert merge_classes("rpn.conv.bias", torch.zeros(3), found, "ab", "b") is found
    assert merge_classes("rpn.conv.bias", torch.zeros(4), found, "ab", "b") is None
