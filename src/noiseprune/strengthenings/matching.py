"""Weights tuned until every synapse sees the difference variance that it saw before: synapse-local.

Symmetric, diagonally dominant networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.dynamics.stationary import inverse_lower
from noiseprune.errors import InvalidOption, TooLarge, UnstableNetwork, check_choice
from noiseprune.machine import limits
from noiseprune.machine.speed import Cost
from noiseprune.network import Network
from noiseprune.probes import Measurement, Probe, Sketched
from noiseprune.rules import leak as balancing
from noiseprune.rules.leak import Leak
from noiseprune.strengthenings.base import Draft, Floats, Strengthened, Strengthening, as_drawn, reweighted

STEPS = 5
RATE = 0.7  # the power eta of each step; 1 overshoots where synapses share neurons
TARGET_SAMPLES = 512  # of a sketch of the original, which is aimed at: towards 64 it gains little
STEP_SAMPLES = 32  # of a sketch of the pruned network: the target needs accuracy, the steps do not
FITTED_STEPS = 80
FITTED_TOLERANCE = 1e-3  # largest relative mismatch of a variance at which the fitted leak has converged


@dataclass(frozen=True)
class Matched(Strengthening):
    """Weights tuned from 1/p until every synapse sees the difference variance that it saw before: synapse-local.

    Symmetric networks in which every neuron is diagonally dominant; see `matched` and, for leak="fitted",
    `matched_with_fitted_leak`.

    Parameters
    ----------
    steps : int
        Steps of tuning, each one probe of the pruned network.
    leak : "matched" or "fitted", optional
        In place of the leak that prune decides: "fitted" lets the excess leak adapt, so that every neuron's variance is
        matched too.
    """

    steps: int = STEPS
    leak: Literal["matched", "fitted"] | None = None

    name = "matched"
    needs = ("difference_variance",)
    samples = TARGET_SAMPLES
    remeasures = True

    def __post_init__(self) -> None:
        if not (isinstance(self.steps, int) and self.steps >= 1):
            raise InvalidOption(f"steps must be a whole number, 1 or more; got {self.steps!r}")
        check_choice("leak", self.leak, (None, "matched", "fitted"))

    def check(self, network: Network, leak: str) -> None:
        """Refuse networks that are not symmetric and dominant, and a leak that does not fit.

        Raises
        ------
        InvalidOption
            Where they do not go together.
        TooLarge
            Where the fitted leak would need dense matrices that are too large.
        """
        if not (network.symmetric and network.dominant):
            raise InvalidOption(
                "strengthen='matched' is for symmetric networks in which every neuron is diagonally dominant, and "
                f"{'this one is not dominant' if network.symmetric else 'this one is directed'}: take 'regressed'"
            )
        if leak == "original":
            raise InvalidOption(
                "strengthen='matched' matches the leak again after each step: leave leak out, or fitted"
            )
        if self.leak is not None and leak not in ("auto", self.leak):
            raise InvalidOption(f"leak={leak!r} contradicts {self!r}: leave one of them out")
        if "fitted" in (leak, self.leak):
            if not network.equal_noise:
                raise InvalidOption(
                    "strengthen='matched' with leak='fitted' needs equal noise in all neurons: take 'regressed'"
                )
            if network.n_neurons > limits.FITTED_LEAK:
                raise TooLarge(
                    f"strengthen='matched' with leak='fitted' works with dense matrices and stops at {limits.FITTED_LEAK} "
                    f"neurons; this network has {network.n_neurons}: leave the leak matched"
                )

    def auto_leak(self, network: Network) -> tuple[Leak, str]:
        """Return its own leak."""
        return (self.leak, f"as of {self!r}") if self.leak is not None else super().auto_leak(network)

    def cost(self, network: Network, density: float, probe: Probe, measuring: Cost | None) -> Cost:  # noqa: ARG002
        """Estimate a probe a step."""
        if measuring is None:
            return Cost(0.0, 0.0)
        share = STEP_SAMPLES / probe.n_samples if isinstance(probe, Sketched) else 1.0
        return Cost(measuring.memory, self.steps * share * measuring.seconds)

    def apply(self, draft: Draft, rng: np.random.Generator) -> Strengthened:
        """Tune the weights.

        Raises
        ------
        UnstableNetwork
            Where what the draw kept has no stationary state.
        """
        if draft.measured is None:
            raise TypeError("matched strengthening needs the difference variance")
        errors = np.broadcast_to(draft.measured.relative_error, draft.kept.shape)[draft.kept]
        typical = float(np.sqrt(np.mean(errors**2))) if errors.size else 0.0
        try:
            if draft.leak == "fitted":
                return matched_with_fitted_leak(draft.network, draft.start)
            target = draft.measured.per_link[draft.kept]
            return matched(
                draft.network, draft.start, target, draft.probe, steps=self.steps, target_error=typical, rng=rng
            )
        except UnstableNetwork:
            raise UnstableNetwork(
                "what the draw kept has no stationary state, so there is nothing to match: a piece was cut off and has no "
                "excess leak. Keep the network in one piece (keep_connected=True) or more of it"
            ) from None


def matched(
    network: Network,
    start: sp.csr_array,
    target: Floats,
    probe: Probe,
    *,
    steps: int = STEPS,
    target_error: float = 0.0,
    rng: np.random.Generator,
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
        Measures the pruned network, once a step; a sketch with no more than `STEP_SAMPLES` samples.
    steps : int
        Steps of tuning.
    target_error : float
        Relative standard error of the target. The steps become so small that all of them together go as far as the
        target can be trusted.
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
    if isinstance(probe, Sketched):
        probe = Sketched(samples=min(STEP_SAMPLES, probe.n_samples), bias=probe.bias)
    links, mismatches, best, rate = start, [], (np.inf, start), RATE
    for step in range(steps + 1):
        measured = probe.measure(network.replace(links=links, leak=balancing.matched(network, links)), rng=rng)
        ratio = measured.per_link / target
        mismatches.append(float(np.sqrt(np.mean(np.log(ratio) ** 2))) if ratio.size else 0.0)
        best = min(best, (mismatches[-1], links), key=itemgetter(0))
        if step == 0:
            trust = _trust(mismatches[0], target_error, measured)
            rate = min(RATE, 1 - (1 - trust) ** (1 / steps))
        links = reweighted(links, links.data * ratio**rate)
    report = {"steps": steps, "rate": rate, "mismatch_before": mismatches[0], "mismatch_after": best[0], "trust": trust}
    return as_drawn(network, best[1], "matched")._replace(report=report)


def _trust(mismatch: float, target_error: float, measured: Measurement) -> float:
    """Return the share of the mismatch at the start that is real, and worth following: Wiener's weight.

    The squared mismatch is that of the weights plus the squared errors of the target and of what is measured.
    """
    real = mismatch**2 - target_error**2 - float(np.mean(np.square(measured.relative_error)))
    return max(real, 0.0) / (max(real, 0.0) + target_error**2) if target_error else 1.0


def matched_with_fitted_leak(network: Network, start: sp.csr_array) -> Strengthened:
    """Match the variance of every neuron too, by letting its excess leak adapt: excess_i <- excess_i (C'_ii / C_ii)^eta.

    Parameters
    ----------
    network, start
        As in `matched`; equal noise.

    Returns
    -------
    Strengthened
        The best step in the objective of `matched`, with the excess leak free as well.

    Raises
    ------
    UnstableNetwork
        Where the original has no stationary state.

    Notes
    -----
    The same fixed point as plain steps on the logarithms of weights and excess, reached in tens of steps by mixing
    each with the one before (Anderson 1965, depth 1); a step that does not improve the objective is taken plainly.
    Dense: a Cholesky inverse a step.
    """
    post, pre = network.replace(links=start).links[:2]
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
        pruned = network.replace(links=reweighted(start, sign * strength), leak=leak)
        inverse = inverse_lower(pruned)
        if inverse is None:
            return np.inf, np.zeros_like(x), leak
        log_determinant = -_log_determinant_of_inverse(inverse)
        found = _moments(inverse, post, pre, sign)
        return -log_determinant + float(np.exp(x) @ aim), np.log(found / aim), leak

    excess = np.maximum(network.dominance_margin, balancing.FLOOR * network.total_input)
    x = np.log(np.concatenate([np.abs(start.data), np.maximum(excess, np.finfo(np.float64).tiny)]))
    value, step, leak = evaluate(x)
    first, steps = step, 0
    previous: tuple[Floats, Floats] | None = None
    while steps < FITTED_STEPS and np.max(np.abs(step), initial=0.0) > FITTED_TOLERANCE:
        steps += 1
        proposal = x + (step if previous is None else _anderson(x, step, *previous))
        new_value, new_step, new_leak = evaluate(proposal)
        if new_value > value and previous is not None:
            proposal = x + RATE * step
            new_value, new_step, new_leak = evaluate(proposal)
        previous = (x, step)
        x, value, step, leak = proposal, new_value, new_step, new_leak
    report = {
        "steps": steps,
        "mismatch_before": float(np.sqrt(np.mean(first**2))),
        "mismatch_after": float(np.sqrt(np.mean(step**2))),
        "converged": bool(np.max(np.abs(step), initial=0.0) <= FITTED_TOLERANCE),
    }
    return Strengthened(reweighted(start, sign * np.exp(x[:n_links])), leak, np.ones(n_links, dtype=np.bool_), report)


def _anderson(x: Floats, step: Floats, x_before: Floats, step_before: Floats) -> Floats:
    """Mix a step with the one before so that the linearised mismatch is least; no change beyond a factor of e^2."""
    change = step - step_before
    share = float(step @ change) / max(float(change @ change), float(np.finfo(np.float64).tiny))
    return np.clip(step - share * (x - x_before + change), -2.0, 2.0)


def _moments(inverse: Floats, post: NDArray[Any], pre: NDArray[Any], sign: Floats) -> Floats:
    """Difference variances at the links, then variances of the neurons, in units of sigma^2 / 2."""
    variance = inverse.diagonal()
    return np.concatenate([variance[post] + variance[pre] - 2 * sign * inverse[post, pre], variance])


def _log_determinant_of_inverse(inverse: Floats) -> float:
    factor, _ = scipy.linalg.lapack.dpotrf(inverse.T, lower=0, clean=0, overwrite_a=0)
    return float(2 * np.sum(np.log(factor.diagonal())))
