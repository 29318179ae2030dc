"""Run programs on data sets: `python -m damaged_data.tools.run TASKS.json RESULTS.json`.

A task is the name of a program, a format and a folder. A program that is not installed gives null; one that
stops with an exception gives a finding of kind "exception".
"""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

from damaged_data.tools.reported import Reported
from damaged_data.tools.table import TOOLS


def main() -> None:
    tasks_file, results_file = map(Path, sys.argv[1:])
    logging.disable()
    warnings.simplefilter("ignore")
    results = [run(*task) for task in json.loads(tasks_file.read_text())]
    results_file.write_text(json.dumps(results))


def run(name: str, format_name: str, folder: str) -> list[dict[str, object]] | None:
    tool = next(tool for tool in TOOLS if name == tool.NAME)
    if importlib.util.find_spec(tool.PACKAGE) is None:
        return None
    try:
        found = tool.check(Path(folder), format_name)
    except Exception as error:  # whatever the program raises is its answer
        found = [Reported("exception", "error", f"{error!r} {error.__cause__!r}".replace(folder, ""))]
    return [asdict(entry) for entry in found]


if __name__ == "__main__":
    main()
