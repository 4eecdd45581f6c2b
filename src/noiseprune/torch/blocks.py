"""What is pruned: every gate of every layer and direction is a block of rows of one weight matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import parametrize

from noiseprune.errors import InvalidNetwork
from noiseprune.torch.recurrent import Layers, tensor

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Rows of one weight matrix that are pruned together.

    Attributes
    ----------
    name : str
        The path of the weight, and the gate in brackets where there are several.
    weight : str
        Path of the matrix.
    rows : slice
        Which of its rows.
    bias : str or None
        Path of the bias that takes a correction; None where there is none.
    source : (str, str)
        Whose moments the inputs have: the path of a layer's recurrent weight, and "state" or "input".
    square : bool
        Whether its neurons read each other, so that its diagonal holds self-connections.
    """

    name: str
    weight: str
    rows: slice
    bias: str | None
    source: tuple[str, str]
    square: bool

    def read(self, module: nn.Module) -> Floats:
        """Return the weights, (post, pre), in double precision."""
        return as_array(tensor(module, self.weight)[self.rows])

    def write(self, module: nn.Module, values: Floats) -> None:
        """Put weights into the parameter, in place."""
        _write(module, self.weight, self.rows, values)

    def correct_bias(self, module: nn.Module, added: Floats) -> None:
        """Add to the bias of these rows, in place."""
        if self.bias is not None:
            _write(module, self.bias, self.rows, as_array(tensor(module, self.bias)[self.rows]) + added)

    def offered(self, weights: Floats) -> Bools:
        """Say what may be kept or pruned, (post, pre): all but self-connections and what is zero already."""
        offered: Bools = weights != 0
        if self.square:
            np.fill_diagonal(offered, False)
        return offered

    def n_positions(self, weights: Floats) -> int:
        """Count the positions that density is a share of; self-connections are not among them."""
        return weights.size - (weights.shape[0] if self.square else 0)


def blocks_of(module: nn.Module, layers: Layers, *, include_input: bool = False) -> list[Block]:
    """List the blocks of a module.

    Parameters
    ----------
    module : nn.Module
        What is pruned.
    layers : Layers
        From `layers_of`.
    include_input : bool
        Whether input-to-hidden matrices are pruned as well.

    Returns
    -------
    list of Block
        Layer by layer, gate by gate.

    Raises
    ------
    InvalidNetwork
        Where a weight cannot be written to, is no stack of its gates, or holds NaN or infinity.
    """
    blocks = []
    for layer in (direction for directions in layers for direction in directions):
        bias = layer.biases[-1] if layer.biases else None
        blocks += _stack(module, layer.weight, layer.gates, bias, (layer.weight, "state"))
        if include_input and layer.input is not None:
            blocks += _stack(module, layer.input, layer.gates, layer.input_bias or bias, (layer.weight, "input"))
    return blocks


def _stack(
    module: nn.Module, path: str, gates: tuple[str, ...], bias: str | None, source: tuple[str, str]
) -> list[Block]:
    weight = tensor(module, path)
    _check(module, path, len(gates))
    if bias is not None:
        _check(module, bias, len(gates))
    height = weight.shape[0] // len(gates)
    square = source[1] == "state" and height == weight.shape[1]
    return [
        Block(f"{path}[{gate}]" if gate else path, path, slice(k * height, (k + 1) * height), bias, source, square)
        for k, gate in enumerate(gates)
    ]


def _check(module: nn.Module, path: str, n_gates: int) -> None:
    weight = writable(module, path)
    if weight.shape[0] % n_gates:
        raise InvalidNetwork(f"{path} has {weight.shape[0]} rows, which {n_gates} gates cannot share equally")
    if not bool(weight.isfinite().all()):
        raise InvalidNetwork(f"{path} holds NaN or infinite numbers")


def writable(module: nn.Module, path: str) -> nn.Parameter:
    """Return a parameter whose numbers can be changed.

    Raises
    ------
    InvalidNetwork
        Where it is computed from others, sparse, an inference tensor, or repeats one number in memory.
    """
    weight = tensor(module, path)
    owner_path, _, name = path.rpartition(".")
    owner = module.get_submodule(owner_path)
    if weight.layout != torch.strided:
        raise InvalidNetwork(
            f"{path} is sparse (CSR), for inference alone: take the dense module that it was made from"
        )
    if parametrize.is_parametrized(owner, name) or not isinstance(weight, nn.Parameter):
        raise InvalidNetwork(
            f"{path} is no parameter but computed from others (pruned by a hook, or parametrized), so it cannot be written to: "
            "bake it in first, with torch.nn.utils.prune.remove or parametrize.remove_parametrizations"
        )
    if weight.is_inference():
        raise InvalidNetwork(
            f"{path} was made under torch.inference_mode and cannot be changed: take copy.deepcopy(module), made outside of it"
        )
    if any(n > 1 and stride == 0 for n, stride in zip(weight.shape, weight.stride(), strict=True)):
        raise InvalidNetwork(
            f"{path} repeats the same numbers in memory (expand): set it to torch.nn.Parameter({path}.detach().clone()) first"
        )
    return weight


def _write(module: nn.Module, path: str, rows: slice, values: Floats) -> None:
    parameter = tensor(module, path).data
    parameter[rows] = parameter.new_tensor(values)


def as_array(values: Any) -> Floats:
    """Return a copy of a tensor as a NumPy array in double precision."""
    return np.array(values.detach().cpu().double().numpy())
