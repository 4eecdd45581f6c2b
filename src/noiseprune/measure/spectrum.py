"""What pruning did to eigenvalues, eigenvectors and the worst direction: densely where that is affordable, else iteratively."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from noiseprune.dynamics.stationary import EPS, is_stable
from noiseprune.errors import DidNotConverge, UnstableNetwork
from noiseprune.linalg.spectrum import extreme_generalised, spectral_abscissa
from noiseprune.machine import limits
from noiseprune.machine.threads import blas_alone
from noiseprune.measure.reasons import NO_STATIONARY_STATE, OF_SYMMETRIC, Floats, Reasons, number
from noiseprune.measure.result import Spectra, Spread
from noiseprune.measure.side import N_SLOWEST, Side
from noiseprune.network import Network

logger = logging.getLogger("noiseprune")

Abscissae = tuple[float | None, float | None]  # before and after


def spectrum_of(before: Side, new: Side, reasons: Reasons) -> tuple[Abscissae, dict[str, Any]]:
    """Return the abscissae before and after, and the measures that come from eigenvalues.

    Parameters
    ----------
    before, new : Side
        The original, and the network that is compared with it.
    reasons : Reasons
        Told why a measure is missing.

    Returns
    -------
    abscissae : (float or None, float or None)
        Largest real parts of an eigenvalue before and after, 1/s.
    found : dict
        The measures by their names in `Comparison`; None where they do not exist.
    """
    n, symmetric = before.network.n_neurons, before.network.symmetric and new.network.symmetric
    found: dict[str, Any] = {
        "eigenvalue_error": dict.fromkeys(("median", "p95", "max", "slowest")),
        "rayleigh_error": dict.fromkeys(("median", "p95", "max", "slowest")),
        "eigenvector_cosine": dict.fromkeys(("median", "p5", "min", "slowest")),
        "worst_direction": None,
        "worst_direction_interval": None,
        "kl_per_neuron": None,
        "slowest_before": None,
        "slowest_after": None,
        "spectra": None,
    }
    if symmetric and n <= limits.SYMMETRIC_SPECTRUM:
        abscissae = _symmetric(before, new.network, found, reasons)
    elif symmetric:
        with blas_alone():
            abscissae = _large_symmetric(before, new, found, reasons)
    else:
        for name in ("rayleigh_error", "eigenvector_cosine", "worst_direction"):
            reasons.skip(name, OF_SYMMETRIC)
        abscissae = _directed(before, new.network, found, reasons)
    return abscissae, found


def _symmetric(before: Side, after: Network, found: dict[str, Any], reasons: Reasons) -> Abscissae:
    values, vectors = before.eigen
    pruned = after.matrix().astype(np.float64)
    new_values = scipy.linalg.eigvalsh(pruned.toarray(), driver="evd", overwrite_a=True, check_finite=False)
    _slowest_rates(found, values, new_values)
    found["spectra"] = Spectra(nearest_first(values), nearest_first(new_values))
    image = pruned @ vectors
    form = vectors.T @ image  # A' in the eigenvectors of A
    if np.all(values != 0):
        slow = _slowest(values)
        found["eigenvalue_error"] = _errors(np.abs(new_values / values - 1), slow)
        found["rayleigh_error"] = _errors(np.abs(form.diagonal() / values - 1), slow)
        length = np.maximum(np.linalg.norm(image, axis=0), np.finfo(np.float64).tiny)
        found["eigenvector_cosine"] = _cosines(np.sign(values) * form.diagonal() / length, slow)
    else:
        for name in ("eigenvalue_error", "rayleigh_error", "eigenvector_cosine"):
            reasons.skip(name, "the original has an eigenvalue of zero")
    if is_stable(before.network, float(values[-1])):
        scale = 1 / np.sqrt(-values)
        generalised = scipy.linalg.eigvalsh(-form * scale * scale[:, None], driver="evd", check_finite=False)
        _worst_direction(found, float(generalised[0]), float(generalised[-1]))
        found["spectra"] = found["spectra"]._replace(directions=generalised)
        if before.network.equal_noise and _same_noise(before.network, after):
            if generalised[0] > values.size * EPS * generalised[-1]:
                kl = float(np.sum(generalised - 1 - np.log(generalised))) / 2
                found["kl_per_neuron"] = kl / values.size
            else:
                reasons.skip("kl_per_neuron", NO_STATIONARY_STATE)
    else:
        reasons.skip("worst_direction", "the original is not stable")
    return float(values[-1]), float(new_values[-1])


def _large_symmetric(before: Side, new: Side, found: dict[str, Any], reasons: Reasons) -> Abscissae:
    why = f"needs dense algebra, which stops at {limits.SYMMETRIC_SPECTRUM} neurons"
    dense = [f"eigenvalue_error.{name}" for name in ("median", "p95", "max")]
    for name in (*dense, "rayleigh_error", "eigenvector_cosine", "kl_per_neuron"):
        reasons.skip(name, why)
    abscissae: Abscissae
    try:
        slow, new_slow = before.slowest, new.slowest
        found["eigenvalue_error"]["slowest"] = number(np.median(np.abs(new_slow / slow - 1)))
        _slowest_rates(found, slow, new_slow)
        abscissae = float(slow[0]), float(new_slow[0])
    except (DidNotConverge, UnstableNetwork) as error:
        for name in ("eigenvalue_error.slowest", "slowest_before", "slowest_after"):
            reasons.skip(name, str(error))
        abscissae = abscissae_of(before.network, new.network, reasons)
    if not is_stable(before.network, abscissae[0]):
        reasons.skip("worst_direction", "the original is not known to be stable")
        return abscissae
    logger.info("looking for the worst direction")
    try:
        A = before.operator
        ends = extreme_generalised(A.product, new.operator.product, A.solve, A.roughly, before.network.n_neurons)
        _worst_direction(found, *ends)
    except (DidNotConverge, UnstableNetwork) as error:
        reasons.skip("worst_direction", str(error))
    return abscissae


def _directed(before: Side, after: Network, found: dict[str, Any], reasons: Reasons) -> Abscissae:
    if before.network.n_neurons > limits.DIRECTED_SPECTRUM:
        why = f"needs dense algebra, which stops at {limits.DIRECTED_SPECTRUM} neurons"
        for name in ("eigenvalue_error", "slowest_before", "slowest_after"):
            reasons.skip(name, why)
        return abscissae_of(before.network, after, reasons)
    from scipy.optimize import linear_sum_assignment

    values = before.eigenvalues
    new_values = scipy.linalg.eigvals(after.matrix().toarray().astype(np.float64))
    _slowest_rates(found, values, new_values)
    found["spectra"] = Spectra(nearest_first(values), nearest_first(new_values))
    if np.all(values != 0):
        _, partner = linear_sum_assignment(np.abs(values[:, None] - new_values))
        found["eigenvalue_error"] = _errors(np.abs(new_values[partner] / values - 1), _slowest(values))
    else:
        reasons.skip("eigenvalue_error", "the original has an eigenvalue of zero")
    return float(values.real.max()), float(new_values.real.max())


def abscissae_of(before: Network, after: Network, reasons: Reasons) -> Abscissae:
    """Find both spectral abscissae without a whole spectrum.

    Parameters
    ----------
    before, after : Network
        The original, and the network that is compared with it.
    reasons : Reasons
        Told where one is not found.

    Returns
    -------
    before, after : float or None
        Largest real part of an eigenvalue, 1/s.
    """

    def abscissa(network: Network, when: str) -> float | None:
        try:
            return spectral_abscissa(network.matrix(), symmetric=network.symmetric)
        except DidNotConverge as error:
            return reasons.skip(f"spectral_abscissa_{when}", str(error))

    return abscissa(before, "before"), abscissa(after, "after")


def _same_noise(before: Network, after: Network) -> bool:
    return bool(np.array_equal(before.noise_std, after.noise_std))


def _worst_direction(found: dict[str, Any], low: float, high: float) -> None:
    found["worst_direction"] = max(abs(low - 1), abs(high - 1))
    found["worst_direction_interval"] = [low, high]


def nearest_first(eigenvalues: NDArray[Any]) -> NDArray[Any]:
    """Order eigenvalues by their distance from zero, (n,)."""
    return eigenvalues[np.argsort(np.abs(eigenvalues), kind="stable")]


def _slowest_rates(found: dict[str, Any], values: NDArray[Any], new_values: NDArray[Any]) -> None:
    for name, eigenvalues in (("slowest_before", values), ("slowest_after", new_values)):
        found[name] = [float(rate) for rate in nearest_first(eigenvalues)[:N_SLOWEST].real]


def _slowest(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which eigenvalues are the ten nearest zero; a pair that ties for the last place is in as a whole."""
    size = np.abs(values)
    return size <= np.sort(size)[:N_SLOWEST][-1] * (1 + 1e-9)


def _errors(error: Floats, slow: NDArray[np.bool_]) -> Spread:
    return {
        "median": number(np.median(error)),
        "p95": number(np.quantile(error, 0.95)),
        "max": number(np.max(error)),
        "slowest": number(np.median(error[slow])),
    }


def _cosines(cosine: Floats, slow: NDArray[np.bool_]) -> Spread:
    return {
        "median": number(np.median(cosine)),
        "p5": number(np.quantile(cosine, 0.05)),
        "min": number(np.min(cosine)),
        "slowest": number(np.median(cosine[slow])),
    }
