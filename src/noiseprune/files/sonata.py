"""SONATA edges: HDF5 tables of source and target node ids, as NEST, BMTK, Brian and libsonata read them.

See https://github.com/AllenInstitute/sonata, "Representing Edges".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from noiseprune.errors import BadFile
from noiseprune.files import metadata as meta
from noiseprune.files.extras import required
from noiseprune.files.hdf5 import new_file, record_in, values, write_rest
from noiseprune.files.matrices import chosen, understood
from noiseprune.files.options import Found, ReadOptions, summed
from noiseprune.linalg.memory import need
from noiseprune.network import Network

POPULATION = "recurrent"
NODES = "neurons"
MAGIC = 0x0A7A  # by which SONATA files are known


def read_sonata(path: Path, options: ReadOptions) -> Network | Found:
    """Read the edges of one population."""
    h5py = required("h5py", "hdf5", "SONATA")
    with understood(path, "SONATA file"), h5py.File(path, "r") as file:
        if "edges" not in file:
            raise BadFile(f"{path}: has no group /edges, where SONATA keeps synapses")
        return read_edges(file, path, options)


def read_edges(file: Any, path: Path, options: ReadOptions) -> Network | Found:
    """Read the edges of one population from an open file."""
    options.allow(("variable", "weight"), f"{path} holds SONATA edges, which say source and target")
    name = _population(file, options.variable, path)
    edges = file["edges"][name]
    need(32.0 * edges["source_node_id"].size, f"the edges in {path}", "use a machine with more")
    pre, post = (values(edges[f"{side}_node_id"], path).astype(np.int64) for side in ("source", "target"))
    if pre.shape != post.shape or pre.ndim != 1 or (len(pre) and min(pre.min(), post.min()) < 0):
        raise BadFile(f"{path}: /edges/{name} has {pre.size} sources and {post.size} targets; ids count from 0")
    weight, counts = _weight(edges, len(pre), path, options.weight)
    counts = {"format": f"SONATA edges, population {name}", **counts}
    text = record_in(file)
    recorded = 0 if text is None else int(meta.loads(text, path)["n_neurons"])
    n = max(recorded, _n_nodes(file, edges), 1 + int(max(pre.max(initial=-1), post.max(initial=-1))))
    need(8.0 * n, f"a network of {n} neurons, as the ids in {path} count", "number them from 0 without gaps")
    if text is not None:
        network = meta.restore_inside(summed(post, pre, weight, n), text, path)
        if network is not None:
            return network
    off = pre != post
    counts["self_connections_dropped"] = int(np.count_nonzero(~off))
    matrix = summed(post[off], pre[off], weight[off], n)
    counts["duplicate_rows_summed"] = int(np.count_nonzero(off)) - matrix.nnz
    zeros = int(np.count_nonzero(matrix.data == 0))
    if zeros:
        counts["zero_or_cancelled_weights_dropped"] = zeros
    matrix.eliminate_zeros()
    return Found(matrix, None, counts, content="weights")


def _population(file: Any, wanted: str | None, path: Path) -> str:
    """Choose one of the populations of edges that lead back to the nodes they come from."""
    ends = {name: _node_populations(edges) for name, edges in file["edges"].items()}
    between = {name: " to ".join(both) for name, both in ends.items() if len(set(both)) > 1}
    name = next(iter(between), None) if wanted is None and len(between) == len(ends) else wanted
    if name in between:
        raise BadFile(
            f"{path}: the edges {name!r} lead from one population to another, {between[name]}; edges within one population "
            "were expected: number both as one, or choose others with --variable"
        )
    return chosen({name: (2, 2) for name in ends if name not in between}, wanted, path)


def _node_populations(edges: Any) -> tuple[str, ...]:
    """Name the populations of nodes that edges lead from and to, where they say so."""
    columns = [edges[name] for name in ("source_node_id", "target_node_id") if name in edges]
    named = (column.attrs.get("node_population") for column in columns)
    return tuple(x.decode("utf-8", "replace") if isinstance(x, bytes) else str(x) for x in named if x is not None)


def _n_nodes(file: Any, edges: Any) -> int:
    """Count the nodes of the population where the file lists them, so that those without edges are there too."""
    nodes = f"nodes/{(*_node_populations(edges), '')[0]}/node_type_id"
    return int(file[nodes].size) if nodes in file else 0


def _weight(edges: Any, m: int, path: Path, wanted: str | None) -> tuple[Any, dict[str, Any]]:
    """Find a weight for each edge; in many files it stands in the table of edge types, which is not read."""
    name = wanted or "syn_weight"
    for group in ("0", "."):
        if group in edges and name in edges[group]:
            weight = values(edges[group][name], path).astype(np.float64)
            if weight.shape != (m,):
                raise BadFile(f"{path}: {name} holds {weight.shape[0]} weights for {m} edges: one group 0 is read")
            return weight, {}
    if wanted:
        raise BadFile(f"{path}: its edges have no attribute {wanted!r}; group 0 has {', '.join(edges.get('0', []))}")
    return np.ones(m), {"weight": "no syn_weight: each edge counts 1 (weights by edge type are not read)"}


def write_sonata(network: Network, path: Path) -> None:
    """Write nodes and edges of one population; weights as ``syn_weight``, in 1/s."""
    post, pre, weight = network.synapses
    with new_file(path, "SONATA") as file:
        file.attrs["magic"] = np.uint32(MAGIC)
        file.attrs["version"] = np.array([0, 1], dtype=np.uint32)
        nodes = file.create_group(f"nodes/{NODES}")
        edges = file.create_group(f"edges/{POPULATION}")
        for side, ids in (("source", pre), ("target", post)):
            column = edges.create_dataset(
                f"{side}_node_id", data=ids.astype(np.uint64), compression="gzip", shuffle=True
            )
            column.attrs["node_population"] = NODES
        edges.create_dataset("0/syn_weight", data=weight, compression="gzip", shuffle=True)
        for group, kind, size in ((nodes, "node", network.n_neurons), (edges, "edge", len(weight))):
            group.create_dataset(f"{kind}_type_id", data=np.zeros(size, dtype=np.int64), compression="gzip")
            group.create_dataset(f"{kind}_group_id", data=np.zeros(size, dtype=np.uint32), compression="gzip")
            group.create_dataset(
                f"{kind}_group_index", data=np.arange(size, dtype=np.uint64), compression="gzip", shuffle=True
            )
        nodes.create_dataset("node_id", data=np.arange(network.n_neurons, dtype=np.uint64), compression="gzip")
        nodes.create_group("0")
        write_rest(file, network)
