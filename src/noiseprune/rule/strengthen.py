"""The weights of the synapses that stay: the paper's 1/p, and two that go on from there.

- *reciprocal* reads a synapse's own weight and keep probability. Unbiased, and noisy.
- *matched* lets each synapse see its difference variance again, later: synapse-local. Symmetric, dominant networks.
- *regressed* lets each neuron refit its inputs, seeing the second moments of those inputs: neuron-local. Any network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.covariance import has_stationary_state, inverse_lower, stationary_covariance
from noiseprune.errors import InvalidOption, UnstableNetwork
from noiseprune.network import Network
from noiseprune.probes.base import Probe
from noiseprune.rule import leak as balancing

Strengthen = Literal["reciprocal", "matched", "regressed"]
STRENGTHENS: tuple[Strengthen, ...] = ("reciprocal", "matched", "regressed")

Floats = NDArray[np.float64]

MATCHED_STEPS = 5
MATCHED_RATE = 0.7  # the power eta of each step; 1 overshoots where synapses share neurons
FREE_STEPS = 80
FREE_TOLERANCE = 1e-3  # largest relative mismatch of a variance at which the free leak has converged
RIDGE = 0.1  # of the mean second moment; chosen in benchmarks/strengthening.py, as the ensemble is


class Strengthened(NamedTuple):
    """New links and leak (n_neurons,); which of the links given still stay, (n_kept,); what the method says of itself."""

    links: sp.csr_array
    leak: Floats
    stays: NDArray[np.bool_]
    report: dict[str, Any]


def apply(
    method: Strengthen,
    network: Network,
    start: sp.csr_array,
    *,
    leak: balancing.Leak,
    target: Floats | None,
    probe: Probe,
    rng: np.random.Generator,
) -> Strengthened:
    """Strengthen the links that stay and balance the leak, by any method.

    Parameters
    ----------
    method : str
        One of `STRENGTHENS`.
    network : Network
        The original.
    start : (n_neurons, n_neurons) csr_array
        The links that stay, weights 1/p times the original's.
    leak : str
        One of the leak rules.
    target : (n_kept,) array or None
        Difference variances of these links in the original; for "matched".
    probe, rng
        For "matched".

    Raises
    ------
    UnstableNetwork
        Where a method needs a stationary state that is not there, or none of what was tried is stable.
    """
    if method == "matched" and target is not None:
        try:
            if leak == "free":
                return matched_with_free_leak(network, start)
            return matched(network, start, target, probe, rng=rng)
        except UnstableNetwork:
            raise UnstableNetwork(
                "what the draw kept has no stationary state, so there is nothing to match: a piece was cut off and has no "
                "excess leak. Keep the network in one piece (keep_connected=True, --keep-connected) or more of it"
            ) from None
    if method == "reciprocal":
        return _as_drawn(network, start, leak)
    for done in _regressions(network, start, leak):
        if has_stationary_state(_network(network, done)):
            return done
    raise UnstableNetwork(
        "no regressed weights of the kept synapses leave the network stable: its own leak is too small, or a piece was cut off "
        "and has no excess leak. Keep more (a higher density), keep it in one piece (keep_connected=True, --keep-connected), or "
        "keep the leak (leak='original')"
    )


def _as_drawn(network: Network, start: sp.csr_array, leak: balancing.Leak) -> Strengthened:
    new_leak = balancing.matched(network, start) if leak == "matched" else network.leak
    return Strengthened(start, new_leak, np.ones(start.nnz, dtype=np.bool_), {})


def _regressions(network: Network, start: sp.csr_array, leak: balancing.Leak) -> Iterator[Strengthened]:
    """Yield the regression, then ever more shrunk ones: towards zero, where every network is stable."""
    moments = second_moments(network)
    for ridge, towards_start in ((RIDGE, True), (RIDGE, False), (10 * RIDGE, False), (100 * RIDGE, False)):
        done = regressed(network, start, moments, free_leak=leak == "free", ridge=ridge, towards_start=towards_start)
        if leak == "matched":
            done = done._replace(leak=balancing.matched(network, done.links))
        yield done


def reciprocal(weight: NDArray[np.floating[Any]], p: Floats) -> NDArray[np.floating[Any]]:
    """W' = W / p for links that stay, so that E[W'] = W: the paper's strengthening.

    Parameters
    ----------
    weight, p : (n_kept,) array
        Weights and keep probabilities of the links that stay.

    Returns
    -------
    (n_kept,) array
        New weights, in the precision of `weight`.
    """
    return (weight / p).astype(weight.dtype, copy=False)


# --- matched ----------------------------------------------------------------------------------------------------------


def matched(
    network: Network, start: sp.csr_array, target: Floats, probe: Probe, *, rng: np.random.Generator
) -> Strengthened:
    """Tune the kept weights until noise moves each pair of neurons as far apart as it did before.

    W'_e <- W'_e (v'_e / v_e)^eta, the leak matched again after each step. If noise now moves the two neurons further
    apart, the synapse is strengthened, if less, weakened. Signs and diagonal dominance stay.

    Parameters
    ----------
    network : Network
        The original; symmetric and diagonally dominant.
    start : (n_neurons, n_neurons) csr_array
        The links that stay, with the weights to start from.
    target : (n_kept,) array
        Their difference variances in the original.
    probe : Probe
        Measures the pruned network, once a step.
    rng : Generator
        For the probe.

    Returns
    -------
    Strengthened
        Not worse than the start in the root mean square of log(v'_e / v_e), which the report holds.

    Notes
    -----
    The fixed point maximises log det J - (2 / sigma^2) tr(J C) over J = -A' with this wiring and this excess leak: the
    kept wiring whose activity is nearest to the original's in Kullback-Leibler divergence (Dempster 1972).
    """
    links, mismatches, best = start, [], (np.inf, start)
    for _ in range(MATCHED_STEPS + 1):
        ratio = probe.measure(_with(network, links), rng=rng).per_link / target
        mismatches.append(float(np.sqrt(np.mean(np.log(ratio) ** 2))) if ratio.size else 0.0)
        best = min(best, (mismatches[-1], links), key=itemgetter(0))
        links = _reweighted(links, links.data * ratio**MATCHED_RATE)
    report = {"steps": MATCHED_STEPS, "mismatch_before": mismatches[0], "mismatch_after": best[0]}
    return _as_drawn(network, best[1], "matched")._replace(report=report)


def matched_with_free_leak(network: Network, start: sp.csr_array) -> Strengthened:
    """Match the variance of every neuron too, by letting its excess leak adapt: excess_i <- excess_i (C'_ii / C_ii)^eta.

    Parameters
    ----------
    network, start
        As in `matched`; equal noise.

    Returns
    -------
    Strengthened
        The best step in the objective of `matched`, with the excess leak free as well.

    Notes
    -----
    The same fixed point as plain steps on the logarithms of weights and excess, reached in tens of steps by mixing
    each with the one before (Anderson 1965, depth 1); a step that does not improve the objective is taken plainly.
    Dense: a Cholesky inverse a step.
    """
    post, pre = _with(network, start).links[:2]
    sign = np.sign(start.data).astype(np.float64)
    n, n_links = network.n_neurons, start.nnz
    original = inverse_lower(network)
    if original is None:
        raise UnstableNetwork("the original has no stationary state to match")
    aim = _moments(original, post, pre, sign)

    def evaluate(x: Floats) -> tuple[float, Floats, Floats]:
        """Objective (to be minimised), log mismatch of every moment, leak."""
        strength, excess = np.exp(x[:n_links]), np.exp(x[n_links:])
        leak: Floats = excess + sum(np.bincount(ends, weights=strength, minlength=n) for ends in (post, pre))
        pruned = Network.from_links(_reweighted(start, sign * strength), leak, network.noise_std, symmetric=True)
        inverse = inverse_lower(pruned)
        if inverse is None:
            return np.inf, np.zeros_like(x), leak
        log_determinant = -_log_determinant_of_inverse(inverse)
        found = _moments(inverse, post, pre, sign)
        return -log_determinant + float(np.exp(x) @ aim), np.log(found / aim), leak

    excess = np.maximum(network.excess_leak, balancing.FLOOR * network.total_input)
    x = np.log(np.concatenate([np.abs(start.data), np.maximum(excess, np.finfo(np.float64).tiny)]))
    value, step, leak = evaluate(x)
    first, steps = step, 0
    previous: tuple[Floats, Floats] | None = None
    while steps < FREE_STEPS and np.max(np.abs(step), initial=0.0) > FREE_TOLERANCE:
        steps += 1
        proposal = x + (step if previous is None else _anderson(x, step, *previous))
        new_value, new_step, new_leak = evaluate(proposal)
        if new_value > value and previous is not None:
            proposal = x + MATCHED_RATE * step
            new_value, new_step, new_leak = evaluate(proposal)
        previous = (x, step)
        x, value, step, leak = proposal, new_value, new_step, new_leak
    report = {
        "steps": steps,
        "mismatch_before": float(np.sqrt(np.mean(first**2))),
        "mismatch_after": float(np.sqrt(np.mean(step**2))),
        "converged": bool(np.max(np.abs(step), initial=0.0) <= FREE_TOLERANCE),
    }
    return Strengthened(_reweighted(start, sign * np.exp(x[:n_links])), leak, np.ones(n_links, dtype=np.bool_), report)


def _anderson(x: Floats, step: Floats, x_before: Floats, step_before: Floats) -> Floats:
    """Mix a step with the one before so that the linearised mismatch is least; no change beyond a factor of e^2."""
    change = step - step_before
    share = float(step @ change) / max(float(change @ change), np.finfo(np.float64).tiny)
    return np.clip(step - share * (x - x_before + change), -2.0, 2.0)


def _moments(inverse: Floats, post: NDArray[Any], pre: NDArray[Any], sign: Floats) -> Floats:
    """Difference variances at the links, then variances of the neurons, in units of sigma^2 / 2."""
    variance = inverse.diagonal()
    return np.concatenate([variance[post] + variance[pre] - 2 * sign * inverse[post, pre], variance])


def _log_determinant_of_inverse(inverse: Floats) -> float:
    factor, _ = scipy.linalg.lapack.dpotrf(inverse.T, lower=0, clean=0, overwrite_a=0)
    return float(2 * np.sum(np.log(factor.diagonal())))


# --- regressed --------------------------------------------------------------------------------------------------------


def regressed(
    network: Network,
    start: sp.csr_array,
    moments: Floats,
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
    moments : (n_neurons, n_neurons) array
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
    stays = np.asarray(fitted[places.row, places.col]).ravel() != 0
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
    moments: Floats,
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
    moments : (n_inputs, n_inputs) array
        Second moments of the inputs.

    Returns
    -------
    (n_rows, n_inputs) csr_array
        In the pattern of `start`, with zeros stored where a weight became zero.
    """
    from scipy.optimize import nnls

    penalty = ridge * float(np.mean(moments.diagonal()))
    aims = (target @ moments).T  # column i: M w_i
    fitted = np.zeros(start.nnz)
    for i in range(start.shape[0]):
        inside = slice(start.indptr[i], start.indptr[i + 1])
        inputs, before = start.indices[inside], start.data[inside]
        if not inputs.size:
            continue
        aim = aims[inputs, i] + (penalty * before if towards_start else 0.0)
        factor = np.linalg.cholesky(moments[np.ix_(inputs, inputs)] + penalty * np.eye(inputs.size))
        half = scipy.linalg.solve_triangular(factor, aim, lower=True)
        if keep_signs:
            sign = np.sign(before)
            fitted[inside] = sign * nnls(factor.T * sign, half)[0]
        else:
            fitted[inside] = scipy.linalg.solve_triangular(factor.T, half, lower=False)
    return sp.csr_array((fitted, start.indices.copy(), start.indptr.copy()), shape=start.shape)


def _stationary(network: Network) -> Floats:
    return stationary_covariance(network)[0]


def _slow(network: Network) -> Floats:
    response = np.linalg.inv(network.matrix().toarray().astype(np.float64)) * network.noise_std
    return response @ response.T


def _mixed(network: Network) -> Floats:
    parts = (_stationary(network), _slow(network))
    return sum(part / np.trace(part) for part in parts) / 2


ENSEMBLES: dict[str, Callable[[Network], Floats]] = {"stationary": _stationary, "slow": _slow, "mixed": _mixed}


def second_moments(network: Network, ensemble: str = "slow") -> Floats:
    """Second moments M of the activity that strengthening should preserve, (n_neurons, n_neurons).

    Parameters
    ----------
    network : Network
        Stable.
    ensemble : "slow", "stationary" or "mixed"
        Slow noise, M = A^-1 diag(sigma^2) A^-T: the response to constant random input. White noise, M = C: keeps fast
        modes and shrinks slow ones. Or the mean of both, each over its trace.
    """
    if ensemble not in ENSEMBLES:
        raise InvalidOption(f"ensemble must be one of {', '.join(ENSEMBLES)}; got {ensemble!r}")
    return ENSEMBLES[ensemble](network)


# --- shared -----------------------------------------------------------------------------------------------------------


def _reweighted(links: sp.csr_array, data: NDArray[Any]) -> sp.csr_array:
    return sp.csr_array((data.astype(links.dtype), links.indices, links.indptr), shape=links.shape)


def _with(network: Network, links: sp.csr_array) -> Network:
    """Return the network with these links and the leak that matches them."""
    return Network.from_links(links, balancing.matched(network, links), network.noise_std, symmetric=network.symmetric)


def _network(network: Network, done: Strengthened) -> Network:
    return Network.from_links(done.links, done.leak, network.noise_std, symmetric=network.symmetric)


def _both_directions(links: sp.csr_array, symmetric: bool) -> sp.csr_array:
    return (links + links.T).tocsr() if symmetric else links
