"""Models: one named matrix of a PyTorch state_dict or of safetensors. Pickled objects are never loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from noiseprune.errors import BadFile
from noiseprune.files import metadata as meta
from noiseprune.files.extras import required
from noiseprune.files.matrices import chosen, oriented, understood
from noiseprune.files.options import Found, ReadOptions
from noiseprune.network import Network

LINEAR = (
    "weights alone, read as a linear network whose leak is made up: not the dynamics of the trained model, which "
    "noiseprune.torch.prune_ prunes so that it keeps its task"
)
SPARSE = ("weights.data", "weights.indices", "weights.indptr")  # how we write W


def read_state_dict(path: Path, options: ReadOptions) -> Found:
    """Read one matrix of what ``torch.save(module.state_dict(), path)`` wrote."""
    torch = required("torch", "torch", "a PyTorch state_dict")
    with understood(path, "PyTorch state_dict"):
        state = torch.load(path, map_location="cpu", weights_only=True)
        tensors = _flat(state, torch)
        name = _matrix(tensors, options.variable, path)
        tensor = tensors[name]
        matrix = tensor.to_dense() if tensor.layout != torch.strided else tensor
        return _found(matrix.to(torch.float64).numpy(), path, options, f"PyTorch, {name}")


def _flat(state: Any, torch: Any, prefix: str = "") -> dict[str, Any]:
    """Collect the tensors of nested mappings, as checkpoints of training have them."""
    found = {}
    for name, value in state.items() if isinstance(state, dict) else ():
        if torch.is_tensor(value):
            found[f"{prefix}{name}"] = value
        elif isinstance(value, dict):
            found |= _flat(value, torch, f"{prefix}{name}.")
    return found


def _matrix(tensors: dict[str, Any], wanted: str | None, path: Path) -> str:
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    gates = {name: shape[0] // shape[1] for name, shape in shapes.items() if _is_gated(shape)}
    if wanted in gates:
        raise BadFile(
            f"{path}: {wanted!r} holds the {gates[wanted]} gates of a GRU or LSTM one above the other; noiseprune.torch "
            "prunes them, each by itself"
        )
    if gates and not any(len(shape) == 2 and shape[0] == shape[1] for shape in shapes.values()):
        raise BadFile(f"{path}: holds only matrices of gates, {', '.join(gates)}: prune the module by noiseprune.torch")
    return chosen(shapes, wanted, path)


def _is_gated(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[1] > 0 and shape[0] in (3 * shape[1], 4 * shape[1])


def _found(matrix: Any, path: Path, options: ReadOptions, what: str) -> Found:
    """Take a matrix by PyTorch's convention: rows receive. Its diagonal is that of weights."""
    options.allow(("variable", "orientation"), f"{path} holds a matrix of a model")
    counts = {
        "format": what,
        "orientation": options.orientation or "post-pre, by PyTorch's convention",
        "caution": LINEAR,
    }
    return Found(oriented(matrix, options.orientation or "post-pre", path), None, counts, "weights")


def read_safetensors(path: Path, options: ReadOptions) -> Network | Found:
    """Read one matrix, or what `write_safetensors` wrote."""
    safetensors = required("safetensors", "torch", "safetensors")
    with understood(path, "safetensors file"), safetensors.safe_open(path, framework="numpy") as file:
        text = (file.metadata() or {}).get(meta.RECORD)
        if text is not None:
            n = meta.loads(text, path)["n_neurons"]
            weights = sp.csr_array(tuple(file.get_tensor(name) for name in SPARSE), shape=(n, n))
            weights.check_format(full_check=True)
            network = meta.restore_inside(weights, text, path)
            if network is not None:
                return network
        tensors = {name: _Shaped(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        name = _matrix(tensors, options.variable, path)
        return _found(file.get_tensor(name).astype(np.float64), path, options, f"safetensors, {name}")


class _Shaped:
    """A tensor that was not read."""

    def __init__(self, shape: list[int]) -> None:
        self.shape = shape


def write_safetensors(network: Network, path: Path) -> None:
    """Write W in compressed rows, since the format has no sparse tensors; the record as metadata."""
    numpy = required("safetensors.numpy", "torch", "safetensors")
    csr = network.weights
    arrays = dict(zip(SPARSE, (csr.data, csr.indices, csr.indptr), strict=True))
    arrays |= {"leak": network.leak, "noise_std": network.noise_std}
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    path.write_bytes(numpy.save(arrays, metadata={meta.RECORD: meta.dumps(meta.describe(network))}))
