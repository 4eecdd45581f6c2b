"""One step of a layer as a linear map around its operating point: the slowest mode, and what noise does there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from noiseprune.errors import DidNotConverge, UnstableNetwork
from noiseprune.linalg import spectrum
from noiseprune.torch.blocks import Floats, as_array
from noiseprune.torch.moments import Moments
from noiseprune.torch.recurrent import Layers, Recurrent, external_drive, jacobian, n_inputs, precision, tensor, unroll

SETTLE = 300  # steps of silence from rest, after which a layer is taken to have settled
MAX_DOUBLINGS = 40  # 2^40 steps: no slower mode can be told from an unstable one in double precision


class OperatingPoint(NamedTuple):
    """A layer, its state (size,) after a long silence, and the Jacobian of one step there, (size, size)."""

    layer: Recurrent
    state: Tensor
    step: Floats


def operating_points(module: nn.Module, layers: Layers) -> list[OperatingPoint]:
    """Let a module settle in silence and linearise each layer where it then is."""
    like = tensor(module, layers[0][0].weight)
    inputs = like.new_zeros(SETTLE, 1, n_inputs(module, layers), dtype=precision(module, layers))
    points = []
    with torch.no_grad():
        for directions in layers:
            sent = []
            for layer in directions:
                out, state = unroll(module, layer, inputs)
                sent.append(out)
                external = external_drive(module, layer, inputs[0 if layer.reverse else -1])[0]
                with torch.enable_grad():
                    points.append(
                        OperatingPoint(layer, state[0], as_array(jacobian(module, layer, state[0], external)))
                    )
            inputs = torch.cat(sent, dim=-1)
    return points


def spectral_abscissa(module: nn.Module, layers: Layers) -> float | None:
    """Largest real part of an eigenvalue of (step - 1) at the operating points, per step; negative where stable.

    None where a layer is large and ARPACK does not find it.
    """
    steps = [sp.csr_array(point.step) for point in operating_points(module, layers)]
    try:
        return max(spectrum.spectral_abscissa(step, symmetric=False) for step in steps) - 1
    except DidNotConverge:
        return None


def stationary_moments(module: nn.Module, layers: Layers, std: float) -> dict[tuple[str, str], Moments]:
    """Moments of what recurrent weights read under private white noise, from the linearisation: no run, no sampling.

    With x' = J x + xi, the noise that a neuron itself carries e' = m e + xi, and s = x - e what neurons share:
    Cov(s) = Cov(x) - Cov(x, e) - Cov(e, x) + Cov(e), where Cov(x) = J Cov(x) J^T + std^2 and
    Cov(x, e) = J Cov(x, e) m + std^2.

    Parameters
    ----------
    module : nn.Module
        What the layers are part of.
    layers : Layers
        From `layers_of`.
    std : float
        Standard deviation of the noise added to each number of the state at each step.

    Returns
    -------
    dict
        Moments by ``(path of the weight, "state")``.

    Raises
    ------
    UnstableNetwork
        Where a layer has no stationary state there.

    References
    ----------
    R. A. Smith, "Matrix equation XA + BX = C", SIAM J. Appl. Math. 16 (1968) 198-201.
    """
    found = {}
    for layer, state, J in operating_points(module, layers):
        noise = std**2 * np.eye(len(J))
        carried = np.diag(np.broadcast_to(as_array(torch.as_tensor(layer.memory, device="cpu")), len(J)))
        total = _stein(J, J.T, noise)
        if total is None:
            raise UnstableNetwork(
                f"{layer.weight} is not stable at its operating point in silence (spectral radius of one step "
                f"{np.abs(np.linalg.eigvals(J)).max():.4g}, must be below 1), so noise drives it to no stationary state: take "
                "IntrinsicNoise(covariance='simulated')"
            )
        cross = _stein(J, carried, noise)
        own = _stein(carried, carried, noise)
        if cross is None or own is None:
            raise UnstableNetwork(f"the memory of {layer.weight} must be below 1 in size; got {layer.memory}")
        sends = as_array(torch.autograd.functional.jacobian(layer.output, state))  # type: ignore[no-untyped-call]
        shared = sends @ (total - cross - cross.T + own) @ sends.T
        found[layer.weight, "state"] = Moments(as_array(layer.output(state)), shared, 1)
    return found


def _stein(A: Floats, B: Floats, Q: Floats) -> Floats | None:
    """Solve X = A X B + Q by doubling; None where the powers of A and B do not vanish."""
    X = Q.copy()
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(MAX_DOUBLINGS):
            added = A @ X @ B
            X += added
            share = np.linalg.norm(added) / np.linalg.norm(X)
            if not np.isfinite(share):
                return None
            if share < 1e-12:
                return X
            A, B = A @ A, B @ B
    return None
