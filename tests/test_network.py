import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp

from noiseprune import Network, NoisePruneWarning, gallery
from noiseprune.errors import InvalidNetwork


def test_weights_lead_from_column_to_row():
    net = Network([[0, 0, 0], [5, 0, 0], [0, 0, 0]], leak=1.0)
    post, pre, weight = net.synapses
    assert (post.tolist(), pre.tolist(), weight.tolist()) == ([1], [0], [5.0])
    assert net.matrix().toarray().tolist() == [[-1, 0, 0], [5, -1, 0], [0, 0, -1]]


def test_matrix_and_from_matrix_are_inverse(network):
    again = Network.from_matrix(network.matrix(), network.noise_std)
    assert (again.matrix() != network.matrix()).nnz == 0
    assert again.symmetric == network.symmetric
    assert again.n_synapses == network.n_synapses


def test_synapses_are_the_entries_of_the_weights(network):
    post, pre, weight = network.synapses
    dense = np.zeros((network.n_neurons,) * 2)
    dense[post, pre] = weight
    assert np.array_equal(dense, network.weights.toarray())
    assert np.array_equal(network.spread(network.links.weight), weight)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csc_matrix, sp.coo_array, sp.lil_matrix])
def test_every_kind_of_matrix_is_accepted(kind):
    dense = np.array([[0, 1.0], [0.5, 0]])
    assert np.array_equal(Network(kind(dense), 1.0).weights.toarray(), dense)


def test_arguments_are_neither_changed_nor_shared():
    weights = sp.csr_array(np.array([[0, 1.0], [1.0, 0]]))
    leak = np.array([1.0, 2.0])
    net = Network(weights, leak)
    weights.data[:] = 7
    leak[:] = 7
    assert net.weights.data.tolist() == [1, 1]
    assert net.leak.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        net.leak[0] = 3


