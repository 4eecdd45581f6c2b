"""How a module steps: parameter paths and one step, for torch's own modules and for anybody's.

Weights are (post, pre) as everywhere here and in torch. A recurrent layer holds a state; its neurons send f, a function
of the state; the weights turn f into the recurrent drive W f + b, and the step turns drives into the next state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from noiseprune.errors import InvalidNetwork, InvalidOption

Step = Callable[[Tensor, Tensor, Tensor], Tensor]
Observer = Callable[[Tensor, Tensor], None]


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
        Where the module is none of torch's and `recurrent` does not say how it steps, or names what is not there.
    """
    if recurrent is not None:
        for path in (recurrent.weight, recurrent.input, recurrent.input_bias, *recurrent.biases):
            if path is not None:
                tensor(module, path)
        return [[recurrent]]
    if isinstance(module, nn.RNNBase):
        directions = ("", "_reverse") if module.bidirectional else ("",)
        return [
            [_torch_layer(module, f"_l{layer}{direction}") for direction in directions]
            for layer in range(module.num_layers)
        ]
    if isinstance(module, nn.RNNCellBase):
        return [[_torch_layer(module, "")]]
    raise InvalidNetwork(
        f"prune_ takes nn.RNN, nn.GRU, nn.LSTM and their cells as they are; got {type(module).__name__}. Give the recurrent "
        "part itself (model.rnn), or say how the module steps: recurrent=Leaky(...) or Recurrent(...)"
    )


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
) -> tuple[Tensor, list[Tensor]]:
    """Run all layers, one after the other, each from rest.

    Parameters
    ----------
    inputs : (T, trials, inputs) Tensor
        On the module's device and in its precision.
    noise_std, generator
        As in `unroll`.
    observers : dict of callables
        By the path of a layer's weight; as in `unroll`.

    Returns
    -------
    sent : (T, trials, sent) Tensor
        What the last layer sends, its directions side by side.
    states : list of (trials, size) Tensor
        The last state of every layer and direction.
    """
    states = []
    for directions in layers:
        sent = []
        for layer in directions:
            observe = (observers or {}).get(layer.weight)
            out, state = unroll(module, layer, inputs, noise_std=noise_std, generator=generator, observe=observe)
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
) -> tuple[Tensor, Tensor]:
    """Run one layer from rest.

    Parameters
    ----------
    inputs : (T, trials, inputs) Tensor
        What drives it.
    noise_std : float
        Standard deviation of the white noise added to each number of the state at each step.
    generator : torch.Generator
        For the noise.
    observe : callable, optional
        ``observe(f, u)`` is shown, at each step, what the weights read: f with each neuron's own noise taken off, so
        that only what neurons share is left, and the input.

    Returns
    -------
    sent : (T, trials, sent) Tensor
        What the neurons send after each step.
    state : (trials, size) Tensor
        The last.
    """
    weight = tensor(module, layer.weight)
    bias = sum(tensor(module, path) for path in layer.biases)
    external = external_drive(module, layer, inputs)
    steps, trials = inputs.shape[:2]
    state = inputs.new_zeros(trials, layer.size or weight.shape[1])
    own: Tensor | float = 0.0  # what is left in the state of the noise that each neuron received itself
    sent: list[Any] = [None] * steps
    f = layer.output(state)
    for t in reversed(range(steps)) if layer.reverse else range(steps):
        if observe is not None:
            observe(layer.output(state - own) if noise_std else f, inputs[t])
        state = layer.step(state, product(weight, f) + bias, external[t])
        if noise_std:
            fresh = noise_std * torch.randn(state.shape, generator=generator, dtype=state.dtype).to(state.device)
            own = layer.memory * own + fresh
            state = state + fresh
        f = sent[t] = layer.output(state)
    return torch.stack(sent), state


def external_drive(module: nn.Module, layer: Recurrent, inputs: Tensor) -> Tensor:
    """Return W_in u + b_in, (..., gates x neurons), for inputs (..., inputs)."""
    drive = inputs if layer.input is None else product(tensor(module, layer.input), inputs)
    return drive if layer.input_bias is None else drive + tensor(module, layer.input_bias)


def product(weight: Tensor, x: Tensor) -> Tensor:
    """Return W x for every x in (..., n); W dense or CSR."""
    if weight.layout == torch.strided:
        return x @ weight.T
    # CSR multiplies from the left only
    return (weight @ x.flatten(0, -2).T).T.reshape(*x.shape[:-1], -1)


def jacobian(module: nn.Module, layer: Recurrent, state: Tensor, external: Tensor) -> Tensor:
    """Return d state' / d state of one step, (size, size), at a state (size,) under an external drive."""
    weight = tensor(module, layer.weight).detach()
    bias = sum(tensor(module, path).detach() for path in layer.biases)

    def step(x: Tensor) -> Tensor:
        row = x[None]
        return layer.step(row, layer.output(row) @ weight.T + bias, external[None])[0]

    return torch.autograd.functional.jacobian(step, state)  # type: ignore[no-untyped-call]


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
    return (1 - alpha) * state + alpha * (external + recurrent)


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
    return h if projection is None else h @ projection.T
