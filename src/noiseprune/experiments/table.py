"""The table of a sweep: rows, what is recommended, how it is saved."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from noiseprune.errors import BadFile
from noiseprune.machine.display import Displayed
from noiseprune.machine.output import replacing
from noiseprune.machine.processes import with_polars
from noiseprune.measure.result import Comparison
from noiseprune.sources.files.archive import write_rows

SCHEMA_VERSION = 1


CONFIDENCE = 0.95


MEASURES = (
    "density",
    "worst_direction",
    "eigenvalue_error_median",
    "eigenvalue_error_slowest",
    "kl_per_neuron",
    "covariance_error",
    "fixed_point_error",
    "decay_error",
    "trajectory_error_linear",
    "trajectory_error_rectified",
    "components_after",
    "newly_disconnected",
)


Case = dict[str, Any]


@dataclass(frozen=True)
class Sweep(Displayed):
    """A table of what pruning preserved, one row a choice of density, rule and strengthening.

    Attributes
    ----------
    rows : list of dict
        The choice (`target_density`, `rule`, `strengthen`), `draws`, `seed` (of the first one), `refused` (draws that ended
        in an error), `stable` (share of the others), and mean and standard error (`_se`) of each measure over the draws
        that have it.
    cases : list of dict
        The draws themselves, each with its `seed`: its numbers are those of ``compare(net, pruned, rng=seed)`` with the
        network that ``prune`` makes with this seed.
    recommended : dict or None
        The row of the smallest density that stays within the tolerance; None where there is none, or no tolerance.
    criterion : str
        What `recommended` means, in words.
    provenance : dict
        Seed, digest of the input, the options.
    pictures : dict
        `before`, and `after` with the first draw of each choice, as `noiseprune.measure.snapshots` takes them.
    """

    rows: list[dict[str, Any]]
    cases: list[Case]
    recommended: dict[str, Any] | None
    criterion: str
    provenance: dict[str, Any]
    pictures: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        best = self.recommended
        advice = "nothing recommended" if best is None else f"recommended: density {best['target_density']:g}"
        return f"Sweep({len(self.rows)} rows, {len(self.cases)} draws, {advice})"

    @property
    def measure(self) -> str:
        """The error that a recommendation goes by."""
        return deciding_measure(any(row["worst_direction"] is not None for row in self.rows))

    @property
    def by_method(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of each rule and strengthening, by what tells these apart, in words."""
        several = len({row["strengthen"] for row in self.rows}) > 1
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows:
            found.setdefault(f"{row['rule']}, {row['strengthen']}" if several else row["rule"], []).append(row)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and lists, fit for strict JSON."""
        return {"schema_version": SCHEMA_VERSION, **vars(self)}

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write everything as ``.json``, or the rows alone as ``.csv`` or ``.parquet``.

        Parameters
        ----------
        path : path
            Its suffix decides.
        overwrite : bool
            Whether to replace a file that is there.

        Raises
        ------
        BadFile
            Where the suffix is none of these, or the file cannot be written.
        """
        suffix = Path(path).suffix
        if suffix not in (".json", ".csv", ".parquet"):
            raise BadFile(f"{path}: a sweep is saved as .json, .csv or .parquet; name it so")
        with replacing(path, overwrite=overwrite) as temporary:
            if suffix == ".json":
                temporary.write_text(json.dumps(self.to_dict(), allow_nan=False, indent=1), encoding="utf-8")
                return
            with_polars(write_rows)(self.rows, temporary, suffix)


def deciding_measure(symmetric: bool) -> str:
    """Name the error that a recommendation goes by."""
    return "worst_direction" if symmetric else "trajectory_error_linear"


def measures_of(c: Comparison) -> dict[str, Any]:
    """Flatten what a row of the table holds of a comparison."""
    flat: dict[str, Any] = {"stable": c.stable_after}
    for name in MEASURES:
        value: Any = getattr(c, name, None)
        for spread in ("eigenvalue_error", "trajectory_error"):
            if name.startswith(spread):
                value = getattr(c, spread)[name.removeprefix(f"{spread}_")]
        flat[name] = value
    return flat


def key_of(case: Case) -> tuple[Any, ...]:
    """Say which draw it is."""
    return tuple(case.get(name) for name in ("target_density", "rule", "strengthen", "draw", "seed"))


def tabulate(cases: list[Case]) -> list[dict[str, Any]]:
    """Average the draws of each choice, with standard errors."""
    groups: dict[tuple[Any, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(key_of(case)[:3], []).append(case)
    rows = []
    for (density, rule, strengthen), group in groups.items():
        through = [case for case in group if case["refused"] is None]
        row: dict[str, Any] = {
            "target_density": density,
            "rule": rule,
            "strengthen": strengthen,
            "draws": len(group),
            "seed": group[0]["seed"],
            "refused": len(group) - len(through),
            "stable": float(np.mean([bool(case["stable"]) for case in through])) if through else None,
        }
        for name in MEASURES:
            values = [float(case[name]) for case in through if case[name] is not None]
            row[name] = float(np.mean(values)) if values else None
            row[f"{name}_se"] = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        rows.append(row)
    return rows


def recommend(rows: list[dict[str, Any]], measure: str, tolerance: float) -> dict[str, Any] | None:
    """Return the row of the smallest density within the tolerance; None where there is none.

    Parameters
    ----------
    rows : list of dict
        The table, as `tabulate` makes it.
    measure : str
        Name of the error that decides.
    tolerance : float
        What the upper end of its confidence interval may not exceed, in the error's unit.

    Returns
    -------
    dict or None
        One of `rows`, none of whose draws was refused or unstable.
    """
    from scipy.special import stdtrit

    def within(row: dict[str, Any]) -> bool:
        if row["refused"] or row["stable"] != 1 or row[measure] is None or row[f"{measure}_se"] is None:
            return False
        upper = row[measure] + stdtrit(row["draws"] - 1, CONFIDENCE) * row[f"{measure}_se"]
        return bool(upper <= tolerance)

    return min((row for row in rows if within(row)), key=lambda row: (row["density"], row[measure]), default=None)
