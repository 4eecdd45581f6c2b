"""GraphML and GML, and graphs of NetworkX, by which they are read and written."""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from noiseprune.errors import BadFile, InvalidNetwork, NoisePruneWarning
from noiseprune.files import metadata as meta
from noiseprune.files.extras import required
from noiseprune.files.matrices import named, understood
from noiseprune.files.options import Found, ReadOptions, summed
from noiseprune.files.sources import read_bytes
from noiseprune.network import Network

MANY_EDGES = 1_000_000  # from which NetworkX takes many seconds and gigabytes
GRAPH = re.compile(r"(?m)^\s*graph\s*\[")
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
BYTES_PER_BYTE = 30  # of memory for a byte of text, as a graph of Python objects


def read_graphml(path: Path, options: ReadOptions) -> Network | Found:
    """Read GraphML; entities, by which a small file can swell, are refused."""
    networkx = required("networkx", "nx", "GraphML")
    data = read_bytes(path, BYTES_PER_BYTE)
    for mark in (b"<!DOCTYPE", b"<!ENTITY", b"\x00"):
        if mark in data[:4096] or (mark != b"\x00" and mark in data):
            raise BadFile(
                f"{path}: holds {mark.decode('ascii')!r}; GraphML in UTF-8 without document types was expected"
            )
    warn_if_large(data.count(b"<edge"), str(path))
    with understood(path, "GraphML file"):
        return _found(networkx.read_graphml(io.BytesIO(data)), path, options, "GraphML")


def read_gml(path: Path, options: ReadOptions) -> Network | Found:
    """Read GML; nodes by their labels, by their ids where labels are missing or not distinct."""
    networkx = required("networkx", "nx", "GML")
    data = read_bytes(path, BYTES_PER_BYTE)
    warn_if_large(data.count(b"edge"), str(path))
    with understood(path, "GML file"):
        return _found(_parsed_gml(networkx, data.decode("utf-8"), "label"), path, options, "GML")


def _parsed_gml(networkx: Any, text: str, label: str) -> Any:
    """Parse GML; as a multigraph where edges are parallel, which others leave unsaid."""
    try:
        return networkx.parse_gml(text.splitlines(), label=label)
    except networkx.NetworkXError as error:
        if str(error).startswith("edge ") and "is duplicated" in str(error) and "multigraph" not in text:
            return _parsed_gml(networkx, GRAPH.sub("graph [\nmultigraph 1\n", text, count=1), label)
        if label == "label":
            return _parsed_gml(networkx, text, "id")
        raise


def _found(graph: Any, path: Path, options: ReadOptions, what: str) -> Network | Found:
    options.allow(("weight",), f"{path} is a graph, whose edges have a direction or none")
    text = graph.graph.get(meta.RECORD)
    try:
        found = from_networkx(graph, options.weight, in_memory=False)
    except InvalidNetwork as error:
        raise BadFile(f"{path}: {error}") from None
    if text is not None:
        network = meta.restore_inside(found.matrix, text, path)
        if network is not None:
            return network
    return Found(found.matrix, _names(graph), {"format": what, **found.counts}, "weights")


def _names(graph: Any) -> list[int | str]:
    """Name neurons by what igraph and Gephi keep beside their own ids, or by the ids."""
    for attribute in ("name", "label"):
        names = [str(data[attribute]) for _, data in graph.nodes(data=True) if attribute in data]
        if names and len(set(names)) == len(graph):
            return named(names)
    return named([str(node) for node in graph.nodes])


def write_graphml(network: Network, path: Path) -> None:
    """Write GraphML."""
    networkx = required("networkx", "nx", "GraphML")
    bad = next((x for x in network.labels or () if isinstance(x, str) and NOT_IN_XML.search(x)), None)
    if bad is not None:
        raise InvalidNetwork(f"GraphML cannot carry the control characters in the label {bad!r}: choose another format")
    with path.open("wb") as file:
        networkx.write_graphml(to_networkx(network), file)


def write_gml(network: Network, path: Path) -> None:
    """Write GML."""
    networkx = required("networkx", "nx", "GML")
    with path.open("wb") as file:
        networkx.write_gml(to_networkx(network), file)


