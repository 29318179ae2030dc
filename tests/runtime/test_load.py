"""Files that cannot be used are refused, with the file's name and what to do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from boxmask.errors import CheckpointError
from boxmask.runtime import load, onnx_file
from boxmask.runtime.load import load_onnx
from boxmask.runtime.wire import fields


def change(file: Path, edit: Any) -> Path:
    model = onnx.load(file)
    edit(model)
    file.write_bytes(model.SerializeToString())
    return file


def refused(file: Path, says: str) -> None:
    with pytest.raises(CheckpointError, match=says) as raised:
        load_onnx(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert "xport" in str(raised.value) or "Check the path" in str(raised.value)


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"hello, this is a text", b"\xff" * 50, b"PK\x03\x04", b"\x08\x08"]
)
def test_other_files(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.onnx"
    file.write_bytes(content)
    refused(file, "this is not a valid ONNX file, or it is damaged")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    refused(tmp_path / "no.onnx", "there is no such file")
    (tmp_path / "folder.onnx").mkdir()
    refused(tmp_path / "folder.onnx", "cannot be read")


def test_every_truncation_is_an_error(write: Any) -> None:
    file = write()
    content = file.read_bytes()
    for length in range(0, len(content) - 1, 97):
        file.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"model\.onnx: "):
            load_onnx(file)


def test_damaged_bytes_never_end_in_another_error(write: Any) -> None:
    file = write()
    content, random = bytearray(file.read_bytes()), np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(content)
        damaged[random.integers(len(content))] = random.integers(256)
        file.write_bytes(damaged)
        with suppress(CheckpointError):
            load_onnx(file)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.onnx"
    with file.open("wb") as opened:
        os.truncate(opened.fileno(), 2**31 + 1)
    refused(file, "at most 2,147,483,648 are read")


def test_limits_of_fields_and_levels(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write()
    monkeypatch.setattr(onnx_file, "MAX_FIELDS", 10)
    refused(file, "more than 10 fields")
    monkeypatch.setattr(onnx_file, "MAX_FIELDS", 10**6)
    monkeypatch.setattr(onnx_file, "MAX_DEPTH", 1)
    refused(file, "more than 1 levels")


def test_the_limit_of_fields_counts_those_outside_of_the_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "MAX_FIELDS", 1_000)
    file = tmp_path / "model.onnx"
    for many in (b"\x08\x01" * 2_000, b"\x72\xa0\x1f" + b"\x08\x01" * 2_000):  # ir_version; a property
        file.write_bytes(many)
        refused(file, "more than 1,000 fields")


def test_a_number_of_many_bytes_is_no_message() -> None:
    with pytest.raises(ValueError, match="too many bytes"):
        list(fields(memoryview(b"\x80" * 20)))


# ---------------------------------------------------------------- weights and operators of others


def external(tensor: onnx.TensorProto, location: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def varint(number: int, spare: int = 0) -> bytes:
    """A number in groups of seven bits, with as many groups of zeros after them as `spare`."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    groups += [0] * spare
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def delimited(tag: bytes, content: bytes) -> bytes:
    return tag + varint(len(content)) + content


def with_external_tensor(path: Path, tag: Callable[[int], bytes]) -> Path:
    """A file whose one tensor lies in secret.bin. `tag` encodes the tags that say so."""
    location = delimited(b"\x0a", b"location") + delimited(b"\x12", b"secret.bin")
    tensor = TensorProto(name="w", data_type=1, dims=[4]).SerializeToString()
    tensor += delimited(tag(13 << 3 | 2), location) + tag(14 << 3) + b"\x01"
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])
    graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [], [output])
    content = graph.SerializeToString() + delimited(b"\x2a", tensor)
    model = onnx.ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 18)])
    path.write_bytes(model.SerializeToString() + delimited(b"\x3a", content))
    return path


def test_weights_in_other_files_are_found_however_the_field_is_written(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    np.arange(4, dtype=np.float32).tofile(tmp_path / "secret.bin")
    for spare in range(4):
        refused(with_external_tensor(file, lambda tag, n=spare: varint(tag, n)), "stores weights in other")
    for bit in range(32, 70):  # C++ drops the bits over 32 in the fifth byte of a tag
        too_large = with_external_tensor(file, lambda tag, n=bit: varint(tag | 1 << n))
        refused(too_large, "this is not a valid ONNX file")


def test_whatever_has_external_weights_for_protocol_buffers_has_them_for_us(tmp_path: Path) -> None:
    file = with_external_tensor(tmp_path / "model.onnx", varint)
    content, random = file.read_bytes(), np.random.default_rng(0)
    found = 0
    for _ in range(2_000):
        damaged = bytearray(content)
        for _ in range(random.integers(1, 4)):
            position = random.integers(len(damaged))
            damaged[position : position + random.integers(2)] = random.bytes(random.integers(3))
        try:
            tensors = onnx.ModelProto.FromString(bytes(damaged)).graph.initializer
        except DecodeError:
            continue
        if any(tensor.external_data or tensor.data_location for tensor in tensors):
            file.write_bytes(damaged)
            found += 1
            with pytest.raises(CheckpointError):
                onnx_file.read_onnx_file(file)
    assert found > 100


def test_a_file_that_is_replaced_after_the_check_is_not_opened(
    write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write()

    def check_and_replace(path: Path) -> onnx_file.OnnxFile:
        checked = onnx_file.read_onnx_file(path)
        path.write_bytes(b"another file")
        return checked

    monkeypatch.setattr(load, "read_onnx_file", check_and_replace)
    assert load_onnx(file).name == "ssd"


@pytest.mark.parametrize("location", ["/etc/passwd", "../../secret", "weights.bin"])
def test_weights_in_other_files_are_not_opened(write: Any, tmp_path: Path, location: str) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(100))
    file = change(write(), lambda model: external(model.graph.initializer[0], location))
    refused(file, "stores weights in other files, which are not opened")


def test_weights_in_other_files_are_found_inside_of_branches(write: Any) -> None:
    def hide(model: onnx.ModelProto) -> None:
        tensor = numpy_helper.from_array(np.zeros(3, np.float32), "hidden")
        external(tensor, "/etc/passwd")
        info = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [3])
        branch = helper.make_graph([], "branch", [], [info], [tensor])
        flag = helper.make_node("Constant", [], ["flag"], value=numpy_helper.from_array(np.array(True)))
        choice = helper.make_node("If", ["flag"], ["chosen"], then_branch=branch, else_branch=branch)
        constant = helper.make_node("Constant", [], ["other"], value=tensor)
        model.graph.node.extend([flag, choice, constant])

    refused(change(write(), hide), "stores weights in other files")


