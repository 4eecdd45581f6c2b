"""The weights of the synapses that stay."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Strengthen = Literal["reciprocal"]
STRENGTHENS: tuple[Strengthen, ...] = ("reciprocal",)


def reciprocal(weight: NDArray[np.floating[Any]], p: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
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
