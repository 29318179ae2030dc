"""Fit learning curves to measured trainings: a Bayesian fit, by sequential Monte Carlo.

Del Moral, Doucet and Jasra, "Sequential Monte Carlo samplers", 2006: particles drawn from the prior are
weighted by a power of the likelihood that grows from 0 to 1, resampled, and moved by Metropolis steps. A
particle is a curve of one family; the resampling also decides between the families.

Two trainings on equally many photos differ, by their photos and by chance. This spread is part of the fit; it
may be larger for few photos. It has heavy tails (Student's t), so that one failed training does not bend the
curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float, Int

from boxmask.forecasting.families import FAMILIES, errors_at

PARTICLES = 1600  # divisible by the number of families
MOVES = 6  # Metropolis steps per temperature
TAIL = 5.0  # degrees of freedom of Student's t

# The prior, in standard normal numbers z: the middle and the width of the logarithms.
SLOPE = (0.5, 0.8)  # of the curve per doubling in natural logarithms; a half means 1 / sqrt(n)
SPREAD = (0.02, 0.9)  # of trainings on the same number of photos, in units of the metric
BEND = 0.4  # width of the logarithm of the factor of the slope beyond the largest number of photos
MAX_SPREAD_SLOPE = 0.7  # the spread may grow by up to n^-0.7 towards few photos


Curves = tuple[Float[np.ndarray, " P"], Float[np.ndarray, " P"], Float[np.ndarray, " P"]]


@dataclass(frozen=True)
class CurveFit:
    """P equally likely learning curves of a metric, and the spread of trainings around each.

    reference: the number of photos that `level` belongs to
    family:    (P,) index into FAMILIES
    z:         (P, 5) level, floor share, slope, spread and its slope, as standard normal numbers
    bend:      (P,) factor of the slope beyond the reference
    """

    reference: int
    family: Int[np.ndarray, " P"]
    z: Float[np.ndarray, "P 5"]
    bend: Float[np.ndarray, " P"]

    def metric_at(self, photos: Float[np.ndarray, " N"]) -> Float[np.ndarray, "P N"]:
        """The metric of each curve at each number of photos, averaged over trainings."""
        return 1.0 - errors_at(self.family, *_curve(self.z), photos / self.reference, self.bend)

    def spread_at(self, photos: Float[np.ndarray, " N"]) -> Float[np.ndarray, "P N"]:
        """The scale of Student's t of trainings around each curve."""
        return _spread(self.z, photos / self.reference)

    def trainings_at(self, photos: Float[np.ndarray, " N"], seed: int = 0) -> Float[np.ndarray, "P N"]:
        """The metric of one training for each curve, with its chance, which is alike for all N numbers."""
        chance = np.random.default_rng(seed).standard_t(TAIL, size=(len(self.z), 1))
        return np.asarray(np.clip(self.metric_at(photos) + chance * self.spread_at(photos), 0.0, 1.0))

    def family_shares(self) -> dict[str, float]:
        """The probability of each family."""
        counts = np.bincount(self.family, minlength=len(FAMILIES)) / len(self.family)
        return dict(zip(FAMILIES, counts.tolist(), strict=True))


def fit_curve(photos: Float[np.ndarray, " N"], metric: Float[np.ndarray, " N"], seed: int = 0) -> CurveFit:
    """Fit learning curves to N trainings. The same seed gives the same curves.

    photos: the number of labeled photos of each training
    metric: its metric, 0..1
    """
    random, reference = np.random.default_rng(seed), int(photos.max())
    ratio = photos / reference
    family = np.arange(PARTICLES) % len(FAMILIES)
    z = random.standard_normal((PARTICLES, 5))
    likelihood, power = _log_likelihood(family, z, ratio, metric), 0.0
    while power < 1.0:
        step = _next_step(likelihood, 1.0 - power)
        power += step
        chosen = _resample(step * likelihood, random)
        family, z, likelihood = family[chosen], z[chosen], likelihood[chosen]
        for scale in np.geomspace(1.0, 0.2, MOVES):
            z, likelihood = _move(family, z, likelihood, power, scale, ratio, metric, random)
    return CurveFit(reference, family, z, np.exp(BEND * random.standard_normal(PARTICLES)))


# ---------------------------------------------------------------- the prior


def _curve(z: Float[np.ndarray, "P 5"]) -> Curves:
    """Level and floor share, uniform in 0..1, and slope."""
    return scipy.special.ndtr(z[:, 0]), scipy.special.ndtr(z[:, 1]), SLOPE[0] * np.exp(SLOPE[1] * z[:, 2])


def _spread(z: Float[np.ndarray, "P 5"], ratio: Float[np.ndarray, " N"]) -> Float[np.ndarray, "P N"]:
    slope = MAX_SPREAD_SLOPE * scipy.special.ndtr(z[:, 4])
    level = SPREAD[0] * np.exp(SPREAD[1] * z[:, 3])
    return np.asarray(level[:, None] * ratio[None] ** -slope[:, None])


# ---------------------------------------------------------------- the likelihood and its steps


def _log_likelihood(
    family: Int[np.ndarray, " P"],
    z: Float[np.ndarray, "P 5"],
    ratio: Float[np.ndarray, " N"],
    metric: Float[np.ndarray, " N"],
) -> Float[np.ndarray, " P"]:
    """The logarithm of the likelihood of each particle, up to a constant."""
    spread = _spread(z, ratio)
    residual = (1.0 - errors_at(family, *_curve(z), ratio) - metric) / spread
    logs = -np.log(spread) - (TAIL + 1) / 2 * np.log1p(residual**2 / TAIL)
    return np.asarray(logs.sum(axis=1))


def _next_step(likelihood: Float[np.ndarray, " P"], rest: float) -> float:
    """The largest step of the power after which half of the particles still count; at most the rest."""
    if _effective_share(rest * likelihood) >= 0.5:
        return rest
    low, high = 0.0, rest
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _effective_share(middle * likelihood) >= 0.5 else (low, middle)
    return high


def _weights(logs: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _effective_share(logs: Float[np.ndarray, " P"]) -> float:
    return float(1.0 / (_weights(logs) ** 2).sum() / len(logs))


def _resample(logs: Float[np.ndarray, " P"], random: np.random.Generator) -> Int[np.ndarray, " P"]:
    """Systematic resampling: the indices of the particles that stay, some of them several times."""
    places = (np.arange(len(logs)) + random.random()) / len(logs)
    return np.minimum(np.searchsorted(np.cumsum(_weights(logs)), places), len(logs) - 1)


def _move(
    family: Int[np.ndarray, " P"],
    z: Float[np.ndarray, "P 5"],
    likelihood: Float[np.ndarray, " P"],
    power: float,
    scale: float,
    ratio: Float[np.ndarray, " N"],
    metric: Float[np.ndarray, " N"],
    random: np.random.Generator,
) -> tuple[Float[np.ndarray, "P 5"], Float[np.ndarray, " P"]]:
    """One Metropolis step of every particle, along the differences of random pairs of particles."""
    first, second = z[random.permutation(len(z))], z[random.permutation(len(z))]
    proposed = z + scale * 0.75 * (first - second) + 1e-3 * random.standard_normal(z.shape)
    new = _log_likelihood(family, proposed, ratio, metric)
    prior = (z**2 - proposed**2).sum(axis=1) / 2
    accepted = np.log(random.random(len(z))) < power * (new - likelihood) + prior
    return np.where(accepted[:, None], proposed, z), np.where(accepted, new, likelihood)
