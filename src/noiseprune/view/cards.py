"""Results as small cards in a notebook: plain HTML in the notebook's own colours, light or dark."""

from __future__ import annotations

from html import escape
from typing import Any

from noiseprune.experiments.table import Sweep
from noiseprune.machine.display import shows
from noiseprune.measure.result import Comparison
from noiseprune.network import Network
from noiseprune.pruning.pipeline import Pruned
from noiseprune.view.words import share, verdict

# everything derives from the colour of the notebook's text, so that it fits any theme
BOX = "border:1px solid;border-color:color-mix(in srgb,currentColor 30%,transparent);padding:.6em .9em;max-width:34em"
NAME = "text-align:left;font-weight:normal;opacity:.8;padding:0 1.5em 0 0"


@shows("card", Network)
def network_card(net: Network) -> str:
    """Return the card of a network."""
    facts = {
        "neurons": f"{net.n_neurons:,}",
        "synapses": f"{net.n_synapses:,}",
        "kind": f"{'symmetric' if net.symmetric else 'directed'}, {net.activation}",
        "median leak": f"{sorted(net.leak)[net.n_neurons // 2]:.3g} 1/s",
        "from": net.origin.get("file"),
    }
    return _card("Network", "", facts)


@shows("card", Pruned)
def pruned_card(result: Pruned) -> str:
    """Return the card of a result of prune."""
    before, after = result.original.n_synapses, result.network.n_synapses
    chosen = result.provenance["chosen"]
    facts = {
        "rule": result.rule,
        "strengthening": chosen["strengthen"],
        "leak": chosen["leak"],
        "kept": f"{after:,} of {before:,} ({share(after / before if before else None)})",
        "seed": result.provenance["seed"],
    }
    said = "Nothing was measured." if result.comparison is None else verdict(result.comparison)
    return _card("Pruned", said, facts)


@shows("card", Comparison)
def comparison_card(c: Comparison) -> str:
    """Return the card of a comparison."""
    facts = {
        "slowest modes, error": _number(c.eigenvalue_error["slowest"]),
        "covariance error": _number(c.covariance_error),
        "trajectory error, linear": _number(c.trajectory_error["linear"]),
        "trajectory error, rectified": _number(c.trajectory_error["rectified"]),
        "newly disconnected neurons": f"{c.newly_disconnected:,}",
    }
    return _card("Comparison", verdict(c), facts)


@shows("card", Sweep)
def sweep_card(table: Sweep) -> str:
    """Return the card of a sweep."""
    best = table.recommended
    said = "Nothing is recommended."
    if best is not None:
        said = f"Recommended: density {best['target_density']:g}, rule {best['rule']}, strengthen {best['strengthen']}."
    densities = sorted({row["target_density"] for row in table.rows})
    facts = {
        "choices": len(table.rows),
        "draws": len(table.cases),
        "densities": f"{densities[0]:g} to {densities[-1]:g}",
        "methods": "; ".join(table.by_method),
        "criterion": table.criterion,
    }
    return _card("Sweep", said, facts)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.3g}"


def _card(title: str, said: str, facts: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr style="background:none"><th scope="row" style="{NAME}">{escape(name)}</th>'
        f'<td style="text-align:left;padding:0">{escape(str(value))}</td></tr>'
        for name, value in facts.items()
        if value is not None
    )
    sentence = f'<p style="margin:.3em 0">{escape(said)}</p>' if said else ""
    table = f'<table style="border-collapse:collapse;margin:.3em 0 0">{rows}</table>'
    return f'<div style="{BOX}"><strong>{escape(title)}</strong>{sentence}{table}</div>'
