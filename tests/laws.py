"""What every probe and every leak rule obeys, stated once."""

from __future__ import annotations

import numpy as np

from noiseprune import Network
from noiseprune.probes import Exact, Probe


def as_dict(net: Network, values: np.ndarray) -> dict[tuple[int, int], float]:
    """Values at synapses, by place."""
    post, pre, _ = net.synapses
    return dict(zip(zip(post.tolist(), pre.tolist(), strict=True), values.tolist(), strict=True))


def relabelled(net: Network, order: np.ndarray) -> Network:
    """The same network with its neurons in another order."""
    return Network(
        net.weights[order][:, order], net.leak[order], net.noise_std[order], net.activation, symmetric=net.symmetric
    )


def check_probe(probe: Probe, net: Network) -> None:
    """Hold a probe to the laws on one network; an exact one to rounding, a sampled one in standard errors."""
    measured = probe.measure(net, rng=101)
    error = measured.standard_error
    assert measured.value.shape == error.shape == (net.n_synapses,)
    assert np.all(measured.value >= 0)
    assert np.array_equal(measured.value, probe.measure(net, rng=101).value), "the same seed gives the same values"

    def agree(found: np.ndarray, expected: np.ndarray) -> None:
        if measured.n_samples is None:
            assert np.allclose(found, expected, rtol=1e-9, atol=1e-13)
        else:  # chi-square values: close to normal on the cube-root scale, error taken of the expected value
            spread = expected ** (1 / 3) * np.sqrt(2 / measured.n_samples) / 3
            assert np.all(np.abs(np.cbrt(found) - np.cbrt(expected)) < 5 * spread)

    agree(measured.value, Exact().measure(net).value)

    louder = Network(net.weights, net.leak, 3 * net.noise_std, net.activation, symmetric=net.symmetric)
    agree(probe.measure(louder, rng=102).value, 9 * Exact().measure(net).value)

    order = np.random.default_rng(103).permutation(net.n_neurons)
    other = relabelled(net, order)
    found = as_dict(other, probe.measure(other, rng=104).value)
    expected = as_dict(net, Exact().measure(net).value)
    agree(
        np.array([found[k] for k in found]),
        np.array([expected[int(order[i]), int(order[j])] for i, j in found]),
    )
