"""Parameters that are reached by more than one path: pruning one use of them would change the others unmeasured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from noiseprune.errors import InvalidOption
from noiseprune.torch.recurrent import tensor


def refuse_shared(module: nn.Module, written: Iterable[str], read: Sequence[str]) -> None:
    """Refuse to write to what another path of the module reaches as well.

    Parameters
    ----------
    module : nn.Module
        What holds the parameters.
    written : iterable of str
        Paths that are about to be changed, all among `read`.
    read : sequence of str
        Paths of what the layers read, each as often as it is named.

    Raises
    ------
    InvalidOption
        Naming both paths, and how to untie them.
    """
    registered = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    for path in written:
        weight = tensor(module, path)
        uses = [other for other in read if overlap(weight, tensor(module, other))]
        names = [name for name, found in registered if overlap(weight, found)]
        if len(uses) > 1:
            _refuse(module, *uses[:2])
        if len(names) > 1:
            others = [name for name in names if name != path]
            _refuse(module, path if path in names else others.pop(0), others[0])


def overlap(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors hold numbers in the same place, as one object or as views of one memory."""
    if one is other:
        return True
    if not (_in_memory(one) and _in_memory(other)):
        return False
    if one.untyped_storage().data_ptr() != other.untyped_storage().data_ptr():
        return False
    # the weights of an RNN on a GPU lie side by side in one memory: that alone is no overlap
    (first, last), (other_first, other_last) = _extent(one), _extent(other)
    if last < other_first or other_last < first:
        return False
    if one.is_contiguous() and other.is_contiguous():
        return True
    return bool(np.intersect1d(_places(one), _places(other)).size)


def _in_memory(x: Tensor) -> bool:
    return not is_lazy(x) and x.layout == torch.strided and not x.is_meta and x.numel() > 0


def _extent(x: Tensor) -> tuple[int, int]:
    """First and last byte that a tensor takes, from the start of its memory."""
    first = int(x.storage_offset())
    last = first + sum((n - 1) * stride for n, stride in zip(x.shape, x.stride(), strict=True))
    return first * x.itemsize, (last + 1) * x.itemsize - 1


def _places(x: Tensor) -> NDArray[np.int64]:
    """First byte of every number."""
    places = np.full(tuple(x.shape), x.storage_offset(), dtype=np.int64)
    for axis, (n, stride) in enumerate(zip(x.shape, x.stride(), strict=True)):
        places += (stride * np.arange(n)).reshape([-1 if k == axis else 1 for k in range(x.ndim)])
    return places * x.itemsize


def _refuse(module: nn.Module, one: str, other: str) -> None:
    if one == other:
        raise InvalidOption(
            f"{one} is named twice for one layer, and pruning it would change both uses: give each its own"
        )
    (owner, _, name), (other_owner, _, other_name) = one.rpartition("."), other.rpartition(".")
    if name == other_name and module.get_submodule(owner) is module.get_submodule(other_owner):
        copied = f"{other_owner} = copy.deepcopy({other_owner})"
    else:
        copied = f"{other} = torch.nn.Parameter({other}.detach().clone())"
    raise InvalidOption(
        f"{one} and {other} are the same numbers in memory, so pruning one would change the other, for which nothing is "
        f"measured: untie them first ({copied}), or delete one where both names mean one use"
    )
