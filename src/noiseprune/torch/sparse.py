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
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

from noiseprune.errors import BadFile, InvalidOption, MissingExtra
from noiseprune.machine.output import replacing
from noiseprune.sources.files.models import STATE_IN_ROWS as FORMAT
from noiseprune.sources.files.models import sparse_shapes
from noiseprune.torch.recurrent import Recurrent, Start, full_name, layers_of, n_inputs, run, tensor

SPARSE = 0.5  # kept share up to which 32-bit indices and values take no more room than the dense matrix


class SparseRecurrent(nn.Module):
    """A recurrent module whose pruned matrices are CSR; for inference.

    Called with inputs as the module it was made from takes them, batched or not, and with an initial state for one of
    torch's own, it returns what its last layer sends, and the last state: h_n (layers x directions, trials, neurons), with
    c_n for an LSTM. Without an initial state it starts from rest. Cells run the whole sequence. Dropout is left out.
    """

    def __init__(self, module: nn.Module, recurrent: Recurrent | None) -> None:
        super().__init__()
        layers = [layer for directions in layers_of(module, recurrent) for layer in directions]
        for layer in layers:
            if _is_parametrized(module, layer.weight):
                raise InvalidOption(
                    f"{layer.weight} is parametrized: call torch.nn.utils.parametrize.remove_parametrizations first, then "
                    "to_sparse"
                )
            for path in layer.paths:
                _check(module, path)
        self.module = copy.deepcopy(module).requires_grad_(False)
        self.batch_first = bool(getattr(module, "batch_first", False))
        self._own = recurrent is None
        self._layers = layers_of(self.module, recurrent)
        for layer in layers:
            for matrix in (layer.weight, layer.input):
                if matrix is not None:
                    _compress(self.module, matrix)

    def forward(
        self, inputs: Tensor, hx: Tensor | tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor | tuple[Tensor, Tensor]]:
        """Run a sequence.

        Parameters
        ----------
        inputs : (T, trials, inputs) or (T, inputs) Tensor
            Or (trials, T, inputs) where the module is ``batch_first``.
        hx : Tensor or (Tensor, Tensor), optional
            h_0, or (h_0, c_0) of an LSTM, shaped as the module takes them.
        """
        layers = [direction for directions in self._layers for direction in directions]
        batched = self._is_batched(inputs)
        x = inputs if batched else inputs[:, None]
        if batched and self.batch_first:
            x = x.transpose(0, 1)
        with torch.no_grad():
            starts = None if hx is None else self._starts(hx, x.shape[1], batched)
            sent, states = run(self.module, self._layers, x, starts=starts)
        out = sent.transpose(0, 1) if batched and self.batch_first else sent
        last = [torch.stack([layer.output(state) for layer, state in zip(layers, states, strict=True)])]
        if self._is_lstm:
            last.append(torch.stack([state.chunk(2, dim=-1)[1] for state in states]))
        if not batched:
            out, last = out[:, 0], [one[:, 0] for one in last]
        return out, (last[0], last[1]) if self._is_lstm else last[0]

    @property
    def _is_lstm(self) -> bool:
        return self._own and isinstance(self.module, nn.LSTM | nn.LSTMCell)

    def _is_batched(self, inputs: Tensor) -> bool:
        n, dtype = n_inputs(self.module, self._layers), tensor(self.module, self._layers[0][0].weight).dtype
        if (
            not isinstance(inputs, Tensor)
            or inputs.ndim not in (2, 3)
            or inputs.shape[-1] != n
            or inputs.dtype != dtype
        ):
            came = f"{tuple(inputs.shape)}, {inputs.dtype}" if isinstance(inputs, Tensor) else full_name(type(inputs))
            layout = "trials, T" if self.batch_first else "T, trials"
            raise InvalidOption(f"inputs must be a tensor ({layout}, {n}) or (T, {n}) of {dtype}; got {came}")
        return inputs.ndim == 3

    def _starts(self, hx: Tensor | tuple[Tensor, Tensor], trials: int, batched: bool) -> list[Start]:
        """Turn h_0, or h_0 and c_0, into the states of all layers and what they sent last."""
        if not self._own:
            raise InvalidOption("an initial state is taken for torch's own modules alone: others start from rest")
        n_layers = sum(map(len, self._layers))
        sizes = [tensor(self.module, self._layers[0][0].weight).shape[1]]
        if self._is_lstm:
            sizes.append(int(self.module.hidden_size))  # type: ignore[arg-type]
        expected: list[tuple[int, ...]] = [(n_layers, trials, size) if batched else (n_layers, size) for size in sizes]
        given = list(hx) if isinstance(hx, tuple | list) else [hx]
        came: list[tuple[int, ...]] = [tuple(one.shape) for one in given]
        if came != expected:
            raise InvalidOption(f"the initial state must have the shape {_shapes(expected)}; got {_shapes(came)}")
        h, *c = (one if batched else one[:, None] for one in given)
        # of an LSTM's state a step reads the cells alone, the second half
        return [(torch.cat([c[0][k], c[0][k]], dim=-1) if c else h[k], h[k]) for k in range(n_layers)]

    def __deepcopy__(self, memo: dict[int, Any]) -> SparseRecurrent:
        # torch 2.13 copies no CSR tensor, so that they are cloned beforehand
        memo |= {id(values): values.clone() for values in self.buffers() if values.layout == torch.sparse_csr}
        copied = SparseRecurrent.__new__(type(self))
        memo[id(self)] = copied
        copied.__setstate__(copy.deepcopy(self.__dict__, memo))  # type: ignore[no-untyped-call]
        return copied


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

    Raises
    ------
    InvalidOption
        Where the state holds what such a file cannot.

    Notes
    -----
    Tied parameters are written under each of their names. What `to_sparse` made is written as the module it was made from,
    and loaded into such a one.
    """
    safetensors = _safetensors()
    stored: dict[str, Tensor] = {}
    shapes: dict[str, list[int]] = {}
    for name, values in _state(module).items():
        values = values.detach().cpu()
        if values.layout == torch.sparse_csr or (
            values.ndim == 2 and torch.count_nonzero(values) <= SPARSE * values.numel()
        ):
            shapes[name] = list(values.shape)
            csr = _csr(values)
            stored[f"{name}.indptr"] = csr.crow_indices().to(torch.int64)
            stored[f"{name}.indices"] = csr.col_indices().to(torch.int32)
            stored[f"{name}.values"] = csr.values()
        else:
            # a clone, as safetensors refuses names that share their memory
            stored[name] = values.clone(memory_format=torch.contiguous_format)
    metadata = {"format": FORMAT, "shapes": json.dumps(shapes)}
    with replacing(Path(path), overwrite=overwrite) as temporary:
        safetensors.torch.save_file(stored, temporary, metadata)


def load_sparse(module: nn.Module, path: str | os.PathLike[str]) -> None:
    """Fill a module of the same kind from a file of `save_sparse`, in place.

    Raises
    ------
    BadFile
        Where the file is none of these, does not fit the module, or a matrix in it does not hold together.
    InvalidOption
        Where the module is sparse itself.
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
    if any(values.layout == torch.sparse_csr for values in module.state_dict().values() if isinstance(values, Tensor)):
        raise InvalidOption(
            "load_sparse fills dense modules: load into one like that which to_sparse was given, then call to_sparse"
        )
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
    dense[torch.repeat_interleave(torch.arange(rows, device="cpu"), counts), indices.long()] = values
    return dense


