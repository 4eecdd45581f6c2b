"""Difference variances from activity that was recorded elsewhere."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noiseprune.errors import BadFile, InvalidOption, MissingExtra
from noiseprune.machine.randomness import Rng
from noiseprune.machine.speed import Cost
from noiseprune.machine.threads import blas_alone
from noiseprune.network import Network
from noiseprune.probes.base import ONLY_V, Measurement, Quantity, gatherer

logger = logging.getLogger("noiseprune")

Floats = NDArray[np.float64]

BATCHES = 32  # pieces of a recording, whose scatter gives the standard error
PIECE_BYTES = 64_000_000  # of activity in memory at a time


@dataclass(frozen=True, eq=False)
class Recorded:
    """Difference variances of recorded activity, v_ij = Var(x_i - s_ij x_j) over time.

    Parameters
    ----------
    activity : (time, n_neurons) array_like, or path
        A row a time point, a column a neuron in the network's order. A path names a NumPy ``.npy`` file, which is read
        piece by piece, or an HDF5 file (``.h5``, ``.hdf5``). NaN stands for a missing sample.
    dataset : str, optional
        Name of the array within an HDF5 file; needed where it holds more than one.

    Notes
    -----
    At each synapse v comes from the time points at which both neurons were seen. The standard error comes from the
    scatter of 32 pieces of the recording, so that fluctuations that last do not count as many samples; pieces must be
    longer than these. O(time x m) operations, two passes over the file; no copy of it is made.

    Examples
    --------
    >>> from noiseprune import Network
    >>> activity = np.random.default_rng(5).standard_normal((4000, 2))
    >>> v = Recorded(activity).measure(Network([[0, 0.5], [0.5, 0]], leak=1.0))
    >>> bool(abs(v.value[0] - 2) < 4 * v.standard_error[0])
    True
    """

    activity: ArrayLike | str | os.PathLike[str]
    dataset: str | None = None

    repeatable: ClassVar[bool] = False  # it has been measured; another network cannot be

    def measure(
        self,
        network: Network,
        *,
        rng: Rng = 0,  # noqa: ARG002 - nothing random
        quantities: Sequence[Quantity] = ONLY_V,
    ) -> Measurement:
        """Measure v at every synapse, and what else is asked for.

        Raises
        ------
        InvalidOption
            Where the activity does not fit the network, is too short, or lacks samples that a synapse needs.
        BadFile, MissingExtra
            Where a file cannot be read.
        """
        with self._opened() as activity, blas_alone():
            self._check(activity, network)
            mean, seen = _means(activity)
            _check_seen(seen, network)
            measured = _difference_variances(activity, mean, seen, network, self._name())
            return replace(measured, **_others(activity, mean, seen, network, quantities))

    def cost(self, network: Network) -> Cost:
        """Estimate memory; the time is that of reading the activity twice."""
        return Cost(self.memory(network), 0.0)

    def memory(self, network: Network) -> float:
        """Bytes beside the network."""
        return 64.0 * network.n_links + 3.0 * PIECE_BYTES

    def _name(self) -> str:
        return str(self.activity) if isinstance(self.activity, str | os.PathLike) else "an array"

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        """Give something with a shape whose rows can be taken piece by piece."""
        if not isinstance(self.activity, str | os.PathLike):
            yield np.asarray(self.activity)
            return
        path = Path(self.activity)
        if not path.is_file():
            raise BadFile(f"{path}: no such file; check the name and the folder")
        if path.suffix == ".npy":
            try:
                yield np.load(path, mmap_mode="r", allow_pickle=False)
            except (ValueError, EOFError, OSError) as error:
                raise BadFile(f"{path}: is no NumPy file: {error}") from None
        elif path.suffix in (".h5", ".hdf5"):
            with _hdf5(path) as file:
                yield _dataset(file, path, self.dataset)
        else:
            raise BadFile(f"{path}: activity is read from .npy, .h5 and .hdf5 files; convert it, or give an array")

    def _check(self, activity: Any, network: Network) -> None:
        shape, n = tuple(activity.shape), network.n_neurons
        if len(shape) != 2 or shape[1] != n:
            hint = ": transpose it" if len(shape) == 2 and shape[0] == n else ""
            raise InvalidOption(
                f"activity must have shape (time, {n}), a column a neuron; {self._name()} has {shape}{hint}"
            )
        if np.dtype(activity.dtype).kind not in "buif":
            raise InvalidOption(f"activity must hold real numbers; {self._name()} holds {activity.dtype}")
        if shape[0] < 2 * BATCHES:
            raise InvalidOption(
                f"activity must have at least {2 * BATCHES} time points, to judge its own error; {self._name()} has {shape[0]}"
            )


def _hdf5(path: Path) -> Any:
    try:
        import h5py
    except ImportError:
        raise MissingExtra(f'{path}: reading HDF5 needs h5py: pip install "noiseprune[hdf5]"') from None
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise BadFile(f"{path}: is no HDF5 file: {error}") from None


def _dataset(file: Any, path: Path, name: str | None) -> Any:
    """The array called `name`, or the only one there is."""
    names: list[str] = []
    file.visititems(lambda place, item: names.append(place) if hasattr(item, "dtype") else None)
    if name is None and len(names) == 1:
        name = names[0]
    if name not in names:
        asked = "say which with dataset=" if name is None else f"has no dataset {name!r}"
        raise BadFile(f"{path}: {asked}; it holds {', '.join(names) or 'none'}")
    return file[name]


def _pieces(activity: Any, start: int, stop: int) -> Iterator[Floats]:
    """Rows from start to stop, a piece at a time, in float64."""
    rows = max(1, PIECE_BYTES // (8 * activity.shape[1]))
    for first in range(start, stop, rows):
        yield np.asarray(activity[first : min(first + rows, stop)], dtype=np.float64)


def _means(activity: Any) -> tuple[Floats, NDArray[np.int64]]:
    """Mean and number of the samples of each neuron, (n,) each; NaN is a missing sample."""
    total, seen = np.zeros(activity.shape[1]), np.zeros(activity.shape[1], dtype=np.int64)
    for piece in _pieces(activity, 0, activity.shape[0]):
        if np.isinf(piece).any():
            raise InvalidOption("activity holds infinite numbers; a missing sample is NaN")
        total += np.nansum(piece, axis=0)
        seen += np.count_nonzero(~np.isnan(piece), axis=0)
    return total / np.maximum(seen, 1), seen


def _check_seen(seen: NDArray[np.int64], network: Network) -> None:
    post, pre, _ = network.links
    blind = np.unique(np.concatenate([ends[seen[ends] < 2] for ends in (post, pre)]))
    if blind.size:
        raise InvalidOption(
            f"activity has fewer than two samples of {blind.size} neurons that have synapses, the first "
            f"{network.name(int(blind[0]))}: leave these neurons out of the network"
        )


def _others(
    activity: Any, mean: Floats, seen: NDArray[np.int64], network: Network, quantities: Sequence[Quantity]
) -> dict[str, Any]:
    """Gather variances and second moments, in a further pass; neurons must have been seen all the time."""
    if set(quantities) <= set(ONLY_V):
        return {}
    if seen.min() < activity.shape[0]:
        raise InvalidOption(
            f"activity lacks samples of {np.count_nonzero(seen < activity.shape[0])} neurons, and variances and second "
            "moments need all: fill the gaps, or take a rule that reads difference variances only"
        )
    others = gatherer(network, quantities)
    for piece in _pieces(activity, 0, activity.shape[0]):
        others.add((piece - mean).T)
    return others.found(activity.shape[0] / (activity.shape[0] - 1))


def _difference_variances(
    activity: Any, mean: Floats, seen: NDArray[np.int64], network: Network, name: str
) -> Measurement:
    """Sum squares batch by batch; what the batches' ratio estimator scatters by is the standard error."""
    from noiseprune.linalg import kernels
    from noiseprune.linalg.blocks import parts

    rows, links, m = kernels.chunks(network.link_matrix.indptr), parts(network.link_matrix), network.n_links
    S, N, SS, SN, NN = (np.zeros(m) for _ in range(5))
    edges = np.linspace(0, activity.shape[0], BATCHES + 1).astype(int)
    for batch in range(BATCHES):
        squares, count = np.zeros(m), np.zeros(m)
        for piece in _pieces(activity, edges[batch], edges[batch + 1]):
            kernels.add_seen_difference_squares(links, rows, np.ascontiguousarray((piece - mean).T), squares, count)
        S += squares
        N += count
        SS += squares**2
        SN += squares * count
        NN += count**2
        logger.info("read %d of %d pieces", batch + 1, BATCHES, extra={"progress": (batch + 1, BATCHES)})
    if m and N.min() < 2:
        k = int(np.argmin(N))
        post, pre, _ = network.links
        raise InvalidOption(
            f"{np.count_nonzero(N < 2)} synapses join neurons that are never seen together, the first one "
            f"{network.name(int(pre[k]))} -> {network.name(int(post[k]))}: leave them out of the network, or fill the gaps"
        )
    v = S / np.maximum(N - 1, 1)
    scatter = np.sqrt(np.maximum(SS - 2 * v * SN + v**2 * NN, 0) * BATCHES / (BATCHES - 1))
    error = np.divide(scatter, S, out=np.zeros(m), where=S > 0)
    typical = float(np.mean(error**2)) if m else 0.0
    samples = int(2 / typical) if typical > 0 else int(activity.shape[0])
    report = {
        "time_points": int(activity.shape[0]),
        "missing": int(activity.size - seen.sum()),
        "independent_samples": samples,
    }
    return Measurement(
        v,
        error,
        network.synapses_per_link,
        samples,
        f"Recorded ({activity.shape[0]} time points of {name}, worth {samples} independent ones)",
        report,
    )
