"""The stationary covariance of a network, and whether there is one; every decision about stability is made here."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from noiseprune.errors import DidNotConverge, UnstableNetwork
from noiseprune.linalg.lyapunov import solve_lyapunov
from noiseprune.linalg.spectrum import spectral_abscissa
from noiseprune.machine import limits
from noiseprune.machine.threads import blas_alone
from noiseprune.network import Network
from noiseprune.network.units import Units

if TYPE_CHECKING:
    from noiseprune.linalg.blocksolve import Solver

Floats = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
MAX_RELATIVE_ERROR = 1e-3  # a covariance whose rounding errors could be larger is no covariance
# Single precision sees a difference x_i - x_j beside an x this many times its variance with a relative error of 1e-3.
COMMON_VARIANCE = 1e8
SOLVED = 1e-8  # relative residual of an iterative solution
ROUGHLY = 0.1  # that of a preconditioner
SINGLE_RANGE = 1e30  # largest weight, and one over the smallest one, that are safe to multiply in single precision


def inverse_lower(network: Network) -> Floats | None:
    """Return (-A)^-1 of a symmetric network in the lower triangle of an n x n array; None where it is not stable.

    The array is C-ordered and LAPACK sees its transpose, so that the links, row by row, are read as they lie.
    """
    post, pre, weight = network.links
    n = network.n_neurons
    M = np.zeros((n, n))
    M[post, pre] = -weight
    M[np.diag_indices(n)] = network.leak
    with blas_alone() if n > limits.THREADED_CHOLESKY else contextlib.nullcontext():
        _, info = scipy.linalg.lapack.dpotrf(M.T, lower=0, clean=0, overwrite_a=1)
        if info == 0:
            _, info = scipy.linalg.lapack.dpotri(M.T, lower=0, overwrite_c=1)
    if info != 0:
        return None
    # Scaled to a unit diagonal, since that is how well Cholesky does: a row norm times the trace of the inverse
    # bounds the condition number from above, for nothing.
    condition = float(np.max(1 + network.total_input / network.leak) * np.sum(network.leak * M.diagonal()))
    return M if condition * EPS < MAX_RELATIVE_ERROR else None


def solver(network: Network, *, single: bool = False, shift: float = 0.0) -> Solver:
    """Make a solver for (-A - shift I) x = b at any size, of a symmetric network.

    Parameters
    ----------
    network : Network
        Symmetric; where it is diagonally dominant, its stability is decided for good.
    single : bool
        Work in single precision, where weights and leaks allow it.
    shift : float, 1/s
        Below the slowest rate.

    Raises
    ------
    UnstableNetwork
        Where a component has no excess leak and signs that two groups of neurons explain, so that A is singular.
    """
    from noiseprune.linalg.blocks import Laplacian
    from noiseprune.linalg.blocksolve import Solver

    links = network.link_matrix
    common, sides = _common_excess_and_sides(network)
    if network.dominant and common == 0:
        raise unstable(network)
    if single and network.dominant and common * COMMON_VARIANCE > network.leak.max() and in_single_range(links.data):
        links = links.astype(np.float32)
    elif links.dtype != np.float64:
        links = links.astype(np.float64)
    return Solver(Laplacian(links, network.dominance_margin - shift), sides)


class Inverse:
    """-A - shift I of a symmetric network of any size, and its inverse, for vectors (n,) or blocks (n, k) in float64."""

    def __init__(self, network: Network, shift: float = 0.0) -> None:
        self._solver = solver(network, shift=shift)

    def product(self, x: Floats) -> Floats:
        """(-A - shift I) x."""
        block = np.ascontiguousarray(x.reshape(len(x), -1))
        y = np.empty_like(block)
        self._solver.operator.product(block, y)
        return y.reshape(x.shape)

    def solve(self, b: Floats) -> Floats:
        """(-A - shift I)^-1 b.

        Raises
        ------
        DidNotConverge
            Where the iteration ends short of a relative residual of 1e-8.
        """
        return self._solve(b, SOLVED)

    def roughly(self, b: Floats) -> Floats:
        """About (-A - shift I)^-1 b: a preconditioner."""
        return self._solve(b, ROUGHLY)

    def _solve(self, b: Floats, tolerance: float) -> Floats:
        from noiseprune.linalg.krylov import relative_residual

        block = np.array(b.reshape(len(b), -1))  # a copy: it is overwritten
        return np.asarray(self._solver.solve(block, relative_residual(tolerance)).reshape(b.shape), dtype=np.float64)


def _common_excess_and_sides(network: Network) -> tuple[float, NDArray[Any]]:
    """Return the least sum of excess leaks over a component that could vary as one, and the side of each neuron.

    The sum is infinite where signs let no component vary as one. Sides are 1 and -1: neurons on the same side swing
    together in slow modes, as far as the signs allow.
    """
    least = float(network.dominance_margin.min())
    enough = least * COMMON_VARIANCE > network.leak.max()  # in one neuron alone, so the components need not be known
    if enough and network.link_matrix.data.min(initial=1.0) > 0:
        return least, np.ones(network.n_neurons)
    component, side, frustrated = _signed_components(network)
    if enough:
        return least, side
    total = np.bincount(component, weights=network.dominance_margin, minlength=network.n_neurons)
    free = (np.bincount(component, minlength=network.n_neurons) > 0) & ~frustrated
    return float(total[free].min(initial=np.inf)), side


def _signed_components(network: Network) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
    """Component and side of each neuron, and at the component's place whether its signs contradict each other."""
    from noiseprune.linalg import kernels
    from noiseprune.linalg.blocks import parts

    n = network.n_neurons
    component, side, frustrated = np.empty(n, np.int64), np.empty(n, np.int8), np.empty(n, np.bool_)
    kernels.signed_components(parts(network.link_matrix), component, side, frustrated)
    return component, side, frustrated


