"""The compiled loops of linear algebra: products of a sparse matrix with a block of vectors, and sums over its rows.

Every loop obeys three rules, so that the same input gives the same bits with any number of threads: a row is owned by
one thread; sums over rows are made chunk by chunk, over a fixed number of chunks, in float64, and the chunks are added
in order; nothing is reassociated (no fast-math). Blocks are (n, k) arrays in C order, so that what one synapse reads
of a neuron lies in one or two cache lines.

Everything is compiled on first use and cached; a folder that cannot be written to costs the cache, not the run.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from noiseprune.machine import processes
from noiseprune.machine.threads import limit_kernels

limit_kernels()  # which starts numba's threads

CHUNKS = 256  # pieces that the rows are cut into, whatever the number of threads

# Two threads that call parallel loops at once are more than numba's own pool, the default on macOS, can bear: it aborts.
_TURNS = threading.Lock() if numba.threading_layer() == "workqueue" else contextlib.nullcontext()  # type: ignore[attr-defined]


def compiled(*, parallel: bool = True, inline: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function on first use, with a cache where there is a place for one."""

    def compile_it(function: Any) -> Callable[..., Any]:
        return _parallel(function) if parallel else _jitted(function, inline="always" if inline else "never")

    return compile_it


def _jitted(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    jit: Any = functools.partial(njit, error_model="numpy", **options)
    try:
        return jit(cache=True)(function)
    except RuntimeError:  # numba found no folder to write to
        return jit()(function)


def _parallel(function: FunctionType) -> Callable[..., None]:
    """Compile a loop for numba's threads, and for one where they are gone: in a process forked from one that had them."""
    threaded = _jitted(function, parallel=True)
    alone = FunctionType(function.__code__, function.__globals__, function.__name__)
    alone.__qualname__ = f"{function.__qualname__}_alone"  # numba's cache goes by this name, and not by options
    serial = _jitted(alone)

    @functools.wraps(function)
    def called(*given: Any) -> Any:
        if "numba" in processes.left_behind:
            return serial(*given)
        with _TURNS:
            return threaded(*given)

    return called


def chunks(*indptrs: NDArray[Any]) -> NDArray[np.int64]:
    """Cut rows into `CHUNKS` pieces of about equal work, (CHUNKS + 1,) row numbers, from one or two CSR row pointers."""
    work = sum((indptr.astype(np.int64) for indptr in indptrs), np.arange(indptrs[0].size))
    return np.searchsorted(work, np.linspace(0, work[-1], CHUNKS + 1)).astype(np.int64)


# --- products ---------------------------------------------------------------------------------------------------------


@compiled()
def laplacian_product(
    lower: tuple[Any, Any, Any],
    upper: tuple[Any, Any, Any],
    excess: NDArray[Any],
    rows: NDArray[Any],
    x: NDArray[Any],
    y: NDArray[Any],
    dots: NDArray[Any],
) -> None:
    """Write y = -A x in difference form, y_i = excess_i x_i + sum_j |w_ij| (x_i - s_ij x_j), and x . y of each column.

    Parameters
    ----------
    lower, upper : (indptr, indices, weights)
        Each pair below the diagonal, and again above it: two CSR matrices.
    excess : (n,) array
        D_i - sum_j |w_ij|, 1/s.
    rows : (CHUNKS + 1,) array
        From `chunks`.
    x : (n, k) array
        What is multiplied.
    y : (n, k) array
        Overwritten.
    dots : (CHUNKS, k) float64 array
        Overwritten by the sums of each chunk.
    """
    k = x.shape[1]
    for c in prange(rows.size - 1):
        total = np.zeros(k, x.dtype)
        own = np.zeros(k, x.dtype)
        dot = np.zeros(k, np.float64)
        for i in range(rows[c], rows[c + 1]):
            for v in range(k):
                own[v] = x[i, v]
                total[v] = excess[i] * own[v]
            for indptr, indices, weights in (lower, upper):
                e, end = indptr[i], indptr[i + 1]
                while e + 4 <= end:  # four at a time: the sum is then loaded and stored once for the four of them
                    j0, j1, j2, j3 = indices[e], indices[e + 1], indices[e + 2], indices[e + 3]
                    w0, w1, w2, w3 = weights[e], weights[e + 1], weights[e + 2], weights[e + 3]
                    s0, s1, s2, s3 = np.sign(w0), np.sign(w1), np.sign(w2), np.sign(w3)
                    for v in range(k):
                        first = abs(w0) * (own[v] - s0 * x[j0, v]) + abs(w1) * (own[v] - s1 * x[j1, v])
                        total[v] += first + (abs(w2) * (own[v] - s2 * x[j2, v]) + abs(w3) * (own[v] - s3 * x[j3, v]))
                    e += 4
                while e < end:
                    sign = np.sign(weights[e])
                    for v in range(k):
                        total[v] += abs(weights[e]) * (own[v] - sign * x[indices[e], v])
                    e += 1
            for v in range(k):
                y[i, v] = total[v]
                dot[v] += np.float64(own[v]) * np.float64(total[v])
        dots[c] = dot


@compiled()
def matrix_product(
    matrix: tuple[Any, Any, Any],
    diagonal: NDArray[Any],
    factor: float,
    rows: NDArray[Any],
    x: NDArray[Any],
    y: NDArray[Any],
) -> None:
    """Write y = diagonal x + factor M x, for any CSR matrix M and a factor of 1 or -1.

    Parameters
    ----------
    matrix : (indptr, indices, weights)
        M, n x m.
    diagonal : (n,) array
        Empty where there is none.
    factor : float
        1 or -1.
    rows : (CHUNKS + 1,) array
        From `chunks`.
    x : (m, k) array
        What is multiplied.
    y : (n, k) array
        Overwritten.
    """
    k = x.shape[1]
    for c in prange(rows.size - 1):
        indptr, indices, weights = matrix
        total = np.zeros(k, x.dtype)
        for i in range(rows[c], rows[c + 1]):
            for v in range(k):
                total[v] = 0
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                weight = weights[e]
                for v in range(k):
                    total[v] += weight * x[j, v]
            if diagonal.size:
                for v in range(k):
                    y[i, v] = diagonal[i] * x[i, v] + x.dtype.type(factor) * total[v]
            else:
                for v in range(k):
                    y[i, v] = x.dtype.type(factor) * total[v]


# --- blocks of vectors ------------------------------------------------------------------------------------------------


@compiled()
def column_dots(rows: NDArray[Any], x: NDArray[Any], y: NDArray[Any], dots: NDArray[Any]) -> None:
    """Sum x y over the rows of each chunk, column by column.

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `chunks`.
    x, y : (n, k) array
        Blocks of vectors.
    dots : (CHUNKS, k) float64 array
        Overwritten.
    """
    for c in prange(rows.size - 1):
        dot = np.zeros(x.shape[1], np.float64)
        for i in range(rows[c], rows[c + 1]):
            for v in range(x.shape[1]):
                dot[v] += np.float64(x[i, v]) * np.float64(y[i, v])
        dots[c] = dot


@compiled()
def scale_rows(rows: NDArray[Any], scale: NDArray[Any], x: NDArray[Any], y: NDArray[Any], dots: NDArray[Any]) -> None:
    """Write y_i = scale_i x_i, and x . y over the rows of each chunk, column by column.

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `chunks`.
    scale : (n,) array
        One factor a row.
    x : (n, k) array
        A block of vectors.
    y : (n, k) array
        Overwritten.
    dots : (CHUNKS, k) float64 array
        Overwritten.
    """
    for c in prange(rows.size - 1):
        dot = np.zeros(x.shape[1], np.float64)
        for i in range(rows[c], rows[c + 1]):
            for v in range(x.shape[1]):
                y[i, v] = scale[i] * x[i, v]
                dot[v] += np.float64(x[i, v]) * np.float64(y[i, v])
        dots[c] = dot


@compiled()
def add_columns(rows: NDArray[Any], factor: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> None:
    """Add factor_v x_v to y_v for every column v.

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `chunks`.
    factor : (k,) array
        One number a column.
    x : (n, k) array
        What is added.
    y : (n, k) array
        Changed in place.
    """
    for c in prange(rows.size - 1):
        for i in range(rows[c], rows[c + 1]):
            for v in range(x.shape[1]):
                y[i, v] += factor[v] * x[i, v]


@compiled()
def grow_columns(rows: NDArray[Any], factor: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> None:
    """Replace y_v by x_v + factor_v y_v for every column v.

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `chunks`.
    factor : (k,) array
        One number a column.
    x : (n, k) array
        What is added.
    y : (n, k) array
        Changed in place.
    """
    for c in prange(rows.size - 1):
        for i in range(rows[c], rows[c + 1]):
            for v in range(x.shape[1]):
                y[i, v] = x[i, v] + factor[v] * y[i, v]


@compiled()
def gram(rows: NDArray[Any], x: NDArray[Any], y: NDArray[Any], dots: NDArray[Any]) -> None:
    """Sum x^T y over the rows of each chunk, every column of x with every column of y.

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `chunks`.
    x, y : (n, k) array, (n, l) array
        Blocks of vectors.
    dots : (CHUNKS, k, l) float64 array
        Overwritten.
    """
    for c in prange(rows.size - 1):
        dot = np.zeros((x.shape[1], y.shape[1]), np.float64)
        for i in range(rows[c], rows[c + 1]):
            for u in range(x.shape[1]):
                factor = np.float64(x[i, u])
                for v in range(y.shape[1]):
                    dot[u, v] += factor * np.float64(y[i, v])
        dots[c] = dot


@compiled()
def add_combination(rows: NDArray[Any], x: NDArray[Any], factors: NDArray[Any], y: NDArray[Any]) -> None:
    """Add the product of x and factors to y, with one column of factors for each column of y.

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `chunks`.
    x : (n, k) array
        A block of vectors.
    factors : (k, l) array
        What the columns of x are multiplied by.
    y : (n, l) array
        Changed in place.
    """
    for c in prange(rows.size - 1):
        for i in range(rows[c], rows[c + 1]):
            for u in range(x.shape[1]):
                for v in range(y.shape[1]):
                    y[i, v] += x[i, u] * factors[u, v]


@compiled()
def add_selected(
    rows: NDArray[Any], x: NDArray[Any], source: NDArray[Any], factor: NDArray[Any], y: NDArray[Any]
) -> None:
    """Add factor_v x_source(v) to y_v for every column v.

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `chunks`.
    x : (n, l) array
        What is chosen from.
    source : (k,) array of int
        The column of x for each column of y.
    factor : (k,) array
        What it is multiplied by.
    y : (n, k) array
        Changed in place.
    """
    for c in prange(rows.size - 1):
        for i in range(rows[c], rows[c + 1]):
            for v in range(y.shape[1]):
                y[i, v] += factor[v] * x[i, source[v]]


# --- synapses ---------------------------------------------------------------------------------------------------------


@compiled()
def add_difference_squares(
    links: tuple[Any, Any, Any], rows: NDArray[Any], x: NDArray[Any], total: NDArray[Any]
) -> None:
    """Add sum_v (x_iv - s_e x_jv)^2 to total_e, at every link e from j to i.

    Parameters
    ----------
    links : (indptr, indices, weights)
        CSR matrix, rows post; of the weights only the signs s_e count.
    rows : (CHUNKS + 1,) array
        From `chunks`.
    x : (n, k) array
        States, one a column.
    total : (m,) array
        Changed in place.
    """
    k = x.shape[1]
    quarter = k // 4
    for c in prange(rows.size - 1):
        indptr, indices, weights = links
        own = np.zeros(k, x.dtype)
        part = np.zeros(quarter, x.dtype)
        for i in range(rows[c], rows[c + 1]):
            for v in range(k):
                own[v] = x[i, v]
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                sign = np.sign(weights[e])
                # four squares a step: a sum in one chain would wait for each addition
                for v in range(quarter):
                    d0, d1 = own[v] - sign * x[j, v], own[v + quarter] - sign * x[j, v + quarter]
                    u = v + 2 * quarter
                    d2, d3 = own[u] - sign * x[j, u], own[u + quarter] - sign * x[j, u + quarter]
                    part[v] = (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
                square = x.dtype.type(0)
                for v in range(quarter):
                    square += part[v]
                for v in range(4 * quarter, k):
                    square += (own[v] - sign * x[j, v]) ** 2
                total[e] += square


@compiled()
def add_seen_difference_squares(
    links: tuple[Any, Any, Any], rows: NDArray[Any], x: NDArray[Any], total: NDArray[Any], count: NDArray[Any]
) -> None:
    """Add like `add_difference_squares`, over columns in which neither is NaN, and count these columns.

    Parameters
    ----------
    links, rows, x, total
        As in `add_difference_squares`; x may hold NaN.
    count : (m,) array
        Changed in place.
    """
    for c in prange(rows.size - 1):
        indptr, indices, weights = links
        for i in range(rows[c], rows[c + 1]):
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                sign = np.sign(weights[e])
                square, seen = 0.0, 0
                for v in range(x.shape[1]):
                    difference = x[i, v] - sign * x[j, v]
                    if not np.isnan(difference):
                        square += difference * difference
                        seen += 1
                total[e] += square
                count[e] += seen


@compiled(parallel=False, inline=True)
def hashed(key: Any, first: Any, second: Any) -> Any:
    """Return 64 random bits for a key and two numbers below 2^32, by the finaliser of SplitMix64.

    Parameters
    ----------
    key : uint64
        Another key gives other bits.
    first, second : int
        What is hashed.

    References
    ----------
    G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    h = key ^ ((np.uint64(first) << np.uint64(32)) | np.uint64(second))
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@compiled()
def random_sources(
    lower: tuple[Any, Any, Any],
    upper: tuple[Any, Any, Any],
    excess: NDArray[Any],
    rows: NDArray[Any],
    key: Any,
    shift: int,
    b: NDArray[Any],
) -> None:
    """Write B g = sum_e sqrt(|w_e|) g_e (e_i - s_e e_j) + sum_i sqrt(excess_i) g_i e_i, with random signs g.

    The signs of vector v are bit ``shift + v`` of a hash of the key and the pair, so that both ends of a pair know them
    without anything being stored. At most 32 columns, and ``shift`` plus their number at most 64.

    Parameters
    ----------
    lower, upper, excess, rows
        As in `laplacian_product`.
    key : uint64
        Of the hash.
    shift : int
        The bit of the first vector.
    b : (n, k) array
        Overwritten.

    References
    ----------
    D. A. Spielman and N. Srivastava, "Graph sparsification by effective resistances", SIAM J. Comput. 40 (2011),
    section 4.
    """
    k = b.shape[1]
    for c in prange(rows.size - 1):
        total = np.zeros(k, b.dtype)
        for i in range(rows[c], rows[c + 1]):
            bits = np.uint32(hashed(key, i, i) >> np.uint64(shift))
            root = np.sqrt(excess[i])
            for v in range(k):
                total[v] = root - 2 * root * b.dtype.type((bits >> np.uint32(v)) & np.uint32(1))
            indptr, indices, weights = lower
            for e in range(indptr[i], indptr[i + 1]):
                bits = np.uint32(hashed(key, i, indices[e]) >> np.uint64(shift))
                root = np.sqrt(abs(weights[e]))
                for v in range(k):
                    total[v] += root - 2 * root * b.dtype.type((bits >> np.uint32(v)) & np.uint32(1))
            indptr, indices, weights = upper
            for e in range(indptr[i], indptr[i + 1]):
                bits = np.uint32(hashed(key, indices[e], i) >> np.uint64(shift))
                root = -np.sign(weights[e]) * np.sqrt(abs(weights[e]))
                for v in range(k):
                    total[v] += root - 2 * root * b.dtype.type((bits >> np.uint32(v)) & np.uint32(1))
            for v in range(k):
                b[i, v] = total[v]


@compiled(parallel=False)
def signed_components(
    links: tuple[Any, Any, Any], component: NDArray[Any], side: NDArray[Any], frustrated: NDArray[Any]
) -> None:
    """Join neurons by their links and split each component into two sides that positive links do not cross.

    Parameters
    ----------
    links : (indptr, indices, weights)
        CSR matrix, each pair once; of the weights only the signs count.
    component : (n,) int64 array
        Overwritten: the number of one neuron of the component.
    side : (n,) int8 array
        Overwritten by 1 and -1.
    frustrated : (n,) bool array
        Overwritten: at that neuron's place, whether the component has a link that no choice of sides satisfies.

    References
    ----------
    F. Harary, "On the notion of balance of a signed graph", Michigan Math. J. 2 (1953) 143-146; R. E. Tarjan and J. van
    Leeuwen, "Worst-case analysis of set union algorithms", J. ACM 31 (1984) 245-281.
    """
    n = component.size
    for i in range(n):
        component[i], side[i], frustrated[i] = i, 1, False
    indptr, indices, weights = links
    for i in range(n):
        for e in range(indptr[i], indptr[i + 1]):
            first, s_first = _root(component, side, i)
            second, s_second = _root(component, side, indices[e])
            product = s_first * s_second * (1 if weights[e] > 0 else -1)
            if first == second:
                if product < 0:
                    frustrated[first] = True
            else:
                low, high = min(first, second), max(first, second)
                component[high], side[high] = low, product
                frustrated[low] = frustrated[low] or frustrated[high]
    for i in range(n):
        root, s = _root(component, side, i)
        component[i], side[i] = root, s


@compiled(parallel=False)
def _root(component: NDArray[Any], side: NDArray[Any], i: Any) -> Any:
    """Return the root above neuron i and i's side relative to it, and shorten the path by half on the way."""
    s = 1
    while component[i] != i:
        above = component[i]
        if component[above] != above:
            side[i] *= side[above]
            component[i] = component[above]
        s *= side[i]
        i = component[i]
    return i, s
