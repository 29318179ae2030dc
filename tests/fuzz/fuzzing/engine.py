"""Run a target on inputs: each must end in a result or in an error of boxmask, in bounded time."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from unittest import mock

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import boxmask
from boxmask.errors import BoxmaskError
from fuzzing.inputs import Files, read_corpus, write_files
from fuzzing.mutations import mutate_files

MAX_SECONDS = 20.0
"""CPU time for one input. Inputs have a few kilobytes and take milliseconds."""

MEMORY_FOLDER = Path("/dev/shm")
"""A folder in memory, where the system has one: on a disk, writers wait after each file."""


class TooSlow(BaseException):
    """An input took longer than `MAX_SECONDS`. No `except Exception` catches it."""


@dataclass(frozen=True)
class Target:
    """A reader or a writer.

    name: also the name of its folder in the corpus
    run:  reads or writes the files in a folder; returns normally, or raises BoxmaskError
    """

    name: str
    run: Callable[[Path], None]


@dataclass
class Summary:
    """The results of all inputs. `failures`: the input and the traceback by the location of the exception."""

    target: str
    inputs: int = 0
    results: int = 0
    errors: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    failures: dict[str, tuple[Files, str]] = field(default_factory=dict)

    def check(self, target: Target, files: Files) -> None:
        """Run one input and count it. Raises what the target raises, unless it is an error of boxmask."""
        self.inputs += 1
        start = time.perf_counter()
        try:
            run_input(target, files)
            self.results += 1
        except BoxmaskError as error:
            self.errors += bool(str(error).strip())  # an empty message does not count
        except BaseException as error:
            self.failures[_location(error)] = files, "".join(traceback.format_exception(error)[-12:])
            raise
        finally:
            seconds = time.perf_counter() - start
            self.seconds, self.slowest = self.seconds + seconds, max(self.slowest, seconds)


def run_input(target: Target, files: Files) -> None:
    """Run a target on the files in a new folder."""
    memory = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory) as name,
        _time_limit(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        folder = Path(name) / "data"
        folder.mkdir()
        write_files(files, folder)
        with mock.patch.dict(os.environ, BOXMASK_CACHE=str(Path(name) / "cache")):
            target.run(folder)


def replay(target: Target) -> Summary:
    """Run a target on its corpus. Raises the first failure."""
    summary = Summary(target.name)
    for files in read_corpus(target.name):
        summary.check(target, files)
    return summary


def fuzz(target: Target, num_inputs: int, random_seed: int, *, shrink: bool = True) -> Summary:
    """Run a target on damaged inputs. Failures are in the summary, the smallest input of each.

    random_seed: the seed of all random choices
    shrink:      whether to search for the smallest input of each failure, which takes time
    """
    summary = Summary(target.name)
    try:
        fuzz_test(target, summary, num_inputs, random_seed, shrink=shrink)()
    except (Exception, TooSlow):
        if not summary.failures:
            raise
    return summary


def fuzz_test(
    target: Target, summary: Summary, num_inputs: int, random_seed: int, *, shrink: bool = True
) -> Callable[[], None]:
    """The test that hypothesis runs; its `hypothesis.fuzz_one_input` suits atheris and other fuzzers."""
    seeds = read_corpus(target.name)
    assert seeds, f"no corpus for {target.name}; write it with run.py --write-seeds"

    @seed(random_seed)
    @settings(
        max_examples=num_inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(st.sampled_from(seeds), st.randoms(use_true_random=False))
    def test(files: Files, random: Random) -> None:
        summary.check(target, mutate_files(files, random))

    return test


@contextmanager
def _time_limit() -> Iterator[None]:
    """Raise TooSlow after `MAX_SECONDS` of CPU time, where the system has timers."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise TooSlow(f"over {MAX_SECONDS:.0f} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _location(error: BaseException) -> str:
    """The type of an exception, and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    package = str(Path(boxmask.__file__).parent)
    ours = [frame for frame in frames if frame.filename.startswith(package)] or frames
    return f"{type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
