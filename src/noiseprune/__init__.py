"""Prune recurrent networks by noise, keep their dynamics, and measure what was kept.

Everything here is imported on first use, so that ``import noiseprune`` and ``noiseprune --help`` are quick.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from noiseprune.machine import display, processes  # noqa: F401 - sees every fork from here on
from noiseprune.version import __version__

# public name -> the module that holds it; None: the name is itself a module
_HOMES: dict[str, str | None] = {
    "Comparison": "measure.result",
    "Development": "plasticity",
    "Network": "network",
    "NoisePruneError": "errors",
    "NoisePruneWarning": "errors",
    "Pruned": "pruning.pipeline",
    "Trace": "plasticity",
    "compare": "measure.compare",
    "gallery": None,
    "load": "storage",
    "plots": None,
    "probes": None,
    "prune": "pruning.pipeline",
    "read": "sources.files",
    "report": "view.pages.report",
    "rules": None,
    "run": "plasticity",
    "strengthenings": None,
    "sweep": "experiments.sweep",
    "with_base_leak": "sources.leak",
    "write": "sources.files",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - one table, strings all

display.use_views_of("noiseprune.view.cards")
logging.getLogger("noiseprune").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'noiseprune' has no attribute {name!r}")
    home = _HOMES[name]
    module = importlib.import_module(f"noiseprune.{home or name}")
    return getattr(module, name) if home else module


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from noiseprune import gallery as gallery
    from noiseprune import plots as plots
    from noiseprune import probes as probes
    from noiseprune import rules as rules
    from noiseprune import strengthenings as strengthenings
    from noiseprune.errors import NoisePruneError as NoisePruneError
    from noiseprune.errors import NoisePruneWarning as NoisePruneWarning
    from noiseprune.experiments.sweep import sweep as sweep
    from noiseprune.measure.compare import compare as compare
    from noiseprune.measure.result import Comparison as Comparison
    from noiseprune.network import Network as Network
    from noiseprune.plasticity import Development as Development
    from noiseprune.plasticity import Trace as Trace
    from noiseprune.plasticity import run as run
    from noiseprune.pruning.pipeline import Pruned as Pruned
    from noiseprune.pruning.pipeline import prune as prune
    from noiseprune.sources.files import read as read
    from noiseprune.sources.files import write as write
    from noiseprune.sources.leak import with_base_leak as with_base_leak
    from noiseprune.storage import load as load
    from noiseprune.view.pages.report import report as report
