"""Speed on a GPU beside torchvision's, in one run: `python benchmarks/gpu.py`; a few minutes, no network.

Both sides have the same weights, sizes, photos, labels and trained parameters. They run in turns on the same
device, and the tables show medians. "host" is the time until the program may go on; the device may still
compute then. "launches" and "waits" are those of one run, as PyTorch's profiler counts them: kernels and
copies that were started, and points at which the host waited for the device.

Single precision is PyTorch's default: TF32 in convolutions, float32 in matrix products. --quick runs
everything once in a small form, also on a CPU.

Exits with 1 if a section fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
import torchvision
from rich.console import Console
from rich.table import Table

from boxmask.cli.memory import keep_memory
from gpu_sections.compiled import compiled_rows
from gpu_sections.files import file_rows
from gpu_sections.kernels import kernel_rows
from gpu_sections.measure import Settings
from gpu_sections.prediction import prediction_rows
from gpu_sections.steps import step_rows
from torchvision_pairs import LOSSES

SECTIONS = ("kernels", "step", "prediction", "compiled", "files")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--quick", action="store_true", help="small photos, few rounds")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="these sections only")
    parser.add_argument("--networks", nargs="+", choices=list(LOSSES), help="these networks only")
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=("fp32", "bf16"))
    parser.add_argument("--minutes", type=float, default=5.0, help="begin no section after this time")
    parser.add_argument("--out", type=Path, help="folder for gpu.txt and gpu.json")
    options = parser.parse_args()
    keep_memory()
    settings = Settings(torch.device(options.device), precisions=tuple(options.precision))
    if options.quick:
        settings = replace(settings, rounds=1, side=96, batch=2, photos=20, seconds=3.0, compiler="aot_eager")
    if options.networks:
        settings = replace(settings, networks=tuple(options.networks))
    console = Console(width=170, record=True)
    console.print(describe(settings))
    results: list[dict[str, Any]] = []
    all_complete = True
    begin = time.perf_counter()
    for section in options.only:
        if time.perf_counter() - begin > options.minutes * 60:
            console.print(f"{section}: left out, the time is up")
            continue
        table, complete = run_section(section, settings, results, console)
        all_complete &= complete
        console.print(table)
        console.print(f"{time.perf_counter() - begin:.0f} s so far")
        save(options.out, console, results)
    return 0 if all_complete else 1


def run_section(
    section: str, settings: Settings, results: list[dict[str, Any]], console: Console
) -> tuple[Table, bool]:
    """Run a section; returns its table, and whether all networks ran. An error of one does not end it."""
    complete = True
    if section == "files":
        table = Table("training from files", "images/s", title="files")
    else:
        table = Table("", "torchvision ms", "boxmask ms", "speed", "host", "GPU", "launches", "waits", "")
        table.title = f"{section}; pairs are boxmask / torchvision"
    several = section in ("step", "prediction")
    for networks in [(name,) for name in settings.networks] if several else [settings.networks]:
        try:
            for cells, result in section_rows(section, replace(settings, networks=networks)):
                table.add_row(*cells)
                results.append({"section": section, **result})
                print(section, *cells, sep="  ", flush=True)  # in case that the time is up before the table
        except Exception:
            console.print(f"{section} failed:\n{traceback.format_exc()}", markup=False)
            complete = False
    return table, complete


def section_rows(section: str, settings: Settings) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """The cells of each row of a section, and its numbers."""
    if section == "files":
        for name, rate in file_rows(settings):
            cell = "too few steps" if rate is None else f"{rate:.1f}"
            yield [name, cell], {"name": name, "images_per_second": rate}
        return
    makers = {
        "kernels": kernel_rows,
        "step": step_rows,
        "prediction": prediction_rows,
        "compiled": compiled_rows,
    }
    for row in makers[section](settings):
        yield row.cells(), asdict(row)


def describe(settings: Settings) -> str:
    """The device and the versions."""
    card = torch.cuda.get_device_name(settings.device) if settings.device.type == "cuda" else "CPU"
    return f"{card}, torch {torch.__version__}, torchvision {torchvision.__version__}, {settings}"


def save(folder: Path | None, console: Console, results: list[dict[str, Any]]) -> None:
    """Write what there is so far."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "gpu.txt").write_text(console.export_text(clear=False))
        (folder / "gpu.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    sys.exit(main())
