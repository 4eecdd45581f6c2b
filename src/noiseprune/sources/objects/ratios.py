"""How each connection changed, looked up by its two neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.network import Network


def ratios(before: Network, after: Network, pre: Any, post: Any) -> NDArray[np.float64]:
    """Return W'/W of connections, one a pair of neurons; 0 where it was pruned or never was.

    Parameters
    ----------
    before, after : Network
        The original and the pruned network.
    pre, post : (m,) array of int
        Neurons by number.

    Returns
    -------
    (m,) array
        By how much each connection was strengthened.
    """
    old, new = (_at(net.weights, np.asarray(post), np.asarray(pre)) for net in (before, after))
    return np.divide(new, old, out=np.zeros(old.size), where=old != 0)


def _at(weights: sp.csr_array, post: NDArray[Any], pre: NDArray[Any]) -> NDArray[np.float64]:
    found = weights[post, pre]  # a sparse array or a dense one, as SciPy's version has it
    return np.asarray(found.todense() if sp.issparse(found) else found, dtype=np.float64).ravel()