def test_operators_that_onnx_runtime_lacks(write: Any) -> None:
    def add_domain(model: onnx.ModelProto) -> None:
        model.opset_import.append(helper.make_opsetid("evil.example", 1))

    refused(change(write(), add_domain), "needs operators of 'evil.example'")

    def rename(model: onnx.ModelProto) -> None:
        model.graph.node[0].op_type = "Evil"

    refused(change(write(), rename), "ONNX Runtime cannot read this file")


def test_functions_in_the_file_are_refused(write: Any) -> None:
    def add_function(model: onnx.ModelProto) -> None:
        node = helper.make_node("Identity", ["x"], ["y"])
        function = helper.make_function("", "F", ["x"], ["y"], [node], [helper.make_opsetid("", 18)])
        model.functions.append(function)

    refused(change(write(), add_function), "contains ONNX functions or training information")


# ---------------------------------------------------------------- metadata


def test_a_file_of_others(write: Any) -> None:
    refused(change(write(), lambda model: model.ClearField("metadata_props")), "was not written by boxmask")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 2}, "a newer version of boxmask wrote this file"),
        ({"format": 0}, "format: expected 1 or more, found 0"),
        ({"format": None}, "missing field 'format'"),
        ({"format": True}, "format: expected int, found bool"),
        (
            {"task": "singing"},
            "task: expected one of detection, segmentation, classification, found 'singing'",
        ),
        ({"task": ["detection"]}, "task: expected str, found list"),
        ({"model": 3}, "model: expected str, found int"),
        ({"class_names": []}, "class_names: expected 1 to 65535, found 0"),
        ({"class_names": ["cat", 3]}, "expected names of 1 to 1000 characters, found 3"),
        ({"class_names": ["cat", " "]}, "expected names of 1 to 1000 characters, found ' '"),
        ({"class_names": ["cat", "x" * 2000]}, "expected names of 1 to 1000 characters"),
        ({"class_names": ["cat", "cat"]}, "the same name occurs twice"),
        ({"class_names": ["cat", "cat "]}, "the same name occurs twice"),
        ({"class_names": ["cafe\u0301", "caf\u00e9"]}, "the same name occurs twice"),
        ({"class_names": ["\x1b[2Jcat"]}, "expected names without control characters"),
        ({"class_names": ["\ud800"]}, "expected names without control characters"),
        ({"class_names": "cat"}, "class_names: expected list, found str"),
        ({"config": [1]}, "config: expected dict, found list"),
        ({"evaluation": "good"}, "evaluation: expected dict, found str"),
    ],
)
def test_damaged_metadata(write: Any, changes: dict[str, Any], says: str) -> None:
    refused(write(**changes), says)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"', "[" * 100_000, "1" * 10_000])
def test_metadata_that_are_no_object(write: Any, text: str) -> None:
    def replace(model: onnx.ModelProto) -> None:
        helper.set_model_props(model, {"boxmask": text})

    refused(change(write(), replace), "the metadata is damaged")


def test_label_maps_have_at_most_255_classes(write: Any) -> None:
    names = [str(number) for number in range(256)]
    refused(write("segmentation", class_names=names), "class_names: expected 1 to 255, found 256")


def test_fields_of_later_versions_are_ignored(write: Any) -> None:
    assert load_onnx(write(invented_later={"a": 1}, training=None, weights=None)).metadata.training == {}


# ---------------------------------------------------------------- inputs and outputs


def test_inputs_and_outputs_of_another_task(write: Any) -> None:
    refused(write("detection", task="segmentation", model="fcn"), "expected the outputs label_map")
    refused(write("classification", task="detection"), "expected the outputs boxes .* found scores")


def test_other_inputs(write: Any) -> None:
    def rename(model: onnx.ModelProto) -> None:
        model.graph.input[1].name = "extents"
        for node in model.graph.node:
            node.input[:] = ["extents" if name == "sizes" else name for name in node.input]

    refused(change(write(), rename), "expected the inputs photos .* found photos .* extents")


def test_photos_of_one_size_only(write: Any) -> None:
    def fix(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 640

    refused(
        change(write(), fix), r"expected the inputs photos of any size; found photos of \['B', 640, 'W', 3\]"
    )


def test_the_metadata_are_kept(write: Any) -> None:
    metadata = load_onnx(write(evaluation={"metrics": {"AP": 0.5}}, training={"photos": "ab"})).metadata
    assert metadata.evaluation == {"metrics": {"AP": 0.5}}
    assert json.loads(json.dumps(metadata.training)) == {"photos": "ab"}
