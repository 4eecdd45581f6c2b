"""The weights that stay: 1/p, ridge least squares on second moments, and the exact prices of doing without a weight.

A row w of a block reads x with second moments M. Without some inputs it does best with the weights w' that minimise
(w - w')^T H (w - w'), H = M + ridge I: the ridge stands for errors that each input has on its own.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from noiseprune.rule.strengthen import reciprocal as reciprocal_weights
from noiseprune.torch.blocks import Bools, Floats

DOWN_TO = 0.25  # of the density: where rows stop, low enough that a block's share-out among rows seldom reaches it
# Each stage takes this share of a row's inputs; halving it changes no error on the shared networks by more than noise.
STAGE = 0.1


def reciprocal(weights: Floats, kept: Bools, p: Floats, cap: float | None = None) -> Floats:
    """W / p where kept; with `cap`, factors 1/p above this quantile of theirs are cut down to it."""
    factor = reciprocal_weights(np.ones(int(kept.sum())), p[kept])
    if cap is not None and factor.size:
        factor = np.minimum(factor, np.quantile(factor, cap))
    fitted = np.zeros_like(weights)
    fitted[kept] = weights[kept] * factor
    return fitted


def regress(weights: Floats, kept: Bools, H: Floats) -> Floats:
    """Refit every row on what it keeps.

    Parameters
    ----------
    weights : (post, pre) array
        The original, without self-connections.
    kept : (post, pre) array of bool
        What stays.
    H : (pre, pre) array
        Second moments with their ridge.

    Returns
    -------
    (post, pre) array
        w'_K = H_KK^-1 (H w)_K in each row, zero elsewhere.
    """
    aims = weights @ H
    fitted = np.zeros_like(weights)
    for row, keeps in enumerate(kept):
        (inside,) = np.nonzero(keeps)
        if inside.size:
            factor = scipy.linalg.cho_factor(
                H[np.ix_(inside, inside)], lower=True, overwrite_a=True, check_finite=False
            )
            fitted[row, inside] = scipy.linalg.cho_solve(factor, aims[row, inside], check_finite=False)
    return fitted


def prices(weights: Floats, offered: Bools, H: Floats, *, down_to: float, stage: float = STAGE) -> Floats:
    """Price of every weight: the error of doing without it, the rest refitted, in the order in which they go.

    The optimal brain surgeon, exact: of the inputs that a row still has, those go whose loss costs least,
    w_j^2 / (H^-1)_jj, a stage of them at a time, and the others are refitted at once.

    Parameters
    ----------
    weights : (post, pre) array
        The original, without self-connections.
    offered : (post, pre) array of bool
        What a row may read; the others are gone from the start.
    H : (pre, pre) array
        Second moments with their ridge.
    down_to : float
        Share of the inputs at which a row stops; what is left there gets the price of going next.
    stage : float
        Share of a row's inputs that go at a time; 0 takes them one by one.

    Returns
    -------
    (post, pre) array
        Never falling in the order in which a row's inputs go, so that rows can be compared: the dearest of a block, kept,
        are what all rows together would keep. Zero where nothing is offered.

    Notes
    -----
    About 2/3 n^3 operations a row, whatever the stages.

    References
    ----------
    B. Hassibi and D. G. Stork, NIPS 1992; E. Frantar and D. Alistarh, "Optimal brain compression", NeurIPS 2022.
    """
    found = np.zeros_like(weights)
    inverse: Floats = np.linalg.inv(H).astype(np.float64, copy=False)
    for row, allowed in enumerate(offered):
        inside, outside = np.flatnonzero(allowed), np.flatnonzero(~allowed)
        G = _without(inverse, inside, outside)[0]
        found[row, inside] = _row_prices(weights[row, inside], G, max(1, int(down_to * weights.shape[1])), stage)
    return found


def _row_prices(w: Floats, G: Floats, least: int, stage: float) -> Floats:
    """Prices of one row's inputs, (k,), from weights (k,) and the inverse G (k, k) of their second moments."""
    found = np.zeros(w.size)
    left = np.arange(w.size)
    floor = 0.0
    while left.size > least:
        many = min(max(1, int(stage * left.size)), left.size - least)
        ranked = np.argpartition(w**2 / G.diagonal(), many - 1)
        go, stay = ranked[:many], ranked[many:]
        rest, solved = _without(G, stay, go, w[go])
        floor = max(floor, float(w[go] @ solved) / many)
        found[left[go]] = floor
        w, G, left = w[stay] - G[np.ix_(stay, go)] @ solved, rest, left[stay]
    if left.size:
        found[left] = np.maximum(w**2 / G.diagonal(), floor * (1 + 1e-12))
    return found


def _without(G: Floats, stay: np.ndarray, go: np.ndarray, w: Floats | None = None) -> tuple[Floats, Floats]:
    """Take rows and columns out of a matrix whose inverse is G; return the new inverse, and G_go,go^-1 w."""
    across = G[np.ix_(go, stay)]
    right = np.column_stack([across, np.zeros(go.size) if w is None else w])
    solved = scipy.linalg.solve(G[np.ix_(go, go)], right, assume_a="pos", check_finite=False) if go.size else right
    return G[np.ix_(stay, stay)] - across.T @ solved[:, :-1], solved[:, -1]
