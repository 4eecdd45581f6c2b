"""A first plain page of a result: one self-contained HTML file, tables only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from html import escape
from typing import Any

import noiseprune
from noiseprune.comparison import Comparison
from noiseprune.files.output import replacing
from noiseprune.reporting.words import rows, verdict

STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: CanvasText; background: Canvas; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.verdict { font-size: 1.1rem; border-left: 4px solid #3b7; padding-left: .8rem; }
.verdict.bad { border-color: #d33; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.meaning { font-size: .9rem; }
@media (max-width: 40rem) {
  .meaning { display: none; } table { font-size: .85rem; } td.number { white-space: normal; }
}
pre { background: var(--soft); padding: .8rem; overflow-x: auto; font-size: .85rem; }
"""


def write_page(
    path: str | os.PathLike[str],
    *,
    title: str,
    introduction: str,
    comparisons: Mapping[str, Comparison],
    provenance: Mapping[str, Any],
    overwrite: bool = False,
) -> None:
    """Write a page that shows comparisons side by side.

    Parameters
    ----------
    path : path
        The file to write.
    title, introduction : str
        Plain text.
    comparisons : mapping of str to Comparison
        Name of each column -> what to show in it; every one gets its verdict.
    provenance : mapping
        Versions, seed and options, shown as JSON.
    overwrite : bool
        Whether a file that exists is replaced.
    """
    page = _page(title, introduction, comparisons, provenance)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _page(title: str, introduction: str, comparisons: Mapping[str, Comparison], provenance: Mapping[str, Any]) -> str:
    verdicts = "\n".join(
        f'<p class="verdict{"" if c.stable_after else " bad"}"><strong>{escape(name)}</strong>: {escape(verdict(c))}</p>'
        for name, c in comparisons.items()
    )
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in comparisons)
    body = "\n".join(
        f'<tr><th scope="row">{escape(row.name.strip())}</th>'
        + "".join(f'<td class="number">{escape(value)}</td>' for value in row.values)
        + f'<td class="meaning">{escape(row.meaning)}</td></tr>'
        for row in rows(comparisons)
    )
    missing = {name: why for c in comparisons.values() for name, why in c.not_measured.items()}
    gaps = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in missing.items())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p>{escape(introduction)}</p>
{verdicts}
<h2>What was preserved</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">Measure</th>{head}<th scope="col" class="meaning">Meaning</th></tr></thead>
<tbody>
{body}
</tbody>
</table></div>
{f"<h2>Not measured</h2><ul>{gaps}</ul>" if gaps else ""}
<h2>Provenance</h2>
<pre>{escape(json.dumps(provenance, indent=1, ensure_ascii=False))}</pre>
<p>Made by noiseprune {noiseprune.__version__}.</p>
</body>
</html>
"""
