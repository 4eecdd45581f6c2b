"""The shared zoo: small networks of every kind, each with its own seed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from noiseprune import Network, gallery

quiet = pytest.mark.filterwarnings("ignore::noiseprune.errors.NoisePruneWarning")


def isolated() -> Network:
    """Two neurons joined, one alone."""
    weights = np.zeros((3, 3))
    weights[0, 1] = weights[1, 0] = 0.5
    return Network(weights, leak=[1.0, 2.0, 3.0])


def star() -> Network:
    weights = np.zeros((7, 7))
    weights[0, 1:] = weights[1:, 0] = np.arange(1, 7) / 7
    return Network(weights, leak=np.abs(weights).sum(axis=1) + 0.1)


def two_components() -> Network:
    block = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.25], [0.5, 0.25, 0.0]])
    return Network(sp.block_diag([block, -block]), leak=2.0)


def unequal_noise() -> Network:
    net = gallery.clustered([12, 8], between=10, signed=True, rng=61)
    return Network(net.weights, net.leak * 1.1, noise_std=np.linspace(0.5, 2.0, net.n_neurons))


SYMMETRIC: dict[str, Callable[[], Network]] = {
    "clustered": lambda: gallery.clustered([18, 5, 12], between=20, rng=11),
    "clustered signed": lambda: gallery.clustered([18, 5, 12], between=20, signed=True, rng=12),
    "ring": lambda: gallery.ring(16, 2),
    "sheet": lambda: gallery.sheet(5, 6, radius=2, excess=0.05, rng=13),
    "star": star,
    "two components": two_components,
    "isolated": isolated,
    "one synapse": lambda: Network([[0, 0.5], [0.5, 0]], leak=1.0),
}
DIRECTED: dict[str, Callable[[], Network]] = {
    "excitatory-inhibitory": lambda: gallery.excitatory_inhibitory(40, rng=14),
    "directed clustered": lambda: gallery.clustered(
        [20, 15], within=0.3, between=30, symmetric=False, gain=0.9, rng=15
    ),
    "unequal noise": unequal_noise,
    "one directed synapse": lambda: Network([[0, 0.5], [0, 0]], leak=[1.0, 2.0]),
}
ALL = SYMMETRIC | DIRECTED


@pytest.fixture(params=ALL, ids=str)
def network(request: pytest.FixtureRequest) -> Network:
    """Each network of the zoo in turn."""
    return ALL[request.param]()


def data_folder() -> Path:
    """The folder of real data; skips the test where there is none."""
    folder = os.environ.get("NOISEPRUNE_DATA")
    if not folder:
        pytest.skip("needs real data: set NOISEPRUNE_DATA to the folder that holds it")
    return Path(folder)
