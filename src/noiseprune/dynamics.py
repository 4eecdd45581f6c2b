"""A network running in time, with noise or without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.network import Activation, Network

Floats = NDArray[np.float64]

DENSE_SHARE = 0.1  # of stored weights: above it a dense product with a few columns is faster than a sparse one

ACTIVATION_FUNCTIONS: dict[Activation, Callable[[Floats], Floats]] = {
    "linear": lambda x: x,
    "rectified": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
}


def safe_step(*networks: Network) -> float:
    """Return a time step that resolves the fastest mode of every network five times over, in seconds.

    No eigenvalue is larger than the largest D_i + sum_j |W_ij| (Gershgorin); Euler's method needs 2 over that to be
    stable and takes a tenth of it.
    """
    return 0.2 / float(max(np.max(net.leak + net.total_input) for net in networks))


def run(
    network: Network,
    drive: Floats,
    *,
    step: float,
    n_steps: int,
    rng: np.random.Generator,
    activation: Activation | None = None,
) -> Iterator[Floats]:
    """Yield the state after each step of dx/dt = -D x + W f(x) + b + sigma xi, from rest, by Euler-Maruyama.

    Parameters
    ----------
    network : Network
        What runs.
    drive : (n_neurons, n_runs) array
        Constant input b of each run.
    step : float, s
        Time step.
    n_steps : int
        Steps to take.
    rng : Generator
        Source of the noise: two networks given the same seed share it.
    activation : str, optional
        In place of the network's own.

    Yields
    ------
    (n_neurons, n_runs) array
        The state x; the array is overwritten by the next step.
    """
    f = ACTIVATION_FUNCTIONS[activation or network.activation]
    weights: Any = network.weights.astype(np.float64)
    if weights.nnz > DENSE_SHARE * network.n_neurons**2:
        weights = weights.toarray()
    leak = network.leak[:, None]
    noise = (network.noise_std * np.sqrt(step))[:, None]
    x = np.zeros_like(drive)
    for _ in range(n_steps):
        x += step * (weights @ f(x) - leak * x + drive)
        x += noise * rng.standard_normal(x.shape)
        yield x
