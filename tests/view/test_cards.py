from dataclasses import replace

import pytest

from noiseprune import gallery, prune
from tests.networks import quiet
from tests.view.pages import Page, labelled, small_sweep


@quiet
def test_cards_are_small_escaped_and_show_what_the_result_says():
    net = labelled()
    result = prune(net, density=0.5, rule="magnitude")
    sweep = small_sweep()
    for thing, words in (
        (net, "<b>net</b>.csv"),
        (result, "Kept 50 % of 4 synapses"),
        (result.comparison, "Kept 50 % of 4 synapses"),
        (sweep, f"Recommended: density {sweep.recommended['target_density']:g}, rule noise"),
    ):
        html = thing._repr_html_()
        card = Page(html)
        assert words in card.text
        assert {tag for tag, _ in card.tags} <= {"div", "strong", "p", "table", "tr", "th", "td"}
        assert len(html) < 3_000
        assert "color:#" not in html  # the notebook's colours, light or dark


@quiet
def test_cards_of_results_with_holes():
    result = prune(gallery.excitatory_inhibitory(40, rng=3), density=0.2, strengthen="reciprocal", compare=False)
    assert "Nothing was measured." in result._repr_html_()
    assert "Nothing is recommended." in replace(small_sweep(), recommended=None)._repr_html_()


@pytest.mark.parametrize("thing", ["comparison", "sweep"])
def test_representations_are_one_line(thing):
    result = small_sweep() if thing == "sweep" else prune(gallery.ring(8), density=1.0).comparison
    assert "\n" not in repr(result)
    assert len(repr(result)) < 200
