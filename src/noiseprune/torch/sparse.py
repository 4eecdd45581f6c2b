"""Pruned modules with compressed rows (CSR): for inference, and in files."""

from __future__ import annotations

import copy
import json
import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from noiseprune.errors import BadFile, InvalidOption, MissingExtra
from noiseprune.files.models import STATE_IN_ROWS as FORMAT
from noiseprune.files.models import sparse_shapes
from noiseprune.files.output import replacing
from noiseprune.torch.recurrent import Recurrent, layers_of, run, tensor

SPARSE = 0.5  # kept share up to which 32-bit indices and values take no more room than the dense matrix


class SparseRecurrent(nn.Module):
    """A recurrent module whose pruned matrices are CSR; for inference.

    Called with inputs as the module it was made from takes them, it returns what its last layer sends, and the last state:
    h_n (layers x directions, trials, neurons), with c_n for an LSTM. It always starts from rest, and cells run the whole
    sequence.
    """

    def __init__(self, module: nn.Module, recurrent: Recurrent | None) -> None:
        super().__init__()
        for layer in (direction for directions in layers_of(module, recurrent) for direction in directions):
            _check(module, layer.weight)
        self.module = copy.deepcopy(module).requires_grad_(False)
        self.batch_first = bool(getattr(module, "batch_first", False))
        self._layers = layers_of(self.module, recurrent)
        for layer in (direction for directions in self._layers for direction in directions):
            for path in (layer.weight, layer.input):
                if path is not None:
                    _compress(self.module, path)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | tuple[Tensor, Tensor]]:
        """Run a sequence."""
        x = inputs.transpose(0, 1) if self.batch_first else inputs
        with torch.no_grad():
            sent, states = run(self.module, self._layers, x)
        layers = [direction for directions in self._layers for direction in directions]
        h = torch.stack([layer.output(state) for layer, state in zip(layers, states, strict=True)])
        out = sent.transpose(0, 1) if self.batch_first else sent
        if isinstance(self.module, nn.LSTM | nn.LSTMCell):
            return out, (h, torch.stack([state.chunk(2, dim=-1)[1] for state in states]))
        return out, h


def to_sparse(module: nn.Module, *, recurrent: Recurrent | None = None) -> SparseRecurrent:
    """Return a copy of a pruned module for inference, with CSR in place of each matrix that is at most half full.

    Parameters
    ----------
    module : nn.Module
        Pruned, with ``form="baked"``.
    recurrent : Recurrent, optional
        As in `prune_`.

    Notes
    -----
    Not always faster: a table of where it is stands in ``docs/trained-rnns.md``. For training keep the dense module and
    a `MaskKeeper`.
    """
    return SparseRecurrent(module, recurrent)


def save_sparse(module: nn.Module, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a module's state to a safetensors file, pruned matrices as ``NAME.indptr``, ``.indices`` and ``.values``.

    Parameters
    ----------
    module : nn.Module
        Pruned, with ``form="baked"``.
    path : path
        Of the file. Matrices that are more than half full are written as they are.
    overwrite : bool
        Whether a file that is there may be replaced.
    """
    safetensors = _safetensors()
    stored: dict[str, Tensor] = {}
    shapes: dict[str, list[int]] = {}
    for name, values in module.state_dict().items():
        values = values.detach().cpu()
        if values.ndim == 2 and torch.count_nonzero(values) <= SPARSE * values.numel():
            shapes[name] = list(values.shape)
            csr = _csr(values)
            stored[f"{name}.indptr"] = csr.crow_indices().to(torch.int64)
            stored[f"{name}.indices"] = csr.col_indices().to(torch.int32)
            stored[f"{name}.values"] = csr.values()
        else:
            stored[name] = values.contiguous()
    metadata = {"format": FORMAT, "shapes": json.dumps(shapes)}
    with replacing(Path(path), overwrite=overwrite) as temporary:
        safetensors.torch.save_file(stored, temporary, metadata)


def load_sparse(module: nn.Module, path: str | os.PathLike[str]) -> None:
    """Fill a module of the same kind from a file of `save_sparse`, in place.

    Raises
    ------
    BadFile
        Where the file is none of these, does not fit the module, or a matrix in it does not hold together.
    """
    safetensors = _safetensors()
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, safetensors.SafetensorError) as error:
        raise BadFile(f"{path}: cannot be read as safetensors: {error}") from None
    if metadata.get("format") != FORMAT:
        raise BadFile(f"{path}: expected the format {FORMAT}, written by save_sparse; got {metadata.get('format')!r}")
    for name, shape in sparse_shapes(metadata, path).items():
        parts = [stored.pop(f"{name}.{part}", None) for part in ("indptr", "indices", "values")]
        stored[name] = _dense(path, name, parts, shape)
    try:
        module.load_state_dict(stored)
    except RuntimeError as error:
        raise BadFile(f"{path}: does not fit {type(module).__name__}: {error}") from None


def _dense(path: Any, name: str, parts: list[Tensor | None], shape: list[int]) -> Tensor:
    """Put a matrix together again, checked."""
    indptr, indices, values = parts
    if indptr is None or indices is None or values is None:
        raise BadFile(f"{path}: {name} lacks one of indptr, indices and values")
    rows, columns = shape
    counts = indptr.diff()
    whole = len(indptr) == rows + 1 and int(indptr[0]) == 0 and int(indptr[-1]) == len(indices) == len(values)
    if not whole or bool((counts < 0).any()) or bool((indices < 0).any()) or bool((indices >= columns).any()):
        raise BadFile(f"{path}: indptr, indices and values of {name} do not make a {rows} x {columns} matrix")
    dense = values.new_zeros(rows, columns)
    dense[torch.repeat_interleave(torch.arange(rows), counts), indices.long()] = values
    return dense


def _check(module: nn.Module, path: str) -> None:
    if not isinstance(tensor(module, path), nn.Parameter):
        raise InvalidOption(f"{path} is pruned by a hook: call torch.nn.utils.prune.remove first, then to_sparse")


def _compress(module: nn.Module, path: str) -> None:
    """Put CSR in place of a matrix where it is at most half full."""
    weight = tensor(module, path).detach()
    if torch.count_nonzero(weight) > SPARSE * weight.numel():
        return
    owner_path, _, name = path.rpartition(".")
    owner = module.get_submodule(owner_path)
    delattr(owner, name)
    owner.register_buffer(name, _csr(weight))


def _csr(values: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
        return values.to_sparse_csr()


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError:
        raise MissingExtra('files of sparse modules need safetensors: pip install "noiseprune[torch]"') from None
    return safetensors
