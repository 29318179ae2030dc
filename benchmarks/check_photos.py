"""The doctor's pass over photos beside cleanvision: `python benchmarks/check_photos.py`.

Both look for photos that are dark, light, blurred, blank or of an odd size, and for exact and near copies;
boxmask also decodes them for damage and looks for groups. Each run is a process of its own, the two take
turns, and the table shows medians. Memory is that of the largest process. The photos are generated (1/f noise
of 640 × 480 to 1280 × 960 pixels, 7 JPEGs to 1 PNG, with a few bad ones), or those in `--folder`.
cleanvision is in the extra bench-doctor: `--others` names the Python of an environment with it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter
from rich.console import Console
from rich.table import Table

SIZES = ((640, 480), (1280, 960), (1024, 768))

BOXMASK = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from boxmask.data.findings import Findings
from boxmask.data.photo_records.examine import examine_photos
from boxmask.doctor.photos.check import check_photo_records
from boxmask.photos.find import find_photos
root = Path(sys.argv[1])
files = [path.relative_to(root).as_posix() for path in find_photos(root)]
start = time.perf_counter()
findings = Findings()
records = examine_photos(root, files)
check_photo_records(records, np.full(len(files), "", dtype="<U5"), findings)
seconds = time.perf_counter() - start
found = {kind.id: findings.count(kind) for kind in findings.kinds}
"""
CLEANVISION = """
import json, resource, sys, time
from cleanvision import Imagelab
if __name__ == "__main__":
    start = time.perf_counter()
    lab = Imagelab(data_path=sys.argv[1], verbose=False)
    lab.find_issues(verbose=False)
    seconds = time.perf_counter() - start
    files = lab.issues
    summary = zip(lab.issue_summary["issue_type"], lab.issue_summary["num_images"])
    found = {name: int(count) for name, count in summary if count}
"""
REPORT = """
    processes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    memory = max(resource.getrusage(process).ru_maxrss for process in processes)
    print(json.dumps({"photos": len(files), "seconds": seconds, "megabytes": memory / 1024, "found": found}))
"""


def main() -> None:
    """Print photos per second, the ratio, the memory, and what both find."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or _make_photos(Path(scratch), options.photos)
        programs = {"boxmask": (sys.executable, BOXMASK + "if True:" + REPORT)}
        if options.others:
            programs["cleanvision"] = (str(options.others), CLEANVISION + REPORT)
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in programs}
        for _ in range(options.rounds):
            for name, (python, code) in programs.items():
                runs[name].append(_run(python, code, folder))
    _print(runs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="check_photos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--others", type=Path, help="Python of an environment with the extra bench-doctor")
    parser.add_argument("--folder", type=Path, help="photos to check (default: generated ones)")
    parser.add_argument("--photos", type=int, default=400, help="number of photos to generate")
    parser.add_argument("--rounds", type=int, default=3)
    return parser


def _run(python: str, code: str, folder: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "run.py"  # a file: cleanvision's processes import it
        script.write_text(code)
        done = subprocess.run([python, script, folder], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _print(runs: dict[str, list[dict[str, Any]]]) -> None:
    speeds = {name: median(run["photos"] / run["seconds"] for run in done) for name, done in runs.items()}
    table = Table("program", "photos", "photos/s", "largest process, MB", "findings")
    for name, done in runs.items():
        memory = f"{max(run['megabytes'] for run in done):.0f}"
        found = ", ".join(f"{kind} {count}" for kind, count in done[0]["found"].items()) or "none"
        table.add_row(name, str(done[0]["photos"]), f"{speeds[name]:.0f}", memory, found)
    Console().print(table)
    if "cleanvision" in speeds:
        print(f"boxmask / cleanvision: {speeds['boxmask'] / speeds['cleanvision']:.1f}")


# ---------------------------------------------------------------- photos


def _make_photos(folder: Path, count: int) -> Path:
    random = np.random.default_rng(0)
    for number in range(count):
        photo = _scene(random, SIZES[number % len(SIZES)])
        if number % 8 == 7:
            photo.save(folder / f"{number:05}.png")
        else:
            photo.save(folder / f"{number:05}.jpg", quality=90)
    photo = _scene(random, SIZES[0])
    photo.save(folder / "copy.jpg", quality=90)
    (folder / "copy_again.jpg").write_bytes((folder / "copy.jpg").read_bytes())
    photo.resize((320, 240)).save(folder / "copy_half.png")
    ImageEnhance.Brightness(_scene(random, SIZES[0])).enhance(0.1).save(folder / "dark.jpg")
    Image.blend(_scene(random, SIZES[0]), Image.new("RGB", SIZES[0], "white"), 0.95).save(
        folder / "light.jpg"
    )
    _scene(random, SIZES[0]).filter(ImageFilter.GaussianBlur(12)).save(folder / "blurred.jpg")
    Image.new("RGB", SIZES[0], "gray").save(folder / "blank.jpg")
    _scene(random, (60, 40)).save(folder / "thumbnail.jpg")
    return folder


def _scene(random: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """1/f noise of (width, height), which has about the details of a photo."""
    width, height = size
    values = np.full((height, width, 3), 128, dtype=np.float32)
    for step in (2, 8, 32, 128):
        noise = random.normal(0, 3 * step**0.5, (height // step + 2, width // step + 2, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(noise[..., channel])
            values[..., channel] += np.asarray(layer.resize(size, Image.Resampling.BICUBIC))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
