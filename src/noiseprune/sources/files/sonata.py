"""SONATA edges: HDF5 tables of source and target node ids, as NEST, BMTK, Brian and libsonata read them.

See https://github.com/AllenInstitute/sonata, "Representing Edges".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from noiseprune.errors import BadFile
from noiseprune.machine.memory import require_memory
from noiseprune.network import Network
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files import text
from noiseprune.sources.files.extras import require
from noiseprune.sources.files.found import Found, sum_synapses
from noiseprune.sources.files.hdf5_parts import new_file, record_in, values, write_rest
from noiseprune.sources.files.matrices import choose_matrix, naming_damage
from noiseprune.sources.files.sources import check_readable, read_bytes
from noiseprune.sources.reading import ReadOptions

POPULATION = "recurrent"
NODES = "neurons"
WEIGHT, SYNAPSES, TYPE = "syn_weight", "nsyns", "edge_type_id"
TYPES = "edge_types.csv"  # how the name of a table of edge types ends
MAGIC = 0x0A7A  # by which SONATA files are known


def read_sonata(path: Path, options: ReadOptions) -> Network | Found:
    """Read the edges of one population.

    Raises
    ------
    BadFile
        Where it is damaged, or has no edges.
    MissingExtra
        Where h5py is not installed.
    """
    h5py = require("h5py", "hdf5", "SONATA")
    with naming_damage(path, "SONATA file"), h5py.File(path, "r") as file:
        if "edges" not in file:
            raise BadFile(f"{path}: has no group /edges, where SONATA keeps synapses")
        return read_edges(file, path, options)


def read_edges(file: Any, path: Path, options: ReadOptions) -> Network | Found:
    """Read the edges of one population from an open file.

    Parameters
    ----------
    file : h5py.File
        Open.
    path : Path
        Its path.
    options : ReadOptions
        What the user said of it.

    Returns
    -------
    Network or Found
        A network where noiseprune wrote it, else weights in (post, pre) order.

    Raises
    ------
    BadFile
        Where sources and targets do not fit together, or the population is not there.
    TooLarge
        Where memory will not suffice.
    """
    options.allow(("variable", "weight", "edge_types"), f"{path} holds SONATA edges, which say source and target")
    name = _population(file, options.variable, path)
    edges = file["edges"][name]
    require_memory(32.0 * edges["source_node_id"].size, f"the edges in {path}", "use a machine with more")
    pre, post = (values(edges[f"{side}_node_id"], path).astype(np.int64) for side in ("source", "target"))
    if pre.shape != post.shape or pre.ndim != 1 or (len(pre) and min(pre.min(), post.min()) < 0):
        raise BadFile(f"{path}: /edges/{name} has {pre.size} sources and {post.size} targets; ids count from 0")
    weight, counts = _weight(edges, len(pre), path, options)
    counts = {"format": f"SONATA edges, population {name}", **counts}
    record = record_in(file)
    recorded = 0 if record is None else int(meta.loads(record, path)["n_neurons"])
    n = max(recorded, _n_nodes(file, edges), 1 + int(max(pre.max(initial=-1), post.max(initial=-1))))
    require_memory(8.0 * n, f"a network of {n} neurons, as the ids in {path} count", "number them from 0 without gaps")
    if record is not None:
        network = meta.restore_inside(sum_synapses(post, pre, weight, n), record, path)
        if network is not None:
            return network
    off = pre != post
    counts["self_connections_dropped"] = int(np.count_nonzero(~off))
    matrix = sum_synapses(post[off], pre[off], weight[off], n)
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
            "were expected: number both as one, or choose others with variable="
        )
    return choose_matrix({name: (2, 2) for name in ends if name not in between}, wanted, path)


def _node_populations(edges: Any) -> tuple[str, ...]:
    """Name the populations of nodes that edges lead from and to, where they say so."""
    columns = [edges[name] for name in ("source_node_id", "target_node_id") if name in edges]
    named = (column.attrs.get("node_population") for column in columns)
    return tuple(x.decode("utf-8", "replace") if isinstance(x, bytes) else str(x) for x in named if x is not None)


def _n_nodes(file: Any, edges: Any) -> int:
    """Count the nodes of the population where the file lists them, so that those without edges are there too."""
    nodes = f"nodes/{(*_node_populations(edges), '')[0]}/node_type_id"
    return int(file[nodes].size) if nodes in file else 0


def _weight(edges: Any, m: int, path: Path, options: ReadOptions) -> tuple[Any, dict[str, Any]]:
    """Find a weight for each edge: its own, else that of its type, and either times the number of its synapses."""
    name = options.weight or WEIGHT
    groups = _places(edges, m, path)
    weight = _attribute(edges, groups, name, m, path)
    own = int(np.count_nonzero(~np.isnan(weight)))
    source = f"{name} of each edge"
    types: Path | None = None
    if own < m and (types := _types_file(path, options)) is not None:
        by_type = _by_type(edges, np.isnan(weight), name, types, path)
        if by_type is not None:
            weight = np.where(np.isnan(weight), by_type, weight)
            source = f"{name} of {types.name}" + (f", its own for {own} edges" if own else "")
    missing = np.isnan(weight)
    if missing.all() and options.weight is None:
        weight, missing = np.ones(m), np.zeros(m, dtype=np.bool_)
        source = (
            f"no {WEIGHT} in {types.name}" if types else f"no {WEIGHT}, and no table *edge_types.csv beside the file"
        )
        source += ": each edge counts 1"
    if missing.any():
        k = int(np.flatnonzero(missing)[0])
        there = sorted({x for group in groups for x in edges.get(group, ())})
        raise BadFile(
            f"{path}: edge {k} has no {name} ({np.count_nonzero(missing)} such edges); the attributes of edges are "
            f"{', '.join(there) or 'none'}: choose another with weight=, or give a table of edge types that has it with "
            "edge_types="
        )
    counts = {} if m == own and not options.weight else {"weight": source}
    if name == WEIGHT:
        n_synapses = _attribute(edges, groups, SYNAPSES, m, path)
        if not np.isnan(n_synapses).all():
            weight = weight * np.where(np.isnan(n_synapses), 1.0, n_synapses)
            counts["weight"] = f"{source}, times {SYNAPSES}"
    return weight, counts


def _places(edges: Any, m: int, path: Path) -> dict[str, tuple[Any, Any]]:
    """Say which edges have their attributes in each group, and where in it.

    Edge k has the attributes ``group[edge_group_id[k]][edge_group_index[k]]``; without these columns all are in group 0, or
    beside the columns themselves, in order.
    """
    if "edge_group_id" not in edges or "edge_group_index" not in edges:
        return {name: (slice(None), slice(None)) for name in ("0", ".")}
    group, index = (values(edges[f"edge_group_{part}"], path) for part in ("id", "index"))
    if group.shape != (m,) or index.shape != (m,):
        raise BadFile(
            f"{path}: has {group.size} values of edge_group_id and {index.size} of edge_group_index for {m} edges"
        )
    return {str(name): (np.flatnonzero(group == name), index[group == name]) for name in np.unique(group)}


def _attribute(edges: Any, groups: dict[str, tuple[Any, Any]], name: str, m: int, path: Path) -> Any:
    """Return an attribute of every edge, NaN where it has none."""
    found = np.full(m, np.nan)
    for group, (which, index) in groups.items():
        if group not in edges or name not in edges[group]:
            continue
        column = values(edges[group][name], path)
        if column.ndim != 1 or column.dtype.kind not in "buif":
            raise BadFile(
                f"{path}: {name} of group {group} is no list of real numbers, but {column.dtype} {column.shape}"
            )
        if isinstance(index, slice):
            if column.shape != (m,):
                raise BadFile(f"{path}: {name} of group {group} has {column.size} values for {m} edges")
            return column.astype(np.float64)
        bad = np.flatnonzero((index < 0) | (index >= len(column)))
        if bad.size:
            raise BadFile(
                f"{path}: edge {which[bad[0]]} has edge_group_index {index[bad[0]]}, and {name} of group {group} has "
                f"{len(column)} values"
            )
        found[which] = column[index.astype(np.int64)]
    return found


def _types_file(path: Path, options: ReadOptions) -> Path | None:
    """Find the table of edge types: the one that was named, that of the same name, or the only one beside the file."""
    if options.edge_types is not None:
        check_readable(Path(options.edge_types))
        return Path(options.edge_types)
    stem = path.name.lower().removesuffix(".h5").removesuffix(".hdf5").removesuffix(".sonata").removesuffix("_edges")
    beside = sorted(other for other in path.parent.iterdir() if other.name.lower().endswith(TYPES))
    if same := [other for other in beside if other.name.lower() == f"{stem}_{TYPES}"]:
        return same[0]
    if len(beside) > 1:
        names = ", ".join(other.name for other in beside[:6])
        raise BadFile(f"{path}: several tables of edge types lie beside it, {names}: choose one with edge_types=")
    return beside[0] if beside else None


def _by_type(edges: Any, which: Any, name: str, table: Path, path: Path) -> Any:
    """Return the weight of every edge's type, NaN but for the edges asked for; None where the table has no such column."""
    cells = text.parse(read_bytes(table), table).cells
    header = [cell or "" for cell in cells.row(0)]
    if name not in header:
        return None
    if TYPE not in header or TYPE not in edges:
        raise BadFile(f"{table if TYPE in edges else path}: has no {TYPE}, by which edges and their types are joined")
    type_of_edge = values(edges[TYPE], path)
    if type_of_edge.shape != which.shape:
        raise BadFile(f"{path}: has {type_of_edge.size} values of {TYPE} for {which.size} edges")
    listed = zip(*(cells.to_series(header.index(x)).to_list()[1:] for x in (TYPE, name)), strict=True)
    weights = {str(kind): cell for kind, cell in listed}
    found = np.full(which.shape, np.nan)
    for kind in np.unique(type_of_edge[which]):
        if str(kind) not in weights:
            raise BadFile(f"{table}: has no edge type {kind}, which edges in {path.name} have; add its {name}")
        try:
            weight = float(weights[str(kind)] or "")
        except ValueError:
            weight = np.nan
        if not np.isfinite(weight):
            raise BadFile(
                f"{table}: edge type {kind} has {name} = {weights[str(kind)]!r}, where a finite number was expected"
            )
        found[which & (type_of_edge == kind)] = weight
    return found


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
