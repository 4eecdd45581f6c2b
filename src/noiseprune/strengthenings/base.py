"""What a strengthening is, and what all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.errors import InvalidOption
from noiseprune.machine.speed import Cost
from noiseprune.network import Network
from noiseprune.probes.base import Measurement, Probe, Quantity
from noiseprune.rules import leak as balancing
from noiseprune.rules.leak import Leak

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Draft:
    """What the draw left, for a strengthening to go on from.

    Attributes
    ----------
    network : Network
        The original.
    kept : (n_links,) array of bool
        Which of its links stay.
    start : (n_neurons, n_neurons) csr_array
        These links, with 1/p times their weights.
    leak : str
        "matched", "original" or "fitted".
    measured : Measurement or None
        Of the original, what rule and strengthening need.
    probe : Probe
        What measured it.
    left_to_us : bool
        Whether the strengthening was "auto", so that 1/p may be taken in its place where it cannot work.
    """

    network: Network
    kept: NDArray[np.bool_]
    start: sp.csr_array
    leak: Leak
    measured: Measurement | None
    probe: Probe
    left_to_us: bool = False


class Strengthened(NamedTuple):
    """New links and leak (n_neurons,); which of the links given still stay, (n_kept,); what the method says of itself."""

    links: sp.csr_array
    leak: Floats
    stays: NDArray[np.bool_]
    report: dict[str, Any]


class Strengthening:
    """The weights of the synapses that stay. One of your own is a subclass, or any object with the same attributes.

    Attributes
    ----------
    name : str
        What it is called in results.
    needs : tuple of str
        What a probe must measure of the original for it.
    samples : int or None
        How many samples a sketch should make for it; None where the probe's own number will do.
    remeasures : bool
        Whether it measures pruned networks as well, which a recording cannot do.
    """

    name: ClassVar[str] = "a strengthening of your own"
    needs: tuple[Quantity, ...] = ()
    samples: ClassVar[int | None] = None
    remeasures: ClassVar[bool] = False

    @property
    def unbiased(self) -> bool:
        """Whether every weight is right on average over draws with the probabilities p: E[W'] = W."""
        return False

    def gaps(self, network: Network) -> list[str]:  # noqa: ARG002
        """Say what keeps the paper's theorem from covering its result; an empty list where it does."""
        return [f"the strengthening is {self.name}"]

    def check(self, network: Network, leak: str) -> None:  # noqa: ARG002
        """Refuse a network or a leak that it does not go with.

        Parameters
        ----------
        network : Network
            The original.
        leak : str
            As in `noiseprune.prune`, "auto" included.

        Raises
        ------
        InvalidOption
            Where they do not go together.
        TooLarge
            Where the network is too large for it.
        """
        if leak == "fitted":
            raise InvalidOption("leak='fitted' goes with strengthen='matched' or 'regressed', which fit it")

    def auto_leak(self, network: Network) -> tuple[Leak, str]:
        """Decide the leak where it is left to us; return it, and why."""
        return (
            "matched" if network.dominant else "original"
        ), f"every neuron is diagonally dominant: {network.dominant}"

    def cost(self, network: Network, density: float, probe: Probe, measuring: Cost | None) -> Cost:  # noqa: ARG002
        """Estimate memory and time of strengthening this share of the links.

        Parameters
        ----------
        network : Network
            The original.
        density : float
            The share of its links that will stay.
        probe : Probe
            What measures it.
        measuring : Cost or None
            What measuring the original takes; None where nothing is measured.
        """
        return Cost(0.0, 0.0)

    def apply(self, draft: Draft, rng: np.random.Generator) -> Strengthened:
        """Return new weights for the links that stay, and the leak.

        Raises
        ------
        UnstableNetwork
            Where a stationary state is needed that is not there.
        """
        raise NotImplementedError


def as_drawn(network: Network, start: sp.csr_array, leak: balancing.Leak) -> Strengthened:
    """Take links as they are and balance the leak.

    Parameters
    ----------
    network : Network
        The original.
    start : csr_array
        The links that stay, with their new weights.
    leak : "original" or "matched"
        Whether the leak is kept, or lowered by what each neuron lost of its total input.
    """
    new_leak = balancing.matched(network, start) if leak == "matched" else network.leak
    return Strengthened(start, new_leak, np.ones(start.nnz, dtype=np.bool_), {})


def reweighted(links: sp.csr_array, data: NDArray[Any]) -> sp.csr_array:
    """Return the same links with other weights, in the precision of the links."""
    return sp.csr_array((data.astype(links.dtype), links.indices, links.indptr), shape=links.shape)
