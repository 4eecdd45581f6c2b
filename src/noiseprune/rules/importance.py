"""How much a synapse matters: the noise rule, and the rivals that every claim is held against."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from noiseprune.probes.base import DifferenceVariance

Rule = Literal["noise", "weight", "uniform", "magnitude"]
RULES: tuple[Rule, ...] = ("noise", "weight", "uniform", "magnitude")

Floats = NDArray[np.float64]


def noise(weight: NDArray[np.floating[Any]], difference_variance: Floats) -> Floats:
    """R = |W| v: the noise rule.

    Two neurons that noise moves together (small v) talk through many paths already, and the synapse between them is
    redundant; a strong synapse between neurons that noise moves apart has no substitute.

    Parameters
    ----------
    weight : (n_links,) array
        Signed weights.
    difference_variance : (n_links,) array
        v at each link.

    Returns
    -------
    (n_links,) array
        Importance; in a symmetric network with equal noise sigma, sigma^2 / 2 times the leverage of the pair.

    References
    ----------
    Moore and Chaudhuri, NeurIPS 2020, section 2.
    """
    return np.abs(weight) * difference_variance


def importance(rule: Rule, weight: NDArray[np.floating[Any]], variance: DifferenceVariance | None) -> Floats:
    """Importance by any rule, (n_links,): "noise", or one that looks at the weights alone.

    r = |W| ("weight", "magnitude") or r = 1 ("uniform").
    """
    if rule == "noise":
        if variance is None:
            raise TypeError("the noise rule needs difference variances")
        return noise(weight, variance.per_link)
    if rule == "uniform":
        return np.ones(weight.size)
    return np.abs(weight).astype(np.float64)
