"""Kept inputs refitted by every neuron, which sees the second moments of its inputs: neuron-local. Any network."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from noiseprune.dynamics.ensembles import ENSEMBLES, SAMPLES, second_moments
from noiseprune.dynamics.stationary import has_stationary_state
from noiseprune.errors import InvalidOption, UnstableNetwork, check_choice
from noiseprune.linalg.moments import DenseMoments, Moments, SampleMoments
from noiseprune.linalg.timing import seconds_a_product
from noiseprune.machine import limits
from noiseprune.machine.speed import BLOCK_BYTES, Cost, seconds_an_operation
from noiseprune.machine.threads import row_by_row
from noiseprune.network import Network
from noiseprune.network.units import Units
from noiseprune.probes import Exact, Probe, Sketched
from noiseprune.rules import leak as balancing
from noiseprune.rules.leak import Leak
from noiseprune.strengthenings.base import Draft, Floats, Strengthened, Strengthening, as_drawn

logger = logging.getLogger("noiseprune")

RIDGE = 0.1  # of the mean second moment; chosen in benchmarks/strengthening.py, as the ensemble is
TIMED_ROWS, TIMED_INPUTS = 20, 300  # to foretell what all will take; more inputs take their cube
PRODUCTS_A_SAMPLE = 40.0  # of a solve with a directed A, counted on the networks of benchmarks/scale.py


@dataclass(frozen=True)
class Regressed(Strengthening):
    """Every neuron refits its kept inputs, seeing the second moments of those inputs: neuron-local. Any network.

    Stable or an error; signs stay. See `regressed`.

    Parameters
    ----------
    moments : "slow", "stationary" or "mixed"
        Which activity is preserved, as in `noiseprune.dynamics.ensembles.second_moments`.
    ridge : float
        In units of the mean second moment; ten and a hundred times as much where less leaves the network unstable.
    """

    moments: str = "slow"
    ridge: float = RIDGE

    name = "regressed"

    def __post_init__(self) -> None:
        check_choice("moments", self.moments, ENSEMBLES)
        if not (isinstance(self.ridge, int | float) and 0 < self.ridge < np.inf):
            raise InvalidOption(f"ridge must be positive and finite; got {self.ridge!r}")

    def check(self, network: Network, leak: str) -> None:
        """Take any network and any leak."""

    def auto_leak(self, network: Network) -> tuple[Leak, str]:  # noqa: ARG002
        """Return the original leak."""
        return "original", "original: the regression fits the weights to it"

    def cost(self, network: Network, density: float, probe: Probe, measuring: Cost | None) -> Cost:  # noqa: ARG002
        """Estimate a regression on this share of the links."""
        return cost(network, density)

    def apply(self, draft: Draft, rng: np.random.Generator) -> Strengthened:
        """Refit, then refit ever more shrunk towards zero, where every network is stable.

        Raises
        ------
        UnstableNetwork
            Where none of what was tried is stable.
        """
        network = draft.network
        known_stable = draft.measured is not None and isinstance(
            draft.probe, Exact | Sketched
        )  # they refuse what is not
        if draft.left_to_us and not known_stable and not has_stationary_state(network):
            done = as_drawn(network, draft.start, "matched" if network.dominant else "original")
            why = "the original is not stable, so no regression can be asked to be"
            return done._replace(report={"reciprocal": why})
        units = Units.of(network)
        inside = units.enter(network)
        start = units.enter(network.replace(links=draft.start)).link_matrix
        moments = second_moments(inside, self.moments, rng=rng)
        for ridge, towards_start in ((1, True), (1, False), (10, False), (100, False)):
            done = regressed(
                inside,
                start,
                moments,
                fitted_leak=draft.leak == "fitted",
                ridge=ridge * self.ridge,
                towards_start=towards_start,
            )
            if draft.leak == "matched":
                done = done._replace(leak=balancing.matched(inside, done.links))
            made = inside.replace(links=done.links, leak=done.leak)
            if has_stationary_state(made):
                found = units.leave(made)
                return done._replace(links=found.link_matrix, leak=found.leak)
        raise UnstableNetwork(
            "no regressed weights of the kept synapses leave the network stable: its own leak is too small, or a piece was "
            "cut off and has no excess leak. Keep more (a higher density), keep it in one piece (keep_connected=True), "
            "keep the leak (leak='original'), or take strengthen='reciprocal', which returns what the "
            "draw made, stable or not"
        )


def regressed(
    network: Network,
    start: sp.csr_array,
    moments: Moments | Floats,
    *,
    fitted_leak: bool = False,
    ridge: float = RIDGE,
    towards_start: bool = True,
) -> Strengthened:
    """Let every neuron refit its kept inputs, seeing only their second moments.

    For each neuron, minimise (w - w')^T M (w - w') + ridge |w' - w_start|^2 over weights w' of the kept inputs, each with
    its sign; one that would change it becomes zero, which counts as pruned.

    Parameters
    ----------
    network : Network
        The original; whose rows are aimed at.
    start : (n_neurons, n_neurons) csr_array
        The links that stay; their weights are what the ridge pulls towards.
    moments : (n_neurons, n_neurons) array, or SampleMoments
        M, second moments of the activity, as `second_moments` makes them or a recording gives them.
    fitted_leak : bool
        Whether a neuron's own past is one more input, and its leak refitted with the rest.
    ridge : float
        In units of the mean second moment.
    towards_start : bool
        Whether the ridge pulls towards the start, or towards zero.

    Returns
    -------
    Strengthened
        Without links that became zero. In a symmetric network both directions are averaged.
    """
    operator, kept = network.weights, _both_directions(start, network.symmetric)
    if fitted_leak:
        operator = operator - sp.diags_array(network.leak)
        kept = kept - sp.diags_array(network.leak)
    fitted = refit_rows(operator.tocsr(), kept.tocsr(), moments, ridge=ridge, towards_start=towards_start)
    leak = network.leak
    if fitted_leak:
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
    moments: Moments | Floats,
    *,
    ridge: float,
    towards_start: bool,
) -> sp.csr_array:
    """Fit each row of `target` by the entries that `start` has in it; see `regressed`.

    Parameters
    ----------
    target, start : (n_rows, n_inputs) csr_array
        What each row should do, and what it may use.
    moments : (n_inputs, n_inputs) array, or SampleMoments
        Second moments of the inputs.
    ridge : float
        Ridge penalty, in units of the largest row sum of the second moments.
    towards_start : bool
        Whether the ridge pulls to `start`, or to zero.

    Returns
    -------
    (n_rows, n_inputs) csr_array
        In the pattern of `start`, with zeros stored where a weight became zero.
    """
    from scipy.optimize import nnls

    M = DenseMoments(moments) if isinstance(moments, np.ndarray) else moments
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
        sign = np.sign(before)
        fitted[inside] = sign * nnls(factor.T * sign, half, maxiter=100 + 10 * inputs.size)[0]

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
        refit_rows(weights, weights, moments, ridge=RIDGE, towards_start=True)
        taken.append(time.perf_counter() - begin)
    seconds = n * taken[-1] / (1 + TIMED_ROWS) * (kept / timed) ** 3
    if n <= limits.SECOND_MOMENTS:
        return Cost(24.0 * n * n, seconds + 4.0 * n**3 * seconds_an_operation())
    products = SAMPLES * PRODUCTS_A_SAMPLE * 4 / BLOCK_BYTES
    return Cost(4.0 * SAMPLES * n, seconds + products * seconds_a_product(network.link_matrix, network.n_synapses))


def _both_directions(links: sp.csr_array, symmetric: bool) -> sp.csr_array:
    return (links + links.T).tocsr() if symmetric else links
