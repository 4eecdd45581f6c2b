"""noiseprune report, and the option --report of other commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import noiseprune
from noiseprune.cli.options import OUTPUT, Overwrite, Quiet, option
from noiseprune.cli.session import Session, open_session

Report = Annotated[
    Path | None, option(OUTPUT, "--report", help="Write a page of the result, one HTML file.", show_default=False)
]


def report(
    file: Annotated[
        Path,
        typer.Argument(help="What Pruned.save or run --trace (.npz) or sweep -o (.json) wrote.", show_default=False),
    ],
    output: Annotated[Path, option(OUTPUT, "-o", "--output", help="Page to write.")] = Path("report.html"),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Show a saved result as one HTML page.

    [bold]noiseprune report table.json -o table.html[/bold]
    """
    from noiseprune.machine.output import check_apart

    with open_session("report", as_json=False, quiet=quiet) as session:
        check_apart([file], [output])
        check_report(output, overwrite=overwrite)
        write_report(session, noiseprune.load(file), output, overwrite=overwrite)


def check_report(path: Path | None, *, overwrite: bool) -> None:
    """Refuse a page that could not be made or written, before the work starts."""
    from noiseprune.machine.output import check_output
    from noiseprune.view.pages.report import check_installed

    if path is not None:
        check_output(path, overwrite=overwrite)
        check_installed()


def write_report(
    session: Session, result: Any, path: Path | None, *, overwrite: bool, title: str | None = None
) -> None:
    """Write the page, where one was asked for, and say so."""
    if path is not None:
        noiseprune.report(result, path, title=title, overwrite=overwrite)
        session.say(f"Wrote {path}")