def _state(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's state by name, sparse parts under the names of what they were made from.

    Raises
    ------
    InvalidOption
        Where something in it is no tensor of numbers.
    """
    sparse = [name for name, part in module.named_modules(remove_duplicate=False) if isinstance(part, SparseRecurrent)]
    state: dict[str, Tensor] = {}
    for name, values in module.state_dict().items():
        if not isinstance(values, Tensor):
            raise InvalidOption(
                f"{name} of {full_name(type(module))} is extra state, {type(values).__name__}, and a file of save_sparse holds "
                "tensors alone: save it apart, by torch.save(module.get_extra_state(), ...)"
            )
        if is_lazy(values) or values.is_meta:
            raise InvalidOption(f"{name} holds no numbers (meta device or not initialised): nothing to save yet")
        if values.layout not in (torch.strided, torch.sparse_csr) or values.is_quantized:
            kind = values.dtype if values.is_quantized else values.layout
            raise InvalidOption(f"{name} must be dense or CSR to be saved; it is {kind}: save the module by torch.save")
        for path in sparse:
            prefix = f"{path}." if path else ""
            if name.startswith(f"{prefix}module."):
                name = prefix + name.removeprefix(f"{prefix}module.")
        state[name] = values
    return state


def _shapes(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes))


def _check(module: nn.Module, path: str) -> None:
    weight = tensor(module, path)
    if weight.layout == torch.sparse_csr:
        raise InvalidOption(f"{path} is CSR already: to_sparse takes the dense module")
    if weight.grad_fn is not None and not _is_parametrized(module, path):
        raise InvalidOption(
            f"{path} is pruned by a hook, or made by one: call torch.nn.utils.prune.remove first, then to_sparse"
        )


def _is_parametrized(module: nn.Module, path: str) -> bool:
    owner, _, name = path.rpartition(".")
    return parametrize.is_parametrized(module.get_submodule(owner), name)


def _compress(module: nn.Module, path: str) -> None:
    """Put CSR in place of a matrix where it is at most half full."""
    weight = tensor(module, path).detach()
    # a parametrized input matrix stays: a copy shares its class with the original, which would lose the property
    if weight.layout == torch.sparse_csr or _is_parametrized(module, path):
        return
    if torch.count_nonzero(weight) > SPARSE * weight.numel():
        return
    if weight.dtype in (torch.float16, torch.bfloat16) and weight.device.type == "cpu":
        raise InvalidOption(
            f"{path}: torch multiplies no CSR of {weight.dtype} on a CPU: give a copy, to_sparse(copy.deepcopy(module).float())"
        )
    owner_path, _, name = path.rpartition(".")
    owner = module.get_submodule(owner_path)
    delattr(owner, name)
    owner.register_buffer(name, _csr(weight))
    setattr(owner, name, getattr(owner, name))  # an RNN keeps a list of its weights, and with it the dense one


def _csr(values: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
        return values.to_sparse_csr()  # itself where it is CSR already


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError:
        raise MissingExtra('files of sparse modules need safetensors: pip install "noiseprune[torch]"') from None
    return safetensors
