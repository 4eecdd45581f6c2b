"""The results that pages are tested on, each of another kind, and a reader of pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import scipy.sparse as sp

import noiseprune
from noiseprune import Network, gallery, prune

LABEL = "<script>alert(1)</script>"


def labelled() -> Network:
    weights = np.zeros((4, 4))
    weights[[0, 1, 2, 3], [1, 2, 3, 0]] = [0.5, -0.4, 0.3, 0.2]
    labels = [LABEL, "_hidden", "$x^$", "a & b"]
    return Network(weights, 1.0, labels=labels, origin={"file": "<b>net</b>.csv"})


def large_in_rank() -> Any:
    """Too large for dense algebra, and small enough for a test."""
    ring = sp.diags_array(np.full(5_500, 0.1), offsets=1, shape=(5_501, 5_501))
    net = Network(ring + ring.T, leak=1.0)
    return prune(net, density=0.9, rule="weight", compare=False)


RESULTS: dict[str, Callable[[], Any]] = {
    "symmetric": lambda: prune(gallery.clustered([40, 20], between=20, rng=501), density=0.5, rng=502),
    "promised": lambda: prune(gallery.clustered([150, 150], between=60, rng=504), epsilon=1.0, rng=505),
    "directed": lambda: prune(gallery.excitatory_inhibitory(40, rng=14), density=0.6, rng=1),
    "unstable": lambda: prune(gallery.excitatory_inhibitory(80, rng=11), density=0.1, strengthen="reciprocal"),
    "single neuron": lambda: prune(Network([[0.0]], 1.0), density=1.0),
    "all orphans": lambda: prune(Network([[0, 0.5], [0.5, 0]], 1.0), density=0.5, rule="uniform", rng=0),
    "labels": lambda: prune(labelled(), density=0.5, rule="magnitude", rng=2),
    "not compared": large_in_rank,
    "by weight": lambda: prune(gallery.ring(16, 2), density=0.8, rule="weight"),
    "comparison": lambda: noiseprune.compare(gallery.ring(12), gallery.ring(12)),
    "run": lambda: noiseprune.run(gallery.ring(20, 3, excess=1.0), until_density=0.5, window=5.0, rng=3),
    "side by side": lambda: {
        rule: prune(gallery.clustered([30, 20], between=20, rng=506), density=0.5, rule=rule)
        for rule in ("noise", "weight")
    },
}


@cache
def result(name: str) -> Any:
    """One of the results, made once."""
    return RESULTS[name]()


@cache
def small_sweep() -> Any:
    """A sweep of few draws, made once."""
    net = gallery.clustered([30, 20], within=0.6, between=20, signed=True, rng=701)
    return noiseprune.sweep(net, densities=[0.4, 0.6, 0.9], rules=["noise", "weight"], draws=3, tolerance=0.8)


class Page(HTMLParser):
    """What a page holds: its text, its numbers, its headings, its ids, its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.numbers: list[dict[str, Any]] = []
        self.shown: list[str] = []  # the texts of the cells with numbers, in the order of `numbers`
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self._cell = "data-numbers" in found
        if self._cell:
            self.numbers.append(json.loads(found["data-numbers"] or ""))
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
        if "id" in found:
            self.ids.append(str(found["id"]))

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\xa0", " ")
        if self._cell:
            self.shown.append(data)
            self._cell = False
