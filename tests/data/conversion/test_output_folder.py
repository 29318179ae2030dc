"""A folder that is written completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.data.conversion.output_folder import check_output_folder, new_folder
from boxmask.errors import OutputError, UsageError


def write(folder: Path, text: str = "x") -> None:
    with new_folder(folder) as new:
        (new / "labels").mkdir()
        (new / "labels" / "a.txt").write_text(text)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_the_folder_appears_with_its_files(tmp_path: Path) -> None:
    write(tmp_path / "new" / "out")
    assert (tmp_path / "new" / "out" / "labels" / "a.txt").read_text() == "x"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), new_folder(tmp_path / "new" / "deep" / "out"):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_older_folder(tmp_path: Path) -> None:
    write(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "out"):
        raise KeyboardInterrupt
    assert (tmp_path / "out" / "labels" / "a.txt").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_unchanged_conversion_is_replaced(tmp_path: Path, data: Path) -> None:
    write(tmp_path / "out")
    check_output_folder(tmp_path / "out", data)
    write(tmp_path / "out", "y")
    assert (tmp_path / "out" / "labels" / "a.txt").read_text() == "y"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


@pytest.mark.parametrize("change", ["added", "changed", "removed"])
def test_a_conversion_with_other_files_is_not_replaced(tmp_path: Path, data: Path, change: str) -> None:
    write(tmp_path / "out")
    file = tmp_path / "out" / "labels" / "a.txt"
    if change == "removed":
        file.unlink()
    else:
        (file if change == "changed" else file.with_name("b.txt")).write_text("corrected")
    with pytest.raises(UsageError, match="not empty, and is no conversion as boxmask wrote it"):
        check_output_folder(tmp_path / "out", data)


def test_other_folders_are_refused(tmp_path: Path, data: Path) -> None:
    (tmp_path / "mine").mkdir()
    check_output_folder(tmp_path / "mine", data)  # it is empty
    (tmp_path / "mine" / "a.txt").touch()
    for folder in (tmp_path / "mine", tmp_path / "mine" / "a.txt"):
        with pytest.raises(UsageError, match="Choose another folder"):
            check_output_folder(folder, data)


def test_a_folder_in_or_around_the_data_set_is_refused(tmp_path: Path, data: Path) -> None:
    (data / "labels.json").touch()
    for folder, place in ((data / "out", "inside"), (data, "inside"), (tmp_path, "around")):
        for given in (data, data / "labels.json"):
            with pytest.raises(UsageError, match=f"{place} the data set"):
                check_output_folder(folder, given)


def test_a_disk_error_names_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"missing/a\.txt: cannot be written"),
        new_folder(tmp_path / "out") as new,
    ):
        (new / "missing" / "a.txt").write_text("x")
    assert list(tmp_path.iterdir()) == []
