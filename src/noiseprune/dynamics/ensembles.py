"""Ensembles of activity whose second moments a refit preserves: slow noise, white noise, and both."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from noiseprune.dynamics.stationary import stationary_covariance
from noiseprune.errors import InvalidOption, check_choice
from noiseprune.linalg.moments import DenseMoments, Floats, Moments, SampleMoments
from noiseprune.machine import limits
from noiseprune.machine.memory import require_memory
from noiseprune.machine.randomness import Rng, seed_from
from noiseprune.machine.speed import BLOCK_BYTES
from noiseprune.machine.threads import blas_alone
from noiseprune.network import Network

logger = logging.getLogger("noiseprune")

SAMPLES = 512  # more than the inputs that a neuron of a large network usually keeps
SOLVED = 1e-3  # relative residual of a sample


def second_moments(
    network: Network, ensemble: str = "slow", *, dense_limit: int = limits.SECOND_MOMENTS, rng: Rng = 0
) -> Moments:
    """Second moments M of the activity that strengthening should preserve.

    Parameters
    ----------
    network : Network
        Stable.
    ensemble : "slow", "stationary" or "mixed"
        Slow noise, M = A^-1 diag(sigma^2) A^-T: the response to constant random input. White noise, M = C: keeps fast
        modes and shrinks slow ones. Or the mean of both, each over its trace.
    dense_limit : int
        Larger networks get the moments of `SAMPLES` samples of slow noise.
    rng : int or Generator
        For these samples.

    Returns
    -------
    DenseMoments or SampleMoments
        M.

    Raises
    ------
    InvalidOption
        Where no ensemble has this name, or a large network is asked for another than "slow".
    UnstableNetwork
        Where white noise is asked for, and the network has no stationary state.
    TooLarge, DidNotConverge
        Where memory will not suffice for the samples, or a solve does not come to its end.
    """
    check_choice("moments", ensemble, ENSEMBLES)
    if network.n_neurons <= dense_limit:
        return DenseMoments(ENSEMBLES[ensemble](network))
    if ensemble != "slow":
        raise InvalidOption(f"above {dense_limit} neurons second moments are those of slow noise; got {ensemble!r}")
    return SampleMoments(_slow_samples(network, np.random.default_rng(seed_from(rng))))


def _slow_samples(network: Network, random: np.random.Generator) -> NDArray[np.float32]:
    """(-A)^-1 sigma xi, (n_neurons, SAMPLES): responses to constant random input, a block of solves at a time."""
    from noiseprune.linalg.shiftsolve import Operator

    require_memory(
        4.0 * SAMPLES * network.n_neurons, f"{SAMPLES} samples of slow noise", "take strengthen='reciprocal'"
    )
    logger.info("sampling responses to slow noise")
    operator = Operator(network.weights.astype(np.float64), network.leak)
    samples = np.empty((network.n_neurons, SAMPLES), np.float32)
    width = BLOCK_BYTES // operator.dtype.itemsize
    with blas_alone():
        for first in range(0, SAMPLES, width):
            inputs = network.noise_std[:, None] * random.standard_normal((network.n_neurons, width))
            samples[:, first : first + width] = operator.solve(inputs, 0.0, SOLVED)[0]
    return samples


def _stationary(network: Network) -> Floats:
    return stationary_covariance(network)[0]


def _slow(network: Network) -> Floats:
    response = np.linalg.inv(network.matrix().toarray().astype(np.float64)) * network.noise_std
    return response @ response.T


def _mixed(network: Network) -> Floats:
    parts = (_stationary(network), _slow(network))
    return sum(part / np.trace(part) for part in parts) / 2


ENSEMBLES: dict[str, Callable[[Network], Floats]] = {"stationary": _stationary, "slow": _slow, "mixed": _mixed}
