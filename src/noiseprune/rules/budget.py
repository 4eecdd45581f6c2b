"""From importance to keep probability, p = min(1, K r), with exactly the number of synapses asked for."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import InvalidOption, NoisePruneWarning
from noiseprune.network import Network

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class KeepProbability:
    """The keep probability of every synapse, and what clipping did to it.

    Attributes
    ----------
    per_link : (n_links,) array
        p of each link.
    synapses_per_link : int
        2 for a symmetric network, else 1.
    constant : float or None
        K in p = min(1, K r); None where the rule ranks instead, as magnitude does.
    """

    per_link: Floats
    synapses_per_link: int
    constant: float | None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The value, so that NumPy's functions take the probabilities as they are."""
        return np.array(self.value, dtype=dtype)

    def __len__(self) -> int:
        return self.per_link.size * self.synapses_per_link

    @property
    def value(self) -> Floats:
        """Return the probability of each synapse, (n_synapses,), in the order of ``net.synapses``."""
        return np.tile(self.per_link, self.synapses_per_link)

    @property
    def expected_synapses(self) -> float:
        """Synapses kept on average."""
        return float(self.per_link.sum()) * self.synapses_per_link

    @property
    def n_certain(self) -> int:
        """Synapses that are kept for certain, p = 1."""
        return int(np.count_nonzero(self.per_link == 1)) * self.synapses_per_link


