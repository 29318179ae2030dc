"""How often intervals of AP contain the truth: `python benchmarks/interval_coverage.py`.

Each scenario is a population of 20,000 photos with objects and detections, drawn at random. A photo has its
own difficulty and its own number of objects, and the scores of right and wrong detections overlap. The truth
is the metric on all 20,000 photos. Test sets of a few photos are drawn from them, and each method computes
95 % intervals of AP, AP50 and AP75, over all classes and for some classes alone. The table shows the share of
intervals that contain the truth, averaged over scenarios and metrics, the lowest share, and the mean length.

`--pairs` compares two equally good models instead, which find the same photos hard: how often the interval
of their difference contains its true value.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import norm, t

from boxmask.evaluation.detection.bootstrap import ap_samples
from boxmask.evaluation.detection.class_matches import ClassMatches, resampled_ap
from boxmask.evaluation.detection.matching import IOUS
from boxmask.evaluation.intervals.resampling import Resampling
from boxmask.evaluation.intervals.sample import Sample, confidence_interval, difference_interval

POPULATION = 20_000
SIZES = (5, 13, 40, 72, 500)
TAILS = (0.025, 0.975)
Z = norm.ppf(TAILS[1])
ONE_CLASS = (1.1,)


@dataclass(frozen=True)
class Scenario:
    """A kind of photos and a model.

    objects: mean number per photo of each class
    skill:   of the model: higher scores, more exact boxes, fewer missed objects
    wrong:   wrong detections per two objects
    spread:  how much the number of objects varies between photos
    hard:    how much the difficulty varies between photos
    """

    objects: tuple[float, ...]
    skill: float
    wrong: float = 1.0
    spread: float = 0.7
    hard: float = 0.7


SCENARIOS = {
    "one object": Scenario(ONE_CLASS, 1.0, 0.5, 0.2),
    "one object, easy": Scenario(ONE_CLASS, 3.0, 0.3, 0.2),
    "three classes, easy": Scenario((3.0, 1.5, 0.7), 4.0, 0.3),
    "three classes, hard": Scenario((3.0, 1.5, 0.7), -0.6, 2.5),
    "blood cells": Scenario((12.0, 1.0, 0.9), 1.2, 1.5, 0.3),
    "crowded": Scenario((15.0,), 1.0, 4.0, 0.9, 1.0),
    "twelve classes": Scenario(tuple(3 * 0.75**k for k in range(12)), 1.0, 2.0),
    "two classes, very hard": Scenario((2.0, 1.0), -2.0, 3.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=400, help="test sets per scenario and size")
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--pairs", action="store_true")
    options = parser.parse_args()
    measure = pair_outcomes if options.pairs else outcomes
    cells: dict[tuple[str, int], dict[str, list[tuple[bool, float]]]] = defaultdict(dict)
    for name in options.scenarios:
        for size in options.sizes:
            for (method, metric), found in measure(SCENARIOS[name], size, options).items():
                cells[method, size][f"{name}, {metric}"] = found
    print_table(cells, options.sizes)


def print_table(cells: dict[tuple[str, int], dict[str, list[tuple[bool, float]]]], sizes: list[int]) -> None:
    """Rows: methods. Columns: test sets. Mean coverage, the lowest, and the mean length."""
    table = Table("method", *(f"{size} photos" for size in sizes))
    for method in dict.fromkeys(method for method, _ in cells):
        row = []
        for size in sizes:
            found = [np.mean(cell, axis=0) for cell in cells[method, size].values()]
            covered, length = np.array(found).T if found else (np.full(1, np.nan), np.full(1, np.nan))
            row.append(f"{covered.mean():.3f} ({covered.min():.2f}) {length.mean():.2f}")
        table.add_row(method, *row)
    Console(width=130).print(table)
    print("mean coverage (lowest coverage of a scenario and metric) mean length")


# ---------------------------------------------------------------- simulation


def population(scenario: Scenario, models: int = 1, seed: int = 0) -> list[list[ClassMatches]]:
    """The matches of each model, per class. Models share the photos, the objects and their difficulty."""
    random = np.random.default_rng(seed)
    difficulty = random.normal(0, scenario.hard, POPULATION)
    busy = np.exp(random.normal(0, scenario.spread, POPULATION) - scenario.spread**2 / 2)
    matches: list[list[ClassMatches]] = [[] for _ in range(models)]
    for mean in scenario.objects:
        is_single = scenario.objects == ONE_CLASS
        counts = 1 + random.poisson(mean - 1, POPULATION) if is_single else random.poisson(mean * busy)
        photos = np.repeat(np.arange(POPULATION), counts)
        ability = scenario.skill + difficulty[photos] + random.normal(0, 0.7, len(photos))
        for of_model in matches:
            own = ability + random.normal(0, 0.7, len(photos))
            of_model.append(detect(random, own, photos, counts, scenario.wrong * mean * 0.5 * busy))
    return matches


def detect(
    random: np.random.Generator,
    ability: np.ndarray,
    photos: np.ndarray,
    counts: np.ndarray,
    wrong: np.ndarray,
) -> ClassMatches:
    """Detections of one class: found objects with their IoU, and wrong detections."""
    found = random.random(len(photos)) < 1 / (1 + np.exp(-(ability + 2.2)))
    ious = 1 - 0.55 / (1 + np.exp(0.55 * (ability + random.normal(0, 0.8, len(photos)))))
    scores = ability + random.normal(0, 1, len(photos))
    false_photos = np.repeat(np.arange(POPULATION), random.poisson(wrong))
    false_scores = random.normal(-1.2, 1.3, len(false_photos))
    all_scores = np.concatenate([scores[found], false_scores])
    order = np.argsort(-all_scores, kind="stable")
    all_ious = np.concatenate([ious[found], np.zeros(len(false_photos))])[order]
    correct = all_ious[None] >= IOUS[:, None]
    in_photo = np.concatenate([photos[found], false_photos])[order]
    return ClassMatches(in_photo, correct, np.ones_like(correct), counts)


def take(matches: list[ClassMatches], photos: np.ndarray) -> list[ClassMatches]:
    """The matches on some photos of the population."""
    place = np.full(POPULATION, -1)
    place[photos] = np.arange(len(photos))
    chosen = []
    for of_class in matches:
        kept = place[of_class.photos] >= 0
        correct, counted = (
            np.ascontiguousarray(array[:, kept]) for array in (of_class.correct, of_class.counted)
        )
        chosen.append(
            ClassMatches(place[of_class.photos[kept]], correct, counted, of_class.num_objects[photos])
        )
    return chosen


def test_sets(size: int, sets: int) -> Iterator[tuple[np.ndarray, int]]:
    """The photos of each test set, and a seed."""
    random = np.random.default_rng(size)
    for seed in range(sets):
        yield random.choice(POPULATION, size, replace=False), seed


def metrics_of(matches: list[ClassMatches], size: int, resamples: int, seed: int) -> dict[str, Sample]:
    """AP, AP50 and AP75 over all classes, and of the first and the last class alone."""
    names = [str(k) for k in range(len(matches))]
    samples = ap_samples(matches, Resampling.of(size, None, resamples, seed), names)
    metrics = dict(samples.overall)
    for place, k in (("first", 0), ("last", len(matches) - 1)) if len(matches) > 1 else ():
        for name, sample in samples.per_class.get(str(k), {}).items():
            metrics[f"{name} of the {place} class"] = sample
    return metrics


def true_values(matches: list[ClassMatches]) -> dict[str, float]:
    """The metrics on the whole population."""
    metrics = {}
    parts = {"": matches} | (
        {" of the first class": matches[:1], " of the last class": matches[-1:]} if len(matches) > 1 else {}
    )
    for part, chosen in parts.items():
        ap = resampled_ap(chosen, np.ones((1, POPULATION), dtype=np.int32))[0]
        metrics |= {f"AP{part}": ap.mean(), f"AP50{part}": ap[0], f"AP75{part}": ap[5]}
    return metrics


# ---------------------------------------------------------------- methods


def outcomes(scenario: Scenario, size: int, options: argparse.Namespace) -> dict:
    """For each method and metric: whether each interval contains the truth, and its length."""
    matches = population(scenario)[0]
    truth = true_values(matches)
    found: dict[tuple[str, str], list[tuple[bool, float]]] = defaultdict(list)
    for photos, seed in test_sets(size, options.sets):
        chosen = take(matches, photos)
        left_out = jackknife(chosen, size)
        smooth = bayesian(chosen, size, options.resamples, seed)
        for metric, sample in metrics_of(chosen, size, options.resamples, seed).items():
            intervals = intervals_of(sample, left_out.get(metric), smooth.get(metric))
            for method, (low, high) in intervals.items():
                is_inside = low - 1e-9 <= truth[metric] <= high + 1e-9
                found[method, metric].append((is_inside, min(high, 1.0) - max(low, 0.0)))
    return found


def pair_outcomes(scenario: Scenario, size: int, options: argparse.Namespace) -> dict:
    """The same for the difference of two models."""
    first, second = population(scenario, 2)
    of_first, of_second = true_values(first), true_values(second)
    found: dict[tuple[str, str], list[tuple[bool, float]]] = defaultdict(list)
    for photos, seed in test_sets(size, options.sets):
        one, other = (
            metrics_of(take(matches, photos), size, options.resamples, seed) for matches in (first, second)
        )
        for metric in ("AP", "AP50", "AP75"):
            compared = difference_interval(one[metric], other[metric])
            if compared is not None:
                (low, high), _ = compared
                is_inside = low <= of_first[metric] - of_second[metric] <= high
                found["difference, boxmask", metric].append((is_inside, high - low))
            plain = one[metric].resampled - other[metric].resampled
            low, high = np.quantile(plain[np.isfinite(plain)], TAILS)
            is_inside = low <= of_first[metric] - of_second[metric] <= high
            found["difference, percentile", metric].append((is_inside, high - low))
    return found


def jackknife(matches: list[ClassMatches], size: int) -> dict[str, np.ndarray]:
    """The metrics without each photo, or each of 72 parts of the photos."""
    parts = min(size, 72)
    weights = (np.arange(size)[None] % parts != np.arange(parts)[:, None]).astype(np.int32)
    return by_metric(matches, weights)


def bayesian(matches: list[ClassMatches], size: int, resamples: int, seed: int) -> dict[str, np.ndarray]:
    """The metrics with smooth weights of the photos: Rubin's Bayesian bootstrap."""
    weights = np.random.default_rng(seed).dirichlet(np.ones(size), resamples)
    return by_metric(matches, np.rint(weights * 1e6).astype(np.int32))


