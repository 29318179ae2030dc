"""Regions of VIA are packed while a file is read."""

from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path

import pytest

from boxmask.data.formats.via.packed import pack, pack_region, unpack
from boxmask.data.json_text import read_json

REGION = {"shape_attributes": {"name": "rect", "x": 1, "y": 2.5}, "region_attributes": {"class": "cat"}}


@pytest.mark.parametrize("value", [1, 2.0, -0.0, 1e300, math.inf, "ü", "", None, True, [1, {"a": []}], 2**63])
def test_values_survive_packing(value: object) -> None:
    fields = {"shape_attributes": value}
    assert repr(unpack(pack(fields))) == repr(fields)


@pytest.mark.parametrize("value", [10**30, "\ud800"])
def test_what_cannot_be_packed_stays(value: object) -> None:
    fields = {"shape_attributes": value}
    assert pack(fields) is fields


def test_only_regions_are_packed() -> None:
    assert pack_region({"filename": "a.jpg"}) == {"filename": "a.jpg"}
    assert unpack(pack_region(REGION)) == REGION != pack_region(REGION)
    assert unpack(pack_region({"vid": "1", "xy": [2, 1]})) == {"vid": "1", "xy": [2, 1]}


def test_packed_files_take_little_memory(tmp_path: Path) -> None:
    points = [number / 8 for number in range(40)]
    shape = {"name": "polygon", "all_points_x": points, "all_points_y": points}
    regions = [{"shape_attributes": shape, "region_attributes": {"class": "cat"}}] * 500
    path = tmp_path / "via.json"
    path.write_text(json.dumps({"a.jpg1": {"filename": "a.jpg", "regions": regions}}))
    sizes = []
    for make_object in (None, pack_region):
        tracemalloc.start()
        content = read_json(path, make_object=make_object)
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert isinstance(content, dict)
    assert sizes[1] < sizes[0] / 2