def from_networkx(graph: Any, weight: str | None = None, *, in_memory: bool = True) -> Found:
    """Read a graph of NetworkX, an edge u -> v as the synapse from u to v; an undirected one as symmetric.

    Parameters
    ----------
    graph : networkx.Graph, DiGraph, MultiGraph or MultiDiGraph
        Parallel edges are summed, self-loops dropped.
    weight : str, optional
        The attribute that holds the weight: by default "weight", or the only one that is a number; without any an edge
        counts 1.
    in_memory : bool
        Whether a user holds the graph, so that there are no options of reading to advise.

    Raises
    ------
    InvalidNetwork
        Where several attributes could be the weight, or one is no number.
    """
    nodes = list(graph.nodes)
    number = {node: k for k, node in enumerate(nodes)}
    edges = list(graph.edges(data=True))
    attribute = edge_weight([data for *_, data in edges], weight, in_memory=in_memory)
    ends = [(number[u], number[v]) for u, v, _ in edges]
    values = [1 if attribute is None else data.get(attribute) for *_, data in edges]
    weights = numbers(values, lambda k: f"edge {edges[k][:2]!r}", attribute, in_memory=in_memory)
    matrix, counts = placed(ends, weights, len(nodes), directed=graph.is_directed())
    if attribute is None:
        counts["weight"] = "no such attribute: each edge counts 1"
    elif attribute != "weight":
        counts["weight"] = attribute
    return Found(matrix, labels_of(nodes), counts, "weights")


def edge_weight(attributes: list[dict[str, Any]], wanted: str | None = None, *, in_memory: bool = True) -> str | None:
    """Find the attribute that holds the weight of an edge; None where there is none."""
    names = {name: None for data in attributes for name in data}
    if wanted is not None:
        if wanted not in names:
            raise InvalidNetwork(f"no edge has an attribute {wanted!r}; those there are {', '.join(names) or 'none'}")
        return wanted
    if "weight" in names:
        return "weight"
    there = {name: [data[name] for data in attributes if data.get(name) is not None] for name in names}
    fit = [name for name, values in there.items() if values and all(map(_is_number, values))]
    if len(fit) > 1:
        remedy = "rename the right one to weight, or drop the others" if in_memory else "choose with --weight"
        raise InvalidNetwork(f"several attributes of the edges could be the weight, {', '.join(fit)}: {remedy}")
    return fit[0] if fit else None


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def numbers(values: list[Any], place: Any, attribute: str | None, *, in_memory: bool = True) -> Any:
    """Turn the weights of edges into float64, or name the first that is no number."""
    weights = np.array([_number(value) for value in values], dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(weights))
    if bad.size:
        remedy = "or drop the attribute" if in_memory else "or choose another attribute with --weight"
        raise InvalidNetwork(
            f"{place(bad[0])} has {attribute} = {values[bad[0]]!r}, where a finite number was expected ({bad.size} such "
            f"edges): mend it, {remedy}"
        )
    return weights


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def placed(ends: Any, weights: Any, n: int, *, directed: bool) -> tuple[Any, dict[str, Any]]:
    """Sum edges (u, v) into W (post, pre); an undirected edge joins both alike."""
    ends = np.asarray(ends, dtype=np.int64).reshape(-1, 2)
    off = ends[:, 0] != ends[:, 1]
    pre, post, weights = ends[off, 0], ends[off, 1], weights[off]
    if not directed:
        pre, post, weights = np.r_[pre, post], np.r_[post, pre], np.r_[weights, weights]
    matrix = summed(post, pre, weights, n)
    counts = {
        "graph": "directed" if directed else "undirected",
        "self_connections_dropped": int(np.count_nonzero(~off)),
        "parallel_edges_summed": (len(weights) - matrix.nnz) // (1 if directed else 2),
    }
    matrix.eliminate_zeros()
    return matrix, counts


def labels_of(nodes: Iterable[Any]) -> list[int | str]:
    """Name neurons as nodes are named: all int, or all str."""
    nodes = list(nodes)
    if all(isinstance(node, Integral) and not isinstance(node, bool) for node in nodes):
        return [int(node) for node in nodes]
    return [str(node) for node in nodes]


def to_networkx(network: Network) -> Any:
    """Return a graph of NetworkX: weights on its edges, leak and noise on its nodes, the record on itself.

    Undirected where the network is symmetric; nodes are the labels, or numbers from 0.
    """
    networkx = required("networkx", "nx", "a graph")
    graph = networkx.Graph() if network.symmetric else networkx.DiGraph()
    warn_if_large(network.n_links, "the graph")
    names: Any = range(network.n_neurons) if network.labels is None else network.labels
    rates = zip(names, network.leak.tolist(), network.noise_std.tolist(), strict=True)
    graph.add_nodes_from((name, {"leak": leak, "noise_std": noise}) for name, leak, noise in rates)
    post, pre, weight = (array.tolist() for array in network.links)
    graph.add_weighted_edges_from((names[j], names[i], w) for i, j, w in zip(post, pre, weight, strict=True))
    record = meta.describe(network)
    graph.graph[meta.RECORD] = json.dumps(record, allow_nan=False)  # on one line
    return graph


def warn_if_large(edges: int, what: str) -> None:
    """Warn where NetworkX takes long."""
    if edges > MANY_EDGES:
        warnings.warn(
            f"{what} has {edges:,} edges; NetworkX needs about 6 s and 1 GB for each million: a table or .npz is faster",
            NoisePruneWarning,
            stacklevel=4,
        )
