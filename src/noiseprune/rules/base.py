"""What a rule is: what it wants measured, what keeps the theorem away from it, and how much a synapse matters by it."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noiseprune.network import Network
from noiseprune.probes.base import Measurement, Quantity

Floats = NDArray[np.float64]


class LocalForm(NamedTuple):
    """An importance that a synapse can work out for itself, from its weight and the activity of its two neurons.

    r = |w|^weighted (difference v + variances (Var x_i + Var x_j) + constant).
    """

    weighted: bool
    difference: float = 0.0
    variances: float = 0.0
    constant: float = 0.0

    @property
    def needs(self) -> tuple[Quantity, ...]:
        """What must be measured for it."""
        v: tuple[Quantity, ...] = ("difference_variance",) if self.difference else ()
        return (*v, "variance") if self.variances else v

    def importance(self, weight: NDArray[Any], v: Any = None, variances: Any = None) -> Floats:
        """Return r, in the shape of the weights.

        Parameters
        ----------
        weight : array
            Signed weights.
        v : array, optional
            Difference variances, Var(x_i - s_ij x_j), where the form reads them.
        variances : array, optional
            Var x_i + Var x_j, where it reads them.
        """
        activity: Any = self.constant
        if self.difference:
            activity = activity + self.difference * v
        if self.variances:
            activity = activity + self.variances * variances
        size = np.abs(weight) if self.weighted else np.ones_like(weight)
        return np.asarray(size * activity, dtype=np.float64)


class Rule:
    """What makes a synapse important. A rule of your own is a subclass, or any object with the same attributes.

    Attributes
    ----------
    name : str
        What the rule is called in results.
    local : LocalForm or None
        Where a synapse can work out its importance for itself: how. Such a rule needs nothing more, and also works in
        `noiseprune.run` and in `noiseprune.torch.prune_`.
    ranks : bool
        Whether the most important synapses are kept for certain, with their own weights, and nothing is drawn.
    """

    name: ClassVar[str] = "a rule of your own"
    local: ClassVar[LocalForm | None] = None
    ranks: ClassVar[bool] = False

    @property
    def needs(self) -> tuple[Quantity, ...]:
        """What a probe must measure for it: "difference_variance", "variance", "second_moments"; empty for nothing."""
        return () if self.local is None else self.local.needs

    def gaps(self, network: Network) -> list[str]:  # noqa: ARG002 - what only some networks keep away is a rule's own
        """Say what keeps the paper's theorem from covering a prune by this rule; an empty list where it does."""
        return [f"the rule is {self.name}"]

    def importance(self, network: Network, measured: Measurement | None) -> Floats:
        """Return r of each link, zero or positive.

        Parameters
        ----------
        network : Network
            The original.
        measured : Measurement or None
            What the rule needs; None where it needs nothing.

        Returns
        -------
        (n_links,) array
            In the order of ``network.links``.
        """
        if self.local is None:
            raise NotImplementedError(f"the rule {self.name} has neither a local form nor an importance of its own")
        post, pre, weight = network.links
        v = None if measured is None else measured.per_link
        variance = None if measured is None else measured.neuron_variance
        return self.local.importance(weight, v, None if variance is None else variance[post] + variance[pre])
