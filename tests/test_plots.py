import sys

import numpy as np
import pytest
import scipy.sparse as sp

import noiseprune
from noiseprune import Network, gallery, prune
from noiseprune.errors import InvalidNetwork, InvalidOption, MissingExtra, TooLarge, UnstableNetwork
from noiseprune.measure.pair import Compared
from noiseprune.network.ordering import block_sums, cluster_order
from noiseprune.network.structure import component_sizes
from noiseprune.view import plots
from tests.networks import quiet
from tests.view.pages import small_sweep

SYMMETRIC = prune(gallery.clustered([30, 20], between=20, rng=801), density=0.6, rng=1)
DIRECTED = prune(gallery.excitatory_inhibitory(40, rng=14), density=0.6, rng=1)
OF_A_RESULT = {
    "spectrum": plots.spectrum,
    "worst_direction": plots.worst_direction,
    "slowest_modes": plots.slowest_modes,
    "keep_probability": plots.keep_probability,
    "weights": plots.weights,
    "trajectories": plots.trajectories,
    "degrees": plots.degrees,
    "strengths": plots.strengths,
}


@pytest.mark.parametrize("name", OF_A_RESULT)
def test_plots_take_and_return_axes_and_leave_global_state_alone(name):
    import matplotlib as mpl
    from matplotlib import _pylab_helpers
    from matplotlib.figure import Figure

    before = dict(mpl.rcParams)
    ax = Figure().add_subplot()
    assert OF_A_RESULT[name](SYMMETRIC, ax=ax) is ax
    alone = OF_A_RESULT[name](SYMMETRIC)
    assert alone.get_xlabel()
    assert alone.get_ylabel()
    assert dict(mpl.rcParams) == before
    assert not _pylab_helpers.Gcf.figs


def data(ax, label):
    return next(line for line in ax.lines if line.get_label() == label).get_data()


def test_the_spectrum_is_that_of_lapack():
    _, rates = data(plots.spectrum(SYMMETRIC), "after")
    np.testing.assert_allclose(rates, np.sort(-np.linalg.eigvalsh(SYMMETRIC.network.matrix().toarray())))
    real, imaginary = data(plots.spectrum(DIRECTED), "before")
    expected = np.linalg.eigvals(DIRECTED.original.matrix().toarray())
    np.testing.assert_allclose(np.sort(real), np.sort(expected.real), atol=1e-9)
    np.testing.assert_allclose(np.sort(imaginary), np.sort(expected.imag), atol=1e-9)


def test_the_worst_direction_is_that_of_the_comparison():
    (low, high) = SYMMETRIC.comparison.worst_direction_interval
    np.testing.assert_allclose(SYMMETRIC.directions[[0, -1]], [low, high])
    label = plots.worst_direction(SYMMETRIC).get_legend().get_texts()[0].get_text()
    assert label == f"worst: {low:.3g}, {high:.3g}"


@pytest.mark.parametrize("result", [SYMMETRIC, DIRECTED, SYMMETRIC.comparison])
def test_the_slowest_modes_are_those_of_the_comparison(result):
    c = result if result is SYMMETRIC.comparison else result.comparison
    _, after = data(plots.slowest_modes(result), "after")
    np.testing.assert_array_equal(-after, c.slowest_after)
    assert len(after) == 10


def test_keep_probabilities_are_those_of_the_result():
    (line,) = plots.keep_probability(SYMMETRIC, "variance").lines
    np.testing.assert_array_equal(line.get_xdata(), SYMMETRIC.variance.per_link)
    np.testing.assert_array_equal(line.get_ydata(), SYMMETRIC.probability.per_link)


@quiet
def test_many_points_are_counted_in_bins(monkeypatch):
    monkeypatch.setattr("noiseprune.view.plots.style.MANY_POINTS", 100)
    ax = plots.keep_probability(SYMMETRIC)
    assert not ax.lines
    counts = np.expm1(ax.collections[0].get_array().filled(0))
    assert round(counts.sum()) == SYMMETRIC.original.n_links
    assert plots.strengths(prune(gallery.ring(200), density=1.0)).collections


def test_degrees_count_synapses():
    net = DIRECTED.original
    np.testing.assert_array_equal(plots.degree(net, "in"), (net.weights != 0).sum(axis=1))
    np.testing.assert_array_equal(plots.degree(net, "out"), (net.weights != 0).sum(axis=0))
    assert plots.degree(SYMMETRIC.original, "in").sum() == SYMMETRIC.original.n_synapses


def test_clusters_stand_together_whatever_the_numbering():
    net = gallery.clustered([40, 15, 25], within=0.6, between=6, rng=803)
    cluster = np.repeat([0, 1, 2], [40, 15, 25])
    shuffle = np.random.default_rng(804).permutation(80)
    shuffled = Network(net.weights[shuffle][:, shuffle], net.leak[shuffle])
    found = cluster[shuffle][cluster_order(shuffled)]
    assert np.count_nonzero(np.diff(found)) == 2


@quiet
def test_components_stand_one_after_the_other_largest_first(monkeypatch):
    blocks = [np.ones((size, size)) - np.eye(size) for size in (2, 5, 1, 3)]
    net = Network(sp.block_diag(blocks), leak=9.0)
    assert component_sizes(net).tolist() == [5, 3, 2, 1]
    component = np.repeat([2, 5, 1, 3], [2, 5, 1, 3])
    for limit in (100, 0):
        monkeypatch.setattr("noiseprune.machine.limits.SPECTRAL_ORDER", limit)
        assert component[cluster_order(net)].tolist() == [5] * 5 + [3] * 3 + [2] * 2 + [1]


