"""What boxmask check and other programs find in damaged data sets: `python benchmarks/bench_doctor.py`.

Each damage is made in each format that it can occur in, and checked beside a sound twin (see damaged_data/).
Columns, all of the same run:

    sets    data sets with the damage
    id      those in which boxmask finds the damage under the right id
    file    ... and names the right file
    line    ... and the right line of it
    false   errors and warnings of boxmask that the damage does not explain, and those in the sound twins
    others  found / readable: a program finds a damage if it reports anything that it does not report in the
            sound twin, and that is of the damage's sort or names the photo or annotation. Readable are data
            sets in its formats, if the damage is in files that it opens.

Exits with 1 if boxmask misses a damage, or reports an error that is none.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from boxmask.data.findings import Finding, Kind, Location
from damaged_data.absent import print_list
from damaged_data.corpus import Built, Case, Corpus, all_cases
from damaged_data.judge import Verdict, can_see, false_findings, finds, judge, num_false
from damaged_data.tools.reported import Reported, Tool
from damaged_data.tools.table import TOOLS

HERE = Path(__file__).resolve().parent
Task = tuple[str, str, str]
MAX_LINE = 300  # characters of a false finding
_CRASH = Kind("crash", "error", "Exceptions", "Correct boxmask.")


@dataclass
class Row:
    """The results of one damage: a verdict per format, and found / read / false findings by program."""

    verdicts: list[tuple[Case, Verdict]] = field(default_factory=list)
    false: list[tuple[str, Finding]] = field(default_factory=list)
    others: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.list:
        print_list()
        return 0
    cases = [
        case
        for case in all_cases()
        if (not arguments.only or any(word in str(case) for word in arguments.only))
        and (not arguments.format or case.format in arguments.format)
    ]
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Corpus(arguments.keep or Path(scratch), arguments.seed)
        start = time.perf_counter()
        built = [(case, corpus.build(case), corpus.build_twin(case)) for case in cases]
        print(f"{len(built)} damaged data sets built in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        rows = _check_with_boxmask(built)
        _check_with_others(built, rows, arguments.others)
    _print_table(rows)
    return _print_misses(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench_doctor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--others", type=Path, help="Python of an environment with the extra bench-doctor")
    parser.add_argument("--only", nargs="+", default=[], help="words in the damages to check")
    parser.add_argument("--format", nargs="+", default=[], help="formats to check")
    parser.add_argument("--seed", type=int, default=14, help="random seed of the photos")
    parser.add_argument(
        "--list", action="store_true", help="print each damage, its formats, and why it is not in the others"
    )
    parser.add_argument("--keep", type=Path, help="new folder for the data sets (default: a temporary one)")
    return parser


# ---------------------------------------------------------------- boxmask


def check(folder: Path) -> list[Finding]:
    """The findings of boxmask, as `boxmask check` makes them."""
    from boxmask.doctor.check import check_data

    try:
        return list(check_data(folder))
    except Exception as error:  # a crash is a false error, and does not end the run
        return [Finding(_CRASH, Location(str(folder)), repr(error))]


def _check_with_boxmask(built: list[tuple[Case, Built, Built]]) -> dict[str, Row]:
    start = time.perf_counter()
    rows: dict[str, Row] = defaultdict(Row)
    twins: dict[Path, tuple[Finding, ...]] = {}
    for case, damaged, twin in built:
        row = rows[case.damage.name]
        verdict = judge(damaged, check(damaged.folder))
        row.verdicts.append((case, verdict))
        row.false += [(str(case), finding) for finding in verdict.false]
        if twin.folder not in twins:
            twins[twin.folder] = false_findings(check(twin.folder))
            row.false += [(f"sound twin of {case}", finding) for finding in twins[twin.folder]]
    print(f"checked by boxmask in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return rows


# ---------------------------------------------------------------- others


def _check_with_others(
    built: list[tuple[Case, Built, Built]], rows: dict[str, Row], python: Path | None
) -> None:
    found = _run_tools(sorted(set(_tasks(built))), python)
    counted: set[Task] = set()
    for case, damaged, twin in built:
        for tool in TOOLS:
            task = _task(tool, case, damaged)
            in_damaged, in_twin = found.get(task), found.get(_task(tool, case, twin))
            if in_damaged is None or in_twin is None or not can_see(tool, damaged, twin):
                continue
            counts = rows[case.damage.name].others[tool.NAME]
            counts[0] += finds(tool, damaged, in_damaged, in_twin)
            counts[1] += 1
            if (task_of_twin := _task(tool, case, twin)) not in counted:
                counted.add(task_of_twin)
                counts[2] += num_false(in_twin)


def _tasks(built: list[tuple[Case, Built, Built]]) -> Iterator[Task]:
    for case, damaged, twin in built:
        for tool in TOOLS:
            if case.format in tool.FORMATS and can_see(tool, damaged, twin):
                yield _task(tool, case, damaged)
                yield _task(tool, case, twin)


def _task(tool: Tool, case: Case, built: Built) -> Task:
    return tool.NAME, case.format, str(built.folder)


def _run_tools(tasks: list[Task], python: Path | None) -> dict[Task, list[Reported]]:
    """The findings by task, of the programs that are installed here or in the other environment."""
    found: dict[Task, list[Reported]] = {}
    for interpreter in (Path(sys.executable), *([python] if python else [])):
        start = time.perf_counter()
        rest = [task for task in tasks if task not in found]
        results = _run_in(interpreter, rest)
        for task, entries in zip(rest, results, strict=True):
            if entries is not None:
                found[task] = [Reported(**(entry | {"ids": tuple(entry["ids"])})) for entry in entries]
        seconds = time.perf_counter() - start
        names = sorted({name for name, _, _ in found})
        print(f"checked by {', '.join(names) or 'no other program'} in {seconds:.0f} s", file=sys.stderr)
    return found


def _run_in(python: Path, tasks: list[Task]) -> list[list[dict] | None]:
    with tempfile.TemporaryDirectory() as scratch:
        tasks_file, results_file = Path(scratch) / "tasks.json", Path(scratch) / "results.json"
        tasks_file.write_text(json.dumps(tasks))
        command = [str(python), "-m", "damaged_data.tools.run", str(tasks_file), str(results_file)]
        subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.loads(results_file.read_text())


# ---------------------------------------------------------------- output


def _print_table(rows: dict[str, Row]) -> None:
    installed = {name for row in rows.values() for name in row.others}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("damage", "sets", "id", "file", "line", "false"):
        table.add_column(heading, justify="left" if heading == "damage" else "right")
    for tool in TOOLS:
        table.add_column(
            tool.NAME if tool.NAME in installed else f"{tool.NAME}\n(not installed)", justify="right"
        )
    for name, row in rows.items():
        table.add_row(name, *_cells(row))
    total = Row()
    for row in rows.values():
        total.verdicts += row.verdicts
        total.false += row.false
        for name, counts in row.others.items():
            total.others[name] = [a + b for a, b in zip(total.others[name], counts, strict=True)]
    table.add_section()
    table.add_row("total", *_cells(total))
    table.add_row(
        "errors and warnings in sound twins", "", "", "", "", _false_in_twins(total), *_false_of(total)
    )
    Console(width=160).print(table)


def _cells(row: Row) -> list[str]:
    verdicts = [verdict for _, verdict in row.verdicts]
    levels = [sum(getattr(verdict, level) for verdict in verdicts) for level in ("kind", "file", "line")]
    found = [row.others.get(tool.NAME) for tool in TOOLS]
    others = [f"{counts[0]}/{counts[1]}" if counts else "-" for counts in found]
    return [str(len(verdicts)), *map(str, levels), str(len(row.false)), *others]


def _false_in_twins(row: Row) -> str:
    return str(sum(where.startswith("sound") for where, _ in row.false))


def _false_of(row: Row) -> list[str]:
    return [str(row.others[tool.NAME][2]) if tool.NAME in row.others else "-" for tool in TOOLS]


def _print_misses(rows: dict[str, Row]) -> int:
    """Print what boxmask misses, and its false findings. Returns 1 if there are misses or false errors."""
    failed = False
    for row in rows.values():
        for case, verdict in row.verdicts:
            if not verdict.line:
                failed = True
                wrong = "line" if verdict.file else "file" if verdict.kind else "damage"
                print(f"missed: {case}: no finding with the right {wrong}")
        failed |= any(finding.kind.severity == "error" for _, finding in row.false)
        counts = Counter((where, finding.kind) for where, finding in row.false)
        examples = {(where, finding.kind): finding for where, finding in reversed(row.false)}
        for (where, kind), count in counts.items():
            line = f"false {kind.severity}: {where}: {count} {kind.id}: {examples[where, kind]}"
            print(" ".join(line.split())[:MAX_LINE])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
