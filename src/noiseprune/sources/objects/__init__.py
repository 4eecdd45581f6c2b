"""What a user holds in memory, read as a network and given back as the same kind of object.

======================================  ==========================================================================
given                                   given back by ``Pruned.in_kind``
======================================  ==========================================================================
Network, ndarray, SciPy sparse          a matrix of the same layout, operator or weights
PyTorch tensor on the CPU               the same, as NumPy or SciPy hold it
NetworkX, igraph graph                  a copy without the pruned edges, the others strengthened; attributes kept
PyGSP graph                             a graph of the new W, with the coordinates and kind of Laplacian
pandas or polars frame (edge list)      the rows that stayed, all columns, their weights strengthened
pandas Series over (pre, post)          the entries that stayed, strengthened
square frame, DataArray                 the same with its names; read by name, rows post unless its axes say otherwise
======================================  ==========================================================================

Self-connections and connections whose rows cancel are no part of a network, and do not come back.

Graphs and frames hold weights without a leak: one is made, "dominant" unless `base_leak` says otherwise, and stands
in ``Network.origin``. None of these libraries is imported unless an object of it is given.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from noiseprune.errors import InvalidOption
from noiseprune.network import Network
from noiseprune.network.checks import plain
from noiseprune.network.squares import named_square
from noiseprune.sources.leak import Matrix, as_network
from noiseprune.sources.objects.matrices import MatrixKind, SquareKind
from noiseprune.sources.reading import BaseLeak, Content

__all__ = ["Given", "Kind", "MatrixKind", "network_of", "read_given"]

Given: TypeAlias = Network | Matrix | Any

LIBRARIES = {
    "networkx": ("graphs", "NetworkXGraph"),
    "igraph": ("graphs", "IgraphGraph"),
    "pygsp": ("graphs", "PyGSPGraph"),
    "pandas": ("frames", "Frame"),
    "polars": ("frames", "Frame"),
}


class Kind(Protocol):
    """What was given, remembered so that the same can be given back."""

    def give_back(self, before: Network, after: Network) -> Any:
        """Return what was given, pruned."""


def read_given(
    given: Given, *, content: Content | None = None, base_leak: BaseLeak | None = None
) -> tuple[Network, Kind]:
    """Read what a user holds in memory.

    Parameters
    ----------
    given : Network, matrix, graph or frame
        See the table above; a matrix is in (post, pre) order.
    content, base_leak
        As in `noiseprune.sources.leak.as_network`; graphs and frames hold weights.

    Returns
    -------
    network : Network
        What was read.
    kind : Kind
        Gives the same kind of object back.

    Raises
    ------
    InvalidOption
        Where a graph or a frame comes with a content that it cannot have.
    InvalidNetwork
        Where it is not a network.
    """
    square = named_square(given)
    if square is not None:
        kind = SquareKind(square, MatrixKind.of(square.values, content, base_leak))
        return as_network(square.values, content=content, base_leak=base_leak, labels=square.labels), kind
    adaptor = _adaptor(given)
    if adaptor is None:
        matrix = plain(given, "the matrix")
        return as_network(matrix, content=content, base_leak=base_leak), MatrixKind.of(matrix, content, base_leak)
    if content in ("operator", "laplacian"):
        raise InvalidOption("content: a graph or an edge list holds weights; leave it out")
    held = adaptor(given)
    found = held.found
    network = as_network(
        found.matrix,
        content="weights",
        base_leak="dominant" if base_leak is None else base_leak,
        labels=found.labels,
        origin={"given": f"{type(given).__module__.partition('.')[0]} {type(given).__name__}", **found.counts},
    )
    return network, held


def network_of(given: Given) -> Network:
    """Read what a user holds in memory, where nothing is given back."""
    return read_given(given)[0]


def _adaptor(given: Any) -> Any:
    """Find who reads an object, by the library that its class comes from."""
    import importlib

    for cls in type(given).__mro__:
        known = LIBRARIES.get(cls.__module__.partition(".")[0])
        if known:
            return getattr(importlib.import_module(f"noiseprune.sources.objects.{known[0]}"), known[1])
    return None