@pytest.mark.parametrize("net", [SYMMETRIC.original, DIRECTED.original])
def test_pixels_sum_the_weights(net):
    order = cluster_order(net)
    whole = net.weights.toarray()[np.ix_(order, order)]
    np.testing.assert_allclose(block_sums(net, order, 1000), whole)
    half = block_sums(net, order, 2)
    np.testing.assert_allclose(half.sum(), whole.sum())
    middle = -(-net.n_neurons // 2)
    np.testing.assert_allclose(half[0, 1], whole[:middle, middle:].sum())


@quiet
def test_a_large_component_is_ordered_by_lanczos(monkeypatch):
    monkeypatch.setattr("noiseprune.machine.limits.ORDER", 10)
    test_clusters_stand_together_whatever_the_numbering()


def test_pixels_are_blue_where_positive_and_orange_where_negative():
    rgba = plots.pixels(np.array([[4.0, -1.0], [0.0, 8.0]]), scale=4.0)
    assert rgba[0, 0].tolist() == [0x00, 0x72, 0xB2, 255]
    assert rgba[0, 1].tolist() == [0xE6, 0x9F, 0x00, 128]
    assert rgba[1, 0, 3] == 0
    assert rgba[1, 1, 3] == 255


def test_trajectories_are_runs_under_the_same_noise():
    same = Compared(SYMMETRIC.original, SYMMETRIC.original, SYMMETRIC.comparison)
    ax = plots.trajectories(same, "rectified", rng=5)
    for before, after in zip(ax.lines[::2], ax.lines[1::2], strict=True):
        np.testing.assert_array_equal(before.get_ydata(), after.get_ydata())
    assert len(ax.lines) == 4


def test_runs_of_large_networks_are_shortened(monkeypatch):
    monkeypatch.setattr("noiseprune.view.plots.responses.MAX_WORK", 50 * SYMMETRIC.original.n_synapses)
    ax = plots.trajectories(SYMMETRIC)
    assert ax.lines[0].get_xdata().size == 50


def test_the_errors_of_a_sweep_have_bars_and_the_recommendation_a_ring():
    table = small_sweep()
    ax = plots.sweep_error(table)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert set(labels) == {"noise", "weight", "recommended", "tolerance 0.8"}
    drawn = ax.containers[0].lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, [row["worst_direction"] for row in table.by_method["noise"]])
    with pytest.raises(InvalidOption, match="no draw of the sweep has a happiness"):
        plots.sweep_error(table, "happiness")


@pytest.mark.parametrize(("value", "text"), [(0.01, "0.01"), (0.001, "0.001"), (1e-7, "10⁻⁷"), (1e4, "10⁴"), (0, "0")])
def test_powers_are_written_plainly(value, text):
    assert plots.power(value) == text


@quiet
def test_what_cannot_be_drawn_is_an_error_that_says_why(monkeypatch):
    with pytest.raises(InvalidNetwork, match="this one is directed"):
        plots.worst_direction(DIRECTED)
    uncompared = prune(gallery.ring(12), density=0.9, rule="uniform", compare=False)
    with pytest.raises(InvalidOption, match="compare=True looks for them"):
        plots.slowest_modes(uncompared)
    with pytest.raises(InvalidOption, match="the rule uniform reads no difference variance"):
        plots.keep_probability(uncompared, "variance")
    alone = prune(Network([[0.0]], 1.0), density=1.0)
    with pytest.raises(InvalidNetwork, match="no synapses"):
        plots.keep_probability(alone)
    with pytest.raises(InvalidNetwork, match="no neuron has input"):
        plots.strengths(alone)
    unstable = Network([[0, 2.0], [2.0, 0]], leak=1.0)
    with pytest.raises(UnstableNetwork, match="the original is not stable"):
        plots.worst_direction(Compared(unstable, unstable, noiseprune.compare(unstable, unstable)))
    stiff = Network(np.zeros((3, 3)), leak=[1.0, 1.0, 1e7])
    with pytest.raises(TooLarge, match="would take 500,000,000 time steps; the limit is 50,000"):
        plots.trajectories(Compared(stiff, stiff, DIRECTED.comparison))
    monkeypatch.setattr("noiseprune.machine.limits.SYMMETRIC_SPECTRUM", 10)
    with pytest.raises(TooLarge, match="stops at 10 neurons; there are 12"):
        plots.spectrum(uncompared)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r'pip install "noiseprune\[report\]"'):
        plots.degrees(uncompared)


def test_large_networks_are_ordered_by_what_suits_them(monkeypatch):
    monkeypatch.setattr("noiseprune.machine.limits.SPECTRAL_ORDER", 10)
    for net in (gallery.clustered([60] * 5, within=0.5, between=60, rng=805), gallery.sheet(20, 20, radius=2, rng=806)):
        shuffle = np.random.default_rng(807).permutation(net.n_neurons)
        shuffled = Network(net.weights[shuffle][:, shuffle], net.leak[shuffle])
        sums = block_sums(shuffled, cluster_order(shuffled), 5)
        near = np.abs(np.subtract.outer(np.arange(5), np.arange(5))) <= 1
        assert sums[near].sum() > 0.85 * sums.sum()
