"""What a choice of the recipe gains: `python benchmarks/ablations.py VARIANTS --data DATA ... --out DIR`.

VARIANTS is a TOML file with the flags of `boxmask train` by variant; the first variant is the baseline:

    flags = "--on-bad-boxes skip"  # optional, of every training

    [variants]
    "320 px" = "--size 320"
    "480 px" = "--size 480"

    [data]  # optional: further flags by the name of the data set
    dsb2018 = "--model mask-rcnn"

Every variant is trained on every data set with several seeds. With --minutes, each training takes these
minutes. With --passes, the baseline takes so many passes over the photos, and each variant as many as cost
the same time; the cost of a pass is measured first, in turns with the baseline, and printed. Passes suit a
machine that has other work: they do not depend on its speed. Only --minutes tell what an automatic size
gains: with passes, the time does not limit it. The trainings are evaluated on the validation
photos, or with --split test on the test photos. The metrics are those of the best checkpoint, which is chosen
on the validation photos.

Prints a Markdown table per data set: mean and standard deviation over the seeds, and the difference to the
baseline with its standard error. Runs that are in DIR already are not trained again, and a stopped training
is continued.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, stdev

from boxmask.atomic_write import atomic_write
from boxmask.runs.run import Run
from boxmask.training.progress import read_log

PROGRAM = (sys.executable, "-P", "-c", "from boxmask.cli import main; main()")
METRICS = ("AP", "AP50", "AP75", "APs", "mask_AP", "mask_AP50", "mIoU", "accuracy")
DECIDING = ("mask_AP", "AP", "mIoU", "accuracy")  # the first that a data set has is compared


@dataclass(frozen=True)
class Variants:
    """The content of the file of variants."""

    flags: dict[str, list[str]]
    common: list[str] = field(default_factory=list)
    by_data: dict[str, list[str]] = field(default_factory=dict)

    @property
    def baseline(self) -> str:
        return next(iter(self.flags))

    def of(self, variant: str, data: Path) -> list[str]:
        """The flags of a variant on a data set. Later ones replace earlier ones."""
        return [*self.common, *self.by_data.get(data.name, []), *self.flags[variant]]


@dataclass(frozen=True)
class Result:
    """The metrics of one training, and the deciding metric at each of its validations."""

    metrics: dict[str, float]
    per_class: dict[str, float]
    curve: list[float]


def slug(text: str) -> str:
    """Text for the name of a folder."""
    return re.sub(r"[^\w.]+", "-", text).strip("-")


def read_variants(file: Path) -> Variants:
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    variants, by_data = document.get("variants", {}), document.get("data", {})
    if not variants:
        raise SystemExit(f"{file}: expected a table [variants] with at least one variant")
    split = {name: shlex.split(flags) for name, flags in variants.items()}
    return Variants(
        split, shlex.split(document.get("flags", "")), {k: shlex.split(v) for k, v in by_data.items()}
    )


# ---------------------------------------------------------------- trainings


def boxmask(*words: object) -> None:
    """Run the program. After Ctrl-C, it has the time to save its state."""
    with subprocess.Popen([*PROGRAM, *map(str, words)], stdin=subprocess.DEVNULL) as process:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
    if process.returncode:
        raise SystemExit(f"stopped: boxmask {shlex.join(map(str, words))} ended with {process.returncode}")


def train(data: Path, flags: list[str], out: Path) -> Run:
    """Train, unless the run is complete; continue it if it was stopped."""
    run = Run(out)
    flags_file = out.with_name(f"{out.name}.flags.json")
    if flags_file.is_file() and json.loads(flags_file.read_text()) != flags:
        raise SystemExit(
            f"{out} was trained with other flags ({flags_file}). Remove both, or use another --out."
        )
    with atomic_write(flags_file) as partial:
        partial.write_text(json.dumps(flags))
    if run.finished:
        return run
    if run.recipe_file.is_file():
        boxmask("train", "--resume", "--out", out)
    else:
        boxmask("train", data, *flags, "--out", out)
    return run


def evaluate(run: Run, data: Path, split: str) -> Result:
    """Metrics of the best checkpoint on a split; kept in the run's folder."""
    file = run.path / f"{split}.json"
    if not file.is_file():
        boxmask("evaluate", run.path, data, "--split", split, "--on-bad-boxes", "skip", "--json", file)
    found = json.loads(file.read_text())
    metrics = {name: found[name] for name in METRICS if isinstance(found.get(name), float)}
    per_class = {
        name: values["AP"]
        for name, values in found.get("per_class", {}).items()
        if isinstance(values, dict) and isinstance(values.get("AP"), float)
    }
    name = deciding(metrics)
    rows = [row["val"] for row in read_log(run.log_file) if "val" in row]
    return Result(metrics, per_class, [row[name] for row in rows if name in row])


def deciding(metrics: dict[str, float]) -> str:
    return next((name for name in DECIDING if name in metrics), "AP")


# ---------------------------------------------------------------- the cost of a pass


def step_seconds(run: Run) -> float:
    """Seconds per step, without the steps before the first row of the log, which are slower."""
    rows = [row for row in read_log(run.log_file) if "images_per_second" in row]
    if not rows:
        raise SystemExit(f"{run.path}: this training was too short to be timed. Raise --cost-passes.")
    first, last = rows[0], rows[-1]
    if first is last:
        return 60 * float(last["minutes"]) / float(last["step"])
    return 60 * float(last["minutes"] - first["minutes"]) / float(last["step"] - first["step"])


