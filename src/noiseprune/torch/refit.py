"""The weights that stay: 1/p, ridge least squares on second moments, and the exact prices of doing without a weight.

A row w of a block reads x with second moments M. Without some inputs it does best with the weights w' that minimise
(w - w')^T H (w - w'), H = M + ridge I: the ridge stands for errors that each input has on its own.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from noiseprune.machine.threads import row_by_row
from noiseprune.strengthenings import reciprocal as reciprocal_weights
from noiseprune.torch.blocks import Bools, Floats

DOWN_TO = 0.25  # of the density: where rows stop, low enough that a block's share-out among rows seldom reaches it
# Each stage takes this share of a row's inputs; halving it changes no error on the shared networks by more than noise.
STAGE = 0.1


def reciprocal(weights: Floats, kept: Bools, p: Floats, cap: float | None = None) -> Floats:
    """Return W / p where kept; with `cap`, factors 1/p above this quantile of theirs are cut down to it.

    Parameters
    ----------
    weights : (post, pre) array
        The original, without self-connections.
    kept : (post, pre) array of bool
        What stays.
    p : (post, pre) array
        Keep probabilities, above 0 where kept.
    cap : float, optional
        A quantile, between 0 and 1.

    Returns
    -------
    (post, pre) array
        Zero where not kept.
    """
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
    with row_by_row(len(H)):
        for row, keeps in enumerate(kept):
            (inside,) = np.nonzero(keeps)
            if inside.size:
                factor = scipy.linalg.cho_factor(
                    H[np.ix_(inside, inside)], lower=True, overwrite_a=True, check_finite=False
                )
                fitted[row, inside] = scipy.linalg.cho_solve(factor, aims[row, inside], check_finite=False)
    return fitted


def saliencies(weights: Floats, offered: Bools, H: Floats, *, down_to: float, stage: float = STAGE) -> Floats:
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
    B. Hassibi and D. G. Stork, "Second order derivatives for network pruning: optimal brain surgeon", NIPS 1992;
    E. Frantar and D. Alistarh, "Optimal brain compression", NeurIPS 2022.
    """
    found = np.zeros_like(weights)
    inverse: Floats = np.linalg.inv(H).astype(np.float64, copy=False)
    least = max(1, int(down_to * weights.shape[1]))
    with row_by_row(len(H)):
        for row, allowed in enumerate(offered):
            inside, outside = np.flatnonzero(allowed), np.flatnonzero(~allowed)
            G = inverse[np.ix_(inside, inside)]
            if outside.size:
                across = inverse[np.ix_(outside, inside)]
                G -= across.T @ np.linalg.solve(inverse[np.ix_(outside, outside)], across)
            found[row, inside] = _row_prices(weights[row, inside], G, least, stage)
    return found


def _row_prices(w: Floats, G: Floats, least: int, stage: float) -> Floats:
    """Prices of one row's inputs, (k,), from weights (k,) and the inverse G (k, k) of their second moments.

    Both are overwritten. What goes leaves rows of zeros in G; once half of G is gone it is packed.
    """
    found = np.zeros(w.size)
    place = np.arange(w.size)  # of what G still holds
    left = np.ones(w.size, dtype=np.bool_)
    n_left, floor = w.size, 0.0
    while n_left > least:
        if 2 * n_left < left.size:
            G, w, place, left = G[np.ix_(left, left)], w[left], place[left], left[left]
        many = min(max(1, int(stage * n_left)), n_left - least)
        price = np.full(w.size, np.inf)
        price[left] = w[left] ** 2 / G.diagonal()[left]
        go = np.argpartition(price, many - 1)[:many]
        # with G_go = L L^T and Y = L^-1 G[go]: G - Y^T Y is the inverse without them, w - Y^T L^-1 w[go] the weights
        factor = scipy.linalg.cholesky(G[np.ix_(go, go)], lower=True, check_finite=False)
        Y, _ = scipy.linalg.lapack.dtrtrs(factor, G[:, go].T, lower=1)
        loss, _ = scipy.linalg.lapack.dtrtrs(factor, w[go], lower=1)
        floor = max(floor, float(loss @ loss) / many)
        found[place[go]] = floor
        w = w - Y.T @ loss
        # in place: LAPACK's order sees the transpose, and the matrix is symmetric
        G = scipy.linalg.blas.dgemm(-1.0, Y, Y, beta=1.0, c=G.T, trans_a=1, overwrite_c=1).T
        left[go] = False
        n_left -= many
    if n_left:
        found[place[left]] = np.maximum(w[left] ** 2 / G.diagonal()[left], floor * (1 + 1e-12))
    return found
