"""prune(): measure, weigh, decide, strengthen, balance the leak - and state what was preserved."""

from __future__ import annotations

import logging
import os
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.errors import InvalidOption, NoisePruneWarning
from noiseprune.machine.display import Displayed
from noiseprune.machine.randomness import Rng, streams
from noiseprune.machine.threads import limit_threads
from noiseprune.measure import compare as comparing
from noiseprune.measure.pair import Pair
from noiseprune.measure.result import Comparison
from noiseprune.network import Network
from noiseprune.network.structure import components, connectivity_density
from noiseprune.probes import Measurement, Probe, measure
from noiseprune.pruning.options import PruneOptions
from noiseprune.pruning.plan import Plan, make_plan
from noiseprune.pruning.provenance import provenance
from noiseprune.pruning.saving import save
from noiseprune.rules import Rule
from noiseprune.rules import leak as balancing
from noiseprune.rules.budget import Budget, KeepProbability, keep_probability, spanning_forest
from noiseprune.sources.objects import Given, Kind, MatrixKind, read_given
from noiseprune.sources.reading import BaseLeak, Content
from noiseprune.strengthenings import Draft, Strengthening, reciprocal

logger = logging.getLogger("noiseprune")


def prune(
    network: Given,
    *,
    density: float | None = None,
    synapses: int | None = None,
    epsilon: float | None = None,
    K: float | None = None,
    probe: str | Probe = "auto",
    rule: str | Rule = "noise",
    strengthen: str | Strengthening = "auto",
    leak: str = "auto",
    draw: str = "independent",
    keep_connected: bool = False,
    compare: bool = True,
    beyond_theorem: bool = False,
    content: Content | None = None,
    base_leak: BaseLeak | None = None,
    threads: int | None = None,
    rng: Rng = 0,
) -> Pruned:
    """Prune a network by the noise rule and measure what was preserved.

    A synapse of weight W_ij whose neurons differ by v_ij = Var(x_i - s_ij x_j) under noise is kept with probability
    p_ij = min(1, K |W_ij| v_ij) and then has the weight W_ij / p_ij.

    Parameters
    ----------
    network : Network; (n_neurons, n_neurons) array_like or SciPy sparse; graph; or frame
        A matrix is read as A = W - diag(leak) in (post, pre) order; graphs of NetworkX, igraph and PyGSP and edge lists in
        frames of pandas and polars hold weights, see `noiseprune.sources.objects`. ``in_kind`` of the result is the same kind.
    density, synapses, epsilon, K
        How much to keep, exactly one of: the kept share; a number of synapses; the theorem's error (where the theorem
        holds); the rule's constant.
    probe : str or Probe
        How v is measured: "auto", "exact", or a probe of `noiseprune.probes`.
    rule : "noise", "weight", "uniform" or "magnitude"
        What makes a synapse important: |W| v, or for comparison |W|, nothing, or the rank of |W| without a draw.
    strengthen : "auto", "reciprocal", "matched" or "regressed"
        The weights of the synapses that stay: W / p; tuned from there until every synapse sees the difference variance
        that it saw before (symmetric, dominant networks); or refitted by every neuron to the second moments of its
        inputs, which is stable or an error (any network). "auto" is reciprocal where the paper's theorem is at home,
        in symmetric, diagonally dominant networks with equal noise, and regressed elsewhere.
    leak : "auto", "matched", "original" or "free"
        "matched" keeps each neuron's leak minus its total input as it was; "free" fits it with the weights (matched and
        regressed). "auto" is original where the weights are regressed or not every neuron is diagonally dominant.
    draw : "independent" or "fixed"
        "fixed" keeps exactly the number asked for.
    keep_connected : bool
        Keep a spanning forest of the most important synapses for certain, inside the same budget.
    compare : bool
        Whether to measure what was preserved; also what tells that a result is unstable.
    beyond_theorem : bool
        Use the formula of `epsilon` where its theorem does not hold.
    content, base_leak
        For a matrix, graph or frame that holds weights without a leak; as in `noiseprune.sources.leak.as_network`.
    threads : int, optional
        Threads of the numerical libraries.
    rng : int, Generator or None
        The seed; recorded in the result.

    Returns
    -------
    Pruned
        The pruned network with all that led to it.

    Raises
    ------
    InvalidOption, InvalidNetwork, UnstableNetwork, TooLarge
        With what was expected, what came and what to do.

    Notes
    -----
    Reads, for each synapse, its own weight, the covariance of its two neurons, and one constant K. With the exact
    probe O(n^3) operations.

    References
    ----------
    E. Moore and R. Chaudhuri, "Using noise to probe recurrent neural network structure and prune synapses",
    NeurIPS 2020, section 2.

    Examples
    --------
    >>> from noiseprune import gallery
    >>> result = prune(gallery.clustered([60, 40], between=40, rng=5), density=0.4, draw="fixed", rng=7)
    >>> round(result.comparison.density, 2), result.comparison.stable_after, result.comparison.sign_flips
    (0.4, True, 0)
    """
    network, kind = read_given(network, content=content, base_leak=base_leak)
    budget = _budget(network, density, synapses, epsilon, K)
    options = PruneOptions(probe, rule, strengthen, leak, draw, keep_connected, beyond_theorem)
    plan = make_plan(network, budget, options)
    random = streams(rng)
    with limit_threads(threads):
        logger.info("measuring %d synapses of %d neurons", network.n_synapses, network.n_neurons)
        measured = measure(plan.probe, network, plan.needs, rng=random.probe)
        importance = plan.rule.importance(network, measured)
        forest = spanning_forest(importance, network) if keep_connected else None
        probability = keep_probability(
            importance, network, budget, ranks=plan.rule.ranks, whole=plan.draw.whole, certain=forest
        )
        p = probability.per_link
        kept = plan.draw.function(p, random.draw)
        start = _kept_links(network, kept, reciprocal(network.links.weight[kept], p[kept]))
        draft = Draft(network, kept, start, plan.leak, measured, plan.probe, left_to_us=strengthen == "auto")
        done = plan.strengthening.apply(draft, random.probe)
        kept[kept] = done.stays
        pruned = network.replace(links=done.links, leak=done.leak)
    _warn(network, pruned, importance, plan, keep_connected)
    asked = {**{name: value for name, value in vars(budget).items() if value is not None}, **options.record()}
    record = provenance(network, random.seed, asked, plan, measured, probability, pruned, done.report)
    result = Pruned(pruned.replace(origin=record), network, kept, probability, measured, None, record, kind)
    return result.compared(threads=threads) if compare else result


