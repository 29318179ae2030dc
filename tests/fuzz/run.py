"""Fuzz every reader and writer: `python tests/fuzz/run.py [TARGET ...] [--inputs N] [--seed S]`.

Prints a table: target, inputs, results, errors of boxmask, failures. A failure is anything else: another
exception, or an input that takes too long. Its smallest input is saved in tests/fuzz/corpus/TARGET/, where
the tests run it from then on; `--replay FILE` runs it again. Exits with 1 if there are failures.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzzing import bombs
from fuzzing.bombs import BOMBS
from fuzzing.engine import Summary, Target, TooSlow, fuzz, run_input
from fuzzing.inputs import CORPUS, Files, read_input, save_input
from fuzzing.targets import TARGETS

from boxmask.errors import BoxmaskError

MAX_MEMORY = 6 * 2**30
"""Bytes of address space beyond those in use at the start."""


def main() -> int:
    arguments = _parser().parse_args()
    _limit_memory(bombs.MAX_MEMORY if arguments.bombs else MAX_MEMORY)
    if arguments.bombs:
        return _run_bombs()
    if arguments.write_seeds:
        return _write_seeds()
    if arguments.replay:
        return _replay(arguments.replay)
    columns = ("inputs", "results", "errors", "failures", "slowest", "seconds")
    print(f"{'target':20}", *(f"{column:>8}" for column in columns))
    summaries = [_fuzz(name, arguments) for name in arguments.targets or TARGETS]
    total = sum(len(summary.failures) for summary in summaries)
    print(f"{sum(summary.inputs for summary in summaries):,} inputs, {total} failures")
    return 1 if total else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Fuzz every reader and writer of boxmask.")
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(TARGETS)}; default: all"
    )
    parser.add_argument("--inputs", type=int, default=10_000, help="inputs per target")
    parser.add_argument("--seed", type=int, default=0, help="seed of all random choices")
    parser.add_argument("--replay", type=Path, help="run one input of the corpus, with its traceback")
    parser.add_argument("--save-to", type=Path, default=CORPUS, help="folder for failing inputs")
    parser.add_argument(
        "--bombs", action="store_true", help="run small files that announce or expand to huge sizes"
    )
    parser.add_argument("--write-seeds", action="store_true", help="write the seeds of the corpus again")
    return parser


def _fuzz(name: str, arguments: argparse.Namespace) -> Summary:
    summary = fuzz(TARGETS[name], arguments.inputs, arguments.seed)
    counts = f"{summary.inputs:8,} {summary.results:8,} {summary.errors:8,} {len(summary.failures):8,}"
    print(f"{name:20} {counts} {summary.slowest:7.2f}s {summary.seconds:7.0f}s", flush=True)
    for location, (files, trace) in summary.failures.items():
        path = save_input(files, arguments.save_to / name, "regression")
        print(
            f"\n{location}\n{trace}\nreproduce: python tests/fuzz/run.py --replay {os.path.relpath(path)}\n",
            flush=True,
        )
    return summary


def _replay(path: Path) -> int:
    target = TARGETS[path.resolve().parent.name]
    try:
        run_input(target, read_input(path))
    except BoxmaskError as error:
        print(f"{type(error).__name__}: {error}")
    return 0


def _write_seeds() -> int:
    from fuzzing.seeds import all_seeds

    for name, inputs in all_seeds().items():
        for files in inputs:
            print(save_input(files, CORPUS / name, "seed"))
    return 0


def _run_bombs() -> int:
    """Run each bomb, and print its outcome. Returns 1 if one takes too long or too much memory."""
    failures = 0
    for name, (target, build) in BOMBS.items():
        start = time.process_time()
        outcome = _outcome(TARGETS[target], build())
        seconds = time.process_time() - start
        failed = outcome.startswith("FAILED") or seconds > bombs.MAX_SECONDS
        failures += failed
        print(f"{'FAILED' if failed else 'ok':6} {seconds:6.2f}s  {name}: {outcome}", flush=True)
    return min(failures, 1)


def _outcome(target: Target, files: Files) -> str:
    try:
        run_input(target, files)
    except BoxmaskError as error:
        return f"{type(error).__name__}: {str(error)[:150]!r}"
    except (Exception, TooSlow) as error:
        traceback.print_exc()
        return f"FAILED: {type(error).__name__}: {str(error)[:150]!r}"
    return "a result"


def _limit_memory(size: int) -> None:
    """Make an input that takes all memory fail with MemoryError, where the system can."""
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + size
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    sys.exit(main())
