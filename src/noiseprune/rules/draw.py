"""Which links stay: one decision each, independent or of fixed total."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


def independent(p: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Keep link k where its number, uniform on [0, 1), lies below p_k: the paper's draw.

    Parameters
    ----------
    p : (n_links,) array
        Keep probabilities.
    rng : Generator
        For one number a link.
    """
    return rng.random(p.size) < p


def fixed(p: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Keep sum(p) links, rounded up or down, link k with probability p_k: systematic sampling in random order.

    The probabilities are laid end to end in random order, and a ruler with marks a unit apart and a random start is
    laid beside them: a link with a mark on it stays. Compared with independent draws the total does not vary.

    Parameters
    ----------
    p : (n_links,) array
        Keep probabilities; where their sum is a whole number, exactly so many stay.
    rng : Generator
        For the order and the start.

    References
    ----------
    W. G. Madow, "On the theory of systematic sampling, II", Ann. Math. Statist. 20 (1949) 333-354.
    """
    keep = p == 1
    drawn = rng.permutation(np.flatnonzero((p > 0) & ~keep))
    edges = np.cumsum(p[drawn])
    total = float(edges[-1]) if drawn.size else 0.0
    start = rng.random()
    whole = round(total)
    count = whole if abs(total - whole) <= 1e-9 * (whole + 1) else int(np.ceil(total - start))
    marks = np.searchsorted(edges, start + np.arange(count), side="right")
    # With p a rounding below 1, two marks can meet on one link, or the last can fall off the end: move them apart.
    step = np.arange(count)
    marks = np.maximum.accumulate(marks - step) + step
    marks = np.minimum(marks, drawn.size - count + step)
    keep[drawn[marks]] = True
    return keep


class Draw(NamedTuple):
    """A way to decide which links stay.

    Attributes
    ----------
    function : callable
        From keep probabilities, (n_links,), and a Generator to which links stay, (n_links,) of bool.
    whole : bool
        Whether the budget is rounded to whole links.
    gaps : tuple of str
        What keeps the paper's theorem from covering it.
    """

    function: Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.bool_]]
    whole: bool = False
    gaps: tuple[str, ...] = ()


# the one table of draws
DRAWS: dict[str, Draw] = {
    "independent": Draw(independent),
    "fixed": Draw(fixed, whole=True, gaps=("the draw is not independent",)),
}