@dataclass(frozen=True)
class Budget:
    """How much to keep: exactly one of density, synapses, epsilon and K.

    Parameters
    ----------
    density : float
        Kept share of the synapses, in (0, 1].
    synapses : int
        Kept synapses (directed entries; of a symmetric network rounded down to whole pairs).
    epsilon : float
        The theorem's error, in (0, 1]: K = 8 ln(n) / (epsilon^2 sigma^2).
    K : float
        The constant of the rule itself.
    """

    density: float | None = None
    synapses: int | None = None
    epsilon: float | None = None
    K: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) != 1:
            what = " and ".join(f"{name}={value}" for name, value in given.items()) or "none of them"
            raise InvalidOption(
                f"give exactly one of density, synapses, epsilon and K to say how much to keep; got {what}"
            )
        (name, value), *_ = given.items()
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise InvalidOption(f"{name} must be a number; got {value!r}")
        value = float(value)
        if name in ("density", "epsilon") and not 0 < value <= 1:
            hint = f"; to keep {value:g} synapses give synapses={value:g}" if name == "density" and value > 1 else ""
            raise InvalidOption(f"{name} must be above 0 and at most 1; got {value:g}{hint}")
        if name == "synapses" and not (value >= 1 and value % 1 == 0):
            raise InvalidOption(f"synapses must be a whole number, 1 or more; got {value:g}")
        if name == "K" and not (0 < value < np.inf):
            raise InvalidOption(f"K must be positive and finite; got {value:g}")
        # plain Python numbers, whatever was given: they go into the provenance
        object.__setattr__(self, name, int(value) if name == "synapses" else value)

    def target_links(self, network: Network, *, whole: bool) -> float | None:
        """Return how many links to keep on average.

        Parameters
        ----------
        network : Network
            What is pruned.
        whole : bool
            Whether to round, for a draw of fixed size.

        Returns
        -------
        float or None
            None where K decides.

        Raises
        ------
        InvalidOption
            Where there are not that many synapses.
        """
        if self.density is not None:
            target = self.density * network.n_links
            return float(round(target)) if whole else target
        if self.synapses is not None:
            if self.synapses > network.n_synapses:
                raise InvalidOption(f"synapses={self.synapses} is more than the {network.n_synapses} that there are")
            if self.synapses < network.synapses_per_link:
                raise InvalidOption("synapses=1 is less than one pair of a symmetric network: give 2")
            return float(self.synapses // network.synapses_per_link)
        return None


def constant_from_epsilon(epsilon: float, network: Network) -> float:
    """K = 8 ln(n) / (epsilon^2 sigma^2), with the mean variance where the noise differs."""
    return float(8 * np.log(network.n_neurons) / (epsilon**2 * np.mean(network.noise_std**2)))


def water_filling(importance: Floats, target: float) -> float:
    """Find K with sum_k min(1, K r_k) = target.

    Parameters
    ----------
    importance : (n_links,) array
        r, zero or positive.
    target : float
        At most the number of positive r.

    Returns
    -------
    float
        K. Exact up to the rounding of one sum.

    Notes
    -----
    Whoever is clipped at one value of K is clipped at every larger one, and clipping only raises K: so each round
    takes the clipped out for good, until nobody is. A few rounds over ever fewer links.

    Examples
    --------
    >>> K = water_filling(np.array([10.0, 1.0, 1.0]), 2)
    >>> np.minimum(1, K * np.array([10.0, 1.0, 1.0]))
    array([1. , 0.5, 0.5])
    """
    largest = float(importance.max(initial=0.0))
    free = importance[importance > 0] / (largest or 1.0)
    if target >= free.size:
        return _bounded(1 / float(free.min()), largest) if free.size else 0.0
    while True:
        K = float(target / free.sum())
        clipped = K * free >= 1
        n_clipped = np.count_nonzero(clipped)
        # with everything that is left of the target clipped, the rest is too small to count
        if n_clipped == 0 or n_clipped >= target:
            return _bounded(K, largest)
        target -= n_clipped
        free = free[~clipped]


def _bounded(K: float, largest: float) -> float:
    """K / largest, or the largest number where that is none."""
    limit = float(np.finfo(np.float64).max)
    return limit if limit * min(largest, 1.0) <= K else K / largest


def keep_probability(
    importance: Floats,
    network: Network,
    budget: Budget,
    *,
    ranks: bool = False,
    whole: bool = False,
    certain: Bools | None = None,
) -> KeepProbability:
    """Turn importance into keep probabilities within a budget.

    Parameters
    ----------
    importance : (n_links,) array
        r of each link.
    network : Network
        Whose links they are.
    budget : Budget
        How much to keep.
    ranks : bool
        Whether the largest r are kept for certain (ties by position), in place of p = min(1, K r).
    whole : bool
        Round the target to whole links, for a draw of fixed size.
    certain : (n_links,) array of bool, optional
        Links kept whatever their importance, inside the same budget.

    Raises
    ------
    InvalidOption
        Where the budget asks for more than there is, or leaves no room for the certain links.
    """
    target = budget.target_links(network, whole=whole)
    per_link = network.synapses_per_link
    if target == 0 and network.n_links:
        warnings.warn(
            f"the budget rounds to none of the {network.n_synapses} synapses, so all are pruned: give more, or an independent "
            "draw",
            NoisePruneWarning,
            stacklevel=3,
        )
    if target is None:
        if ranks:
            raise InvalidOption("a rule such as magnitude ranks synapses and has no K: give density or synapses")
        K = budget.K if budget.K is not None else constant_from_epsilon(budget.epsilon or 1.0, network)
        p = np.minimum(1.0, K * importance)
        if certain is not None:
            p[certain] = 1.0
        return KeepProbability(p, per_link, K)
    if certain is not None:
        n_certain = int(np.count_nonzero(certain))
        if target < n_certain:
            raise InvalidOption(
                f"keeping the network in one piece takes {n_certain * per_link} synapses, and the budget is "
                f"{target * per_link:g}: raise it to a density of {n_certain / network.n_links:.2g} or more"
            )
    if ranks:
        first = importance if certain is None else np.where(certain, np.inf, importance)
        p = np.zeros(importance.size)
        p[np.argsort(-first, kind="stable")[: round(target)]] = 1.0
        return KeepProbability(p, per_link, None)
    if certain is not None:
        target -= n_certain
        importance = np.where(certain, 0.0, importance)
    possible = int(np.count_nonzero(importance))
    if target > possible:
        warnings.warn(
            f"{target * per_link:g} synapses were asked for, and only {possible * per_link} have a positive importance: "
            "all of those are kept",
            NoisePruneWarning,
            stacklevel=3,
        )
        target = possible
    K = water_filling(importance, target)
    p = np.minimum(1.0, K * importance)
    if target == possible:
        p[importance > 0] = 1.0
    if certain is not None:
        p[certain] = 1.0
    return KeepProbability(p, per_link, K)


def spanning_forest(importance: Floats, network: Network) -> Bools:
    """Choose the links of a maximum-importance spanning forest, (n_links,) of bool.

    The forest joins, whatever the direction of its synapses, all neurons that the network joins.
    """
    import scipy.sparse as sp
    from scipy.sparse.csgraph import minimum_spanning_tree

    post, pre, _ = network.links
    n = network.n_neurons
    # SciPy's forest is the cheapest one and takes a zero for a missing link: the most important link costs 1
    cost = np.empty(importance.size)
    ranked = np.argsort(-importance, kind="stable")
    cost[ranked] = np.arange(1, importance.size + 1)
    # the two directions of a pair would be summed at one place: take the cheaper one
    low, high = np.minimum(post, pre), np.maximum(post, pre)
    order = np.lexsort((cost, high, low))
    first = np.ones(order.size, dtype=np.bool_)
    first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    chosen = order[first]
    graph = sp.csr_array((cost[chosen], (low[chosen], high[chosen])), shape=(n, n))
    rank = minimum_spanning_tree(graph).data.astype(np.int64)
    forest = np.zeros(importance.size, dtype=np.bool_)
    forest[ranked[rank - 1]] = True
    return forest
