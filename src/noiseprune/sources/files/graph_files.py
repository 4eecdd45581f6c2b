"""GraphML, GML, GEXF and Pajek, and graphs of NetworkX, by which they are read and written."""

from __future__ import annotations

import io
import itertools
import json
import re
import warnings
from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from noiseprune.errors import BadFile, InvalidNetwork, NoisePruneWarning
from noiseprune.network import Network
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.extras import require
from noiseprune.sources.files.found import Found, sum_synapses
from noiseprune.sources.files.matrices import name_neurons, naming_damage
from noiseprune.sources.files.sources import read_bytes
from noiseprune.sources.reading import ReadOptions

MANY_EDGES = 1_000_000  # from which NetworkX takes many seconds and gigabytes
GRAPH = re.compile(r"(?m)^\s*graph\s*\[")
XML_GRAPH = re.compile(rb"<(?:[\w.-]+:)?graph[\s/>]")
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
NO_WEIGHTS = ("id", "label", "name", "key", "start", "end")  # they say which edge it is and when, numbers or not
GEXF_1_3 = (b"http://www.gexf.net/1.3", b"http://gexf.net/1.3")  # programs write either, NetworkX (3.6) knows one
PAJEK_LISTS = ("*edges", "*arcs", "*matrix")
NODE_DEFAULTS, EDGE_DEFAULTS = "node_default", "edge_default"  # where NetworkX keeps what GraphML says of all
BYTES_PER_BYTE = 30  # of memory for a byte of text, as a graph of Python objects


def read_graphml(path: Path, options: ReadOptions) -> Network | Found:
    """Read GraphML; entities, by which a small file can swell, are refused."""
    networkx = require("networkx", "nx", "GraphML")
    data = _xml(path, "GraphML")
    with naming_damage(path, "GraphML file"):
        data = _one_graph(data, options.variable, path)
        return _found(networkx.read_graphml(io.BytesIO(data)), path, options, "GraphML")


def read_gexf(path: Path, options: ReadOptions) -> Network | Found:
    """Read GEXF, as Gephi writes it."""
    networkx = require("networkx", "nx", "GEXF")
    data = _xml(path, "GEXF")
    with naming_damage(path, "GEXF file"):
        graph = networkx.read_gexf(io.BytesIO(data.replace(*GEXF_1_3)))
    found = _found(_with_weight_1(graph), path, options, "GEXF")
    if isinstance(found, Found) and graph.graph.get("mode") == "dynamic":
        found.counts["time"] = "a dynamic graph: the edges of all times are read"
    return found


def _xml(path: Path, what: str) -> bytes:
    data = read_bytes(path, BYTES_PER_BYTE)
    for mark in (b"<!DOCTYPE", b"<!ENTITY", b"\x00"):
        if mark in data[:4096] or (mark != b"\x00" and mark in data):
            raise BadFile(
                f"{path}: holds {mark.decode('ascii')!r}; {what} in UTF-8 without document types was expected"
            )
    warn_if_large(data.count(b"<edge"), str(path))
    return data


def _one_graph(data: bytes, wanted: str | None, path: Path) -> bytes:
    """Bring GraphML into the form that NetworkX (3.6) reads whole.

    It takes the first of several graphs, where a user may name one by its id or its number from 1, leaves out graphs
    inside nodes but for groups of yEd, and the defaults of keys that are for all elements and not for edges.
    """
    if wanted is None and len(XML_GRAPH.findall(data)) < 2 and b"<default" not in data:
        return data
    root = ElementTree.fromstring(data)
    graphs = [element for element in root if _is_graph(element)]
    inside = [child for parent in root.iter() if parent is not root for child in parent if _is_graph(child)]
    groups = [child for parent in root.iter() if parent.get("yfiles.foldertype") == "group" for child in parent]
    if any(graph not in groups for graph in inside):
        raise BadFile(f"{path}: holds graphs inside nodes or edges, which are not read: write one flat graph")
    numbered = {str(k): graph for k, graph in enumerate(graphs, 1)}
    names = {graph.get("id", k): graph for k, graph in numbered.items()}
    if wanted is None and len(graphs) > 1:
        raise BadFile(f"{path}: holds {len(graphs)} graphs, {', '.join(names)}: choose one with variable=")
    if wanted is not None and wanted not in names | numbered:
        raise BadFile(f"{path}: holds no graph {wanted!r}; those it holds are {', '.join(names) or 'none'}")
    kept = graphs if wanted is None else [(numbered | names)[wanted]]
    for graph in graphs:
        if graph not in kept:
            root.remove(graph)
    for key in root:
        if key.tag.endswith("key") and key.get("for", "all") == "all":
            key.set("for", "edge")
    return ElementTree.tostring(root)


def _is_graph(element: ElementTree.Element) -> bool:
    return element.tag.rpartition("}")[2] == "graph"


def read_pajek(path: Path, options: ReadOptions) -> Network | Found:
    """Read Pajek's network, arcs as directed edges."""
    networkx = require("networkx", "nx", "Pajek")
    data = read_bytes(path, BYTES_PER_BYTE)
    warn_if_large(data.count(b"\n"), str(path))
    with naming_damage(path, "Pajek network"):
        return _found(_parsed_pajek(networkx, data.decode("utf-8-sig"), path), path, options, "Pajek")


