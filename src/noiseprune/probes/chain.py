"""The directed half of `Sketched`: a Markov chain whose stationary covariance is exactly C.

For every shift p > 0 the chain

    x <- (A - pI)^-1 [(A + pI) x + sqrt(2p) sigma xi]  =  x - (pI - A)^-1 [2p x + sqrt(2p) sigma xi]

has the covariance C of dx/dt = A x + sigma xi as its stationary covariance, without any bias of a time step. An eigenmode
lambda that the chain has not yet brought to C shrinks by (lambda + p) / (lambda - p), so a few shifts spread over the
rates of the network bring it there from zero; every further step gives another sample.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.dynamics.stationary import has_stationary_state, in_single_range, unstable
from noiseprune.errors import DidNotConverge
from noiseprune.linalg.blocks import Block
from noiseprune.linalg.shiftsolve import Operator
from noiseprune.network import Network
from noiseprune.probes.base import ONLY_V, Measurement, Quantity, gatherer
from noiseprune.probes.differences import Links, SampleCounter

logger = logging.getLogger("noiseprune")

Floats = NDArray[np.float64]

REPLICAS = 16  # independent chains, run as one block
WITNESSES = 4  # columns that show how much of the start is left
MAX_SHIFTS = 200
SOLVE_SHARE = 0.05  # of the bias asked for: relative residual of a solve


def by_chain(
    network: Network, samples: int, bias: float, seed: int, quantities: Sequence[Quantity] = ONLY_V
) -> Measurement:
    """Measure v of any stable network.

    Parameters
    ----------
    network : Network
        Symmetric or directed.
    samples : int
        Independent samples wanted; successive states of a chain count for less than one each.
    bias : float
        Largest relative bias of v that the start may leave, on average over the links.
    seed : int
        For the noise.
    quantities : sequence of str
        What to measure.

    Raises
    ------
    UnstableNetwork, DidNotConverge
        As `Sketched.measure`.
    """
    weights = network.weights
    weights = weights.astype(np.float32 if in_single_range(weights.data) else np.float64)
    chain = _Chain(network, Operator(weights, network.leak), SOLVE_SHARE * bias, seed)
    links = Links(network, chain.operator.dtype)
    try:
        shifts, remainder = _burn_in(chain, links, bias)
    except DidNotConverge:
        if not has_stationary_state(network):
            raise unstable(network) from None
        raise
    counter, others = SampleCounter(links, REPLICAS, seed), gatherer(network, quantities)
    total, steps, start = np.zeros(network.n_links), 0, time.monotonic()
    while True:
        links.add_difference_squares(chain.state, total)
        counter.add(chain.state)
        others.add(chain.state)
        steps += 1
        independent = counter.independent_samples()
        if independent >= samples or steps >= samples:
            break
        left = (time.monotonic() - start) * max(samples / independent - 1, 0)
        progress = {"progress": (independent, samples)}
        logger.info("%.0f of %d independent samples, %.0f s left", independent, samples, left, extra=progress)
        chain.advance(shifts[0])
    report: dict[str, Any] = {
        "samples": int(independent),
        "states": steps * REPLICAS,
        "solver": f"Markov chain with exact stationary covariance, {len(shifts)} shifts",
        "shifts": shifts,
        "products": chain.products,
        "bias_of_the_start": remainder,
    }
    return Measurement(
        total / (steps * REPLICAS),
        float(np.sqrt(2 / independent)),
        network.synapses_per_link,
        int(independent),
        f"Sketched ({int(independent)} samples of a {report['solver']})",
        report,
        **others.found(),
    )


class _Chain:
    """The state of all replicas, (n, REPLICAS), and its ways to move."""

    def __init__(self, network: Network, operator: Operator, tolerance: float, seed: int) -> None:
        self.operator = operator
        self.state: Block = np.zeros((operator.n, REPLICAS), operator.dtype)
        self.products = 0
        self._noise_std = network.noise_std.astype(operator.dtype)[:, None]
        self._tolerance = tolerance
        self._random = np.random.default_rng([seed, 1])

    def noise(self, k: int) -> Block:
        """Sigma xi for k columns."""
        xi = self._random.standard_normal((self.operator.n, k), dtype=self.operator.dtype)
        return xi * self._noise_std

    def advance(self, shift: float) -> None:
        """Take one step with noise."""
        p = self.operator.dtype.type(shift)
        rhs = 2 * p * self.state + np.sqrt(2 * p) * self.noise(REPLICAS)
        self.state -= self._solve(rhs, shift)

    def contract(self, x: Block, shift: float) -> Block:
        """Take one step without noise: what is left of x."""
        return x - self._solve(2 * self.operator.dtype.type(shift) * x, shift)

    def _solve(self, rhs: Block, shift: float) -> Block:
        x, products = self.operator.solve(rhs, shift, self._tolerance)
        self.products += products
        return x


def _burn_in(chain: _Chain, links: Links, bias: float) -> tuple[list[float], float]:
    """Bring the chain from zero to its stationary state; return the shifts and what is left of the start.

    After shifts that shrink a state by Phi the covariance is C - Phi C Phi^T. What is left, as a share of v, is seen on
    witnesses: states of the chain themselves, contracted by all shifts so far. The next shift is the one that shrinks
    best what is left of them, p = |A u| / |u|.
    """
    operator = chain.operator
    # 1 / sqrt(2 D) is the state of unconnected neurons: a first guess at what a state looks like
    witness = chain.noise(WITNESSES) / np.sqrt(2 * operator.leak)[:, None]
    size = links.mean_square(witness)
    shifts: list[float] = []
    while len(shifts) < MAX_SHIFTS:
        while len(shifts) < MAX_SHIFTS:
            shifts.append(float(np.linalg.norm(operator.product(witness)) / np.linalg.norm(witness)))
            witness = chain.contract(witness, shifts[-1])
            chain.advance(shifts[-1])
            if links.mean_square(witness) <= bias / 2 * size:
                break
        # the guess gives slow modes too little; a state that the chain has made does not
        witness = chain.state[:, :WITNESSES].copy()
        size = links.mean_square(witness)
        for shift in shifts:
            witness = chain.contract(witness, shift)
        left = links.mean_square(witness) / size
        logger.info("%d shifts leave %.1e of the start", len(shifts), left)
        if left <= bias / 2:
            return shifts, left
        if not np.isfinite(left) or left > 100:
            break
    raise DidNotConverge(
        f"the chain's start is still {left:.1e} of its variance after {len(shifts)} shifts: the network is nearly unstable, or "
        "oscillates for long; raise its leak, or take probes.Simulated with a long burn-in"
    )