def by_metric(matches: list[ClassMatches], weights: np.ndarray) -> dict[str, np.ndarray]:
    ap = resampled_ap(matches, weights)
    return {"AP": ap.mean(axis=1), "AP50": ap[:, 0], "AP75": ap[:, 5]}


def intervals_of(
    sample: Sample, left_out: np.ndarray | None, smooth: np.ndarray | None
) -> dict[str, tuple[float, float]]:
    """The interval by each method; those that need more than the resamples only over all classes."""
    value, drawn, size = sample.value, sample.measured, sample.groups
    low, high = np.quantile(drawn, TAILS)
    reach = t.ppf(TAILS[1], size - 1)
    error = max(drawn.std(ddof=1) * np.sqrt(size / (size - 1)), 1e-6)
    logit, scale = np.log(max(value, 1e-3) / max(1 - value, 1e-3)), error / max(value * (1 - value), 1e-3)
    intervals = {
        "percentile": (low, high),
        "basic": (2 * value - high, 2 * value - low),
        "Student's t": (value - reach * error, value + reach * error),
        "logit, t": tuple(1 / (1 + np.exp(-(logit + sign * reach * scale))) for sign in (-1, 1)),
        "Wilson, t": wilson(value, error * reach / Z),
    }
    if left_out is not None and smooth is not None:
        intervals["Bayesian"] = tuple(np.quantile(smooth[np.isfinite(smooth)], TAILS))
        intervals["BCa"] = bca(value, drawn, left_out[np.isfinite(left_out)])
    ours = confidence_interval(sample)
    if ours is not None:
        intervals["boxmask"] = ours
    return intervals


def wilson(share: float, error: float) -> tuple[float, float]:
    """Wilson's interval for as many independent photos as have this standard error."""
    share = min(max(share, 1e-6), 1 - 1e-6)
    count = share * (1 - share) / error**2
    center = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z * np.sqrt(share * (1 - share) / count + (Z / (2 * count)) ** 2) / (1 + Z**2 / count)
    return center - half, center + half


def bca(value: float, drawn: np.ndarray, left_out: np.ndarray) -> tuple[float, float]:
    """Efron's interval, corrected for bias and for a spread that grows with the metric."""
    below = (np.sum(drawn < value) + np.sum(drawn == value) / 2) / len(drawn)
    bias = norm.ppf(np.clip(below, 0.5 / len(drawn), 1 - 0.5 / len(drawn)))
    distance = left_out.mean() - left_out
    acceleration = (distance**3).sum() / (6 * max((distance**2).sum(), 1e-18) ** 1.5)
    tails = [norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z))) for z in (-Z, Z)]
    return tuple(np.quantile(drawn, tails))


if __name__ == "__main__":
    main()
