"""What every strengthening returns, the paper's own, and what they share."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.network import Network
from noiseprune.rules import leak as balancing

Strengthen = Literal["reciprocal", "matched", "regressed"]
STRENGTHENS: tuple[Strengthen, ...] = ("reciprocal", "matched", "regressed")

Floats = NDArray[np.float64]


class Strengthened(NamedTuple):
    """New links and leak (n_neurons,); which of the links given still stay, (n_kept,); what the method says of itself."""

    links: sp.csr_array
    leak: Floats
    stays: NDArray[np.bool_]
    report: dict[str, Any]


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


def as_drawn(network: Network, start: sp.csr_array, leak: balancing.Leak) -> Strengthened:
    """Take links as they are and balance the leak."""
    new_leak = balancing.matched(network, start) if leak == "matched" else network.leak
    return Strengthened(start, new_leak, np.ones(start.nnz, dtype=np.bool_), {})


def reweighted(links: sp.csr_array, data: NDArray[Any]) -> sp.csr_array:
    """Return the same links with other weights, in the precision of the links."""
    return sp.csr_array((data.astype(links.dtype), links.indices, links.indptr), shape=links.shape)
