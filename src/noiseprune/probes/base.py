"""What every probe does: measure, at each existing synapse, how far noise moves its two neurons apart.

Which probe when:

- `Exact` solves for the covariance with dense algebra, O(n^3). The right one up to a few thousand neurons, and the
  oracle that all others are tested against.
- `Sketched` draws samples of the stationary state by iterative solves, O(m) a sample: 64 of them tell v to 18 %, which
  is enough to rank synapses. For any stable network, up to a hundred million pairs.
- `Simulated` runs the noisy network itself, linear or not. The one for rectified and tanh networks, with or without a
  drive, and for the biological experiment.
- `Recorded` takes activity that was measured elsewhere.

`probe="auto"` is Exact up to 5 000 neurons (2 000 where the network is directed or its noise unequal) and Sketched
beyond. Exact and Sketched measure the linear network A whatever the activation is; Simulated measures the network.

A probe's settings live in the object, its randomness in the call. What it returns holds values for existing synapses
only, so that nothing of size n x n need exist, and carries its uncertainty along.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import InvalidOption
from noiseprune.linalg.moments import DenseMoments, Gatherer, Moments
from noiseprune.machine import limits
from noiseprune.machine.randomness import Rng
from noiseprune.machine.speed import Cost
from noiseprune.network import Network
from noiseprune.network.units import Units

Quantity = Literal["difference_variance", "variance", "second_moments"]
ONLY_V: tuple[Quantity, ...] = ("difference_variance",)


@dataclass(frozen=True)
class Measurement:
    """What a probe measured: v_ij = Var(x_i - s_ij x_j) at each synapse, s_ij = sign(W_ij), and what else was asked for.

    Attributes
    ----------
    per_link : (n_links,) array
        One value a link, in the order of ``net.links``.
    relative_error : float or (n_links,) array
        Standard errors in units of the values; zero where the values are exact.
    synapses_per_link : int
        2 for a symmetric network, else 1.
    n_samples : int or None
        Independent samples behind the values; None where they are exact.
    source : str
        How the values were found, for a reader.
    report : dict
        What the probe says of its work: iterations, checks, biases; fit for strict JSON.
    neuron_variance : (n_neurons,) array or None
        C_ii, where "variance" was asked for; its relative standard error is sqrt(2 / n_samples), zero where exact.
    second_moments : DenseMoments, SampleMoments or None
        C, where "second_moments" were asked for: of any set of neurons among themselves.
    """

    per_link: NDArray[np.float64]
    relative_error: float | NDArray[np.float64]
    synapses_per_link: int
    n_samples: int | None
    source: str
    report: dict[str, Any] = field(default_factory=dict)
    neuron_variance: NDArray[np.float64] | None = None
    second_moments: Moments | None = None

    @property
    def value(self) -> NDArray[np.float64]:
        """One value a synapse, (n_synapses,), in the order of ``net.synapses``."""
        return np.tile(self.per_link, self.synapses_per_link)

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """One standard error a synapse, (n_synapses,); zero where the values are exact."""
        return np.tile(self.relative_error * self.per_link, self.synapses_per_link)


DifferenceVariance = Measurement  # its name in the first release


class Probe(Protocol):
    """A way to measure what noise does at the synapses of a network."""

    def measure(self, network: Network, *, rng: Rng = 0, quantities: Sequence[Quantity] = ONLY_V) -> Measurement:
        """Measure v at every synapse, and what else is asked for in the same pass.

        Parameters
        ----------
        network : Network
            What noise shakes.
        rng : int, Generator or None
            The seed; not read where the values are exact.
        quantities : sequence of "difference_variance", "variance" and "second_moments"
            What is needed; v is measured always.

        Returns
        -------
        Measurement
            The values, their standard errors, and how they were found.

        Raises
        ------
        UnstableNetwork
            Where there is no stationary state.
        """
        ...

    def memory(self, network: Network) -> float:
        """Bytes that measuring will take beside the network."""
        ...

    def cost(self, network: Network) -> Cost:
        """Estimate what measuring will take, before it starts."""
        ...


def measure(probe: Probe, network: Network, needs: Sequence[Quantity], *, rng: Rng) -> Measurement | None:
    """Measure what is needed, in one pass; None where nothing is.

    A probe that only measures v need not know of other quantities.

    Parameters
    ----------
    probe : Probe
        What measures.
    network : Network
        What is measured.
    needs : sequence of quantities
        As in `Probe.measure`.
    rng : int, Generator or None
        The seed.

    Raises
    ------
    InvalidOption
        Where the probe cannot measure something that is needed.
    """
    if not needs:
        return None
    if set(needs) <= set(ONLY_V):
        return probe.measure(network, rng=rng)
    if "quantities" not in inspect.signature(probe.measure).parameters:
        more = ", ".join(name for name in needs if name not in ONLY_V)
        raise InvalidOption(f"{more} is needed, and {probe!r} measures difference variances only: take another probe")
    return probe.measure(network, rng=rng, quantities=tuple(needs))


def gatherer(network: Network, quantities: Sequence[Quantity]) -> Gatherer:
    """Make what gathers, from the states of a sampling probe, all that is asked for beside v."""
    return Gatherer(
        network.n_neurons,
        variance="variance" in quantities,
        second_moments="second_moments" in quantities,
        dense_limit=limits.SECOND_MOMENTS,
    )


def leave(units: Units, found: Measurement) -> Measurement:
    """Return what was measured of a network in `units` in those that the network had."""
    if not units.variance:
        return found
    more: dict[str, Any] = {}
    if found.neuron_variance is not None:
        more["neuron_variance"] = units.variances(found.neuron_variance, "variance")
    if found.second_moments is not None:
        more["second_moments"] = found.second_moments.times_two_to(units.variance)
    return replace(found, per_link=units.variances(found.per_link, "difference variance"), **more)


def alone(network: Network, n_samples: int | None, source: str, quantities: Sequence[Quantity]) -> Measurement:
    """Return what is known of neurons without synapses: C_ii = sigma_i^2 / (2 D_i).

    Parameters
    ----------
    network : Network
        Without synapses.
    n_samples : int or None
        What the probe would say of its samples.
    source : str
        The same of how the values were found.
    quantities : sequence of quantities
        As in `Probe.measure`.
    """
    variance = network.noise_std**2 / (2 * network.leak)
    more: dict[str, Any] = {"neuron_variance": variance} if "variance" in quantities else {}
    if "second_moments" in quantities:
        more["second_moments"] = DenseMoments(np.diag(variance))
    return Measurement(np.zeros(0), 0.0, network.synapses_per_link, n_samples, source, **more)
