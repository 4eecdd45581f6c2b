from html.parser import HTMLParser

import pytest

from noiseprune import Network, compare, gallery, prune
from noiseprune.errors import BadFile
from noiseprune.reporting.page import write_page
from noiseprune.reporting.words import rows, verdict
from tests.networks import quiet


class Cells(HTMLParser):
    """The texts of the cells of a page's table, row by row; refuses scripts."""

    def __init__(self):
        super().__init__()
        self.rows, self.open = [], False

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "img")
        if tag == "tr":
            self.rows.append([])
        self.open = tag in ("td", "th")

    def handle_data(self, data):
        if self.open:
            self.rows[-1].append(data)
            self.open = False


@quiet
def test_the_page_shows_the_numbers_of_the_comparison(tmp_path):
    net = gallery.clustered([40, 20], between=20, rng=501)
    result = prune(net, density=0.5, rng=502)
    write_page(
        tmp_path / "page.html",
        title="<script>alert(1)</script>",
        introduction="a & b",
        comparisons={"noise": result.comparison},
        provenance=result.provenance,
    )
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    parser = Cells()
    parser.feed(text)
    shown = {row[0]: row[1] for row in parser.rows}
    assert shown["worst direction"] == f"{result.comparison.worst_direction:.3g}"
    assert shown["covariance error"] == f"{result.comparison.covariance_error:.3g}"
    assert len(parser.rows) == 1 + len(rows({"noise": result.comparison}))
    with pytest.raises(BadFile, match="exists already"):
        write_page(
            tmp_path / "page.html", title="", introduction="", comparisons={"noise": result.comparison}, provenance={}
        )


@quiet
def test_verdicts_tell_stable_from_unstable_and_whole_from_broken():
    net = gallery.excitatory_inhibitory(60, rng=503)
    hot = compare(net, Network(net.weights * 3, net.leak))
    assert "UNSTABLE (spectral abscissa +" in verdict(hot)
    ring = gallery.ring(10)
    cut = compare(ring, Network(ring.weights * 0, ring.leak))
    assert "10 connected components instead of 1" in verdict(cut)
    assert verdict(compare(ring, ring)).startswith("Kept 100 % of 20 synapses; stable; worst direction")
    alone = Network([[0.0]], 1.0)
    assert "Kept none" in verdict(compare(alone, alone))
