"""Difference variances from random samples of the stationary state, at any size."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noiseprune.dynamics import stationary as covariance
from noiseprune.errors import InvalidOption, UnstableNetwork
from noiseprune.linalg.timing import seconds_a_product
from noiseprune.machine.memory import require_memory
from noiseprune.machine.randomness import Rng, seed_from
from noiseprune.machine.speed import BLOCK_BYTES, Cost
from noiseprune.machine.threads import blas_alone
from noiseprune.network import Network
from noiseprune.network.units import Units
from noiseprune.probes.base import ONLY_V, Measurement, Quantity, alone, gatherer, leave

logger = logging.getLogger("noiseprune")

Floats = NDArray[np.float64]

SAMPLES = 64  # a relative standard error of 0.18
BITS = 64  # random signs in one hash


@dataclass(frozen=True)
class Sketched:
    """Difference variances from samples of the stationary state, found by iterative solves: O(m) work and memory.

    Symmetric networks with equal noise and dominant leaks: with -A = B B^T, where B g = sum_e sqrt|w_e| g_e (e_i - s_e e_j)
    + sum_i sqrt(excess_i) h_i e_i and random signs g and h, the vector z = (-A)^-1 B g has the covariance (-A)^-1, so
    v = (sigma^2 / 2) E[(z_i - s z_j)^2].

    Any other network: the Markov chain x <- (A - pI)^-1 [(A + pI) x + sqrt(2p) sigma xi] has exactly C as its
    stationary covariance for every p > 0; a few different p bring it there.

    Parameters
    ----------
    samples : int, optional
        Independent samples; the relative standard error of v is sqrt(2 / samples). By default 64.
    error : float, optional
        In place of `samples`: the relative standard error to reach.
    bias : float
        Largest relative bias that unfinished solves may leave.

    Notes
    -----
    O(samples x iterations x m) operations; a few blocks of 32 vectors beside the network. Samples are made in single
    precision where that is enough, since their own error is a hundred thousand times larger.

    References
    ----------
    D. A. Spielman and N. Srivastava, "Graph sparsification by effective resistances", SIAM J. Comput. 40 (2011), sec. 4.

    Examples
    --------
    >>> from noiseprune import gallery
    >>> from noiseprune.probes import Exact
    >>> net = gallery.ring(200, 2)
    >>> v = Sketched(error=0.1).measure(net, rng=3)
    >>> v.n_samples, bool(abs(np.mean(v.value / Exact().measure(net).value) - 1) < 0.05)
    (200, True)
    """

    samples: int | None = None
    error: float | None = None
    bias: float = 0.02

    def __post_init__(self) -> None:
        if self.samples is not None and self.error is not None:
            raise InvalidOption("give samples or error, not both: the relative standard error is sqrt(2 / samples)")
        if self.samples is not None and not (isinstance(self.samples, int | np.integer) and self.samples >= 1):
            raise InvalidOption(f"samples must be a whole number, 1 or more; got {self.samples!r}")
        if self.error is not None and not 0 < self.error < np.sqrt(2):
            raise InvalidOption(f"error is a relative standard error, above 0 and below 1.4; got {self.error!r}")
        if not 0 < self.bias < 1:
            raise InvalidOption(f"bias is a share, above 0 and below 1; got {self.bias!r}")

    @property
    def n_samples(self) -> int:
        """Samples that are made."""
        if self.error is not None:
            return int(np.ceil(2 / self.error**2))
        return SAMPLES if self.samples is None else int(self.samples)

    def measure(self, network: Network, *, rng: Rng = 0, quantities: Sequence[Quantity] = ONLY_V) -> Measurement:
        """Measure v at every synapse, and what else is asked for.

        Raises
        ------
        UnstableNetwork
            Where the network has no stationary covariance.
        DidNotConverge
            Where a solve does not come to its end; says how far it came.
        TooLarge
            Where memory will not suffice.
        """
        if not network.n_links:
            return alone(network, self.n_samples, "Sketched (no synapses)", quantities)
        require_memory(
            self.memory(network), f"the sketched probe on {network.n_synapses} synapses", "use a machine with more"
        )
        units, seed = Units.of(network), seed_from(rng)
        inside = units.enter(network)
        try:
            with blas_alone():
                if _has_factor(inside):
                    return leave(units, self._by_factor(inside, seed, quantities))
                from noiseprune.probes.chain import by_chain

                return leave(units, by_chain(inside, self.n_samples, self.bias, seed, quantities))
        except UnstableNetwork:
            if inside is network:
                raise
            raise covariance.unstable(network) from None  # in the network's own units

    def memory(self, network: Network) -> float:
        """Bytes beside the network: copies of the links, their sums, blocks of the iteration, Lanczos vectors."""
        block = BLOCK_BYTES * network.n_neurons
        if _has_factor(network):
            return 24.0 * network.n_links + 16 * block
        return 8.0 * network.n_synapses + 24.0 * network.n_links + 20 * block

    def cost(self, network: Network) -> Cost:
        """Estimate memory and time, from the time of one product with a block of vectors."""
        once, per_block = _PRODUCTS_BY_FACTOR if _has_factor(network) else _PRODUCTS_OF_CHAIN
        products = once + per_block * self.n_samples / (BLOCK_BYTES / 4)
        return Cost(self.memory(network), products * seconds_a_product(network.link_matrix, network.n_synapses))

    def _by_factor(self, network: Network, seed: int, quantities: Sequence[Quantity]) -> Measurement:
        """Sample z = (-A)^-1 B g, block by block."""
        from noiseprune.linalg.krylov import RITZ_COLUMNS, missing_energy

        solver = covariance.solver(network, single=True)
        operator, k = solver.operator, self.n_samples
        stop = missing_energy(self.bias / 2)
        total, leak_share, done = np.zeros(network.n_links), 0.0, 0
        others = gatherer(network, quantities)
        start = time.monotonic()
        while done < k:
            # the first block takes most iterations, since the others start from what it learns: make it a small one
            wide = BLOCK_BYTES // operator.dtype.itemsize if done else RITZ_COLUMNS
            width = min(wide, BITS - done % BITS, k - done)
            z = solver.solve(operator.sources(_key(seed, done // BITS), done % BITS, width), stop)
            operator.add_difference_squares(z, total)
            others.add(z)
            leak_share += float(np.einsum("i,iv,iv->", network.dominance_margin, z, z, dtype=np.float64))
            done += width
            left = (time.monotonic() - start) * (k - done) / done
            logger.info("sampled %d of %d, %.0f s left", done, k, left, extra={"progress": (done, k)})
        total /= k
        leverage = float(np.abs(network.links.weight).astype(np.float64) @ total)
        report = {
            "samples": k,
            "solver": f"conjugate gradients with the preconditioner {solver.preconditioner}",
            "iterations": solver.iterations,
            "leverage_sum": leverage,
            "leverage_expected": network.n_neurons - leak_share / k,
            "leverage_standard_error": float(np.sqrt(2 * network.n_neurons / k)),
        }
        scale = network.noise_std[0] ** 2 / 2
        return Measurement(
            total * scale,
            float(np.sqrt(2 / k)),
            network.synapses_per_link,
            k,
            f"Sketched ({k} samples, {report['solver']})",
            report,
            **others.found(scale),
        )


def _has_factor(network: Network) -> bool:
    """Whether -A = B B^T with a B that is known."""
    return network.symmetric and network.equal_noise and network.dominant


# Block products that measuring takes, once and for each block of samples; counted on clustered networks. Sheets, rings
# and nearly unstable networks take some times more.
_PRODUCTS_BY_FACTOR = (25, 10)
_PRODUCTS_OF_CHAIN = (60, 20)


def _key(seed: int, word: int) -> int:
    return int(np.random.SeedSequence([seed, word]).generate_state(1, np.uint64)[0])
