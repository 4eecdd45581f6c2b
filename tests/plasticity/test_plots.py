import numpy as np
import pytest

import noiseprune
from noiseprune import gallery
from noiseprune.errors import InvalidOption
from noiseprune.view.plots import development as plots


@pytest.fixture(scope="module")
def trace() -> noiseprune.Trace:
    return noiseprune.run(gallery.ring(20, 3, excess=1.0), until_density=0.5, window=5.0, rng=103)


def test_what_is_drawn_is_what_happened(trace, tmp_path):
    axes = plots.synapses(trace)
    x, y = axes.lines[0].get_data()
    assert (y[0], y[-1]) == (1, 0.5)
    for t, left in zip(x, y, strict=True):
        assert left == pytest.approx(np.mean(trace.pruned_at > t))
    axes.figure.savefig(tmp_path / "plot.svg")
    assert plots.weights(trace).lines[0].get_ydata()[-1] == trace.records[-1]["weight_q50"]
    assert plots.preservation(trace).lines[0].get_ydata()[-1] == trace.records[-1]["worst_direction"]
    first = np.arange(trace.original.n_links) < 30
    axes = plots.survival(trace, {"first": first, "others": ~first})
    shares = [line.get_ydata()[-1] for line in axes.lines]
    assert shares == [np.mean(np.isinf(trace.link_pruned_at[group])) for group in (first, ~first)]


def test_a_run_without_its_spectrum_has_none_to_draw():
    trace = noiseprune.run(gallery.ring(9), until_density=1.0, schedule="once", window=20.0, spectrum=False)
    assert plots.synapses(trace).lines[0].get_ydata().tolist() == [1, 1]
    with pytest.raises(InvalidOption, match="run it with spectrum=True"):
        plots.preservation(trace)
