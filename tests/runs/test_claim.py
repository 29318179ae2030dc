"""One process at a time owns a run, and what a claim leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from boxmask.errors import OutputError, UsageError
from boxmask.runs import claim
from boxmask.runs.claim import LOCK, OWNER, abandon_claims, claim_folder, claim_run
from boxmask.runs.run import Run

HOLD = """
import sys
from pathlib import Path
from boxmask.runs.claim import claim_folder, claim_run
from boxmask.runs.run import Run

folder = Path(sys.argv[1])
with claim_run(Run(folder)) if folder.exists() else claim_folder(folder, "m"):
    print("claimed", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(claim, "WAIT_SECONDS", 0.2)
    return tmp_path


@contextmanager
def other_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that claims a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "claimed\n"
    yield process
    process.kill()
    process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------- new runs


def test_by_default_a_run_has_the_next_free_number(here: Path) -> None:
    with claim_folder(None, "m") as first, claim_folder(None, "m") as second:
        assert (first.run.path, second.run.path) == (Path("runs/m-1"), Path("runs/m-2"))
        assert second.run.path.is_dir()
    with claim_folder(None, "m") as third:
        assert third.run.path == Path("runs/m-3")


def test_two_processes_get_two_folders(here: Path) -> None:
    with other_process(Path("runs/m-1")), claim_folder(None, "m") as second:
        assert second.run.path == Path("runs/m-2")


def test_threads_get_a_folder_each(here: Path) -> None:
    found: list[Path] = []

    def work() -> None:
        with claim_folder(None, "m") as mine:
            mine.run.recipe_file.touch()
            found.append(mine.run.path)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8
    assert sorted((here / "runs").iterdir()) == sorted(path.absolute() for path in found)


@pytest.mark.parametrize(
    "content", [(), ("notes.txt",), ("recipe.json",), (LOCK, "recipe.json"), (LOCK, "mine")]
)
def test_an_existing_folder_is_refused(here: Path, content: tuple[str, ...]) -> None:
    (here / "run").mkdir()
    for name in content:
        (here / "run" / name).touch()
    message = r"run: already exists\. Continue it with --resume, or give another --out\."
    with pytest.raises(UsageError, match=message), claim_folder(Path("run"), "m"):
        pass
    assert names(here / "run") == sorted(content)


def test_a_file_in_place_of_the_folder_is_refused(here: Path) -> None:
    (here / "file").touch()
    with pytest.raises(UsageError, match="already exists"), claim_folder(Path("file"), "m"):
        pass
    with (
        pytest.raises(OutputError, match="its parent folders is a file"),
        claim_folder(Path("file/run"), "m"),
    ):
        pass


def test_a_folder_that_a_killed_process_left_without_a_recipe_is_free(here: Path) -> None:
    folder = here / "run"
    with other_process(folder) as process:
        process.kill()
        process.wait()
        assert set(names(folder)) == {LOCK, OWNER}
        (folder / "split.json").touch()
        (folder / ".boxmask-x.partial").mkdir()
        with claim_folder(folder, "m") as mine:
            assert mine.run.path == folder
            assert ".boxmask-x.partial" not in names(folder)


def test_the_folder_of_a_process_that_reads_its_data_is_not_free(here: Path) -> None:
    folder = here / "run"
    with other_process(folder) as process:
        message = rf"run: process {process.pid} on \S+ has been training this run since \d{{4}}-"
        with pytest.raises(UsageError, match=message), claim_folder(folder, "m"):
            pass
        assert set(names(folder)) == {LOCK, OWNER}


# ---------------------------------------------------------------- what stays


def test_a_claim_leaves_the_run_without_its_lock(here: Path) -> None:
    with claim_folder(Path("run"), "m") as mine:
        assert json.loads((mine.run.path / OWNER).read_text())["pid"] == os.getpid()
        mine.run.recipe_file.touch()
    assert names(here / "run") == ["recipe.json"]


def train_and_fail(folder: str, *files: str, keep: bool = False) -> None:
    with claim_folder(Path(folder), "m") as mine:
        for name in files:
            (mine.run.path / name).touch()
        mine.run.intermediate.mkdir()
        if keep:
            mine.keep()
        raise ZeroDivisionError


def test_a_failed_training_leaves_nothing_that_it_made(here: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        train_and_fail("a/b/run", "recipe.json", "log.jsonl")
    assert not list(here.iterdir())


def test_a_failed_training_leaves_what_others_made(here: Path) -> None:
    (here / "a").mkdir()
    with pytest.raises(ZeroDivisionError):
        train_and_fail("a/b/run", "recipe.json", "mine.txt")
    assert names(here / "a/b/run") == ["mine.txt"]
    with pytest.raises(ZeroDivisionError):
        train_and_fail("a/c/run", "recipe.json")
    assert names(here / "a") == ["b"]


def test_a_run_that_is_kept_stays_after_an_error(here: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        train_and_fail("run", "recipe.json", keep=True)
    assert names(here / "run") == ["intermediate", "recipe.json"]


def test_claims_can_be_abandoned_before_the_process_ends(here: Path) -> None:
    with claim_folder(None, "m"), claim_folder(Path("run"), "m") as kept:
        kept.run.recipe_file.touch()
        kept.keep()
        abandon_claims()
        assert names(here) == ["run"]
        assert names(here / "run") == ["recipe.json"]


# ---------------------------------------------------------------- existing runs


def test_a_run_that_another_process_trains_is_refused(here: Path) -> None:
    folder = here / "run"
    folder.mkdir()
    with (
        other_process(folder) as process,
        pytest.raises(UsageError, match=f"process {process.pid} on .* Wait for it, or stop it first"),
        claim_run(Run(folder)),
    ):
        pass


def test_a_run_is_free_once_its_process_is_killed(here: Path) -> None:
    folder = here / "run"
    folder.mkdir()
    with other_process(folder) as process:
        process.kill()
        process.wait()
        with claim_run(Run(folder)):
            assert json.loads((folder / OWNER).read_text())["pid"] == os.getpid()
    assert not names(folder)


FORK = """
import os, signal, sys, time
from boxmask.runs.claim import claim_run
from boxmask.runs.run import Run
from pathlib import Path

with claim_run(Run(Path(sys.argv[1]))):
    if not os.fork():
        time.sleep(1.0)  # a worker that notices the end of the training late
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_workers_that_outlive_a_killed_training_are_waited_for(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "WAIT_SECONDS", 60.0)
    folder = here / "run"
    folder.mkdir()
    ended = subprocess.run([sys.executable, "-c", FORK, str(folder)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    with claim_run(Run(folder)):
        pass


def test_a_damaged_owner_file_does_not_hide_the_lock(here: Path) -> None:
    folder = here / "run"
    folder.mkdir()
    with other_process(folder):
        for content in ("", "{", "[]", "{}", "\x00"):
            (folder / OWNER).write_text(content)
            with (
                pytest.raises(UsageError, match="another process is training this run"),
                claim_run(Run(folder)),
            ):
                pass


def test_without_locks_on_the_file_system_training_goes_on(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def acquire(*_: object, **__: object) -> None:
        raise OSError(claim.NO_LOCKS[0], "no locks available")

    monkeypatch.setattr(claim.FileLock, "acquire", acquire)
    with claim_folder(Path("run"), "m"):
        pass
