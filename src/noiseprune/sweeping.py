"""Many densities, rules and strengthenings on one network: one table, and which density to choose."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from noiseprune.comparison import Comparison, Reference
from noiseprune.errors import BadFile, InvalidOption, NoisePruneError, NoisePruneWarning
from noiseprune.files.output import replacing
from noiseprune.files.results import write_rows
from noiseprune.kinds import Given, network_of
from noiseprune.network import Network
from noiseprune.processes import in_workers, with_polars
from noiseprune.provenance import digest
from noiseprune.randomness import Rng, seed_from
from noiseprune.snapshots import Camera
from noiseprune.threads import limited

logger = logging.getLogger("noiseprune")

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
    "orphans",
)

PICTURE = "picture"  # what the first draw of each choice carries beside its measures

Case = dict[str, Any]


@dataclass(frozen=True)
class Sweep:
    """A table of what pruning preserved, one row a choice of density, rule and strengthening.

    Attributes
    ----------
    rows : list of dict
        The choice (`asked_density`, `rule`, `strengthen`), `draws`, `refused` (draws that ended in an error), `stable`
        (share of the others), and mean and standard error (`_se`) of each measure over the draws that have it.
    cases : list of dict
        The draws themselves.
    recommended : dict or None
        The row of the smallest density that stays within the tolerance; None where there is none, or no tolerance.
    criterion : str
        What `recommended` means, in words.
    provenance : dict
        Seed, digest of the input, the options.
    pictures : dict
        `before`, and `after` with the first draw of each choice, as `noiseprune.snapshots` takes them.
    """

    rows: list[dict[str, Any]]
    cases: list[Case]
    recommended: dict[str, Any] | None
    criterion: str
    provenance: dict[str, Any]
    pictures: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        best = self.recommended
        advice = "nothing recommended" if best is None else f"recommended: density {best['asked_density']:g}"
        return f"Sweep({len(self.rows)} rows, {len(self.cases)} draws, {advice})"

    def _repr_html_(self) -> str:
        from noiseprune.reporting.cards import sweep_card

        return sweep_card(self)

    @property
    def measure(self) -> str:
        """The error that a recommendation goes by."""
        return _measure(any(row["worst_direction"] is not None for row in self.rows))

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
        """Write everything as ``.json``, or the rows alone as ``.csv`` or ``.parquet``."""
        suffix = Path(path).suffix
        if suffix not in (".json", ".csv", ".parquet"):
            raise BadFile(f"{path}: a sweep is saved as .json, .csv or .parquet; name it so")
        with replacing(path, overwrite=overwrite) as temporary:
            if suffix == ".json":
                temporary.write_text(json.dumps(self.to_dict(), allow_nan=False, indent=1), encoding="utf-8")
                return
            with_polars(write_rows)(self.rows, temporary, suffix)


def sweep(
    network: Given,
    *,
    densities: Sequence[float],
    rules: Sequence[str] = ("noise",),
    strengthens: Sequence[str] = ("auto",),
    draws: int = 10,
    tolerance: float | None = None,
    keep_connected: bool = False,
    workers: int = 1,
    checkpoint: str | os.PathLike[str] | None = None,
    rng: Rng = 0,
) -> Sweep:
    """Prune one network many ways and tabulate what was preserved.

    Parameters
    ----------
    network : Network or matrix
        As in `noiseprune.prune`.
    densities, rules, strengthens : sequences
        All combinations are tried.
    draws : int
        Prunes of each combination, each with a seed of its own.
    tolerance : float, optional
        The largest error that is acceptable: of the worst direction where the network is symmetric, of the linear
        trajectories elsewhere.
    keep_connected : bool
        As in `noiseprune.prune`.
    workers : int
        Processes; the result does not depend on their number. A script that uses more than one needs a main guard.
    checkpoint : path, optional
        A file to which each draw is appended when it is done; draws that it holds already are not repeated.
    rng : int, Generator or None
        The seed; recorded in the result.

    Returns
    -------
    Sweep
        Recommended is the smallest density, over all rules and strengthenings, at which every draw is stable and the
        upper end of a one-sided 95 % confidence interval of the mean error lies within the tolerance.

    Examples
    --------
    >>> from noiseprune import gallery
    >>> table = sweep(gallery.clustered([40, 20], between=20, rng=5), densities=[0.5, 0.9], draws=3, tolerance=0.5)
    >>> [row["asked_density"] for row in table.rows]
    [0.5, 0.9]
    """
    network = network_of(network)
    for name, values in (("densities", densities), ("rules", rules), ("strengthens", strengthens)):
        if isinstance(values, str) or not len(values):
            raise InvalidOption(f"{name} must be a list of at least one; got {values!r}")
    for name, count in (("draws", draws), ("workers", workers)):
        if not isinstance(count, int) or count < 1:
            raise InvalidOption(f"{name} must be a whole number, 1 or more; got {count!r}")
    seed = seed_from(rng)
    task = {"seed": seed, "digest": digest(network), "keep_connected": keep_connected}
    wanted = [
        {"asked_density": float(density), "rule": rule, "strengthen": strengthen, "draw": draw}
        for density, rule, strengthen, draw in product(densities, rules, strengthens, range(draws))
    ]
    done, start = _Checkpoint(checkpoint, task), time.monotonic()
    missing = [case for case in wanted if done.find(case) is None]
    for number, case in enumerate(_run(network, seed, keep_connected, missing, workers), 1):
        left = (time.monotonic() - start) * (len(missing) - number) / number
        progress = {"progress": (number, len(missing))}
        logger.info("sweep: %d of %d draws done, %.0f s left", number, len(missing), left, extra=progress)
        done.add(case)
    found = [case for case in map(done.find, wanted) if case is not None]
    cases = [{name: value for name, value in case.items() if name != PICTURE} for case in found]
    rows = _rows(cases)
    measure = _measure(network.symmetric)
    criterion = (
        f"smallest density with every draw stable and mean {measure} at most {tolerance} with 95 % confidence"
        if tolerance is not None
        else "none: no tolerance was given"
    )
    recommended = None if tolerance is None else _recommended(rows, measure, tolerance)
    record = task | {"draws": draws, "tolerance": tolerance}
    return Sweep(rows, cases, recommended, criterion, record, _pictures(network, found))


# --- running --------------------------------------------------------------------------------------------------------

_worker: _Worker


class _Worker:
    """One process's share: the original's side of the comparison is computed once."""

    def __init__(self, network: Network, seed: int, keep_connected: bool) -> None:
        self.network = network
        self.seed = seed
        self.keep_connected = keep_connected
        self.reference = Reference(network, rng=seed)

    @cached_property
    def camera(self) -> Camera:
        """Takes the pictures, all in one order."""
        return Camera(self.network)

    def __call__(self, case: Case) -> Case:
        """Prune and compare once; an error that we raise on purpose is part of the table."""
        import warnings

        from noiseprune.pipeline import prune

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoisePruneWarning)  # what they say is in the table
            try:
                result = prune(
                    self.network,
                    density=case["asked_density"],
                    rule=case["rule"],
                    strengthen=case["strengthen"],
                    keep_connected=self.keep_connected,
                    compare=False,
                    rng=_case_seed(self.seed, case),
                )
                found = case | {"refused": None} | _measures(self.reference.compare(result.network))
                return found if case["draw"] else found | {PICTURE: self.camera.take(result.network)}
            except InvalidOption:
                raise
            except NoisePruneError as error:
                return case | {"refused": str(error)}


def _case_seed(seed: int, case: Case) -> int:
    """Give each draw a seed that all rules and strengthenings of it share, so that they see the same uniforms."""
    return int(np.random.SeedSequence(seed, spawn_key=(case["draw"],)).generate_state(1, np.uint32)[0])


def _run(network: Network, seed: int, keep_connected: bool, cases: list[Case], workers: int) -> Iterator[Case]:
    if workers == 1 or len(cases) < 2:
        return map(_Worker(network, seed, keep_connected), cases)
    return in_workers(workers, _work, cases, _start, (network, seed, keep_connected))


def _start(network: Network, seed: int, keep_connected: bool) -> None:
    global _worker
    _worker = _Worker(network, seed, keep_connected)


def _work(case: Case) -> Case:
    with limited(1):  # many processes, one thread each
        return _worker(case)


def _measure(symmetric: bool) -> str:
    return "worst_direction" if symmetric else "trajectory_error_linear"


def _measures(c: Comparison) -> dict[str, Any]:
    flat: dict[str, Any] = {"stable": c.stable_after}
    for name in MEASURES:
        value: Any = getattr(c, name, None)
        for spread in ("eigenvalue_error", "trajectory_error"):
            if name.startswith(spread):
                value = getattr(c, spread)[name.removeprefix(f"{spread}_")]
        flat[name] = value
    return flat


class _Checkpoint:
    """Draws that are done, in memory and, one JSON object a line, in a file."""

    def __init__(self, path: str | os.PathLike[str] | None, task: dict[str, Any]) -> None:
        self.path = None if path is None else Path(path)
        self.cases: dict[tuple[Any, ...], Case] = {}
        if self.path is None:
            return
        if self.path.exists():
            self._resume(self.path, task)
        else:
            try:
                self.path.write_text(json.dumps(task) + "\n", encoding="utf-8")
            except OSError as error:
                raise BadFile(f"{self.path}: cannot be written: {error.strerror}") from None

    def _resume(self, path: Path, task: dict[str, Any]) -> None:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]  # an interrupt may have cut the last one
        try:
            found = [json.loads(line) for line in whole]
        except ValueError:
            raise BadFile(f"{path}: is no checkpoint of a sweep; name another file") from None
        if not found or found[0] != task:
            raise BadFile(
                f"{path}: is the checkpoint of another sweep (other network, seed or options); name another file"
            )
        if len(whole) < len(lines):
            with replacing(path, overwrite=True) as temporary:
                temporary.write_text("".join(whole), encoding="utf-8")
        for case in found[1:]:
            self.cases[_key(case)] = case

    def find(self, case: Case) -> Case | None:
        """Return a draw that is done."""
        return self.cases.get(_key(case))

    def add(self, case: Case) -> None:
        """Keep a draw."""
        self.cases[_key(case)] = case
        if self.path is not None:
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(case, allow_nan=False) + "\n")
            except OSError as error:
                raise BadFile(f"{self.path}: cannot be written: {error.strerror}") from None


def _key(case: Case) -> tuple[Any, ...]:
    return tuple(case[name] for name in ("asked_density", "rule", "strengthen", "draw"))


def _pictures(network: Network, cases: list[Case]) -> dict[str, Any]:
    names = ("asked_density", "rule", "strengthen")
    after = [{name: case[name] for name in names} | case[PICTURE] for case in cases if PICTURE in case]
    return {"before": Camera(network).take(network), "after": after} if after else {}


# --- tabulating -----------------------------------------------------------------------------------------------------


def _rows(cases: list[Case]) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(_key(case)[:3], []).append(case)
    rows = []
    for (density, rule, strengthen), group in groups.items():
        through = [case for case in group if case["refused"] is None]
        row: dict[str, Any] = {
            "asked_density": density,
            "rule": rule,
            "strengthen": strengthen,
            "draws": len(group),
            "refused": len(group) - len(through),
            "stable": float(np.mean([bool(case["stable"]) for case in through])) if through else None,
        }
        for name in MEASURES:
            values = [float(case[name]) for case in through if case[name] is not None]
            row[name] = float(np.mean(values)) if values else None
            row[f"{name}_se"] = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        rows.append(row)
    return rows


def _recommended(rows: list[dict[str, Any]], measure: str, tolerance: float) -> dict[str, Any] | None:
    from scipy.special import stdtrit

    def within(row: dict[str, Any]) -> bool:
        if row["refused"] or row["stable"] != 1 or row[measure] is None or row[f"{measure}_se"] is None:
            return False
        upper = row[measure] + stdtrit(row["draws"] - 1, CONFIDENCE) * row[f"{measure}_se"]
        return bool(upper <= tolerance)

    return min((row for row in rows if within(row)), key=lambda row: (row["density"], row[measure]), default=None)