def _parsed_pajek(networkx: Any, text: str, path: Path) -> Any:
    """Parse every list of edges or arcs by itself: NetworkX (3.6) takes all that follows the first for more of the same."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("%")]
    starts = [k for k, line in enumerate(lines) if line.startswith("*")]
    sections = [lines[k:end] for k, end in itertools.pairwise([*starts, len(lines)])]
    vertices = [section for section in sections if section[0].lower().startswith("*vertices")]
    if len(vertices) != 1:
        raise BadFile(f"{path}: has {len(vertices)} lists of *Vertices, where one network was expected: split the file")
    n = int(vertices[0][0].split()[1])
    given = {line.split()[0]: line for line in vertices[0][1:] if len(line.split()) > 1}
    if n > len(text):  # vertices may be left out
        raise BadFile(f"{path}: announces {n} vertices, for which it is too small: it is damaged")
    head = [f"*Vertices {n}", *(given.get(str(k), f'{k} "{k}"') for k in range(1, n + 1))]
    graphs = []
    for section in sections:
        kind = section[0].lower().split()[0]
        if kind in PAJEK_LISTS:
            graphs.append(networkx.parse_pajek([*head, *section]))
        elif kind not in ("*network", "*vertices"):
            known = ", ".join(PAJEK_LISTS)
            raise BadFile(f"{path}: has a section {section[0][:40]!r}; those that are read are *Vertices, {known}")
    directed = not graphs or any(graph.is_directed() for graph in graphs)
    whole = (networkx.MultiDiGraph if directed else networkx.MultiGraph)()
    for graph in graphs or [networkx.parse_pajek(head)]:
        whole.add_nodes_from(graph)
        whole.add_edges_from((graph.to_directed() if directed else graph).edges(data=True))
    if len(whole) != n:
        raise BadFile(
            f"{path}: has {len(whole)} names for {n} vertices: some share a name, or edges lead to others that are not listed"
        )
    return _with_weight_1(whole)


def _with_weight_1(graph: Any) -> Any:
    """Let an edge weigh 1 where others have a weight and it has none, as GEXF and Pajek define it."""
    if any("weight" in data for *_, data in graph.edges(data=True)):
        graph.graph[EDGE_DEFAULTS] = {"weight": 1.0}
    return graph


def read_gml(path: Path, options: ReadOptions) -> Network | Found:
    """Read GML; nodes by their labels, by their ids where labels are missing or not distinct."""
    networkx = require("networkx", "nx", "GML")
    data = read_bytes(path, BYTES_PER_BYTE)
    warn_if_large(data.count(b"edge"), str(path))
    with naming_damage(path, "GML file"):
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
    taking = ("weight", "variable") if what == "GraphML" else ("weight",)
    options.allow(taking, f"{path} is a graph, whose edges have a direction or none")
    text = graph.graph.get(meta.RECORD)
    try:
        found = from_networkx(graph, options.weight, texts=True)
    except InvalidNetwork as error:
        raise BadFile(f"{path}: {error.fact}", remedy="choose with weight=" if error.remedy else "") from None
    if text is not None:
        network = meta.restore_inside(found.matrix, text, path)
        if network is not None:
            return network
    return Found(found.matrix, _names(graph), {"format": what, **found.counts}, "weights")


def _names(graph: Any) -> list[int | str]:
    """Name neurons by what igraph and Gephi keep beside their own ids, or by the ids."""
    defaults = graph.graph.get(NODE_DEFAULTS, {})
    for attribute in ("name", "label"):
        nodes = [defaults | data for _, data in graph.nodes(data=True)]
        names = [str(data[attribute]) for data in nodes if attribute in data]
        if names and len(set(names)) == len(graph):
            return name_neurons(names)
    return name_neurons([str(node) for node in graph.nodes])


def write_graphml(network: Network, path: Path) -> None:
    """Write GraphML.

    Raises
    ------
    InvalidNetwork
        Where a label holds what XML cannot carry.
    """
    networkx = require("networkx", "nx", "GraphML")
    bad = next((x for x in network.labels or () if isinstance(x, str) and NOT_IN_XML.search(x)), None)
    if bad is not None:
        raise InvalidNetwork(f"GraphML cannot carry the control characters in the label {bad!r}: choose another format")
    with path.open("wb") as file:
        networkx.write_graphml(to_networkx(network), file)


def write_gml(network: Network, path: Path) -> None:
    """Write GML."""
    networkx = require("networkx", "nx", "GML")
    with path.open("wb") as file:
        networkx.write_gml(to_networkx(network), file)


def from_networkx(graph: Any, weight: str | None = None, *, texts: bool = False) -> Found:
    """Read a graph of NetworkX, an edge u -> v as the synapse from u to v; an undirected one as symmetric.

    Parameters
    ----------
    graph : networkx.Graph, DiGraph, MultiGraph or MultiDiGraph
        Parallel edges are summed, self-loops dropped.
    weight : str, optional
        The attribute that holds the weight: by default "weight", or the only one that is a number; without any an edge
        counts 1.
    texts : bool
        Whether numbers may be written as text, as in files.

    Raises
    ------
    InvalidNetwork
        Where several attributes could be the weight, or one is no number.
    """
    nodes = list(graph.nodes)
    number = {node: k for k, node in enumerate(nodes)}
    edges = list(graph.edges(data=True))
    attributes = edge_attributes(graph)
    attribute = find_weight(attributes, weight, texts=texts)
    ends = [(number[u], number[v]) for u, v, _ in edges]
    values = [1 if attribute is None else data.get(attribute) for data in attributes]
    weights = read_weights(values, lambda k: f"edge {edges[k][:2]!r}", attribute)
    matrix, counts = place_edges(ends, weights, len(nodes), directed=graph.is_directed())
    if attribute is None:
        counts["weight"] = "no such attribute: each edge counts 1"
    elif attribute != "weight":
        counts["weight"] = attribute
    unused = [name for name in _could_be_weights(attributes, texts=texts) if name != attribute]
    if unused:
        counts["attributes_not_used"] = ", ".join(unused)
    return Found(matrix, labels_of(nodes), counts, "weights")


def edge_attributes(graph: Any) -> list[dict[str, Any]]:
    """Return the attributes of every edge, those of all edges (GraphML's defaults) where it has none of its own."""
    defaults = graph.graph.get(EDGE_DEFAULTS) or {}
    return [{**defaults, **data} if defaults else data for *_, data in graph.edges(data=True)]


def find_weight(attributes: list[dict[str, Any]], wanted: str | None = None, *, texts: bool = False) -> str | None:
    """Find the attribute that holds the weight of an edge.

    Parameters
    ----------
    attributes : list of dict
        Those of every edge.
    wanted : str, optional
        Its name, where the user said so.
    texts : bool
        Whether texts that read as numbers count.

    Returns
    -------
    str or None
        None where there is none.

    Raises
    ------
    InvalidNetwork
        Where it is missing, or several attributes could be it.
    """
    names = {name: None for data in attributes for name in data}
    if wanted is not None:
        if wanted not in names:
            raise InvalidNetwork(f"no edge has an attribute {wanted!r}; those there are {', '.join(names) or 'none'}")
        return wanted
    if "weight" in names:
        return "weight"
    fit = _could_be_weights(attributes, texts=texts)
    if len(fit) > 1:
        raise InvalidNetwork(
            f"several attributes of the edges could be the weight, {', '.join(fit)}",
            remedy="rename the right one to weight, or drop the others",
        )
    return fit[0] if fit else None


def _could_be_weights(attributes: list[dict[str, Any]], *, texts: bool) -> list[str]:
    """Name the attributes that are numbers wherever they are there, or `texts` that read as numbers."""
    names = {name: None for data in attributes for name in data}
    there = {name: [data[name] for data in attributes if data.get(name) is not None] for name in names}
    is_number = _reads_as_number if texts else _is_number
    return [name for name, values in there.items() if name not in NO_WEIGHTS and values and all(map(is_number, values))]


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _reads_as_number(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, str) and bool(np.isfinite(_number(value))))


