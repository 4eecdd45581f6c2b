import re

import matplotlib as mpl
from matplotlib.figure import Figure

from noiseprune.view import plots
from noiseprune.view.pages.figures import inline_svg, page_style, share_limits
from tests.view.pages import LABEL, Page


def drawn(label="line", **options):
    with page_style():
        ax = Figure().add_subplot()
        ax.plot([0, 1], [0, 1], "o-", color=plots.BLUE, label=label)
        ax.legend()
        return inline_svg(ax, name="one", title="a < b", description="says & tells", **options)


def test_a_figure_is_one_element_that_says_what_it_is():
    svg = drawn()
    page = Page(svg)
    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert page.tags[0][1]["role"] == "img"
    assert page.tags[0][1]["aria-labelledby"] == "one-title one-description"
    assert "a < b" in page.text
    assert "says & tells" in page.text
    assert all(name.startswith("one-") for name in page.ids)
    used = re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', svg)
    assert used
    assert set(used) <= set(page.ids)


def test_colours_follow_the_page_and_text_stays_text():
    svg = drawn()
    assert "stroke: var(--blue)" in svg
    assert plots.BLUE not in svg
    assert "line</text>" in svg
    assert "<metadata" not in svg
    assert "<style" not in svg


def test_a_label_is_left_as_it_is():
    for label in (LABEL, 'id="a" url(#b) fill: #000000', "--> &amp;"):
        page = Page(drawn(label))
        assert label in page.text
        assert "script" not in [tag for tag, _ in page.tags]


def test_the_same_figure_is_the_same_text_and_settings_are_put_back():
    before = dict(mpl.rcParams)
    assert drawn() == drawn()
    assert dict(mpl.rcParams) == before


def test_plots_of_the_same_thing_share_their_limits():
    every = [Figure().add_subplot() for _ in range(2)]
    every[0].set(xlim=(0, 1), ylim=(5, 0))
    every[1].set(xlim=(-1, 0.5), ylim=(5, 0))
    share_limits(every)
    assert [ax.get_xlim() for ax in every] == [(-1, 1)] * 2
    assert [ax.get_ylim() for ax in every] == [(5, 0)] * 2  # an image has its first row on top
