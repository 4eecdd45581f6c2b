"""How a module steps: parameter paths and one step, for torch's own modules and for anybody's.

Weights are (post, pre) as everywhere here and in torch. A recurrent layer holds a state; its neurons send f, a function
of the state; the weights turn f into the recurrent drive W f + b, and the step turns drives into the next state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import prune

from noiseprune.errors import InvalidNetwork, InvalidOption

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
KINDS: tuple[type[nn.Module], ...] = (nn.RNN, nn.GRU, nn.LSTM, nn.RNNCell, nn.GRUCell, nn.LSTMCell)

Step = Callable[[Tensor, Tensor, Tensor], Tensor]
Observer = Callable[[Tensor, Tensor], None]
Start = tuple[Tensor, Tensor]


def same(state: Tensor) -> Tensor:
    """Return the state itself: what neurons send where nothing lies between."""
    return state


@dataclass(frozen=True, kw_only=True)
class Recurrent:
    """One recurrent layer of a module, by the paths of its parameters and its step.

    Parameters
    ----------
    weight : str
        Path of W, (gates x neurons, sent), such as ``"W_rec"`` or ``"hidden.weight"``.
    step : callable
        ``step(state, recurrent, external) -> state``: state (trials, size), recurrent drive W f + b and external drive
        W_in u + b_in, both (trials, gates x neurons). Must not change its arguments.
    input : str, optional
        Path of W_in, (gates x neurons, inputs). Without it inputs are added as they are.
    bias : str or list of str, optional
        Paths of what adds up to b; a correction goes into the last. Without a bias nothing is corrected.
    input_bias : str, optional
        Path of b_in.
    output : callable
        ``output(state) -> f``, (trials, sent): what the neurons send. The state itself unless given.
    gates : tuple of str
        Names of the blocks of rows that W stacks; each is pruned on its own.
    size : int, optional
        Numbers in the state of one trial; as many as f unless given.
    memory : float or (size,) Tensor
        Share of the state that a neuron carries from one step to the next by itself, such as 1 - alpha.
    reverse : bool
        Whether the layer runs from the last step to the first.
    """

    weight: str
    step: Step
    input: str | None = None
    bias: str | Sequence[str] | None = None
    input_bias: str | None = None
    output: Callable[[Tensor], Tensor] = same
    gates: tuple[str, ...] = ("",)
    size: int | None = None
    memory: float | Tensor = 0.0
    reverse: bool = False

    @property
    def biases(self) -> tuple[str, ...]:
        """Paths of what adds up to b."""
        if self.bias is None:
            return ()
        return (self.bias,) if isinstance(self.bias, str) else tuple(self.bias)

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of all parameters that the layer names."""
        return tuple(path for path in (self.weight, self.input, self.input_bias, *self.biases) if path is not None)


class Leaky(Recurrent):
    """A leaky, continuous-time layer: v <- (1 - alpha) v + alpha (W_in u + W f + b), f = activation(v), from v = 0.

    Parameters
    ----------
    weight, input, bias
        As in `Recurrent`.
    alpha : float or (neurons,) Tensor
        Step over time constant, in (0, 1].
    activation : callable
        f, such as ``torch.tanh``.
    """

    def __init__(
        self,
        weight: str,
        input: str | None = None,
        bias: str | Sequence[str] | None = None,
        *,
        alpha: float | Tensor,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
    ) -> None:
        if not isinstance(alpha, int | float):
            alpha = torch.as_tensor(alpha)
            if alpha.ndim > 1:
                raise InvalidOption(
                    f"alpha must be a number or hold one per neuron; got the shape {tuple(alpha.shape)}"
                )
        smallest, largest = (float(x) for x in torch.aminmax(torch.as_tensor(alpha)))
        if not 0 < smallest <= largest <= 1:
            raise InvalidOption(f"alpha, step over time constant, must be above 0 and at most 1; got {alpha}")
        super().__init__(
            weight=weight,
            input=input,
            bias=bias,
            step=partial(_leaky, alpha),
            output=activation,
            memory=1 - alpha,
        )


Layers = list[list[Recurrent]]


def layers_of(module: nn.Module, recurrent: Recurrent | None = None) -> Layers:
    """Find the recurrent layers of a module, each a list of its directions.

    Raises
    ------
    InvalidNetwork
        Where the module is none of torch's or does something else, in a ``forward`` of its own or a forward hook, and
        `recurrent` does not say how it steps; where a parameter is not there, or holds nothing to compute with.

    Notes
    -----
    Where one of torch's own has forward hooks, it is run once, on three steps, to see whether they change anything.
    """
    kind = _kind(module) if recurrent is None else None
    layers = [[recurrent]] if recurrent is not None else _torch_layers(module)
    _check_readable(module, layers)
    _refresh(module)
    if kind is not None:
        _check_hooks(module, kind)
    return layers


