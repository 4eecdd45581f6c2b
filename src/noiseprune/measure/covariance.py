"""What pruning did to the stationary covariance."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from noiseprune.errors import DidNotConverge, UnstableNetwork
from noiseprune.machine import limits
from noiseprune.measure.reasons import Floats, Reasons, number
from noiseprune.measure.side import Side


def covariance_error(before: Side, new: Side, restless: str | None, reasons: Reasons) -> float | None:
    """Return ||C' - C||_F / ||C||_F, C the stationary covariance.

    Parameters
    ----------
    before, new : Side
        The original, and the network that is compared with it.
    restless : str or None
        Why there are no two covariances, where a network is not stable.
    reasons : Reasons
        Told why there is no number.

    Returns
    -------
    float or None
        None where the network is too large, or a covariance is missing.
    """
    n, after = before.network.n_neurons, new.network
    by_inverse = all(net.symmetric and net.equal_noise for net in (before.network, after))
    limit = limits.SYMMETRIC_SPECTRUM if by_inverse else limits.COVARIANCE
    if n > limit:
        return reasons.skip("covariance_error", f"needs dense algebra, which stops at {limit} neurons")
    if restless:
        return reasons.skip("covariance_error", restless)
    if not by_inverse:
        try:
            C, changed = before.covariance, new.covariance
        except (UnstableNetwork, DidNotConverge) as error:
            return reasons.skip("covariance_error", str(error))
        return number(np.linalg.norm(changed - C) / np.linalg.norm(C))
    inverse, new_inverse = before.inverse, new.inverse
    if inverse is None or new_inverse is None:
        return reasons.skip("covariance_error", "A or A' is singular up to rounding")
    louder = (after.noise_std[0] / before.network.noise_std[0]) ** 2
    return number(_triangle_norm(louder * new_inverse - inverse) / _triangle_norm(inverse))


def kl_per_neuron(before: Side, new: Side, restless: str | None, reasons: Reasons) -> float | None:
    """Return KL(N(0, C) || N(0, C')) / n = (tr(C'^-1 C) - n + ln det C' - ln det C) / (2 n).

    Parameters
    ----------
    before, new, restless, reasons
        As in `covariance_error`.

    Returns
    -------
    float or None
        In nats a neuron; None where the network is too large, or a covariance is missing or singular.

    References
    ----------
    S. Kullback and R. A. Leibler, "On information and sufficiency", Ann. Math. Statist. 22 (1951) 79-86.
    """
    n = before.network.n_neurons
    if n > limits.COVARIANCE:
        return reasons.skip("kl_per_neuron", f"needs dense algebra, which stops at {limits.COVARIANCE} neurons")
    if restless:
        return reasons.skip("kl_per_neuron", restless)
    try:
        root = scipy.linalg.cholesky(before.covariance, lower=True)
        new_root = scipy.linalg.cholesky(new.covariance, lower=True)
    except scipy.linalg.LinAlgError:
        return reasons.skip("kl_per_neuron", "a covariance is singular up to rounding")
    except (UnstableNetwork, DidNotConverge) as error:
        return reasons.skip("kl_per_neuron", str(error))
    ratio = scipy.linalg.solve_triangular(new_root, root, lower=True)
    log_ratio = 2 * np.sum(np.log(new_root.diagonal()) - np.log(root.diagonal()))
    return number((np.sum(ratio**2) - n + log_ratio) / (2 * n))


def _triangle_norm(lower: Floats) -> float:
    """Frobenius norm of a symmetric matrix that is given by its lower triangle, with zeros above."""
    diagonal = lower.diagonal()
    return float(np.sqrt(max(2 * np.sum(lower**2) - np.sum(diagonal**2), 0.0)))
