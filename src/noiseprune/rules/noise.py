"""The noise rule of Moore and Chaudhuri."""

from __future__ import annotations

from dataclasses import dataclass

from noiseprune.network import Network
from noiseprune.rules.base import LocalForm, Rule


@dataclass(frozen=True)
class Noise(Rule):
    """r = |W| v, v the variance of the difference of the synapse's two neurons under noise.

    Two neurons that noise moves together (small v) talk through many paths already, and the synapse between them is
    redundant; a strong synapse between neurons that noise moves apart has no substitute. In a symmetric network with
    equal noise sigma, r is sigma^2 / 2 times the leverage of the pair.

    References
    ----------
    E. Moore and R. Chaudhuri, "Using noise to probe recurrent neural network structure and prune synapses",
    NeurIPS 2020, section 2.
    """

    name = "noise"
    local = LocalForm(weighted=True, difference=1.0)

    def gaps(self, network: Network) -> list[str]:  # noqa: ARG002
        """Return an empty list: the theorem is about this rule."""
        return []
