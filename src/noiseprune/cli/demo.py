"""noiseprune demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import noiseprune
from noiseprune.cli.options import OUTPUT, RULE, AsJson, Overwrite, Quiet, Seed, Threads, option
from noiseprune.cli.report import check_report, write_report
from noiseprune.cli.session import open_session


def demo(
    output: Annotated[Path, option(OUTPUT, "-o", "--output", help="Page to write.")] = Path("noiseprune-demo.html"),
    density: Annotated[float, option(RULE, "--density", help="Kept share of the synapses.")] = 0.1,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Prune the paper's three-cluster network by the noise rule and by weights, side by side.

    2 000 neurons in clusters of 1,000, 200 and 800, joined by few long-range synapses. Real run:

    [bold]noiseprune demo --seed 1[/bold]
    """
    with open_session("demo", as_json=as_json, quiet=quiet) as session:
        check_report(output, overwrite=overwrite)
        net = noiseprune.gallery.clustered([1000, 200, 800], within=0.6, between=5000, signed=True, rng=seed)
        results = {
            name: noiseprune.prune(net, density=density, rule=rule, rng=seed, threads=threads)
            for name, rule in (("noise rule", "noise"), ("by weights", "weight"))
        }
        comparisons = {name: result.comparison for name, result in results.items() if result.comparison}
        provenance = {name: result.provenance for name, result in results.items()}
        title = f"The paper's network, pruned to {100 * density:.3g} %"
        session.table(title, comparisons)
        write_report(session, results, output, overwrite=overwrite, title=title)
        session.answer(
            {"gallery": "clustered([1000, 200, 800], within=0.6, between=5000, signed=True)", "seed": seed},
            {name: c.to_dict() for name, c in comparisons.items()} | {"output": str(output)},
            provenance,
        )