def read_weights(values: list[Any], place: Any, attribute: str | None) -> Any:
    """Turn the weights of edges into float64.

    Parameters
    ----------
    values : list
        As they stand in the file or the graph.
    place : callable
        Says where the k-th of them is, for an error.
    attribute : str or None
        The name of the weight.

    Returns
    -------
    (n_edges,) array
        Finite.

    Raises
    ------
    InvalidNetwork
        Where one is no finite number; names the first.
    """
    weights = np.array([_number(value) for value in values], dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(weights))
    if bad.size:
        raise InvalidNetwork(
            f"{place(bad[0])} has {attribute} = {values[bad[0]]!r}, where a finite number was expected ({bad.size} such "
            "edges)",
            remedy="mend it, or drop the attribute",
        )
    return weights


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def place_edges(ends: Any, weights: Any, n: int, *, directed: bool) -> tuple[Any, dict[str, Any]]:
    """Sum edges (u, v) into W; an undirected edge joins both alike.

    Parameters
    ----------
    ends : (n_edges, 2) int array_like
        From u to v.
    weights : (n_edges,) array
        One an edge.
    n : int
        Nodes.
    directed : bool
        Whether an edge joins one way only.

    Returns
    -------
    matrix : (n, n) csr_array
        (post, pre); edges from a node to itself are left out.
    counts : dict
        What was dropped and summed.
    """
    ends = np.asarray(ends, dtype=np.int64).reshape(-1, 2)
    off = ends[:, 0] != ends[:, 1]
    pre, post, weights = ends[off, 0], ends[off, 1], weights[off]
    if not directed:
        pre, post, weights = np.r_[pre, post], np.r_[post, pre], np.r_[weights, weights]
    matrix = sum_synapses(post, pre, weights, n)
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
    networkx = require("networkx", "nx", "a graph")
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
