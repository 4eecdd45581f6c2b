"""The compiled loops of a network that runs while its synapses decide.

The rules are those of `noiseprune.linalg.kernels`: a row is owned by one thread, nothing is reassociated, and whatever is
random is a hash of a key and of the place where it is needed. So the same input gives the same bits with any number of
threads, however the steps are divided among calls, and after a pause.

A synapse from neuron j to neuron i has a weight w of sign s and a trace, its running estimate of
Var(x_i - s x_j). What it reads is its own weight and trace, and the activity of neurons i and j; no loop here lets it
read more. Synapses that were pruned have the weight zero until they are cleared away.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from noiseprune.linalg.kernels import compiled, hashed

LINEAR, RECTIFIED, TANH = range(3)  # places in network.ACTIVATIONS


# --- one synapse, one neuron ------------------------------------------------------------------------------------------


@compiled(parallel=False, inline=True)
def _uniform(bits: Any) -> Any:
    """A number on [0, 1) from 64 random bits."""
    return np.float64(bits >> np.uint64(11)) * 2.0**-53


@compiled(parallel=False, inline=True)
def _sent(activation: Any, x: Any) -> Any:
    """f(x), what a neuron sends on."""
    if activation == RECTIFIED:
        return max(x, 0.0)
    return np.tanh(x) if activation == TANH else x


@compiled(parallel=False, inline=True)
def private_number(key: Any, symmetric: Any, i: Any, j: Any) -> Any:
    """Return the number, uniform on [0, 1), of the synapse from j to i; both directions of a pair have the same one.

    Parameters
    ----------
    key : uint64
        Of the hash.
    symmetric : bool
        Whether synapses come in pairs.
    i, j : int
        Postsynaptic and presynaptic neuron.
    """
    if symmetric and i < j:
        return _uniform(hashed(key, j, i))
    return _uniform(hashed(key, i, j))


@compiled(parallel=False, inline=True)
def _importance(form: Any, w: Any, v: Any, variance_post: Any, variance_pre: Any) -> Any:
    """The importance of one synapse by a local form, `noiseprune.rules.LocalForm` as four numbers."""
    weighted, difference, variances, constant = form
    activity = difference * v if difference != 0 else 0.0  # what a form does not read may be anything, NaN too
    if variances != 0:
        activity += variances * (variance_post + variance_pre)
    return (abs(w) if weighted != 0 else 1.0) * (activity + constant)


# --- running ----------------------------------------------------------------------------------------------------------


@compiled()
def run_steps(
    synapses: tuple[Any, Any, Any],
    trace: NDArray[np.float64],
    rows: NDArray[Any],
    neurons: tuple[Any, Any, Any],
    state: tuple[Any, Any, Any],
    scratch: tuple[Any, Any, Any],
    activation: int,
    first: int,
    n_steps: int,
    step: float,
    start: int,
    rate: float,
    centred: bool,
    bound: float,
    key: Any,
) -> int:
    """Take Euler-Maruyama steps, and let every synapse follow the difference of its two neurons.

    Each step k updates the traces with the state x it finds, v += r_k (mean over replicas of (y_i - s y_j)^2 - v) with
    y = x minus the neuron's own mean, and then moves x by step (-D x + W f(x) + b) + noise. The rate r_k is zero before
    step `start`, then one over the steps taken since, so that the trace is a plain mean, and not below `rate`, so that
    it becomes an exponential one.

    Parameters
    ----------
    synapses : (indptr, indices, weight)
        CSR matrix of W, float64.
    trace : (m,) array
        Changed in place.
    rows : (CHUNKS + 1,) array
        From `linalg.kernels.chunks`.
    neurons : (leak, noise, drive), (n,) each
        ``noise`` is noise_std times the root of the step.
    state : (x, mean, variance), (n, replicas), (n,), (n,)
        Activity, and each neuron's running mean and variance of its own; changed in place.
    scratch : (sent, seen, ahead), (n, replicas) each
        Overwritten.
    activation : int
        One of the constants above.
    first : int
        The number of the first step: it keys the noise.
    n_steps : int
        Steps to take at most.
    step : float, s
        Time step.
    start : int
        The step at which the traces begin.
    rate : float
        Step over window, below which r_k does not fall.
    centred : bool
        Whether neurons follow their means; else these stay at zero.
    bound : float
        Largest activity allowed.
    key : uint64
        Of the noise.

    Returns
    -------
    int
        Steps taken. Fewer than `n_steps` where the next one would leave the bound: the state is then the one before it.
    """
    leak, noise, drive = neurons
    x, mean, variance = state
    sent, seen, ahead = scratch
    n, replicas = x.shape
    out_of_bound = np.zeros(rows.size - 1, np.bool_)
    for i in prange(n):
        for r in range(replicas):
            sent[i, r] = _sent(activation, x[i, r])
            seen[i, r] = x[i, r] - mean[i]
    for k in range(first, first + n_steps):
        trace_rate = max(rate, 1.0 / (k - start + 1)) if k >= start else 0.0
        noise_key = hashed(key, 0, k)
        for c in prange(rows.size - 1):
            indptr, indices, weight = synapses
            out_of_bound[c] = False
            total = np.empty(replicas)
            for i in range(rows[c], rows[c + 1]):
                if replicas == 1:
                    own, input_ = seen[i, 0], 0.0
                    for e in range(indptr[i], indptr[i + 1]):
                        j, w = indices[e], weight[e]
                        input_ += w * sent[j, 0]
                        difference = own - math.copysign(1.0, w) * seen[j, 0]  # no branch, as np.sign has
                        trace[e] += trace_rate * (difference * difference - trace[e])
                    total[0] = input_
                else:
                    for r in range(replicas):
                        total[r] = 0.0
                    for e in range(indptr[i], indptr[i + 1]):
                        j, w = indices[e], weight[e]
                        sign, square = math.copysign(1.0, w), 0.0
                        for r in range(replicas):
                            total[r] += w * sent[j, r]
                            difference = seen[i, r] - sign * seen[j, r]
                            square += difference * difference
                        trace[e] += trace_rate * (square / replicas - trace[e])
                for r in range(replicas):
                    ahead[i, r] = x[i, r] + step * (total[r] - leak[i] * x[i, r] + drive[i])
                _add_noise(ahead, i, noise[i], noise_key)
                for r in range(replicas):
                    if not abs(ahead[i, r]) <= bound:  # also where it is no number
                        out_of_bound[c] = True
        if np.any(out_of_bound):
            return k - first
        for c in prange(rows.size - 1):
            for i in range(rows[c], rows[c + 1]):
                moved, square = 0.0, 0.0
                for r in range(replicas):
                    x[i, r] = ahead[i, r]
                    moved += x[i, r] - mean[i]
                if centred:
                    mean[i] += trace_rate * (moved / replicas)
                for r in range(replicas):
                    sent[i, r] = _sent(activation, x[i, r])
                    seen[i, r] = x[i, r] - mean[i]
                    square += seen[i, r] * seen[i, r]
                variance[i] += trace_rate * (square / replicas - variance[i])
    return n_steps


@compiled(parallel=False, inline=True)
def _add_noise(x: Any, i: Any, size: Any, key: Any) -> None:
    """Add normal numbers to the replicas of neuron i, two from each hash.

    References
    ----------
    G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates", Ann. Math. Statist. 29 (1958)
    610-611.
    """
    replicas = x.shape[1]
    for r in range(0, replicas, 2):
        bits = hashed(key, r, i)
        radius = size * np.sqrt(-2.0 * np.log((np.float64(bits >> np.uint64(32)) + 0.5) * 2.0**-32))
        angle = 2.0 * np.pi * 2.0**-32 * np.float64(bits & np.uint64(0xFFFFFFFF))
        x[i, r] += radius * np.cos(angle)
        if r + 1 < replicas:
            x[i, r + 1] += radius * np.sin(angle)


# --- deciding ---------------------------------------------------------------------------------------------------------


@compiled()
def count_votes(
    synapses: tuple[Any, Any, Any],
    trace: NDArray[np.float64],
    variance: NDArray[np.float64],
    rows: NDArray[Any],
    form: tuple[float, float, float, float],
    symmetric: bool,
    K: float,
    key: Any,
    counts: NDArray[np.int64],
) -> None:
    """Count the synapses whose private number would let them survive at K: one bit each, summed by chunk.

    Parameters
    ----------
    synapses, trace, rows
        As in `run_steps`.
    variance : (n,) array
        Each neuron's variance of its own activity, read by one of the rivals.
    form : tuple of float
        A `noiseprune.rules.LocalForm`.
    symmetric : bool
        Whether the two directions of a pair share their number.
    K : float
        The rule's constant.
    key : uint64
        Of the private numbers.
    counts : (CHUNKS,) array
        Overwritten.
    """
    for c in prange(rows.size - 1):
        indptr, indices, weight = synapses
        count = 0
        for i in range(rows[c], rows[c + 1]):
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                if weight[e] != 0:
                    r = _importance(form, weight[e], trace[e], variance[i], variance[j])
                    count += private_number(key, symmetric, i, j) < min(1.0, K * r)
        counts[c] = count


@compiled()
def decide(
    synapses: tuple[Any, Any, Any],
    trace: NDArray[np.float64],
    variance: NDArray[np.float64],
    rows: NDArray[Any],
    form: tuple[float, float, float, float],
    symmetric: bool,
    K: float,
    keys: tuple[Any, Any],
    share: float,
    link: NDArray[Any],
    time: float,
    pruned_at: NDArray[np.float64],
) -> None:
    """Strengthen by 1/p, or prune: p = min(1, K r), synapse by synapse.

    Parameters
    ----------
    synapses, trace, variance, rows, form, symmetric, K
        As in `count_votes`; weights are changed in place, to w / p or to zero.
    keys : (uint64, uint64)
        Of the private numbers, and of whose turn it is.
    share : float
        The share of synapses, drawn at random, whose turn it is.
    link : (m,) array
        Each synapse's link in the original network.
    time : float, s
        Now.
    pruned_at : (n_links,) array
        Overwritten by the time where a link is pruned.
    """
    for c in prange(rows.size - 1):
        indptr, indices, weight = synapses
        for i in range(rows[c], rows[c + 1]):
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                if weight[e] == 0 or (share < 1 and private_number(keys[1], symmetric, i, j) >= share):
                    continue
                p = min(1.0, K * _importance(form, weight[e], trace[e], variance[i], variance[j]))
                if private_number(keys[0], symmetric, i, j) < p:
                    weight[e] /= p
                else:
                    weight[e] = 0.0
                    if not symmetric or i > j:  # one thread writes
                        pruned_at[link[e]] = time


@compiled()
def tune(
    weight: NDArray[np.float64], trace: NDArray[np.float64], remembered: NDArray[np.float64], power: float
) -> None:
    """Multiply each weight by (v / v_remembered)^power: towards the difference variance that the synapse once saw.

    Parameters
    ----------
    weight : (m,) array
        Changed in place.
    trace : (m,) array
        v, what each synapse sees now.
    remembered : (m,) array
        v_remembered, what it once saw.
    power : float
        How far it goes at once.
    """
    for e in prange(weight.size):
        if trace[e] > 0 and remembered[e] > 0:
            weight[e] *= (trace[e] / remembered[e]) ** power


@compiled()
def total_input(synapses: tuple[Any, Any, Any], rows: NDArray[Any], total: NDArray[np.float64]) -> None:
    """Write sum_j |W_ij| of each neuron.

    Parameters
    ----------
    synapses : (indptr, indices, weight)
        CSR matrix of W, rows post.
    rows : (CHUNKS + 1,) array
        From `linalg.kernels.chunks`.
    total : (n,) array
        Overwritten.
    """
    for c in prange(rows.size - 1):
        indptr, _, weight = synapses
        for i in range(rows[c], rows[c + 1]):
            total[i] = 0.0
            for e in range(indptr[i], indptr[i + 1]):
                total[i] += abs(weight[e])
