"""noiseprune compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import noiseprune
from noiseprune.cli.options import AsJson, Overwrite, Quiet, Seed, Threads
from noiseprune.cli.reading import Reading, described, read_network, reads_a_file
from noiseprune.cli.report import Report, check_report, write_report
from noiseprune.cli.session import open_session


@reads_a_file()
def compare(
    before: Annotated[Path, typer.Argument(help="The original network.", show_default=False)],
    after: Annotated[
        Path,
        typer.Argument(
            help="The pruned network; options for reading go to files that record nothing.", show_default=False
        ),
    ],
    seed: Seed = 0,
    threads: Threads = None,
    report: Report = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    *,
    reading: Reading,
) -> None:
    """Measure what one network kept of another.

    [bold]noiseprune compare worm_connectome.csv worm.csv --where Type=Send --inhibitory GABA[/bold]
    """
    from noiseprune.machine.threads import limit_threads
    from noiseprune.measure.pair import Compared

    with open_session("compare", as_json=as_json, quiet=quiet) as session, limit_threads(threads):
        check_report(report, overwrite=overwrite)
        net, other = (read_network(file, session, reading, sparing=True) for file in (before, after))
        result = noiseprune.compare(net, other, rng=seed)
        session.table(f"{before.name} and {after.name}", {"value": result})
        pair = Compared(net, other, result, {"command": session.command_line})
        write_report(session, pair, report, overwrite=overwrite)
        session.answer(
            {"before": described(before, net), "after": described(after, other)}, result.to_dict(), {"seed": seed}
        )
