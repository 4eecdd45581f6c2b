"""Before and after: what pruning did to spectrum, worst direction, covariance, trajectories and structure.

Every measure is defined where it is computed. What cannot be had, because no stationary state is left, because the
measure belongs to symmetric networks, or because the network is too large for dense algebra, is None, and
``Comparison.not_measured`` says why.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from noiseprune.dynamics.stationary import is_stable
from noiseprune.errors import InvalidNetwork
from noiseprune.linalg.timing import seconds_a_product
from noiseprune.machine import limits
from noiseprune.machine.randomness import Rng, seed_from, streams
from noiseprune.machine.speed import Cost, seconds_an_operation
from noiseprune.measure.covariance import covariance_error, kl_per_neuron
from noiseprune.measure.reasons import NO_STATIONARY_STATE, Reasons, ratio
from noiseprune.measure.responses import Responses
from noiseprune.measure.result import Comparison
from noiseprune.measure.side import Side
from noiseprune.measure.spectrum import spectrum_of
from noiseprune.measure.structure import reference_at_degree, structure_of
from noiseprune.network import Network
from noiseprune.network.units import Units, scaled
from noiseprune.sources.objects import Given, network_of

logger = logging.getLogger("noiseprune")

LARGE_PRODUCTS = 600  # block products of a comparison without dense algebra, counted on clustered networks
LARGE_OPERATIONS = 2e7  # a neuron, of LOBPCG on its blocks, by the time that they take: most wait for memory


def compare(before: Given, after: Given, *, rng: Rng = 0) -> Comparison:
    """Measure what `after` kept of `before`.

    Parameters
    ----------
    before, after : Network, or (n_neurons, n_neurons) matrix
        Networks of the same neurons; a matrix is read as A = W - diag(leak), (post, pre).
    rng : int, Generator or None
        For inputs, starting points and noise, which both networks share. With the seed of a prune, the numbers of its
        own comparison.

    Raises
    ------
    InvalidNetwork
        Where the two do not have the same neurons.

    Notes
    -----
    Dense algebra, O(n^3), up to 5 000 neurons where symmetric and 2 000 to 3 000 where directed; beyond that what
    needs only products with sparse matrices.

    Examples
    --------
    >>> from noiseprune import gallery
    >>> net = gallery.ring(20)
    >>> same = compare(net, net)
    >>> round(same.worst_direction, 9), same.covariance_error, same.density
    (0.0, 0.0, 1.0)
    """
    return Reference(network_of(before), rng=streams(rng).comparison).compare(network_of(after))


def cost(network: Network) -> Cost:
    """Estimate memory and time of comparing a network with its pruned self."""
    n = network.n_neurons
    if network.symmetric and n <= limits.SYMMETRIC_SPECTRUM:
        return Cost(8.0 * 8 * n * n, 40.0 * n**3 * seconds_an_operation())
    if n <= limits.DIRECTED_SPECTRUM:
        return Cost(8.0 * 16 * n * n, 600.0 * n**3 * seconds_an_operation())
    return Cost(
        40.0 * network.n_synapses + 1000.0 * n,
        LARGE_PRODUCTS * seconds_a_product(network.link_matrix, network.n_synapses)
        + LARGE_OPERATIONS * n * seconds_an_operation(),
    )


class Reference:
    """What a comparison needs of the original network, computed once for many pruned ones.

    Parameters
    ----------
    network : Network
        The original.
    rng : int, Generator or None
        For inputs, starting points and noise.
    """

    def __init__(self, network: Network, *, rng: Rng = 0) -> None:
        self._units = Units.of(network)
        self.network = self._units.enter(network)
        self._side = Side(self.network)
        self._responses = self._respond(rng)

    def with_inputs(self, rng: Rng) -> Reference:
        """Return a reference to the same network with other inputs, starting points and noise."""
        other = Reference.__new__(Reference)
        other._units, other.network, other._side = self._units, self.network, self._side
        other._responses = self._respond(rng)
        return other

    def _respond(self, rng: Rng) -> Responses:
        return Responses(self._side, self._units, np.random.SeedSequence(seed_from(rng)).spawn(4))

    def compare(self, after: Network) -> Comparison:
        """Measure what `after` kept of this network."""
        with np.errstate(over="ignore", invalid="ignore"):  # what leaves the range of numbers is None
            return self._compare(self._entered(after))

    def _compare(self, after: Network) -> Comparison:
        before, reasons = self.network, Reasons()
        symmetric = before.symmetric and after.symmetric
        logger.info("comparing %d neurons before and after", before.n_neurons)
        new = Side(after)
        abscissae, spectrum = spectrum_of(self._side, new, reasons)
        stable = [is_stable(net, a) for net, a in zip((before, after), abscissae, strict=True)]
        restless = _no_stationary_state(*stable)
        if spectrum["kl_per_neuron"] is None and "kl_per_neuron" not in reasons.reasons:
            spectrum["kl_per_neuron"] = kl_per_neuron(self._side, new, restless, reasons)
        if stable[1] is None:
            reasons.skip("stable_after", "the spectral abscissa is not known")
        found = {
            "density": ratio(after.n_synapses, before.n_synapses, reasons),
            "n_neurons": before.n_neurons,
            "n_synapses_before": before.n_synapses,
            "n_synapses_after": after.n_synapses,
            "symmetric": symmetric,
            "spectral_abscissa_before": abscissae[0],
            "spectral_abscissa_after": abscissae[1],
            "stable_after": stable[1],
            "ramanujan_reference": reference_at_degree(after, symmetric, reasons),
            "covariance_error": covariance_error(self._side, new, restless, reasons),
            **self._responses.errors(new, reasons),
            **spectrum,
            **structure_of(before, after, reasons),
        }
        return Comparison(**self._left(found), not_measured=reasons.missing(found))

    def _entered(self, after: Network) -> Network:
        _check_same_neurons(self.network, after)
        return self._units.enter(after)

    def _left(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return measures with their rates in the units that the network had."""
        rate = self._units.rate
        if not rate:
            return found
        changed: dict[str, Any] = {
            name: scaled(found[name], rate) for name in ("spectral_abscissa_before", "spectral_abscissa_after")
        }
        for name in ("slowest_before", "slowest_after"):
            changed[name] = found[name] and [scaled(value, rate) for value in found[name]]
        spectra = found["spectra"]
        if spectra is not None:
            unit = np.ldexp(1.0, rate)
            changed["spectra"] = spectra._replace(before=spectra.before * unit, after=spectra.after * unit)
        return found | changed

    def spectrum(self, after: Network) -> dict[str, Any]:
        """Measure what eigenvalues tell and no more: flat, fit for strict JSON, with why something is missing."""
        after, measured = self._entered(after), Reasons()
        (_, abscissa), found = spectrum_of(self._side, Side(after), measured)
        reasons = measured.missing(found | {"spectral_abscissa_after": abscissa})
        row, why = {}, {}
        for name, value, *places in (
            ("spectral_abscissa", scaled(abscissa, self._units.rate), "spectral_abscissa_after"),
            (
                "eigenvalue_error_median",
                found["eigenvalue_error"]["median"],
                "eigenvalue_error.median",
                "eigenvalue_error",
            ),
            (
                "eigenvalue_error_slowest",
                found["eigenvalue_error"]["slowest"],
                "eigenvalue_error.slowest",
                "eigenvalue_error",
            ),
            ("worst_direction", found["worst_direction"], "worst_direction"),
        ):
            row[name] = value
            if value is None:
                why[name] = next(reasons[place] for place in places if place in reasons)
        return {**row, "not_measured": "; ".join(f"{name}: {reason}" for name, reason in why.items()) or None}


def _no_stationary_state(before: bool | None, after: bool | None) -> str | None:
    """Say why two networks have no two covariances; None where they have."""
    if before is False:
        return "the original has no stationary state"
    if after is False:
        return NO_STATIONARY_STATE
    return None if before and after else "not known to be stable"


def _check_same_neurons(before: Network, after: Network) -> None:
    if before.n_neurons != after.n_neurons:
        raise InvalidNetwork(
            f"the networks must have the same neurons: {before.n_neurons} before, {after.n_neurons} after"
        )
    if before.labels != after.labels:
        raise InvalidNetwork(_label_difference(before, after))


def _label_difference(before: Network, after: Network) -> str:
    if before.labels is None or after.labels is None:
        return "one network has labels and the other has none: give both the same, or neither"
    i = next(k for k, pair in enumerate(zip(before.labels, after.labels, strict=True)) if pair[0] != pair[1])
    return (
        f"the networks must have the same neurons in the same order; neuron {i} is {before.labels[i]!r} before and "
        f"{after.labels[i]!r} after"
    )