def _kind(module: nn.Module) -> type[nn.Module]:
    """Return which of torch's own a module is, refusing whatever does something else."""
    kind = next((kind for kind in KINDS if isinstance(module, kind)), None)
    if kind is None:
        raise InvalidNetwork(
            "noiseprune.torch takes nn.RNN, nn.GRU, nn.LSTM and their cells as they are; got "
            f"{full_name(type(module))}. {_advice(module)}Give the recurrent part itself (model.rnn), or say how the module "
            "steps: recurrent=Leaky(...) or Recurrent(...)"
        )
    for name in ("forward", "permute_hidden", "__call__"):
        if name in vars(module) or getattr(type(module), name, None) is not getattr(kind, name, None):
            raise InvalidNetwork(
                f"noiseprune.torch takes nn.{kind.__name__} as it is; {full_name(type(module))} overrides {name}, so that it may "
                f"do something else. Give a plain nn.{kind.__name__} with its weights, or say how the module steps: "
                "recurrent=Recurrent(...)"
            )
    return kind


def _advice(module: Any) -> str:
    """Say what else to do about modules that were made from plain ones."""
    if isinstance(module, torch.jit.ScriptModule):
        return "A scripted or traced module is not taken apart: prune first, then script. "
    if "quantiz" in type(module).__module__:
        return "A quantised module has no weights to refit: prune first, then quantise. "
    if hasattr(module, "_orig_mod"):
        return "A compiled module shares its weights with the one it was made from: give that one. "
    return ""


def full_name(kind: type) -> str:
    """Name a class, and say where it comes from."""
    return f"{kind.__name__} ({kind.__module__}.{kind.__qualname__})"


def _check_readable(module: nn.Module, layers: Layers) -> None:
    """Refuse parameters that hold no numbers, none to compute with, or lie on several devices."""
    found = {path: tensor(module, path) for directions in layers for layer in directions for path in layer.paths}
    for path, values in found.items():
        if is_lazy(values):
            raise InvalidNetwork(f"{path} has no shape yet: run the module once, so that it is initialised")
        if values.is_meta:
            raise InvalidNetwork(
                f"{path} holds no numbers, as it is on the meta device: load the module's weights first"
            )
        if values.dtype not in FLOATS:
            raise InvalidNetwork(
                f"{path} must hold real floating-point numbers of 16, 32 or 64 bits; its type is {values.dtype}"
            )
    devices = {str(values.device): path for path, values in found.items()}
    if len(devices) > 1:
        (one, path), (other, other_path), *_ = devices.items()
        raise InvalidNetwork(
            f"{path} is on {one} and {other_path} on {other}: move the module to one device, module.to(...)"
        )
    for layer in (layer for directions in layers for layer in directions):
        for matrix in (layer.weight, layer.input):
            if matrix is not None and found[matrix].ndim != 2:
                raise InvalidNetwork(
                    f"{matrix} must be a matrix, (post, pre); its shape is {tuple(found[matrix].shape)}"
                )


def _refresh(module: nn.Module) -> None:
    """Let torch's pruning hooks multiply now: what they left at the last forward pass is old after a step of training."""
    for owner in module.modules():
        for hook in owner._forward_pre_hooks.values():
            if isinstance(hook, prune.BasePruningMethod):
                hook(owner, ())


def _check_hooks(module: nn.Module, kind: type[nn.Module]) -> None:
    """Refuse forward hooks that change values; those that watch, or make weights, do no harm."""
    hooks = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    if all(isinstance(hook, prune.BasePruningMethod) for hook in hooks):
        return
    weight = next(module.parameters())
    size: Any = module.input_size
    shape = (2, size) if isinstance(module, nn.RNNCellBase) else (3, 2, size)
    x = torch.linspace(-10, 10, math.prod(shape), device=weight.device).reshape(shape).to(weight.dtype)
    training, module.training = module.training, False
    try:
        with torch.no_grad():
            hooked, plain = module(x.clone()), kind.forward(module, x.clone())
    finally:
        module.training = training
    if not _equal(hooked, plain):
        names = ", ".join(sorted({getattr(hook, "__qualname__", type(hook).__qualname__) for hook in hooks}))
        raise InvalidNetwork(
            f"a forward hook of {full_name(type(module))} changes what it takes or sends ({names}), and noiseprune.torch runs no "
            "hooks: remove it (handle.remove()), or say how the module steps: recurrent=Recurrent(...)"
        )


def _equal(one: Any, other: Any) -> bool:
    """Compare what modules return: tensors, in tuples."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.equal(one.nan_to_num(), other.nan_to_num())
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return all(map(_equal, one, other))
    return False


def precision(module: nn.Module, layers: Layers) -> torch.dtype:
    """Return what to compute in: the widest of the parameters' types, single precision at least."""
    types = [tensor(module, path).dtype for directions in layers for layer in directions for path in layer.paths]
    return reduce(torch.promote_types, types, torch.float32)


