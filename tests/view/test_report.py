import re
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

import noiseprune
from noiseprune import gallery, prune
from noiseprune.errors import BadFile, InvalidOption, MissingExtra
from tests.networks import quiet
from tests.view.pages import LABEL, RESULTS, Page, labelled, result, small_sweep

LIMIT = 1_500_000


@pytest.fixture
def page(tmp_path):
    """Write the page of a result and read it."""

    def write(shown, **options):
        path = tmp_path / "page.html"
        noiseprune.report(shown, path, overwrite=True, **options)
        assert path.stat().st_size < LIMIT
        return Page(path.read_text(encoding="utf-8"))

    return write


@pytest.fixture(scope="module")
def page_of(tmp_path_factory):
    """Read the page of one of the results, written once."""

    @cache
    def read(name):
        path = tmp_path_factory.mktemp("pages") / "page.html"
        noiseprune.report(result(name), path)
        assert path.stat().st_size < LIMIT
        return Page(path.read_text(encoding="utf-8"))

    return read


@quiet
@pytest.mark.parametrize("name", RESULTS)
def test_every_kind_of_result_has_a_page(page_of, name):
    found = page_of(name)
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(found.headings))
    assert len(set(found.ids)) == len(found.ids)
    for tag, attributes in found.tags:
        assert tag != "img" or attributes["alt"]
        assert tag != "svg" or all(name in found.ids for name in attributes["aria-labelledby"].split())
        assert attributes.get("src", "data:").startswith("data:")
        if tag != "a":
            assert re.match("data:|#", attributes.get("href") or attributes.get("xlink:href") or "#")


@quiet
@pytest.mark.parametrize("name", ["symmetric", "directed", "unstable"])
def test_numbers_on_the_page_are_those_of_the_comparison(page_of, name):
    found, expected = page_of(name), result(name).comparison.to_dict()
    seen = set()
    for numbers, shown in zip(found.numbers, found.shown, strict=True):
        for key, value in numbers.items():
            measure, *part = key.split(".")
            assert value == (expected[measure][part[0]] if part else expected[measure])
            if isinstance(value, float) and not key.endswith("density"):
                assert f"{value:.3g}" in shown
            if isinstance(value, int):
                assert f"{value:,}" in shown
            seen.add(measure)
    measured = {
        key for key, value in expected.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }
    not_rows = {"schema_version", "orphans", "n_neurons", "n_synapses_before", "without_input", "without_output"}
    assert measured - not_rows <= seen


@quiet
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("directed", "a worst direction belongs to symmetric networks, and this one is directed"),
        ("unstable", "UNSTABLE (spectral abscissa +"),
        ("unstable", "Not measured (no stationary state is left): covariance error; kl per neuron."),
        ("single neuron", "A single neuron has no synapses, so there was nothing to prune."),
        ("single neuron", "there are no synapses, hence no keep probabilities"),
        ("all orphans", "Every neuron is newly disconnected"),
        ("not compared", "Nothing was measured"),
        ("not compared", "which stops at 5,000 neurons; there are 5,501"),
        ("by weight", "the rule weight reads no difference variance"),
        ("comparison", "holds numbers and no networks to draw"),
        ("promised", "With high probability every direction x keeps x'(-A)x within a factor 1 ± 1"),
        ("directed", "does not cover this result: the network is directed"),
        ("directed", "this one was checked to be stable"),
        ("symmetric", "Every weight is right on average over draws"),
    ],
)
def test_what_cannot_be_had_is_said_in_words(page_of, name, words):
    assert words in page_of(name).text


@quiet
def test_labels_and_file_names_stay_text(page):
    found = page(prune(labelled(), density=0.5, rule="magnitude", rng=2))
    assert "script" not in [tag for tag, _ in found.tags]
    assert LABEL in found.text
    assert "<b>net</b>.csv, pruned to 50" in found.text
    assert "<b>title</b>" in page(gallery_comparison(), title="<b>title</b>").text


def gallery_comparison():
    return noiseprune.compare(gallery.ring(8), gallery.ring(8))


@quiet
def test_results_stand_side_by_side_on_the_same_scale(page_of):
    found = page_of("side by side")
    heads = [attributes for tag, attributes in found.tags if tag == "th" and attributes.get("scope") == "col"]
    assert heads
    assert "Weight: K =" in found.text
    assert found.text.count("before") > 4


def test_a_sweep_has_a_slider_its_numbers_and_its_recommendation(page):
    table = small_sweep()
    found = page(table)
    assert f"Recommended: density {table.recommended['target_density']:g}, rule noise" in found.text
    rows = [numbers for numbers in found.numbers if "worst_direction" in numbers]
    assert [row["worst_direction"] for row in rows] == [row["worst_direction"] for row in table.rows]
    slider = next(attributes for tag, attributes in found.tags if attributes.get("id") == "density")
    assert slider["type"] == "range"


