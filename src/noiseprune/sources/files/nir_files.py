"""NIR, the Neuromorphic Intermediate Representation: a population of leaky integrators that drives itself.

NIR's LI obeys tau dv/dt = v_leak - v + r I, so tau = r = 1 / leak makes it dx/dt = -D x + I with I = W x.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from noiseprune.errors import BadFile
from noiseprune.machine.memory import require_memory
from noiseprune.network import Network
from noiseprune.network.checks import square_matrix
from noiseprune.network.links import without_diagonal
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files import trial
from noiseprune.sources.files.extras import require
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.hdf5_parts import check_declared
from noiseprune.sources.files.matrices import choose_matrix, naming_damage
from noiseprune.sources.reading import ReadOptions


def read_nir(path: Path, options: ReadOptions) -> Network | Found:
    """Read the linear or affine node that leads from a population back to itself."""
    nir = require("nir", "nir", "NIR")
    h5py = require("h5py", "hdf5", "NIR")
    trial.survive(trial.HDF5, path, "NIR graph")
    with naming_damage(path, "NIR graph"):
        with h5py.File(path, "r") as file:
            file.visititems(lambda _, item: check_declared(item, path) if isinstance(item, h5py.Dataset) else None)
        graph = nir.read(path)
        name = _recurrent(graph, nir, options.variable, path)
        node = graph.nodes[name]
        text = node.metadata.get(meta.RECORD)
        if text is not None:
            text = text.decode("utf-8") if isinstance(text, bytes) else str(text)
            network = meta.restore_inside(square_matrix(node.weight, "the weights"), text, path)
            if network is not None:
                return network
        options.allow(("variable",), f"{path} is a NIR graph, whose rows receive")
        return _population(graph, nir, name)


def _recurrent(graph: Any, nir: Any, wanted: str | None, path: Path) -> str:
    if not hasattr(graph, "nodes"):
        raise BadFile(f"{path}: is a single NIR node, and a graph with a recurrent connection was expected")
    edges = set(map(tuple, graph.edges))
    loops = [
        name
        for name, node in graph.nodes.items()
        if isinstance(node, nir.Linear | nir.Affine)
        and any((name, other) in edges and (other, name) in edges for other in graph.nodes)
    ]
    if not loops:
        raise BadFile(f"{path}: has no linear or affine node that leads from a population back to itself")
    return choose_matrix({name: np.shape(graph.nodes[name].weight) for name in loops}, wanted, path)


def _population(graph: Any, nir: Any, name: str) -> Found:
    """Take the leak of leaky integrators; of other neurons the weights alone."""
    edges = set(map(tuple, graph.edges))
    other = next(other for other in graph.nodes if (name, other) in edges and (other, name) in edges)
    neurons = graph.nodes[other]
    matrix = square_matrix(graph.nodes[name].weight, "the weights")
    counts: dict[str, Any] = {"format": f"NIR, {name}", "population": f"{other} ({type(neurons).__name__})"}
    for what, left_out in (("bias", getattr(graph.nodes[name], "bias", 0)), ("v_leak", getattr(neurons, "v_leak", 0))):
        if np.any(left_out):
            counts[what] = "not zero, and not carried: the network has no constant input"
    if isinstance(neurons, nir.LI) and np.size(neurons.tau) == matrix.shape[0]:
        leak = 1 / np.ravel(neurons.tau)
        gain = np.ravel(neurons.r) * leak
        matrix = matrix.multiply(gain[:, None]).tocsr()
        own = matrix.diagonal()  # a self-connection is part of the leak
        counts["leak"] = "1 / tau"
        return Found(without_diagonal(matrix), None, counts, "weights", leak - own)
    counts["self_connections_dropped"] = int(np.count_nonzero(matrix.diagonal()))
    return Found(without_diagonal(matrix), None, counts, "weights")


def write_nir(network: Network, path: Path) -> None:
    """Write a population of leaky integrators, its recurrent weights dense (NIR has no sparse ones) and compressed."""
    nir = require("nir", "nir", "NIR")
    n = network.n_neurons
    require_memory(3 * 8.0 * n * n, f"a dense matrix of {n} neurons", "write .npz instead")
    neurons = nir.LI(tau=1 / network.leak, r=1 / network.leak, v_leak=np.zeros(n))
    weights = nir.Linear(weight=network.weights.toarray(), metadata={meta.RECORD: meta.dumps(meta.describe(network))})
    graph = nir.NIRGraph(
        nodes={
            "input": nir.Input(input_type={"input": np.array([n])}),
            "neurons": neurons,
            "recurrent": weights,
            "output": nir.Output(output_type={"output": np.array([n])}),
        },
        edges=[("input", "neurons"), ("neurons", "recurrent"), ("recurrent", "neurons"), ("neurons", "output")],
    )
    memory = io.BytesIO()  # as of every HDF5 file
    nir.write(memory, graph)
    path.write_bytes(memory.getbuffer())
