"""Which network it is: a digest, and what came in."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from noiseprune.network import Network


def digest(network: Network) -> str:
    """SHA-256 of the network's links, leak and noise: the same for the same network, whatever file it came from."""
    hasher = hashlib.sha256(b"symmetric" if network.symmetric else b"directed")
    csr = network.link_matrix
    for array in (csr.indptr.astype("<i8"), csr.indices.astype("<i4"), csr.data, network.leak, network.noise_std):
        hasher.update(np.ascontiguousarray(array).data)
    return hasher.hexdigest()


def describe_input(network: Network) -> dict[str, Any]:
    """Say which network came in."""
    return {
        "digest": digest(network),
        "neurons": network.n_neurons,
        "synapses": network.n_synapses,
        "symmetric": network.symmetric,
        **({"origin": network.origin} if network.origin else {}),
    }
