"""A comparison in words: one sentence, and one row a measure. Terminal and page show the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from noiseprune.machine.display import shows
from noiseprune.measure.result import Comparison

ABSENT = "-"


class Row(NamedTuple):
    """One measure: its name, its places in `Comparison.to_dict`, one text a comparison, and what it means."""

    name: str
    keys: tuple[str, ...]
    values: list[str]
    meaning: str


@shows("sentence", Comparison)
def verdict(c: Comparison) -> str:
    """Say in one sentence what was pruned and what survived."""
    parts = [f"kept {share(c.density)} of {c.n_synapses_before:,} synapses"]
    if c.stable_after is None:
        parts.append("stability not known")
    else:
        parts.append(
            "stable" if c.stable_after else f"UNSTABLE (spectral abscissa {c.spectral_abscissa_after:+.3g} 1/s)"
        )
    if c.worst_direction is not None:
        text = f"worst direction {c.worst_direction:.3g}"
        if c.ramanujan_reference:
            text += f" (Ramanujan reference at this mean degree {c.ramanujan_reference[1] - 1:.2g})"
        parts.append(text)
    elif c.covariance_error is not None:
        parts.append(f"covariance error {c.covariance_error:.3g}")
    if c.components_after != c.components_before:
        parts.append(f"{c.components_after} connected components instead of {c.components_before}")
    else:
        n = c.newly_disconnected
        parts.append("nothing cut off" if n == 0 else f"{n} neurons lost their last input or output")
    sentence = "; ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def unmeasured(comparisons: Iterable[Comparison]) -> list[str]:
    """Say what could not be measured, a sentence a reason."""
    reasons: dict[str, dict[str, None]] = {}
    for c in comparisons:
        for name, why in c.not_measured.items():
            measure, _, entry = name.partition(".")
            said = measure.replace("_", " ") + (f", {SPREAD_NAMES.get(entry, entry)}" if entry else "")
            reasons.setdefault(why, {})[said] = None
    return [f"Not measured ({why}): {'; '.join(names)}." for why, names in reasons.items()]


def share(density: float | None) -> str:
    """Write a kept share as a percentage."""
    return "none" if density is None else f"{100 * density:.3g} %"


def rows(comparisons: Mapping[str, Comparison], *, brief: bool = False) -> list[Row]:
    """Return one row a measure with one text for each comparison; rows that none of them has are left out.

    `brief` also leaves out the two measures of eigenvectors, for a terminal.
    """
    every = list(comparisons.values())
    found = [
        Row(
            "kept synapses",
            ("n_synapses_after", "density"),
            [f"{c.n_synapses_after:,} ({share(c.density)})" for c in every],
            "directed entries",
        ),
        Row(
            "spectral abscissa",
            ("spectral_abscissa_before", "spectral_abscissa_after"),
            [f"{_number(c.spectral_abscissa_before)} → {_number(c.spectral_abscissa_after)}" for c in every],
            "1/s, before → after; stable below 0",
        ),
        Row(
            "worst direction",
            ("worst_direction",),
            [_number(c.worst_direction) for c in every],
            "largest relative change of x'(-A)x over all x",
        ),
        Row(
            "  interval",
            ("worst_direction_interval",),
            [_interval(c.worst_direction_interval) for c in every],
            "generalised eigenvalues of (-A', -A)",
        ),
        Row(
            "  Ramanujan reference",
            ("ramanujan_reference",),
            [_interval(c.ramanujan_reference) for c in every],
            "best sparsifiers of large complete graphs",
        ),
        *_spread("eigenvalue error", "eigenvalue_error", [c.eigenvalue_error for c in every], "|λ'/λ - 1|"),
        *([] if brief else _eigenvector_rows(every)),
        Row(
            "covariance error",
            ("covariance_error",),
            [_number(c.covariance_error) for c in every],
            "relative, Frobenius norm",
        ),
        Row(
            "KL per neuron",
            ("kl_per_neuron",),
            [_number(c.kl_per_neuron) for c in every],
            "of the noise-driven activity",
        ),
        Row(
            "fixed-point error",
            ("fixed_point_error",),
            [_number(c.fixed_point_error) for c in every],
            "response to constant input, relative",
        ),
        Row(
            "decay error",
            ("decay_error",),
            [_number(c.decay_error) for c in every],
            "after 2 leak times from a random start, without noise",
        ),
        *(
            Row(
                f"trajectory error, {kind}",
                (f"trajectory_error.{kind}",),
                [_number(c.trajectory_error[kind]) for c in every],
                "same input, same noise",
            )
            for kind in ("linear", "rectified")
        ),
        Row(
            "connected components",
            ("components_before", "components_after"),
            [f"{c.components_before} → {c.components_after}" for c in every],
            "whatever the direction of synapses",
        ),
        Row(
            "newly disconnected neurons",
            ("newly_disconnected",),
            [str(c.newly_disconnected) for c in every],
            "lost their last input or output",
        ),
        Row("sign flips", ("sign_flips",), [str(c.sign_flips) for c in every], "synapses whose sign changed"),
        Row(
            "leaks at the floor",
            ("floored_leaks",),
            [str(c.floored_leaks) for c in every],
            "neurons that lost nearly all their input",
        ),
        Row(
            "largest strengthening",
            ("largest_strengthening",),
            [_number(c.largest_strengthening) for c in every],
            "W'/W",
        ),
    ]
    return [row for row in found if any(value != ABSENT for value in row.values)]


def _eigenvector_rows(every: list[Comparison]) -> list[Row]:
    return [
        *_spread(
            "Rayleigh error",
            "rayleigh_error",
            [c.rayleigh_error for c in every],
            "|v'A'v / λ - 1| on the old eigenvectors",
        ),
        *_spread(
            "eigenvector cosine",
            "eigenvector_cosine",
            [c.eigenvector_cosine for c in every],
            "between Av and A'v; 1 is perfect",
        ),
    ]


SPREAD_NAMES = {
    "median": "median",
    "p95": "95 %",
    "p5": "5 %",
    "max": "largest",
    "min": "smallest",
    "slowest": "ten slowest modes",
}


def _spread(name: str, measure: str, spreads: list[dict[str, float | None]], meaning: str) -> list[Row]:
    return [
        Row(
            f"{name}, {SPREAD_NAMES[key]}", (f"{measure}.{key}",), [_number(spread[key]) for spread in spreads], meaning
        )
        for key in spreads[0]
    ]


def numbers(c: Comparison, row: Row) -> dict[str, Any]:
    """Return the numbers behind a row's text, by their places in `Comparison.to_dict`."""
    return {key: _at(c.to_dict(), key) for key in row.keys}


def _at(found: Any, key: str) -> Any:
    for part in key.split("."):
        found = found[part]
    return found


def _number(value: Any) -> str:
    return ABSENT if value is None else f"{value:.3g}"


def _interval(ends: list[float] | None) -> str:
    return ABSENT if ends is None else f"{ends[0]:.3f} - {ends[1]:.3f}"
