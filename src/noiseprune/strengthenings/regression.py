"""Kept inputs refitted by every neuron, which sees the second moments of its inputs: neuron-local. Any network."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.dynamics.stationary import stationary_covariance
from noiseprune.errors import InvalidOption
from noiseprune.machine.memory import need
from noiseprune.machine.randomness import Rng, seed_from
from noiseprune.machine.speed import BLOCK_BYTES, Cost, seconds_a_product, seconds_an_operation
from noiseprune.machine.threads import blas_alone, row_by_row
from noiseprune.network import Network
from noiseprune.rules import leak as balancing
from noiseprune.strengthenings.base import Floats, Strengthened

logger = logging.getLogger("noiseprune")

RIDGE = 0.1  # of the mean second moment; chosen in benchmarks/strengthening.py, as the ensemble is


DENSE_LIMIT = 6_000  # neurons: above it second moments are those of samples
SAMPLES = 512  # more than the inputs that a neuron of a large network usually keeps
SOLVED = 1e-3  # relative residual of a sample
TIMED_ROWS, TIMED_INPUTS = 20, 300  # to foretell what all will take; more inputs take their cube
PRODUCTS_A_SAMPLE = 40.0  # of a solve with a directed A, counted on the networks of benchmarks/scale.py


class SampleMoments:
    """Second moments that are the mean outer product of samples, so that no n x n matrix need exist.

    Parameters
    ----------
    samples : (n_neurons, k) array
        Independent samples of the activity.
    """

    def __init__(self, samples: NDArray[np.floating[Any]]) -> None:
        self.samples = samples

    def scale(self) -> float:
        """Return the mean second moment."""
        return float(np.mean(np.square(self.samples, dtype=np.float64)))

    def block(self, inputs: NDArray[Any]) -> Floats:
        """Return the second moments of some inputs among themselves."""
        part = self.samples[inputs].astype(np.float64)
        return np.asarray(part @ part.T / part.shape[1])

    def aims(self, target: sp.csr_array) -> Callable[[int, NDArray[Any]], Floats]:
        """Return a function of a row and some inputs: the second moments of the row's output with these inputs."""
        output = np.asarray(target @ self.samples, dtype=np.float64)
        return lambda row, inputs: self.samples[inputs] @ output[row] / output.shape[1]


class _MatrixMoments:
    """Second moments as they stand in a matrix, (n_neurons, n_neurons)."""

    def __init__(self, matrix: Floats) -> None:
        self.matrix = matrix

    def scale(self) -> float:
        """Return the mean second moment."""
        return float(np.mean(self.matrix.diagonal()))

    def block(self, inputs: NDArray[Any]) -> Floats:
        """Return the second moments of some inputs among themselves."""
        return np.asarray(self.matrix[np.ix_(inputs, inputs)])

    def aims(self, target: sp.csr_array) -> Callable[[int, NDArray[Any]], Floats]:
        """Return a function of a row and some inputs: the second moments of the row's output with these inputs."""
        output = target @ self.matrix
        return lambda row, inputs: output[row, inputs]


Moments = Floats | SampleMoments


def regressed(
    network: Network,
    start: sp.csr_array,
    moments: Moments,
    *,
    free_leak: bool = False,
    ridge: float = RIDGE,
    towards_start: bool = True,
    keep_signs: bool = True,
) -> Strengthened:
    """Let every neuron refit its kept inputs, seeing only their second moments.

    For each neuron, minimise (w - w')^T M (w - w') + ridge |w' - w_start|^2 over weights w' on the kept inputs.

    Parameters
    ----------
    network : Network
        The original; whose rows are aimed at.
    start : (n_neurons, n_neurons) csr_array
        The links that stay; their weights are what the ridge pulls towards.
    moments : (n_neurons, n_neurons) array, or SampleMoments
        M, second moments of the activity, as `second_moments` makes them or a recording gives them.
    free_leak : bool
        Whether a neuron's own past is one more input, and its leak refitted with the rest.
    ridge : float
        In units of the mean second moment.
    towards_start : bool
        Whether the ridge pulls towards the start, or towards zero.
    keep_signs : bool
        Whether weights keep their signs; one that would change it becomes zero, which counts as pruned.

    Returns
    -------
    Strengthened
        Without links that became zero. In a symmetric network both directions are averaged.
    """
    operator, kept = network.weights, _both_directions(start, network.symmetric)
    if free_leak:
        operator = operator - sp.diags_array(network.leak)
        kept = kept - sp.diags_array(network.leak)
    fitted = refit_rows(
        operator.tocsr(), kept.tocsr(), moments, ridge=ridge, towards_start=towards_start, keep_signs=keep_signs
    )
    leak = network.leak
    if free_leak:
        leak = np.maximum(-fitted.diagonal(), balancing.FLOOR * network.leak)
        fitted = (fitted - sp.diags_array(fitted.diagonal())).tocsr()
    if network.symmetric:
        fitted = sp.csr_array(sp.tril((fitted + fitted.T) / 2, k=-1, format="csr"))
    places = start.tocoo()
    stays = np.zeros(start.nnz, dtype=np.bool_)
    if start.nnz:  # SciPy answers an empty question with a sparse array
        stays[:] = np.asarray(fitted[places.row, places.col]).ravel() != 0
    links = fitted.astype(network.link_matrix.dtype)
    links.eliminate_zeros()
    report = {
        "ridge": ridge,
        "ridge_towards": "1/p" if towards_start else "zero",
        "links_that_became_zero": int(np.count_nonzero(~stays)),
    }
    return Strengthened(links, leak, stays, report)