def test_a_sweep_without_pictures_tolerance_or_recommendation_says_so(page):
    table = replace(small_sweep(), recommended=None)
    assert "None of these choices is recommended (smallest density" in page(table).text
    found = page(replace(table, pictures={}, provenance=table.provenance | {"tolerance": None}))
    assert "No tolerance was given, so nothing is recommended." in found.text
    assert "holds no pictures" in found.text
    assert "script" not in [tag for tag, _ in found.tags]


def test_a_sweep_too_large_for_spectra_shows_its_weights(page):
    table = small_sweep()
    blind = [picture | {"eigenvalues": None} for picture in table.pictures["after"]]
    found = page(replace(table, pictures={"before": table.pictures["before"], "after": blind}))
    assert "it takes dense algebra" in found.text
    assert "slider-dots" not in found.ids
    assert "after" in found.ids


def test_a_page_is_refused_before_the_work(tmp_path, monkeypatch):
    c = gallery_comparison()
    noiseprune.report(c, tmp_path / "page.html")
    with pytest.raises(BadFile, match="exists already"):
        noiseprune.report(c, tmp_path / "page.html")
    with pytest.raises(InvalidOption, match="what prune, compare, sweep or run returned.*got Network"):
        noiseprune.report(gallery.ring(5), tmp_path / "other.html")
    with pytest.raises(InvalidOption, match="got dict"):
        noiseprune.report({}, tmp_path / "other.html")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r'pip install "noiseprune\[report\]"'):
        noiseprune.report(c, tmp_path / "other.html")
    assert not (tmp_path / "other.html").exists()


def test_commands_repeat_the_result():
    from noiseprune.view.pages import commands

    net = gallery.clustered([20, 10], between=10, rng=507)
    pruned = prune(net, density=0.6, draw="fixed", keep_connected=True, rng=9)
    scope = {"noiseprune": noiseprune, "net": net}
    exec(commands.in_python(pruned.provenance), scope)
    assert (scope["result"].network.link_matrix != pruned.network.link_matrix).nnz == 0
    words = commands.in_shell(pruned.provenance).split()
    assert words[:3] == ["noiseprune", "prune", "NETWORK.npz"]
    assert "--keep-connected" in words
    assert "--beyond-theorem" not in words
    assert words[words.index("--density") + 1] == "0.6"
    probed = prune(net, density=0.6, probe=noiseprune.probes.Exact(), rng=9)
    exec(commands.in_python(probed.provenance), scope)
    assert (scope["result"].network.link_matrix != probed.network.link_matrix).nnz == 0


def test_a_saved_result_has_the_same_page(tmp_path, page):
    pruned = prune(gallery.ring(20, 2), density=0.9, rng=3)
    pruned.save(tmp_path / "r.npz")
    assert page(noiseprune.load(tmp_path / "r.npz")).numbers == page(pruned).numbers
    table = small_sweep()
    table.save(tmp_path / "t.json")
    assert page(noiseprune.load(tmp_path / "t.json")).text == page(table).text


def test_the_page_of_a_run_holds_its_records_and_says_how_it_ended(page_of):
    found, trace = page_of("run"), result("run")
    assert f"Kept 50 % of {trace.original.n_synapses:,} synapses; stable; worst direction" in found.text
    shown = [cell["synapses"] for cell in found.numbers if "synapses" in cell]
    assert shown == [row["synapses"] for row in trace.records]
    assert "trace = noiseprune.run(net, until_density=0.5" in found.text


def test_the_page_of_a_run_shows_what_was_preserved_where_it_was_measured(page):
    trace = result("run").compared()
    found = page(trace)
    assert trace.comparison == noiseprune.compare(trace.original, trace.network, rng=3)
    shown = {key: value for cell in found.numbers for key, value in cell.items()}
    for name in ("covariance_error", "decay_error", "fixed_point_error"):
        assert shown[name] == getattr(trace.comparison, name)


def test_two_neurons_and_runs_without_synapses_have_pages(page):
    pair = noiseprune.Network([[0, 1.0], [1.0, 0]], 2.0)
    assert "Kept 100 % of 2 synapses" in page(noiseprune.prune(pair, density=1.0)).text
    alone = noiseprune.run(noiseprune.Network([[0.0]], 1.0), until_density=0.5, window=3.0, burn_in=1.0)
    assert "the original has no synapses, so there is nothing to draw" in page(alone).text
