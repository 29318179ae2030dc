"""Repeat factors: how often photos with rare classes are used in each epoch.

Gupta et al. 2019, "LVIS", arXiv:1908.03195, appendix B.2 ("Repeat factor sampling"). With f_c the fraction of
photos that contain class c, its repeat factor is r_c = max(1, sqrt(t / f_c)), and that of a photo is the
largest of its classes. LVIS has a threshold t of 0.001. As small data sets have no class as rare as that, t
is here the mean of all f_c: classes in fewer photos than the average class are repeated.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray


def class_repeat_factors(fractions: Float[np.ndarray, " K"]) -> Float[np.ndarray, " K"]:
    """The repeat factor of each class from its fraction, (K,) -> (K,); 1 for a class that never occurs."""
    occurs = fractions > 0
    factors = np.ones(len(fractions))
    if occurs.any():
        threshold = fractions[occurs].mean()
        factors[occurs] = np.maximum(1.0, np.sqrt(threshold / fractions[occurs]))
    return factors


def photo_repeat_factors(counts: Int[np.ndarray, "P K"]) -> Float[np.ndarray, " P"]:
    """How often each photo is used in one epoch, on average, (P, K) -> (P,).

    counts: objects of each class in each photo

    A photo without objects has the factor 1.
    """
    contains = counts > 0
    factors = class_repeat_factors(contains.mean(axis=0)) if len(counts) else np.ones(counts.shape[1])
    return np.asarray(np.where(contains, factors, 1.0).max(axis=1, initial=1.0))


def paste_probabilities(counts: Int[np.ndarray, "P K"]) -> Float[np.ndarray, " K"]:
    """The probability of pasting an object, by its class: a half for the rarest, less for the others.

    It is proportional to the repeat factors, with fractions of all objects in place of fractions of photos.
    """
    totals = counts.sum(axis=0)
    factors = class_repeat_factors(totals / max(1, int(totals.sum())))
    return np.asarray(0.5 * factors / factors.max(initial=1.0))


def draw_repeats(factors: Float[np.ndarray, " P"], generator: np.random.Generator) -> NDArray[np.int64]:
    """How often each photo is used in one epoch, (P,) -> (P,); as many photos in total in each epoch.

    LVIS rounds each factor up or down at random. Rounding the sums of the factors of all photos in a random
    order, with one random offset, keeps these probabilities and gives the same total each time. So that it is
    a whole number, factors are increased by less than 1 / P on average.
    """
    order = generator.permutation(len(factors))
    total = math.ceil(round(factors.sum(), 9))
    sums = np.concatenate([[0.0], np.cumsum(factors[order]) * (total / max(1e-9, factors.sum()))])
    sums[-1] = total  # despite rounding
    repeats = np.zeros(len(factors), dtype=np.int64)
    repeats[order] = np.diff(np.floor(sums + generator.random()))
    return repeats
