"""Whatever network, whatever format: written and read, it is the same."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noiseprune import Network, read, write
from noiseprune.errors import InvalidNetwork
from tests.files.test_matrices import FORMATS

LARGE = 2**63 - 1
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6).map(str.strip)


@st.composite
def networks(draw):
    """Signs, sizes, precisions, labels, isolated neurons, one neuron, no synapse."""
    n = draw(st.integers(1, 6))
    symmetric = draw(st.booleans())
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    magnitude = st.floats(float(np.float32(1e-30)), float(np.float32(1e30)), width=32 if dtype == np.float32 else 64)
    weights = np.zeros((n, n), dtype=dtype)
    for i in range(n):
        for j in range(i if symmetric else n):
            if i != j and draw(st.booleans()):
                weights[i, j] = draw(magnitude) * draw(st.sampled_from([-1, 1]))
                if symmetric:
                    weights[j, i] = weights[i, j]
    positive = st.floats(1e-6, 1e6)
    leak = draw(st.lists(positive, min_size=n, max_size=n) | positive)
    noise = draw(st.lists(positive, min_size=n, max_size=n) | positive)
    ids = st.integers(-LARGE, LARGE)
    labels = draw(
        st.none()
        | st.lists(ids, min_size=n, max_size=n, unique=True)
        | st.lists(names.filter(bool), min_size=n, max_size=n, unique=True)
    )
    activation = draw(st.sampled_from(["linear", "rectified", "tanh"]))
    return Network(weights, leak, noise, activation, labels, symmetric=symmetric, origin={"made by": "chance", "n": n})


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(net=networks())
def test_a_round_trip_changes_nothing(tmp_path, suffix, net):
    path = tmp_path / f"net.{suffix}"
    write(net, path, overwrite=True)
    again = read(path)
    assert (again.weights != net.weights).nnz == 0
    assert again.weights.dtype == net.weights.dtype
    assert again.n_synapses == net.n_synapses
    assert np.array_equal(again.leak, net.leak)
    assert np.array_equal(again.noise_std, net.noise_std)
    assert (again.labels, again.activation, again.symmetric) == (net.labels, net.activation, net.symmetric)
    assert again.origin == net.origin


@pytest.mark.parametrize("suffix", FORMATS)
def test_control_characters_in_labels_survive_or_are_refused(tmp_path, suffix):
    labels = ["a\x01b", "a\tb", "a\nb", "\x7f", "a\rb", " a ", '"a"', "\x85"]
    for some in (labels[1:2], labels):
        net = Network(np.diag(np.ones(len(some) - 1), 1), 9.0, labels=some)
        if suffix.startswith("graphml") and len(some) > 1:
            with pytest.raises(
                InvalidNetwork, match=r"GraphML cannot carry the control characters in the label 'a\\x01b'"
            ):
                write(net, tmp_path / f"net.{suffix}", overwrite=True)
            continue
        write(net, tmp_path / f"net.{suffix}", overwrite=True)
        assert read(tmp_path / f"net.{suffix}").labels == tuple(some)
