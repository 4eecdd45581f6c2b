"""Models: one named matrix of a PyTorch state_dict or of safetensors. Pickled objects are never loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from noiseprune.errors import BadFile
from noiseprune.network import Network
from noiseprune.network.checks import check_sparse
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.extras import require
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.matrices import choose_matrix, naming_damage, orient
from noiseprune.sources.reading import ReadOptions

LINEAR = (
    "weights alone, read as a linear network whose leak is made up: not the dynamics of the trained model, which "
    "noiseprune.torch.prune_ prunes so that it keeps its task"
)
SPARSE = ("weights.data", "weights.indices", "weights.indptr")  # how we write W


THE_TENSOR = "tensor"  # what one that was saved by itself is called
STATE_IN_ROWS = "noiseprune-csr-1"  # the format of `noiseprune.torch.save_sparse`
PARTS = ("values", "indices", "indptr")  # of NAME there
NUMPY_LACKS = ("BF16", "F8_")  # how types of safetensors begin that torch alone can read


def read_state_dict(path: Path, options: ReadOptions) -> Found:
    """Read one matrix of what ``torch.save(module.state_dict(), path)`` wrote, or of a tensor saved by itself."""
    torch = require("torch", "torch", "a PyTorch state_dict")
    with naming_damage(path, "PyTorch state_dict"), path.open("rb") as file:
        with torch.sparse.check_sparse_tensor_invariants():  # indices out of range would crash what comes later
            state = torch.load(file, map_location="cpu", weights_only=True)
        tensors = {THE_TENSOR: state} if torch.is_tensor(state) else _flat(state, torch)
        name = _matrix(tensors, options.variable, path)
        return _found(_numbers(tensors[name], torch), path, options, f"PyTorch, {name}")


def _numbers(tensor: Any, torch: Any) -> Any:
    """Return a tensor as a dense array of float64, or of what it is where its numbers are complex."""
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    return (tensor.resolve_conj() if tensor.is_complex() else tensor.to(torch.float64)).numpy()


def _flat(state: Any, torch: Any, prefix: str = "") -> dict[str, Any]:
    """Collect the tensors of nested mappings and lists, as checkpoints of training have them."""
    found = {}
    items: Any = (
        state.items() if isinstance(state, dict) else enumerate(state) if isinstance(state, list | tuple) else ()
    )
    for name, value in items:
        if torch.is_tensor(value):
            found[f"{prefix}{name}"] = value
        else:
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
    return choose_matrix(shapes, wanted, path)


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
    return Found(orient(matrix, options.orientation or "post-pre", path), None, counts, "weights")


def read_safetensors(path: Path, options: ReadOptions) -> Network | Found:
    """Read one matrix, or what `write_safetensors` wrote."""
    safetensors = require("safetensors", "torch", "safetensors")
    with naming_damage(path, "safetensors file"), safetensors.safe_open(path, framework="numpy") as file:
        text = (file.metadata() or {}).get(meta.RECORD)
        if text is not None:
            n = meta.loads(text, path)["n_neurons"]
            weights = check_sparse(sp.csr_array(tuple(file.get_tensor(name) for name in SPARSE), shape=(n, n)))
            network = meta.restore_inside(weights, text, path)
            if network is not None:
                return network
        tensors = {name: _Shaped(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        in_rows = sparse_shapes(file.metadata() or {}, path)
        for name, shape in in_rows.items():
            tensors = {k: v for k, v in tensors.items() if k not in [f"{name}.{part}" for part in PARTS]}
            tensors[name] = _Shaped(shape)
        name = _matrix(tensors, options.variable, path)
        if name in in_rows:
            arrays = tuple(_tensor(file, f"{name}.{part}", path) for part in PARTS)
            matrix = check_sparse(sp.csr_array(arrays, shape=tuple(in_rows[name])))
        else:
            matrix = _tensor(file, name, path)
        if matrix.dtype.kind != "c":
            matrix = matrix.astype(np.float64)
        return _found(matrix, path, options, f"safetensors, {name}")


def sparse_shapes(metadata: dict[str, str], path: Any) -> dict[str, list[int]]:
    """Return the shapes of the matrices that `noiseprune.torch.save_sparse` wrote in compressed rows; none elsewhere.

    Raises
    ------
    BadFile
        Where the list of shapes is damaged.
    """
    if metadata.get("format") != STATE_IN_ROWS:
        return {}
    try:
        return {
            str(name): [int(rows), int(columns)] for name, (rows, columns) in meta.from_json(metadata["shapes"]).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        raise BadFile(
            f"{path}: its list of shapes is damaged: write it again with noiseprune.torch.save_sparse"
        ) from None


def _tensor(file: Any, name: str, path: Path) -> Any:
    """Read a tensor as an array; types that NumPy lacks by way of torch."""
    if not file.get_slice(name).get_dtype().startswith(NUMPY_LACKS):
        return file.get_tensor(name)
    torch = require("torch", "torch", f"a tensor of {file.get_slice(name).get_dtype()}")
    safetensors = require("safetensors", "torch", "safetensors")
    with safetensors.safe_open(path, framework="pt") as same:
        return same.get_tensor(name).to(torch.float64).numpy()


class _Shaped:
    """A tensor that was not read."""

    def __init__(self, shape: list[int]) -> None:
        self.shape = shape


def write_safetensors(network: Network, path: Path) -> None:
    """Write W in compressed rows, since the format has no sparse tensors; the record as metadata."""
    numpy = require("safetensors.numpy", "torch", "safetensors")
    csr = network.weights
    arrays = dict(zip(SPARSE, (csr.data, csr.indices, csr.indptr), strict=True))
    arrays |= {"leak": network.leak, "noise_std": network.noise_std}
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    path.write_bytes(numpy.save(arrays, metadata={meta.RECORD: meta.dumps(meta.describe(network))}))
