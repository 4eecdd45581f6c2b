"""noiseprune sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import noiseprune
from noiseprune.cli.options import OUTPUT, RULE, RUNNING, AsJson, Overwrite, Quiet, Seed, option
from noiseprune.cli.reading import File, Reading, described, read_network, reads_a_file
from noiseprune.cli.report import Report, check_report, write_report
from noiseprune.cli.session import open_session
from noiseprune.errors import InvalidOption


@reads_a_file()
def sweep(
    file: File,
    density: Annotated[
        list[str], option(RULE, "--density", help="Densities to try, commas or repeat.", show_default=False)
    ],
    rule: Annotated[list[str] | None, option(RULE, "--rule", help="Rules to try; noise by default.")] = None,
    strengthen: Annotated[
        list[str] | None, option(RULE, "--strengthen", help="Strengthenings to try; auto by default.")
    ] = None,
    draws: Annotated[int, option(RULE, "--draws", help="Draws of each combination.")] = 10,
    tolerance: Annotated[
        float | None,
        option(RULE, "--tolerance", help="Recommend the smallest density within this error.", show_default=False),
    ] = None,
    keep_connected: Annotated[
        bool, option(RULE, "--keep-connected", help="Keep a spanning forest inside the same budget.")
    ] = False,
    output: Annotated[
        Path | None, option(OUTPUT, "-o", "--output", help="Table to write: .json .csv .parquet.", show_default=False)
    ] = None,
    report: Report = None,
    checkpoint: Annotated[
        Path | None,
        option(RUNNING, "--checkpoint", help="Keep each draw here; resume where it exists.", show_default=False),
    ] = None,
    workers: Annotated[int, option(RUNNING, "--workers", help="Processes.")] = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    *,
    reading: Reading,
) -> None:
    """Try many densities, rules and strengthenings, and say which density to choose.

    [bold]noiseprune sweep worm_connectome.csv --where Type=Send --inhibitory GABA --density 0.3,0.5,0.7 --tolerance 0.2[/bold]
    """
    from noiseprune.machine.output import check_output

    with open_session("sweep", as_json=as_json, quiet=quiet) as session:
        if output is not None:
            check_output(output, overwrite=overwrite)
        check_report(report, overwrite=overwrite)
        densities = [_float("--density", part) for part in _parts(density)]
        net = read_network(file, session, reading)
        table = noiseprune.sweep(
            net,
            densities=densities,
            rules=_parts(rule) or ["noise"],
            strengthenings=_parts(strengthen) or ["auto"],
            draws=draws,
            tolerance=tolerance,
            keep_connected=keep_connected,
            workers=workers,
            checkpoint=checkpoint,
            rng=seed,
        )
        table.provenance.update(command=session.command_line)
        if output is not None:
            table.save(output, overwrite=overwrite)
        session.sweep(str(file.name), table)
        if output is not None:
            session.say(f"Wrote {output}")
        write_report(session, table, report, overwrite=overwrite)
        found = {"rows": table.rows, "recommended": table.recommended, "criterion": table.criterion}
        session.answer(
            described(file, net), found | {"output": None if output is None else str(output)}, table.provenance
        )


def _parts(given: list[str] | None) -> list[str]:
    """Split what was repeated or joined by commas."""
    return [part.strip() for text in given or [] for part in text.split(",") if part.strip()]


def _float(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidOption(f"{option} takes numbers; got {text!r}") from None
