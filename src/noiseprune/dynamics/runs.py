"""A network running in time, with noise or without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import InvalidOption
from noiseprune.network import Activation, Network

Floats = NDArray[np.float64]
States = NDArray[np.floating[Any]]

DENSE_SHARE = 0.1  # of stored weights: above it a dense product with a few columns is faster than a sparse one
START_LEFT = 0.01  # of the variance of the slowest mode may still be missing when measuring begins
COMPILED_SYNAPSES = 1_000_000  # from which products are compiled ones, in the precision of the weights

ACTIVATION_FUNCTIONS: dict[Activation, Callable[[States], States]] = {
    "linear": lambda x: x,
    "rectified": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
}


def safe_step(*networks: Network) -> float:
    """Return a time step that resolves the fastest mode of every network five times over, in seconds.

    No eigenvalue is larger than the largest D_i + sum_j |W_ij| (Gershgorin); Euler's method needs 2 over that to be
    stable and takes a tenth of it.
    """
    return 0.2 / float(max(np.max(net.leak + net.total_input) for net in networks))


def constant_drive(network: Network, drive: Any) -> Floats:
    """Return a constant input b as the array that it stands for.

    Parameters
    ----------
    network : Network
        What is driven.
    drive : float or (n_neurons,) array_like
        As the user gave it.

    Raises
    ------
    InvalidOption
        Where it is neither, or not finite.
    """
    given = np.asarray(drive, dtype=np.float64)
    if given.shape not in ((), (network.n_neurons,)) or not np.all(np.isfinite(given)):
        raise InvalidOption(
            f"drive must be a finite number, or one for each of the {network.n_neurons} neurons; got shape {given.shape}"
        )
    return given


def settling_time(slowest: float) -> float:
    """Return the time after which the slowest mode comes within `START_LEFT` of its variance, in seconds.

    Parameters
    ----------
    slowest : float, 1/s
        The rate of that mode.

    Raises
    ------
    InvalidOption
        Where it is not positive.
    """
    if not slowest > 0:
        raise no_slowest_mode(slowest, "burn_in")
    return float(np.log(1 / START_LEFT) / (2 * slowest))


def no_slowest_mode(slowest: float, option: str) -> InvalidOption:
    """Make the error for a time that would follow from the slowest mode, where there is none.

    Parameters
    ----------
    slowest : float, 1/s
        What was found in place of its rate.
    option : str
        What then has to be given.
    """
    return InvalidOption(
        f"the linear network is not known to be stable (spectral abscissa {-slowest:+.3g} 1/s), so no {option} follows from its "
        f"slowest mode: give {option}= in seconds, or raise the leak"
    )


class Dynamics:
    """The slope -D x + W f(x) + b of a block of states, (n_neurons, k).

    Parameters
    ----------
    network : Network
        What moves.
    activation : str, optional
        In place of the network's own.
    drive : float or (n_neurons,) or (n_neurons, k) array
        Constant input b.
    """

    def __init__(self, network: Network, activation: Activation | None = None, drive: Any = 0.0) -> None:
        self._f = ACTIVATION_FUNCTIONS[activation or network.activation]
        large = network.n_synapses >= COMPILED_SYNAPSES
        self.dtype = network.link_matrix.dtype if large else np.dtype(np.float64)
        drive = np.asarray(drive, self.dtype)
        self._drive = drive[:, None] if drive.ndim == 1 else drive
        self._leak = network.leak.astype(self.dtype)[:, None]
        weights: Any = network.weights.astype(self.dtype)
        if large:
            from noiseprune.linalg.blocks import products

            self._product = products(weights)
        elif weights.nnz > DENSE_SHARE * network.n_neurons**2:
            self._product = weights.toarray().__matmul__
        else:
            self._product = weights.__matmul__

    def drift(self, x: States) -> States:
        """dx/dt without noise."""
        slope: States = self._product(self._f(x))
        slope -= self._leak * x
        slope += self._drive
        return slope


def linear_operator(network: Network) -> Any:
    """A as a SciPy matrix or, where it is large, as a linear operator of compiled products."""
    if network.n_synapses < COMPILED_SYNAPSES:
        return network.matrix().astype(np.float64)
    from scipy.sparse.linalg import LinearOperator

    from noiseprune.linalg.blocks import products

    weights = network.weights
    forward = products(weights)
    backward = forward if network.symmetric else products(weights.T.tocsr())

    def apply(product: Callable[[States], States], x: States) -> Floats:
        y = product(np.ascontiguousarray(x.reshape(len(x), -1), dtype=weights.dtype))
        return np.asarray(y.reshape(x.shape) - (network.leak if x.ndim == 1 else network.leak[:, None]) * x)

    return LinearOperator(
        weights.shape,
        matvec=lambda x: apply(forward, x),
        rmatvec=lambda x: apply(backward, x),
        matmat=lambda x: apply(forward, x),
        rmatmat=lambda x: apply(backward, x),
        dtype=np.float64,
    )


class _Walk:
    """A block of states under way from rest, by Euler-Maruyama."""

    def __init__(self, network: Network, drive: Floats, step: float, activation: Activation | None) -> None:
        self.motion = Dynamics(network, activation, drive)
        self._step = self.motion.dtype.type(step)
        self._noise = (network.noise_std * np.sqrt(step))[:, None].astype(self.motion.dtype)
        self.state: States = np.zeros(drive.shape, self.motion.dtype)

    def advance(self, xi: States) -> None:
        """Take one step with standard normal noise, (n_neurons, n_runs)."""
        self.state += self._step * self.motion.drift(self.state)
        self.state += self._noise * xi


def run_both(
    before: Network,
    after: Network,
    *,
    n_runs: int,
    step: float,
    n_steps: int,
    rng: tuple[Any, Any],
    activation: Activation | None = None,
    input_std: float = 1.0,
) -> Iterator[tuple[States, States]]:
    """Yield the states of two networks after each step, from rest under the same step input and the same noise.

    Parameters
    ----------
    before, after : Network
        Networks of the same neurons.
    n_runs : int
        Inputs, each normal over the neurons and constant from time zero.
    step : float, s
        Time step.
    n_steps : int
        Steps to take.
    activation : str, optional
        In place of the networks' own.
    rng : (seed, seed)
        Of the input and of the noise.
    input_std : float
        Standard deviation of the inputs over the neurons.

    Yields
    ------
    (n_neurons, n_runs) array, twice
        Overwritten by the next step.

    References
    ----------
    P. E. Kloeden and E. Platen, "Numerical Solution of Stochastic Differential Equations", Springer 1992.
    """
    drive = input_std * np.random.default_rng(rng[0]).standard_normal((before.n_neurons, n_runs))
    one, other = (_Walk(network, drive, step, activation) for network in (before, after))
    random = np.random.default_rng(rng[1])
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable network may leave the range of floats
        for _ in range(n_steps):
            xi = random.standard_normal(drive.shape, dtype=one.motion.dtype)
            one.advance(xi)
            other.advance(xi)
            yield one.state, other.state
