"""A network as a small picture, a few kilobytes of strict JSON: its slowest eigenvalues and its weights as pixels."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import TooLarge
from noiseprune.measure.pair import eigenvalues
from noiseprune.network import Network
from noiseprune.network.ordering import block_sums, cluster_order, typical_largest

PIXELS = 64  # along a side
N_EIGENVALUES = 200  # nearest zero
DIGITS = 5
STEPS = 127  # of the square root of a pixel's size


class Camera:
    """Takes pictures of one network and of its pruned selves, all in the same order and on the same scale.

    Parameters
    ----------
    network : Network
        The original.
    """

    def __init__(self, network: Network) -> None:
        self.order = cluster_order(network)
        self.scale = typical_largest(block_sums(network, self.order, PIXELS))

    def take(self, network: Network) -> dict[str, Any]:
        """Return `eigenvalues`, [real, imaginary] parts nearest zero first or None where too large, and `pixels`."""
        try:
            found = eigenvalues(network)[:N_EIGENVALUES]
            parts = [[float(f"{x:.{DIGITS}g}") for x in part] for part in (found.real, found.imag)]
        except TooLarge:
            parts = None
        sums = block_sums(network, self.order, PIXELS)
        shade = np.sign(sums) * np.sqrt(np.minimum(np.abs(sums) / (self.scale or 1.0), 1))
        coded = np.round(STEPS * shade).astype(np.int8)
        return {
            "symmetric": network.symmetric,
            "eigenvalues": parts,
            "pixels": base64.b64encode(coded.tobytes()).decode(),
        }


def spectrum_of(picture: dict[str, Any]) -> NDArray[Any] | None:
    """Return the eigenvalues in a picture, nearest zero first; real where the network is symmetric."""
    if picture["eigenvalues"] is None:
        return None
    real, imaginary = map(np.array, picture["eigenvalues"])
    return real if picture["symmetric"] else real + 1j * imaginary


def sums_of(picture: dict[str, Any]) -> NDArray[np.float64]:
    """Return the sums of weights in a picture, in units of the scale of the original, (pixels, pixels)."""
    coded = np.frombuffer(base64.b64decode(picture["pixels"]), np.int8).astype(np.float64) / STEPS
    side = int(np.sqrt(coded.size))
    return (np.sign(coded) * coded**2).reshape(side, side)