def steps(run: Run) -> int:
    return int(read_log(run.log_file)[-1]["step"])


def relative_costs(data: Path, variants: Variants, out: Path, rounds: int, passes: int) -> dict[str, float]:
    """The time of a pass by variant, as a multiple of the baseline's, which is measured beside each."""
    others = [name for name in variants.flags if name != variants.baseline]
    ratios: dict[str, list[float]] = {name: [] for name in others}
    for trial in range(rounds):
        for name in others:
            seconds = {}
            for side in (variants.baseline, name):
                folder = out / f"{slug(data.name)}-cost-{slug(name)}-{slug(side)}-{trial}"
                flags = [*variants.of(side, data), "--epochs", str(passes), "--num-validations", "1"]
                run = train(data, flags, folder)
                seconds[side] = step_seconds(run) * steps(run)
            ratios[name].append(seconds[name] / seconds[variants.baseline])
    return {variants.baseline: 1.0} | {name: median(found) for name, found in ratios.items()}


# ---------------------------------------------------------------- the tables


def spread(values: list[float]) -> str:
    """Mean and standard deviation."""
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def difference(values: list[float], baseline: list[float]) -> str:
    """Difference of two means, and its standard error."""
    gain = f"{mean(values) - mean(baseline):+.3f}"
    if min(len(values), len(baseline)) < 2:
        return gain
    error = sum(stdev(side) ** 2 / len(side) for side in (values, baseline)) ** 0.5
    return f"{gain} ± {error:.3f}"


def markdown(results: dict[str, list[Result]], budgets: dict[str, str], baseline: str) -> str:
    """The table of one data set: a row per variant that has results."""
    first = next(iter(results.values()))[0]
    compared = deciding(first.metrics)
    heading = ["variant", "budget", "seeds", *first.metrics, *(f"AP {name}" for name in first.per_class)]
    rows = [[*heading, f"{compared} - baseline", f"{compared} at each validation"]]
    rows.append(["---"] * len(rows[0]))
    for name, found in results.items():
        cells = [spread([result.metrics[metric] for result in found]) for metric in first.metrics]
        cells += [f"{mean(result.per_class[label] for result in found):.3f}" for label in first.per_class]
        values = [[result.metrics[compared] for result in side] for side in (found, results[baseline])]
        gain = "" if name == baseline else difference(values[0], values[1])
        points = zip(*(result.curve for result in found), strict=False)
        curve = " → ".join(f"{mean(point):.3f}" for point in points)
        rows.append([name, budgets[name], str(len(found)), *cells, gain, curve])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# ---------------------------------------------------------------- the program


def length_of(variants: Variants, data: Path, args: argparse.Namespace) -> dict[str, list[str]]:
    """The flags that set the length of the training, by variant."""
    if args.minutes:
        return {name: ["--max-minutes", f"{args.minutes:g}"] for name in variants.flags}
    costs = relative_costs(data, variants, args.out, args.cost_rounds, args.cost_passes)
    for name, cost in costs.items():
        print(f"{data.name}, {name}: a pass costs {cost:.2f} of the baseline's", flush=True)
    passes = {name: max(1, round(args.passes / cost)) for name, cost in costs.items()}
    return {name: ["--epochs", str(count)] for name, count in passes.items()}


def run_data(variants: Variants, data: Path, args: argparse.Namespace) -> None:
    """Train and evaluate all variants on one data set, seed by seed, and print the table."""
    results: dict[str, list[Result]] = {}
    lengths = length_of(variants, data, args)
    try:
        for seed in range(args.seeds):  # in turns, so that a busy machine disturbs all alike
            for name in variants.flags:
                flags = [*variants.of(name, data), *lengths[name], "--seed", str(seed)]
                folder = f"{slug(data.name)}-{slug(name)}-{slug(' '.join(lengths[name]))}-{seed}"
                run = train(data, flags, args.out / folder)
                results.setdefault(name, []).append(evaluate(run, data, args.split))
    finally:
        if results:
            print(f"\n{data.name}, {args.split} photos\n")
            print(markdown(results, {k: " ".join(v) for k, v in lengths.items()}, variants.baseline))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variants", type=Path, help="TOML file with the flags of each variant")
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="labeled photos, as for `boxmask train`"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="minutes of each training")
    length.add_argument("--passes", type=int, help="passes of the baseline; variants take the same time")
    parser.add_argument("--seeds", type=int, default=3, help="trainings per variant")
    parser.add_argument("--cost-rounds", type=int, default=1, help="measurements of the cost of a pass")
    parser.add_argument(
        "--cost-passes", type=int, default=1, help="passes per measurement; more for few photos"
    )
    parser.add_argument("--split", choices=("val", "test"), default="val", help="photos to evaluate on")
    args = parser.parse_args()
    variants = read_variants(args.variants)
    args.out = args.out.absolute()
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        for data in args.data:
            run_data(variants, data.absolute(), args)
    except KeyboardInterrupt:
        raise SystemExit("stopped; the same command continues") from None


if __name__ == "__main__":
    main()