def in_single_range(weight: NDArray[Any]) -> bool:
    """Say whether weights, (m,), can be worked with in single precision."""
    size = np.abs(weight)
    return bool(size.max(initial=1) < SINGLE_RANGE and size.min(initial=1) > 1 / SINGLE_RANGE)


def stationary_covariance(network: Network) -> tuple[Floats, str]:
    """Solve A C + C A^T = -diag(sigma^2) for any network; return C, (n, n), and how it was found.

    Raises
    ------
    UnstableNetwork
        Where there is no stationary state.
    DidNotConverge
        Where rounding leaves too little of the solution.

    References
    ----------
    As of `linalg.lyapunov.solve_lyapunov`.
    """
    units = Units.of(network)
    inside = units.enter(network)
    try:
        solution = solve_lyapunov(inside.matrix().toarray().astype(np.float64), inside.noise_std**2)
    except UnstableNetwork:
        raise unstable(network) from None
    if not solution.residual < MAX_RELATIVE_ERROR:
        raise DidNotConverge(
            f"the Lyapunov equation of this network is solved only to a relative residual of {solution.residual:.1e}: its "
            "rates or weights span too many orders of magnitude, or it is too nearly unstable; raise its leak"
        )
    C = units.covariance(solution.covariance)
    return C, f"Lyapunov equation by {solution.method}, relative residual {solution.residual:.1e}"


def is_stable(network: Network, abscissa: float | None) -> bool | None:
    """Say whether a network with this spectral abscissa is stable; zero up to rounding is not. None: not known."""
    scale = float(np.max(network.leak + network.total_input))
    if abscissa is None:
        return True if np.all(network.dominance_margin > EPS * network.n_neurons * scale) else None  # Gershgorin
    return abscissa < -EPS * network.n_neurons * scale


def has_stationary_state(network: Network) -> bool:
    """Say whether a network is stable: for nothing where it is strictly dominant, else by dense algebra or ARPACK."""
    try:
        if is_stable(network, None):
            return True
        if network.symmetric and network.n_neurons <= limits.SURE_ABSCISSA:
            return inverse_lower(network) is not None
        abscissa = _abscissa(network)
    except DidNotConverge:
        return False
    return bool(is_stable(network, abscissa))


def _abscissa(network: Network) -> float:
    """Return the spectral abscissa: by ARPACK where the network is not small, densely where that does not find it."""
    try:
        return _found_abscissa(network)
    except DidNotConverge:
        if network.n_neurons > limits.SURE_ABSCISSA:
            raise
        return _found_abscissa(network, dense_limit=limits.SURE_ABSCISSA)


def _found_abscissa(network: Network, **limit: int) -> float:
    units = Units.of(network)
    inside = units.enter(network)
    found = spectral_abscissa(inside.matrix(), symmetric=network.symmetric, **limit)
    return float(np.ldexp(found, units.rate))


def slowest_rate(network: Network) -> float:
    """Return how fast the slowest mode of A decays, 1/s: minus the abscissa, or the least excess leak where it is not found.

    No mode of a dominant network is slower than its least excess leak (Gershgorin). Not positive where the network is
    not known to be stable.
    """
    try:
        abscissa = _found_abscissa(network)
    except DidNotConverge:
        return float(network.dominance_margin.min())
    return -abscissa if is_stable(network, abscissa) else min(-abscissa, 0.0)


def unstable(network: Network) -> UnstableNetwork:
    """Say that a network has no stationary covariance, how far it is from one, and what to do."""
    advice = "weaken the weights: content='weights', base_leak=1.0, gain=0.9 scale them"
    try:
        abscissa = _abscissa(network)
    except DidNotConverge:
        return UnstableNetwork(
            f"the network is not stable, so noise drives it to no stationary state: raise the leak, or {advice}"
        )
    where = (
        f"is {abscissa:+.4g} 1/s"
        if is_stable(network, -abs(abscissa))
        else f"is zero up to rounding ({abscissa:.1e} 1/s)"
    )
    return UnstableNetwork(
        f"the network is not stable, so noise drives it to no stationary state: the spectral abscissa of "
        f"A = W - diag(leak) {where} and must be negative; raise the leak by more than {max(abscissa, 0):.4g} 1/s, or "
        f"{advice}"
    )
