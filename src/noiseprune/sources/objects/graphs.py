"""Graphs of NetworkX, igraph and PyGSP."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from noiseprune.network import Network
from noiseprune.network.checks import square_matrix
from noiseprune.network.links import is_symmetric, without_diagonal
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.graph_files import (
    edge_attributes,
    find_weight,
    from_networkx,
    labels_of,
    place_edges,
    read_weights,
    warn_if_large,
)
from noiseprune.sources.objects.ratios import ratios

WEIGHT = "weight"


class NetworkXGraph:
    """A graph of NetworkX; an edge u -> v is the synapse from u to v."""

    def __init__(self, given: Any) -> None:
        self.given = given.copy()  # what is given back must not depend on what becomes of the graph
        warn_if_large(given.number_of_edges(), "the graph")
        self.found: Found = from_networkx(given)

    def give_back(self, before: Network, after: Network) -> Any:
        """Return a copy without the pruned edges."""
        graph = self.given.copy()
        number = {node: k for k, node in enumerate(graph.nodes)}
        keys = {"keys": True} if graph.is_multigraph() else {}
        edges = list(graph.edges(**keys))
        ends = np.array([(number[edge[0]], number[edge[1]]) for edge in edges], dtype=np.int64).reshape(-1, 2)
        changed = ratios(before, after, ends[:, 0], ends[:, 1])
        attributes = edge_attributes(graph)
        attribute = find_weight(attributes)
        for edge, data, ratio in zip(edges, attributes, changed.tolist(), strict=True):
            if ratio == 0:
                graph.remove_edge(*edge)
            else:
                graph.edges[edge][attribute or WEIGHT] = (1.0 if attribute is None else float(data[attribute])) * ratio
        return graph


class IgraphGraph:
    """A graph of igraph; the weight is the edges' attribute, the labels are the vertices' names."""

    def __init__(self, given: Any) -> None:
        self.given = given.copy()
        attributes = (
            [dict.fromkeys(given.es.attributes())] if given.ecount() == 0 else [edge.attributes() for edge in given.es]
        )
        self.attribute = find_weight(attributes) if given.ecount() else None
        values = given.es[self.attribute] if self.attribute else [1] * given.ecount()
        weights = read_weights(values, lambda k: f"edge {given.es[int(k)].tuple}", self.attribute)
        matrix, counts = place_edges(given.get_edgelist(), weights, given.vcount(), directed=given.is_directed())
        names = given.vs["name"] if "name" in given.vs.attributes() else None
        labels = labels_of(names) if names and len(set(names)) == len(names) else None
        self.found = Found(matrix, labels, counts, "weights")

    def give_back(self, before: Network, after: Network) -> Any:
        """Return a copy without the pruned edges."""
        graph = self.given.copy()
        ends = np.array(graph.get_edgelist(), dtype=np.int64).reshape(-1, 2)
        changed = ratios(before, after, ends[:, 0], ends[:, 1])
        old = np.array(graph.es[self.attribute] if self.attribute else [1.0] * graph.ecount(), dtype=np.float64)
        graph.es[self.attribute or WEIGHT] = (old * changed).tolist()
        graph.delete_edges(np.flatnonzero(changed == 0).tolist())
        return graph


class PyGSPGraph:
    """A graph of PyGSP; ``W[i, j]`` leads from i to j."""

    def __init__(self, given: Any) -> None:
        self.lap_type, self.coords = given.lap_type, deepcopy(getattr(given, "coords", None))
        weights = square_matrix(given.W, "the weights of the graph")
        own = int(np.count_nonzero(weights.diagonal()))
        directed = not is_symmetric(weights)
        counts = {"graph": "directed" if directed else "undirected", "self_connections_dropped": own}
        self.found = Found(without_diagonal(weights).T.tocsr(), None, counts, "weights")

    def give_back(self, before: Network, after: Network) -> Any:  # noqa: ARG002 - the weights are all there is
        """Return a graph of the same coordinates and kind of Laplacian."""
        import pygsp
        import scipy.sparse as sp

        return pygsp.graphs.Graph(sp.csr_matrix(after.weights.T), lap_type=self.lap_type, coords=deepcopy(self.coords))
