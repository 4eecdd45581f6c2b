"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

READING = "Reading the file"
RULE = "The rule"
RUNNING = "Running"
OUTPUT = "Output"


def option(panel: str, *names: str, **more: Any) -> Any:
    """Declare an option that `--help` shows in a panel."""
    return typer.Option(*names, rich_help_panel=panel, **more)


KeepConnected = Annotated[bool, option(RULE, "--keep-connected", help="Keep a spanning forest inside the same budget.")]
Seed = Annotated[int, option(RUNNING, "--seed", help="Seed of all that is random; recorded in the result.")]
Threads = Annotated[
    int | None, option(RUNNING, "--threads", help="Threads of the numerical libraries.", show_default=False)
]
Quiet = Annotated[bool, option(RUNNING, "--quiet", help="Print nothing for people but errors and warnings.")]
AsJson = Annotated[bool, option(OUTPUT, "--json", help="Print one JSON object on standard output.")]
Overwrite = Annotated[bool, option(OUTPUT, "--overwrite", help="Replace files that exist.")]