def refit_rows(
    target: sp.csr_array,
    start: sp.csr_array,
    moments: Moments,
    *,
    ridge: float,
    towards_start: bool,
    keep_signs: bool,
) -> sp.csr_array:
    """Fit each row of `target` by the entries that `start` has in it; see `regressed`.

    Parameters
    ----------
    target, start : (n_rows, n_inputs) csr_array
        What each row should do, and what it may use.
    moments : (n_inputs, n_inputs) array, or SampleMoments
        Second moments of the inputs.

    Returns
    -------
    (n_rows, n_inputs) csr_array
        In the pattern of `start`, with zeros stored where a weight became zero.
    """
    from scipy.optimize import nnls

    M = moments if isinstance(moments, SampleMoments) else _MatrixMoments(moments)
    penalty = ridge * M.scale()
    aims = M.aims(target)
    fitted = np.zeros(start.nnz)

    def refit(row: int) -> None:
        inside = slice(start.indptr[row], start.indptr[row + 1])
        inputs, before = start.indices[inside], start.data[inside]
        if not inputs.size:
            return
        aim = aims(row, inputs) + (penalty * before if towards_start else 0.0)
        factor = np.linalg.cholesky(M.block(inputs) + penalty * np.eye(inputs.size))
        half = scipy.linalg.solve_triangular(factor, aim, lower=True)
        if keep_signs:
            sign = np.sign(before)
            fitted[inside] = sign * nnls(factor.T * sign, half, maxiter=100 + 10 * inputs.size)[0]
        else:
            fitted[inside] = scipy.linalg.solve_triangular(factor.T, half, lower=False)

    with row_by_row(int(np.diff(start.indptr).max(initial=0))):
        for row in _told(start.shape[0]):
            refit(row)
    return sp.csr_array((fitted, start.indices.copy(), start.indptr.copy()), shape=start.shape)


def _told(n_rows: int) -> Iterator[int]:
    """Count rows and say, once a second, how many are done and how long the others will take."""
    began = last = time.monotonic()
    for row in range(n_rows):
        if (now := time.monotonic()) - last > 1:
            last = now
            left = (now - began) * (n_rows - row) / row
            logger.info("refitted %d of %d neurons, %.0f s left", row, n_rows, left, extra={"progress": (row, n_rows)})
        yield row


def cost(network: Network, density: float) -> Cost:
    """Estimate memory and time of a regression on this share of the links: some rows are timed, samples counted."""
    n, kept = network.n_neurons, max(1, round(density * network.n_synapses / network.n_neurons))
    timed = min(kept, TIMED_INPUTS)
    moments = SampleMoments(np.random.default_rng(0).standard_normal((timed, SAMPLES)))
    taken = []
    for rows in (1, 1 + TIMED_ROWS):  # the first also loads what is needed
        weights = sp.csr_array(np.random.default_rng(1).standard_normal((rows, timed)))
        begin = time.perf_counter()
        refit_rows(weights, weights, moments, ridge=RIDGE, towards_start=True, keep_signs=True)
        taken.append(time.perf_counter() - begin)
    seconds = n * taken[-1] / (1 + TIMED_ROWS) * (kept / timed) ** 3
    if n <= DENSE_LIMIT:
        return Cost(24.0 * n * n, seconds + 4.0 * n**3 * seconds_an_operation())
    products = SAMPLES * PRODUCTS_A_SAMPLE * 4 / BLOCK_BYTES
    return Cost(4.0 * SAMPLES * n, seconds + products * seconds_a_product(network.link_matrix, network.n_synapses))


def second_moments(
    network: Network, ensemble: str = "slow", *, dense_limit: int = DENSE_LIMIT, rng: Rng = 0
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
    (n_neurons, n_neurons) array or SampleMoments
        M.
    """
    if ensemble not in ENSEMBLES:
        raise InvalidOption(f"ensemble must be one of {', '.join(ENSEMBLES)}; got {ensemble!r}")
    if network.n_neurons <= dense_limit:
        return ENSEMBLES[ensemble](network)
    if ensemble != "slow":
        raise InvalidOption(f"above {dense_limit} neurons the ensemble is slow noise; got {ensemble!r}")
    return SampleMoments(_slow_samples(network, np.random.default_rng(seed_from(rng))))


def _slow_samples(network: Network, random: np.random.Generator) -> NDArray[np.float32]:
    """(-A)^-1 sigma xi, (n_neurons, SAMPLES): responses to constant random input, a block of solves at a time."""
    from noiseprune.linalg.shiftsolve import Operator

    need(4.0 * SAMPLES * network.n_neurons, f"{SAMPLES} samples of slow noise", "take strengthen='reciprocal'")
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


def _both_directions(links: sp.csr_array, symmetric: bool) -> sp.csr_array:
    return (links + links.T).tocsr() if symmetric else links
