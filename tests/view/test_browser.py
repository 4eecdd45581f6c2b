"""Pages in a real browser: Chromium, driven by playwright; skipped where either is missing."""

import shutil
from itertools import pairwise

import pytest

import noiseprune
from tests.networks import quiet
from tests.view.pages import result, small_sweep

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    quiet,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCHEMES = ("light", "dark")

# Every visible text with its colour and the first background behind it that is not transparent; `fill` inside an SVG.
CONTRASTS = """
() => {
  const rgba = (text) => { const p = text.match(/[\\d.]+/g).map(Number); return p.length < 4 ? [...p, 1] : p; };
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c[3] > 0) return c;
    }
    return [255, 255, 255, 1];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest("script, style, title, desc")) continue;
    const style = getComputedStyle(element), drawn = element.closest("svg");
    const [a, b] = [light(rgba(drawn ? style.fill : style.color)), light(behind(drawn || element))];
    found.push([text.slice(0, 40), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
}
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"), executable_path=CHROMIUM, args=ARGUMENTS
        )
        yield context
        context.close()


@pytest.fixture(scope="module")
def pages(browser, tmp_path_factory):
    """Open the page of a result, once; a page that asks for anything or complains fails its test."""
    folder, opened = tmp_path_factory.mktemp("pages"), {}

    def open_page(name):
        if name in opened:
            return opened[name]
        path = folder / f"{name}.html"
        noiseprune.report(small_sweep() if name == "sweep" else result(name), path)
        page, said, asked = browser.new_page(), [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        opened[name] = page
        assert not said
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        return page

    return open_page


@pytest.mark.parametrize("name", ["symmetric", "side by side", "unstable", "labels", "comparison", "run", "sweep"])
def test_a_page_reads_well_everywhere(pages, name):
    """One browser for all; opening a page of twelve figures takes most of the time."""
    page = pages(name)
    for width in (360, 800, 1400):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 20
        assert [found for found in contrasts if found[1] < 4.5] == []


@pytest.mark.parametrize("name", ["symmetric", "sweep"])
def test_every_picture_has_a_text_alternative(pages, name):
    page = pages(name)
    pictures = page.query_selector_all("img, svg")
    assert len(pictures) > 2
    for picture in pictures:
        alternative = picture.evaluate(
            "p => p.alt || p.getAttribute('aria-labelledby').split(' ')"
            ".map(id => document.getElementById(id).textContent).join(' ')"
        )
        assert len(alternative) > 20


def test_headings_come_in_order_and_sections_can_be_reached(pages):
    page = pages("symmetric")
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for link in page.query_selector_all("nav a"):
        assert page.query_selector(link.get_attribute("href"))


def test_no_two_figures_share_an_id(pages):
    page = pages("side by side")
    ids = page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))


def shown(page):
    """What the slider changes."""
    return page.evaluate(
        """() => [document.getElementById("slider-dots").getAttribute("d"), document.getElementById("after").src,
                  document.getElementById("said").textContent, document.getElementById("after").alt]"""
    )


def test_the_slider_shows_another_density_by_key_and_another_method_by_choice(pages):
    page, table = pages("sweep"), small_sweep()
    best = table.recommended
    slider = page.locator("#density")
    assert slider.get_attribute("aria-valuetext") == f"density {best['target_density']:g}"
    assert "Recommended." in page.locator("#said").text_content()
    slider.focus()
    page.keyboard.press("Home")
    first = shown(page)
    assert slider.get_attribute("aria-valuetext") == "density 0.4"
    page.keyboard.press("ArrowRight")
    second = shown(page)
    assert slider.get_attribute("aria-valuetext") == "density 0.6"
    assert all(before != after for before, after in zip(first, second, strict=True))
    row = next(row for row in table.rows if (row["target_density"], row["rule"]) == (0.6, "noise"))
    assert f"worst direction {row['worst_direction']:.3g}" in second[2].replace("\xa0", " ")
    page.select_option("#method", "weight")
    third = shown(page)
    assert slider.get_attribute("aria-valuetext") == "density 0.6"
    assert third[2] != second[2]
    assert third[1] != second[1]


def test_a_page_prints_on_white_without_its_controls(pages):
    page = pages("sweep")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(253, 253, 251)"
    assert not page.locator("form.controls").is_visible()
    page.emulate_media(media="screen", color_scheme="light")