def tensor(module: nn.Module, path: str) -> Tensor:
    """Return a parameter or buffer by its path.

    Raises
    ------
    InvalidNetwork
        Where there is none.
    """
    try:
        found = attrgetter(path)(module)
    except AttributeError:
        found = None
    if not isinstance(found, Tensor):
        names = ", ".join(name for name, _ in module.named_parameters()) or "none"
        raise InvalidNetwork(f"{type(module).__name__} has no parameter {path!r}; its parameters are {names}")
    return found


def n_inputs(module: nn.Module, layers: Layers) -> int:
    """Numbers that the module takes at each step."""
    first = layers[0][0]
    return tensor(module, first.weight).shape[0] if first.input is None else tensor(module, first.input).shape[1]


def run(
    module: nn.Module,
    layers: Layers,
    inputs: Tensor,
    *,
    noise_std: float = 0.0,
    generator: torch.Generator | None = None,
    observers: dict[str, Observer] | None = None,
    starts: Sequence[Start] | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """Run all layers, one after the other, each from rest unless told where to start.

    Parameters
    ----------
    module : nn.Module
        What runs.
    layers : Layers
        From `layers_of`.
    inputs : (T, trials, inputs) Tensor
        On the module's device; they say in which precision to run.
    noise_std, generator
        As in `unroll`.
    observers : dict of callables
        By the path of a layer's weight; as in `unroll`.
    starts : sequence of (state, f)
        Of every layer and direction; as in `unroll`.

    Returns
    -------
    sent : (T, trials, sent) Tensor
        What the last layer sends, its directions side by side.
    states : list of (trials, size) Tensor
        The last state of every layer and direction.
    """
    states: list[Tensor] = []
    for directions in layers:
        sent = []
        for layer in directions:
            observe = (observers or {}).get(layer.weight)
            start = starts[len(states)] if starts is not None else None
            out, state = unroll(
                module, layer, inputs, noise_std=noise_std, generator=generator, observe=observe, start=start
            )
            sent.append(out)
            states.append(state)
        inputs = torch.cat(sent, dim=-1)
    return inputs, states


def unroll(
    module: nn.Module,
    layer: Recurrent,
    inputs: Tensor,
    *,
    noise_std: float = 0.0,
    generator: torch.Generator | None = None,
    observe: Observer | None = None,
    start: Start | None = None,
) -> tuple[Tensor, Tensor]:
    """Run one layer.

    Parameters
    ----------
    module : nn.Module
        What holds the parameters.
    layer : Recurrent
        Their paths, and one step.
    inputs : (T, trials, inputs) Tensor
        What drives it.
    noise_std : float
        Standard deviation of the white noise added to each number of the state at each step.
    generator : torch.Generator
        For the noise.
    observe : callable, optional
        ``observe(f, u)`` is shown, at each step, what the weights read: f with each neuron's own noise taken off, so
        that only what neurons share is left, and the input.
    start : (state, f), optional
        The state before the first step and what was sent last, (trials, size) and (trials, sent); rest unless given.

    Returns
    -------
    sent : (T, trials, sent) Tensor
        What the neurons send after each step.
    state : (trials, size) Tensor
        The last.
    """
    weight = tensor(module, layer.weight).to(inputs.dtype)
    bias = sum(tensor(module, path).to(inputs.dtype) for path in layer.biases)
    external = external_drive(module, layer, inputs)
    steps, trials = inputs.shape[:2]
    if start is None:
        state = inputs.new_zeros(trials, layer.size or weight.shape[1])
        f = layer.output(state)
    else:
        state, f = start
    memory = like(layer.memory, state)
    own: Tensor | float = 0.0  # what is left in the state of the noise that each neuron received itself
    sent: list[Any] = [None] * steps
    for t in reversed(range(steps)) if layer.reverse else range(steps):
        if observe is not None:
            observe(layer.output(state - own) if noise_std else f, inputs[t])
        state = layer.step(state, product(weight, f) + bias, external[t])
        if noise_std:
            fresh = noise_std * torch.randn(state.shape, generator=generator, dtype=state.dtype, device="cpu")
            fresh = fresh.to(state.device)
            own = memory * own + fresh
            state = state + fresh
        f = sent[t] = layer.output(state)
    return torch.stack(sent), state


def external_drive(module: nn.Module, layer: Recurrent, inputs: Tensor) -> Tensor:
    """Return W_in u + b_in, (..., gates x neurons), for inputs (..., inputs).

    Parameters
    ----------
    module : nn.Module
        What holds the parameters.
    layer : Recurrent
        Their paths.
    inputs : (..., inputs) Tensor
        u, in the precision to compute in.
    """
    drive = inputs if layer.input is None else product(tensor(module, layer.input).to(inputs.dtype), inputs)
    return drive if layer.input_bias is None else drive + tensor(module, layer.input_bias).to(inputs.dtype)


def like(value: float | Tensor, state: Tensor) -> float | Tensor:
    """Return a number, or one per neuron on the device and in the precision of a state."""
    return value.to(state) if isinstance(value, Tensor) and value.ndim else value


def product(weight: Tensor, x: Tensor) -> Tensor:
    """Return W x for every x in (..., n); W dense or CSR."""
    if weight.layout == torch.strided:
        return x @ weight.T
    # CSR multiplies from the left only
    return (weight @ x.flatten(0, -2).T).T.reshape(*x.shape[:-1], weight.shape[0])


def jacobian(module: nn.Module, layer: Recurrent, state: Tensor, external: Tensor) -> Tensor:
    """Return d state' / d state of one step, (size, size), at a state (size,) under an external drive.

    Parameters
    ----------
    module : nn.Module
        What holds the parameters.
    layer : Recurrent
        Their paths, and one step.
    state : (size,) Tensor
        Where the step is linearised.
    external : (gates x neurons,) Tensor
        From `external_drive`.
    """
    weight = tensor(module, layer.weight).detach().to(state.dtype)
    bias = sum(tensor(module, path).detach().to(state.dtype) for path in layer.biases)

    def step(x: Tensor) -> Tensor:
        row = x[None]
        return layer.step(row, layer.output(row) @ weight.T + bias, external[None])[0]

    return torch.autograd.functional.jacobian(step, state)  # type: ignore[no-untyped-call]


def _torch_layers(module: nn.Module) -> Layers:
    """Describe torch's own modules."""
    if isinstance(module, nn.RNNCellBase):
        return [[_torch_layer(module, "")]]
    directions = ("", "_reverse") if module.bidirectional else ("",)
    return [
        [_torch_layer(module, f"_l{layer}{direction}") for direction in directions]
        for layer in range(int(module.num_layers))  # type: ignore[arg-type]
    ]


def _torch_layer(module: nn.Module, suffix: str) -> Recurrent:
    """Describe one layer and direction of torch's own modules."""
    biased = bool(module.bias)
    layer = Recurrent(
        weight=f"weight_hh{suffix}",
        input=f"weight_ih{suffix}",
        bias=f"bias_hh{suffix}" if biased else None,
        input_bias=f"bias_ih{suffix}" if biased else None,
        step=_relu if "relu" in (getattr(module, "nonlinearity", ""), getattr(module, "mode", "")) else _tanh,
        reverse=suffix.endswith("_reverse"),
    )
    if isinstance(module, nn.GRU | nn.GRUCell):
        return replace(layer, step=_gru, gates=("reset", "update", "new"))
    if isinstance(module, nn.LSTM | nn.LSTMCell):
        hidden = int(module.hidden_size)
        projection = tensor(module, f"weight_hr{suffix}") if getattr(module, "proj_size", 0) else None
        return replace(
            layer,
            step=_lstm,
            output=partial(_lstm_output, hidden, projection),
            gates=("input", "forget", "cell", "output"),
            size=2 * hidden,
        )
    return layer


def _leaky(alpha: float | Tensor, state: Tensor, recurrent: Tensor, external: Tensor) -> Tensor:
    return like(1 - alpha, state) * state + like(alpha, state) * (external + recurrent)


def _tanh(_: Tensor, recurrent: Tensor, external: Tensor) -> Tensor:
    return torch.tanh(external + recurrent)


def _relu(_: Tensor, recurrent: Tensor, external: Tensor) -> Tensor:
    return torch.relu(external + recurrent)


def _gru(state: Tensor, recurrent: Tensor, external: Tensor) -> Tensor:
    # the reset gate multiplies W_hn h + b_hn, so that sum, not the product, is what pruning must preserve
    reset, update, new = recurrent.chunk(3, dim=-1)
    reset_in, update_in, new_in = external.chunk(3, dim=-1)
    z = torch.sigmoid(update_in + update)
    candidate = torch.tanh(new_in + torch.sigmoid(reset_in + reset) * new)
    return (1 - z) * candidate + z * state


def _lstm(state: Tensor, recurrent: Tensor, external: Tensor) -> Tensor:
    # the state is [what the output gate lets through, cell]
    let_in, forget, cell, out = (recurrent + external).chunk(4, dim=-1)
    c = torch.sigmoid(forget) * state.chunk(2, dim=-1)[1] + torch.sigmoid(let_in) * torch.tanh(cell)
    return torch.cat([torch.sigmoid(out) * torch.tanh(c), c], dim=-1)


def _lstm_output(hidden: int, projection: Tensor | None, state: Tensor) -> Tensor:
    h = state[..., :hidden]
    return h if projection is None else h @ projection.T.to(h.dtype)