@dataclass(frozen=True)
class Pruned(Pair, Displayed):
    """A pruned network and all that led to it.

    Attributes
    ----------
    network : Network
        The pruned network.
    original : Network
        The network before.
    kept_links : (n_links,) array of bool
        Which links of the original stayed.
    probability : KeepProbability
        Every synapse's keep probability, the constant K, how many were certain.
    variance : Measurement or None
        What the probe measured; None for rules that need no probe.
    comparison : Comparison or None
        What was preserved; None where it was not asked for.
    provenance : dict
        Versions, seed, options, what every "auto" chose and why, digest of the input.
    """

    network: Network
    original: Network
    kept_links: NDArray[np.bool_]
    probability: KeepProbability
    variance: Measurement | None
    comparison: Comparison | None
    provenance: dict[str, Any]
    kind: Kind

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which synapses of the original stayed, (n_synapses,), in the order of ``original.synapses``."""
        return self.original.spread(self.kept_links)

    @property
    def matrix(self) -> Any:
        """The pruned network as a matrix of the kind that was given: dense or sparse, operator or weights."""
        kind = self.kind if isinstance(self.kind, MatrixKind) else MatrixKind(weights=True)
        return kind.matrix(self.network)

    @property
    def in_kind(self) -> Any:
        """The pruned network as the kind of object that was given: matrix, graph or frame; see `noiseprune.sources.objects`."""
        return self.kind.give_back(self.original, self.network)

    def compared(self, *, threads: int | None = None) -> Pruned:
        """Measure what was preserved, as `prune` does at its end, and return a copy that holds it.

        Warns where the pruned network is not stable.
        """
        with limit_threads(threads):
            measured = comparing.compare(self.original, self.network, rng=self.provenance["seed"])
        _warn_unstable(measured)
        return replace(self, comparison=measured)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write everything to one ``.npz`` file, which `noiseprune.load` reads; no pickle."""
        save(self, path, overwrite=overwrite)

    def __repr__(self) -> str:
        before, after = self.original.n_synapses, self.network.n_synapses
        return f"Pruned({self.network.n_neurons} neurons, {after} of {before} synapses kept, rule {self.rule})"

    @property
    def rule(self) -> str:
        """The rule that chose the synapses."""
        chosen, options = self.provenance["chosen"], self.provenance["options"]
        return str(chosen.get("rule", options["rule"]))  # results of the first release hold what was asked for


