"""Many densities, rules and strengthenings on one network: one table, and which density to choose."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from itertools import product
from typing import Any

from noiseprune.errors import InvalidOption
from noiseprune.experiments.checkpoint import Checkpoint
from noiseprune.experiments.executors import PICTURE, Methods, draw_seed, label, run_cases
from noiseprune.experiments.table import Case, Sweep, deciding_measure, recommend, tabulate
from noiseprune.machine.randomness import Rng, seed_from
from noiseprune.measure.snapshots import Camera
from noiseprune.network import Network
from noiseprune.network.digest import digest
from noiseprune.rules import Rule
from noiseprune.sources.objects import Given, network_of
from noiseprune.strengthenings import Strengthening

logger = logging.getLogger("noiseprune")


def sweep(
    network: Given,
    *,
    densities: Sequence[float],
    rules: Sequence[str | Rule] = ("noise",),
    strengthenings: Sequence[str | Strengthening] = ("auto",),
    draws: int = 10,
    tolerance: float | None = None,
    keep_connected: bool = False,
    workers: int = 1,
    checkpoint: str | os.PathLike[str] | None = None,
    rng: Rng = 0,
    strengthens: Sequence[str | Strengthening] | None = None,
) -> Sweep:
    """Prune one network many ways and tabulate what was preserved.

    Parameters
    ----------
    network : Network or matrix
        As in `noiseprune.prune`.
    densities, rules, strengthenings : sequences
        All combinations are tried: names or objects, as `rule` and `strengthen` of `noiseprune.prune`.
    draws : int
        Prunes of each combination, each with a seed of its own; that of the first is `rng`.
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
    strengthens
        The name of `strengthenings` in the first release.

    Returns
    -------
    Sweep
        Recommended is the smallest density, over all rules and strengthenings, at which every draw is stable and the
        upper end of a one-sided 95 % confidence interval of the mean error lies within the tolerance.

    Raises
    ------
    InvalidOption
        Where a list is empty, an option is unknown or does not go with the network, or workers lack a main guard.
    BadFile
        Where the checkpoint cannot be written, or is of another sweep.

    Examples
    --------
    >>> from noiseprune import gallery
    >>> table = sweep(gallery.clustered([40, 20], between=20, rng=5), densities=[0.5, 0.9], draws=3, tolerance=0.5)
    >>> [row["target_density"] for row in table.rows]
    [0.5, 0.9]
    """
    network = network_of(network)
    strengthenings = strengthenings if strengthens is None else strengthens
    for name, values in (("densities", densities), ("rules", rules), ("strengthenings", strengthenings)):
        if isinstance(values, str) or not len(values):
            raise InvalidOption(f"{name} must be a list of at least one; got {values!r}")
    for name, count in (("draws", draws), ("workers", workers)):
        if not isinstance(count, int) or count < 1:
            raise InvalidOption(f"{name} must be a whole number, 1 or more; got {count!r}")
    seed = seed_from(rng)
    task = {"seed": seed, "digest": digest(network), "keep_connected": keep_connected}
    methods = Methods(label(rules), label(strengthenings))
    wanted = [
        {
            "target_density": float(density),
            "rule": rule,
            "strengthen": strengthen,
            "draw": draw,
            "seed": draw_seed(seed, draw),
        }
        for density, rule, strengthen, draw in product(densities, methods.rules, methods.strengthenings, range(draws))
    ]
    done, start = Checkpoint(checkpoint, task), time.monotonic()
    missing = [case for case in wanted if done.find(case) is None]
    for number, case in enumerate(run_cases(network, seed, keep_connected, methods, missing, workers), 1):
        left = (time.monotonic() - start) * (len(missing) - number) / number
        progress = {"progress": (number, len(missing))}
        logger.info("sweep: %d of %d draws done, %.0f s left", number, len(missing), left, extra=progress)
        done.add(case)
    found = [case for case in map(done.find, wanted) if case is not None]
    cases = [{name: value for name, value in case.items() if name != PICTURE} for case in found]
    rows = tabulate(cases)
    measure = deciding_measure(network.symmetric)
    criterion = (
        f"smallest density with every draw stable and mean {measure} at most {tolerance} with 95 % confidence"
        if tolerance is not None
        else "none: no tolerance was given"
    )
    recommended = None if tolerance is None else recommend(rows, measure, tolerance)
    record = task | {"draws": draws, "tolerance": tolerance}
    return Sweep(rows, cases, recommended, criterion, record, _pictures(network, found))


def _pictures(network: Network, cases: list[Case]) -> dict[str, Any]:
    names = ("target_density", "rule", "strengthen")
    after = [{name: case[name] for name in names} | case[PICTURE] for case in cases if PICTURE in case]
    return {"before": Camera(network).take(network), "after": after} if after else {}
