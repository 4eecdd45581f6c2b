"""One of the two networks of a comparison, with what several measures need of it."""

from __future__ import annotations

import logging
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from noiseprune.dynamics.stationary import SOLVED, Inverse, inverse_lower, stationary_covariance
from noiseprune.linalg.spectrum import slowest
from noiseprune.machine import limits
from noiseprune.measure.reasons import Floats
from noiseprune.network import Network

logger = logging.getLogger("noiseprune")

N_SLOWEST = 10
NEARLY = 0.9999  # of the least excess leak


class Side:
    """One of the two networks, with what several measures or comparisons need of it."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @cached_property
    def eigen(self) -> tuple[Floats, Floats]:
        """Eigenvalues and eigenvectors of a symmetric A, rightmost last."""
        dense = self.network.matrix().toarray().astype(np.float64)
        return scipy.linalg.eigh(dense, driver="evd", overwrite_a=True, check_finite=False)

    @cached_property
    def eigenvalues(self) -> NDArray[np.complex128]:
        """Eigenvalues of a directed A."""
        return np.asarray(scipy.linalg.eigvals(self.network.matrix().toarray().astype(np.float64)))

    @cached_property
    def covariance(self) -> Floats:
        """C."""
        return stationary_covariance(self.network)[0]

    @cached_property
    def inverse(self) -> Floats | None:
        """(-A)^-1 of a symmetric network in the lower triangle; None where it is not stable."""
        return inverse_lower(self.network)

    @cached_property
    def operator(self) -> Inverse:
        """-A of a symmetric network and its inverse, at any size."""
        return Inverse(self.network)

    @cached_property
    def slowest(self) -> Floats:
        """The eigenvalues of a symmetric A nearest zero, rightmost first, at any size."""
        logger.info("looking for the slowest modes")
        # no mode is slower than the least excess leak (Gershgorin)
        shift = NEARLY * max(float(self.network.dominance_margin.min()), 0.0)
        network, A = self.network, self.operator
        return -np.asarray(
            slowest(
                A.product,
                A.roughly,
                network.n_neurons,
                N_SLOWEST,
                shift=shift,
                shifted_solve=lambda: Inverse(network, shift).solve,
            )
        )

    def fixed_points(self, inputs: Floats) -> Floats:
        """(-A)^-1 b for each column b."""
        network = self.network
        if network.n_neurons <= limits.SYMMETRIC_SPECTRUM:
            return np.asarray(np.linalg.solve(-network.matrix().toarray().astype(np.float64), inputs))
        if network.symmetric:
            return self.operator.solve(inputs)
        from noiseprune.linalg.shiftsolve import Operator

        operator = Operator(network.weights.astype(np.float64), network.leak)
        return np.asarray(operator.solve(inputs, 0.0, SOLVED)[0])