def _budget(network: Network, density: Any, synapses: Any, epsilon: Any, K: Any) -> Budget:
    if density is synapses is epsilon is K is None:
        need = connectivity_density(network)
        raise InvalidOption(
            "say how much to keep: exactly one of density, synapses, epsilon and K. To stay in one piece a random network "
            f"of {network.n_neurons} neurons and {network.n_synapses} synapses needs a density of about n ln n / m = "
            f"{need:.2g}; try density={need:.2g}"
        )
    return Budget(density, synapses, epsilon, K)


def _kept_links(network: Network, kept: NDArray[np.bool_], weight: NDArray[Any]) -> sp.csr_array:
    csr = network.link_matrix
    kept_before = np.concatenate([[0], np.cumsum(kept)])
    indptr = kept_before[csr.indptr].astype(csr.indptr.dtype)
    return sp.csr_array((weight, csr.indices[kept], indptr), shape=csr.shape)


def _warn(
    network: Network,
    pruned: Network,
    importance: NDArray[np.float64],
    plan: Plan,
    keep_connected: bool,
) -> None:
    """Say aloud what must not be overlooked in the result."""
    messages = []
    if floored := balancing.n_floored(network, pruned) if plan.leak == "matched" else 0:
        messages.append(f"{floored} neurons lost so much input that their matched leak is held at its floor")
    if impossible := int(np.count_nonzero(importance == 0)) * network.synapses_per_link:
        messages.append(f"{impossible} synapses have an importance of zero, so the draw never keeps them")
    if network.n_synapses and not keep_connected:
        messages += _connectivity(network, pruned)
    for message in messages:
        warnings.warn(message, NoisePruneWarning, stacklevel=3)


def _warn_unstable(measured: Comparison) -> None:
    if measured.stable_after is not False:
        return
    zero = measured.spectral_abscissa_after is not None and abs(measured.spectral_abscissa_after) < 1e-9
    cut = " (a piece was cut off and has no excess leak)" if zero else ""
    warnings.warn(
        f"the pruned network is UNSTABLE{cut}: its spectral abscissa is {measured.spectral_abscissa_after:+.3g} 1/s, from "
        f"{measured.spectral_abscissa_before:+.3g}; let the neurons refit their weights (strengthen='regressed'), "
        "keep more (a higher density), or raise the leak of the original",
        NoisePruneWarning,
        stacklevel=4,
    )


def _connectivity(network: Network, pruned: Network) -> list[str]:
    """Say that the network fell apart, or that it could well have."""
    before, after = components(network), components(pruned)
    share, need = pruned.n_synapses / network.n_synapses, connectivity_density(network)
    what = "to hold together" if network.symmetric else "to leave every neuron an input and an output"
    low = f"a density of {share:.2g} is below the {need:.2g} or so that a random network of this size needs {what}"
    offer = "keep_connected=True keeps a spanning forest inside the same budget"
    if after > before:
        why = f" ({low})" if share < need else ""
        return [f"the network fell apart: {before} connected components before, {after} after{why}: {offer}"]
    return [f"{low}; this one did hold together: {offer}"] if share < need else []
