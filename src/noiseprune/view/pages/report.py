"""report(): a result as one self-contained HTML page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from noiseprune.errors import InvalidOption, MissingExtra
from noiseprune.machine.output import check_output, replacing
from noiseprune.measure.pair import Pair
from noiseprune.measure.result import Comparison
from noiseprune.version import __version__
from noiseprune.view.words import share, verdict

if TYPE_CHECKING:
    import jinja2

    from noiseprune.experiments.table import Sweep
    from noiseprune.view.pages.sections import Subject

Result = Pair | Comparison


def report(
    result: Result | Mapping[str, Result] | Sweep,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write a result as one HTML page that needs nothing else, under 1.5 MB.

    Parameters
    ----------
    result : Pruned, Comparison, Sweep, Development, or mapping of str to Pruned or Comparison
        What to show. A mapping puts results of one network side by side, under its names. A comparison holds numbers
        and no networks, so its page has no pictures of them.
    path : path
        The file to write.
    title : str, optional
        In place of one that is made from the file's name and the counts.
    overwrite : bool
        Whether a file that exists is replaced.

    Raises
    ------
    MissingExtra
        Where Jinja2 or matplotlib is not installed.
    BadFile
        Where the file exists or cannot be written.
    InvalidOption
        Where there is nothing to show.
    """
    check_output(path, overwrite=overwrite)
    check_installed()
    page = _page(result, title)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(page, encoding="utf-8")


def check_installed() -> None:
    """Check that a page can be made; cheap enough to be asked before the work starts.

    Raises
    ------
    MissingExtra
        Where jinja2 or matplotlib is not installed.
    """
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f'a report needs {error.name}, which is not installed: pip install "noiseprune[report]"'
        ) from None


def _page(result: Any, title: str | None) -> str:
    from noiseprune.experiments.table import Sweep
    from noiseprune.plasticity import Development
    from noiseprune.view.pages.figures import page_style

    with page_style():
        if isinstance(result, Sweep):
            from noiseprune.view.pages.sweep_page import sweep_content

            content = sweep_content(result)
        elif isinstance(result, Development):
            from noiseprune.view.pages.run_page import run_content

            content = run_content(result)
        else:
            content = _content(_subjects(result))
    content["title"] = title or content["title"]
    return _template().render(version=__version__, **content)


def _subjects(result: Any) -> list[Subject]:
    from noiseprune.view.pages.sections import Subject

    named = result if isinstance(result, Mapping) else {"": result}
    if not named or not all(isinstance(one, Pair | Comparison) for one in named.values()):
        raise InvalidOption(
            "report takes what prune, compare, sweep or run returned, or a mapping from names to results of prune; got "
            f"{type(result).__name__}"
        )
    return [
        Subject(name, one, None) if isinstance(one, Comparison) else Subject(name, one.comparison, one)
        for name, one in named.items()
    ]


def _content(subjects: list[Subject]) -> dict[str, Any]:
    from noiseprune.view.pages.sections import all_sections, short_table

    first = subjects[0]
    notes = []
    if all(s.pair is None for s in subjects):
        notes.append("This page was made from a comparison, which holds numbers and no networks to draw.")
    return {
        "title": _title(first),
        "introduction": _introduction(first),
        "verdicts": [
            (s.name, _verdict(s), s.comparison is not None and s.comparison.stable_after is False) for s in subjects
        ],
        "notes": notes,
        "short": short_table(subjects),
        "sections": all_sections(subjects),
        "slider": None,
    }


def _title(s: Subject) -> str:
    c, pair = s.comparison, s.pair
    file = pair.original.origin.get("file") if pair is not None else None
    density = c.density if c is not None else None
    if c is None and pair is not None and pair.original.n_synapses:
        density = pair.network.n_synapses / pair.original.n_synapses
    n = pair.original.n_neurons if pair is not None else c.n_neurons if c is not None else 0
    name = file or f"A network of {n:,} neuron{'s' if n != 1 else ''}"
    return f"{name}, nothing to prune" if density is None else f"{name}, pruned to {share(density)}"


def _introduction(s: Subject) -> str:
    if s.pair is None:
        return ""
    net = s.pair.original
    kind = "symmetric" if net.symmetric else "directed"
    counts = f"{net.n_neurons:,} neurons, {net.n_synapses:,} synapses, {kind}, {net.activation}."
    if s.pruned is None:
        return counts
    return (
        f"{counts} Noise shakes the network; a synapse is kept with a probability that grows with its weight and with the "
        "variance that noise puts between its two neurons, and those that stay are strengthened."
        if s.pruned.rule == "noise"
        else f"{counts} Synapses were chosen by the rule {s.pruned.rule}."
    )


def _verdict(s: Subject) -> str:
    if s.comparison is not None:
        return verdict(s.comparison)
    if s.pair is None:
        return ""
    before, after = s.pair.original.n_synapses, s.pair.network.n_synapses
    return f"Kept {share(after / before if before else None)} of {before:,} synapses; nothing was measured."


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("noiseprune.view.pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["tight"] = _tight
    return environment.get_template("page.html.j2")


def _tight(text: str) -> str:
    """Keep on one line what belongs together: a number and its per cent, a minus and its A."""
    return text.replace(" %", "\u00a0%").replace("-A", "\u2212A")
