"""What the library says in Python, said for a shell: the one place that translates the names of options."""

from __future__ import annotations

import re
from dataclasses import fields

from noiseprune.cli.options import flag
from noiseprune.pruning.options import PruneOptions
from noiseprune.sources.reading import DECLARATIONS

OTHERS = ("density", "synapses", "epsilon", "K", "overwrite", "tolerance", "checkpoint", "threads", "workers", "draws")
NAMES = [f.name for declaration in (*DECLARATIONS, PruneOptions) for f in fields(declaration)]
OPTION = re.compile(
    rf"""(?<![\w.\-])(?P<name>{"|".join(sorted({*NAMES, *OTHERS}, key=len, reverse=True))})="""
    r"""(?:(?P<true>True)\b|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[\w+\-]+(?:\.\d+)?))?"""
)


def in_shell(text: str) -> str:
    """Write options as the command line has them: ``no_header=True`` is ``--no-header``, ``rule='weight'`` is ``--rule weight``.

    Examples
    --------
    >>> in_shell("choose one with variable=, or give content='weights', keep_connected=True")
    'choose one with --variable, or give --content weights, --keep-connected'
    """

    def said(match: re.Match[str]) -> str:
        value = match["double"] or match["single"] or match["bare"]
        return flag(match["name"]) if value is None or match["true"] else f"{flag(match['name'])} {value}"

    return OPTION.sub(said, text)
