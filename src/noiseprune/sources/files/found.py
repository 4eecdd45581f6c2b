"""What a reader found in a file, and how synapses become a matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import scipy.sparse as sp


@dataclass(frozen=True)
class Found:
    """Weights or an operator that a file held, without the rest of a network.

    Attributes
    ----------
    matrix : (n_neurons, n_neurons) array or SciPy sparse
        In (post, pre) order.
    labels : list of int or str, or None
        One name a neuron.
    counts : dict
        What was found, summed, dropped, completed.
    content : "weights" or None
        "weights" where the format says so; else the diagonal tells.
    leak : (n_neurons,) array or None
        Where the format has one beside the weights.
    """

    matrix: Any
    labels: list[int | str] | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    content: Literal["weights"] | None = None
    leak: Any = None


def sum_synapses(post: Any, pre: Any, weight: Any, n: int) -> sp.csr_array:
    """Sum synapses into a canonical CSR array.

    Parameters
    ----------
    post, pre : (n,) int arrays
        Numbers of neurons.
    weight : (n,) array
        One a synapse.
    n : int
        Neurons.

    Returns
    -------
    (n, n) csr_array
        (post, pre), sorted, without duplicates.

    Notes
    -----
    Two transpositions sort the columns of every row in linear time, where SciPy's own way compares.
    """
    by_pre = sp.coo_array((weight, (pre, post)), shape=(n, n))
    by_pre.has_canonical_format = True  # keeps SciPy from sorting and summing here; it is done once, below
    csr = by_pre.tocsr().T.tocsr()
    csr.has_canonical_format, csr.has_sorted_indices = False, True
    csr.sum_duplicates()
    return csr


def with_points(column: Any) -> Any:
    """Write 0,5 as 0.5; null where there is a dot, which beside decimal commas separates thousands."""
    import polars as pl

    return pl.when(~column.str.contains(".", literal=True)).then(column.str.replace(",", ".", literal=True))