def test_duplicates_are_summed_and_zeros_are_no_synapses():
    weights = sp.coo_array(([1.0, 2.0, 0.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    net = Network(weights, 1.0)
    assert net.synapses.weight.tolist() == [3.0]


def test_float32_stays_and_integers_become_float64():
    assert Network(np.array([[0, 1], [0, 0]], dtype=np.float32), 1.0).weights.dtype == np.float32
    assert Network(np.array([[0, 1], [0, 0]], dtype=np.int8), 1.0).weights.dtype == np.float64


def test_indices_of_64_bits_are_accepted():
    weights = sp.csr_array(np.array([[0, 1.0], [0, 0]]))
    weights.indices, weights.indptr = weights.indices.astype(np.int64), weights.indptr.astype(np.int64)
    assert Network(weights, 1.0).n_synapses == 1


def test_small_integers_do_not_wrap_and_masks_are_not_forgotten():
    twice = sp.coo_array((np.array([100, 100], dtype=np.int8), ([0, 0], [1, 1])), shape=(2, 2))
    assert Network(twice, 1.0).synapses.weight.tolist() == [200.0]
    with pytest.raises(InvalidNetwork, match="masked array; fill it first"):
        Network(np.ma.masked_equal([[0, 1], [9, 0]], 9), 1.0)


def test_what_is_handed_out_cannot_change_the_network():
    net = gallery.excitatory_inhibitory(20, rng=32)
    before = net.n_synapses
    weights = net.weights
    weights.setdiag(1.0)
    assert net.n_synapses == before
    with pytest.raises(ValueError, match="read-only"):
        net.weights.data[:] = 0


def test_damaged_sparse_matrices_are_refused():
    bad = sp.csr_array(np.array([[0, 1.0], [1.0, 0]]))
    bad.indices = np.array([1, 9], dtype=np.int32)
    with pytest.raises(InvalidNetwork, match="damaged sparse matrix"):
        Network(bad, 1.0)
    with pytest.raises(InvalidNetwork, match=r"noiseprune\.read"):
        Network("net.csv", 1.0)


# --- symmetry


def test_rounding_is_no_asymmetry_and_pairs_are_averaged():
    small = 4 * np.finfo(np.float64).eps
    net = Network([[0, 1.0], [1.0 + small, 0]], 2.0)
    assert net.symmetric
    assert net.synapses.weight[0] == net.synapses.weight[1]


def test_nearly_symmetric_warns_and_names_the_option():
    weights = [[0, 1.0], [1.0005, 0]]
    with pytest.warns(NoisePruneWarning, match="symmetric=True"):
        assert not Network(weights, 2.0).symmetric
    assert Network(weights, 2.0, symmetric=True).synapses.weight == pytest.approx([1.00025, 1.00025])
    assert not Network([[0, 1.0], [1.0, 0]], 2.0, symmetric=False).symmetric


@pytest.mark.parametrize("weights", [[[0, 1.0], [0.9, 0]], [[0, 1.0], [0, 0]]])
def test_far_from_symmetric_cannot_be_called_symmetric(weights):
    assert not Network(weights, 1.0).symmetric
    with pytest.raises(InvalidNetwork, match="leave symmetric out"):
        Network(weights, 1.0, symmetric=True)


def test_dominance_forgives_rounding_only():
    net = gallery.clustered([40, 20], between=20, signed=True, rng=31)
    assert net.dominant
    assert np.all(net.dominance_margin == 0)
    assert not Network(net.weights, net.leak * (1 - 1e-9)).dominant
    assert not net.has_excess.any()
    assert gallery.sheet(4, 4, excess=1e-5, rng=33).has_excess.all()


# --- edges


def test_one_neuron_and_no_synapses():
    net = Network([[0.0]], leak=2.0)
    assert (net.n_neurons, net.n_synapses, net.symmetric) == (1, 0, True)
    assert net.matrix().toarray().tolist() == [[-2.0]]


@pytest.mark.parametrize(
    ("weights", "more", "message"),
    [
        ([[0, 1], [2, 3]], {}, "1 self-connections, the first at neuron 1 .weight 3"),
        ([[0, np.nan], [0, 0]], {}, r"weights\[0, 1\] is nan"),
        ([[0, np.inf], [0, 0]], {}, r"weights\[0, 1\] is inf"),
        ([[0, 1]], {}, r"square matrix .* got shape \(1, 2\)"),
        ([0, 1], {}, r"square matrix .* got shape \(2,\)"),
        (np.zeros((0, 0)), {}, "no neurons"),
        ([[0, 1j], [0, 0]], {}, "real numbers; got complex"),
        (np.array([["a"]]), {}, "real numbers"),
        (np.array([[None]]), {}, "Python objects"),
        ([[0, 1], [0, 0]], {"leak": [1, -1]}, "leak must be positive and finite; neuron 1 has -1"),
        ([[0, 1], [0, 0]], {"leak": [1, 0]}, "neuron 1 has 0"),
        ([[0, 1], [0, 0]], {"leak": [1, np.nan]}, "neuron 1 has nan"),
        ([[0, 1], [0, 0]], {"leak": [1, 2, 3]}, r"shape \(2,\), one a neuron; got shape \(3,\)"),
        ([[0, 1], [0, 0]], {"leak": "fast"}, "leak must be a number"),
        ([[0, 1], [0, 0]], {"noise_std": [1, -1]}, "noise_std must be zero or positive"),
        ([[0, 1], [0, 0]], {"noise_std": 0}, "without noise there is nothing to measure"),
        ([[0, 1], [0, 0]], {"activation": "relu"}, "one of linear, rectified, tanh; got 'relu'"),
        ([[0, 1], [0, 0]], {"labels": ["a"]}, "each of the 2 neurons; got 1"),
        ([[0, 1], [0, 0]], {"labels": ["a", "a"]}, "'a' names more than one"),
        ([[0, 1], [0, 0]], {"labels": ["a", 1]}, "all int or all str"),
        ([[0, 1], [0, 0]], {"labels": ["a", ""]}, "label 1 is ''"),
        ([[0, 1], [0, 0]], {"labels": ["a", 1.5]}, "label 1 is 1.5"),
    ],
)
def test_what_is_no_network_is_refused_with_its_place(weights, more, message):
    with pytest.raises(InvalidNetwork, match=message):
        Network(weights, **{"leak": 1.0, **more})


def test_an_operator_without_leak_is_refused_with_the_remedy():
    with pytest.raises(InvalidNetwork, match=r"Network\(W, leak\).*base_leak="):
        Network.from_matrix([[0, 1], [1, 0]])
    with pytest.raises(InvalidNetwork, match='neuron 1 has 0.*content="weights" or content="operator"'):
        Network.from_matrix([[-1, 1], [1, 0]])


def test_numpy_labels_become_python_ones():
    net = Network([[0, 1], [0, 0]], 1.0, labels=np.array([2**62 + 1, 5]))
    assert net.labels == (2**62 + 1, 5)
    assert type(net.labels[0]) is int
    assert net.name(0) == str(2**62 + 1)


# --- copies

COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "replace": lambda net: net.replace(),
    **{
        f"pickle {k}": lambda net, k=k: pickle.loads(pickle.dumps(net, k))
        for k in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_of_a_network_is_as_fixed_as_the_network(network, way):
    named = Network(
        network.weights,
        network.leak,
        network.noise_std,
        "tanh",
        [f"n{k}" for k in range(network.n_neurons)],
        symmetric=network.symmetric,
        origin={"file": "x.csv", "counts": {"rows": 3}},
    )
    total = named.total_input.copy()
    made = COPIES[way](named)
    for part in (
        *made.links,
        made.leak,
        made.noise_std,
        made.total_input,
        made.dominance_margin,
        made.link_matrix.data,
    ):
        with pytest.raises(ValueError, match="read-only"):
            part[:] = 7
    made.link_matrix.setdiag(9.0)
    made.origin["counts"]["rows"] = 4
    with pytest.raises(AttributeError):
        made.origin = {}
    assert np.array_equal(made.total_input, total)
    assert np.array_equal(made.weights.toarray(), named.weights.toarray())
    assert made.origin == named.origin == {"file": "x.csv", "counts": {"rows": 3}}
    assert (made.labels, made.activation, made.symmetric) == (named.labels, "tanh", named.symmetric)


def test_what_origin_was_made_of_may_change_later():
    given = {"counts": {"rows": 3}}
    net = Network([[0, 1], [0, 0]], 1.0, origin=given)
    given["counts"]["rows"] = 4
    assert net.origin == {"counts": {"rows": 3}}


def test_whatever_turns_itself_into_an_array_is_taken_and_whatever_refuses_is_refused_by_us():
    class Elsewhere:
        """As an array on a device: of JAX, which converts itself, or of CuPy, which will not."""

        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            if self.values is None:
                raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")
            return np.array(self.values, dtype=dtype)

    net = Network(Elsewhere([[0, 1.0], [1, 0]]), Elsewhere([2.0, 3.0]), Elsewhere(1.0))
    assert net.leak.tolist() == [2, 3]
    with pytest.raises(InvalidNetwork, match=r"weights must be a square matrix: .*Please use `\.get\(\)`"):
        Network(Elsewhere(None), 1.0)
    with pytest.raises(InvalidNetwork, match=r"leak must be a number or 2 numbers, one a neuron: .*`\.get\(\)`"):
        Network([[0, 1.0], [1, 0]], Elsewhere(None))


def test_leaks_that_would_lose_a_part_are_refused():
    with pytest.raises(InvalidNetwork, match="leak must be a number or 2 numbers, one a neuron: they are complex"):
        Network([[0, 1.0], [1, 0]], np.array([1 + 1j, 1]))
    with pytest.raises(InvalidNetwork, match="leak is a masked array; fill it first"):
        Network([[0, 1.0], [1, 0]], np.ma.masked_array([1.0, 2.0], [False, True]))
