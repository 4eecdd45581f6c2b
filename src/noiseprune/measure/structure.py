"""What pruning did to the wiring: components, neurons cut off, signs, strengthening."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.measure.reasons import OF_SYMMETRIC, Floats, Reasons, number
from noiseprune.network import Network
from noiseprune.network.structure import components, has_input_and_output, newly_disconnected
from noiseprune.rules import leak


def reference_at_degree(after: Network, symmetric: bool, reasons: Reasons) -> list[float] | None:
    """Return the Ramanujan reference of a symmetric network; None elsewhere, for a reason.

    Parameters
    ----------
    after : Network
        Whose mean degree counts.
    symmetric : bool
        Whether both networks are symmetric.
    reasons : Reasons
        Told why there is none.

    Returns
    -------
    [float, float] or None
        As of `ramanujan_reference`.
    """
    found = ramanujan_reference(after)
    if not symmetric:
        reasons.skip("ramanujan_reference", OF_SYMMETRIC)
    elif found is None:
        reasons.skip("ramanujan_reference", "the mean degree after is below one")
    return found if symmetric else None


def ramanujan_reference(network: Network) -> list[float] | None:
    """Return 1 -+ 2 sqrt(d - 1) / d at the mean degree d of a symmetric network; None below a degree of one.

    References
    ----------
    J. Batson, D. A. Spielman and N. Srivastava, "Twice-Ramanujan sparsifiers", SIAM J. Comput. 41 (2012) 1704-1721.
    """
    degree = network.n_synapses / network.n_neurons
    if degree < 1:
        return None
    width = 2 * float(np.sqrt(degree - 1)) / degree
    return [1 - width, 1 + width]


def structure_of(before: Network, after: Network, reasons: Reasons) -> dict[str, Any]:
    """Count components, neurons cut off, signs and strengthening.

    Parameters
    ----------
    before, after : Network
        The original, and the network that is compared with it.
    reasons : Reasons
        Told why a measure is missing.

    Returns
    -------
    dict
        The measures by their names in `Comparison`.
    """
    alike = before.symmetric == after.symmetric
    old = before.link_matrix if alike else before.weights
    new = after.link_matrix if alike else after.weights
    weight, changed = _in_both(old, new)
    if not weight.size:
        reasons.skip("largest_strengthening", "no synapse is in both networks")
    with np.errstate(over="ignore"):
        ratio = np.abs(changed) / np.abs(weight)
    has_input, has_output = has_input_and_output(after)
    per_entry = before.synapses_per_link if alike else 1
    return {
        "components_before": components(before),
        "components_after": components(after),
        "newly_disconnected": int(np.count_nonzero(newly_disconnected(before, after))),
        "without_input": int(np.count_nonzero(~has_input)),
        "without_output": int(np.count_nonzero(~has_output)),
        "sign_flips": int(np.count_nonzero(np.sign(changed) != np.sign(weight))) * per_entry,
        "floored_leaks": leak.n_floored(before, after),
        "largest_strengthening": number(ratio.max()) if ratio.size else None,
    }


def _in_both(old: sp.csr_array, new: sp.csr_array) -> tuple[Floats, Floats]:
    """Return the weights of the entries that both matrices have, in the one and in the other."""

    def filled(matrix: sp.csr_array, data: NDArray[Any]) -> sp.csr_array:
        return sp.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)

    def there(matrix: sp.csr_array, other: sp.csr_array) -> Floats:
        numbers = filled(matrix, np.arange(1, matrix.nnz + 1)).multiply(filled(other, np.ones(other.nnz, np.int8)))
        return matrix.data[numbers.tocsr().data - 1].astype(np.float64)

    return there(old, new), there(new, old)
