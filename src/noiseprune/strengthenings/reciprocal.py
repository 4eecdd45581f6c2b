"""The paper's strengthening: W / p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import InvalidOption
from noiseprune.network import Network
from noiseprune.strengthenings.base import Draft, Floats, Strengthened, Strengthening, as_drawn, reweighted


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


@dataclass(frozen=True)
class Reciprocal(Strengthening):
    """W / p, so that E[W'] = W: unbiased, and noisy. Reads a synapse's own weight and keep probability.

    Parameters
    ----------
    cap : float, optional
        The largest factor 1/p; larger ones are cut down to it. Less noise for a bias: capped synapses are too weak on
        average.

    References
    ----------
    Moore and Chaudhuri, NeurIPS 2020, section 2.
    """

    cap: float | None = None

    name = "reciprocal"

    def __post_init__(self) -> None:
        if self.cap is not None and not self.cap >= 1:
            raise InvalidOption(f"cap is the largest factor 1/p, 1 or more; got {self.cap!r}")

    @property
    def unbiased(self) -> bool:
        """Whether nothing is capped."""
        return self.cap is None

    def gaps(self, network: Network) -> list[str]:  # noqa: ARG002
        """Return an empty list, since the theorem is about 1/p; or that factors are capped."""
        return [] if self.cap is None else [f"factors 1/p are capped at {self.cap:g}"]

    def apply(self, draft: Draft, rng: np.random.Generator) -> Strengthened:  # noqa: ARG002
        """Return the links as they were drawn, and the leak."""
        start = draft.start
        if self.cap is not None:
            before = draft.network.links.weight[draft.kept]
            start = reweighted(start, np.sign(before) * np.minimum(np.abs(start.data), self.cap * np.abs(before)))
        return as_drawn(draft.network, start, draft.leak)
