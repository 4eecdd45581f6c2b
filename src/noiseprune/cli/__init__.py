"""The command line: parse, call one function, print one result.

Results for people go to standard output, or to standard error where ``--json`` puts one object on standard output.
Exit codes: 0 done, 2 bad input or options (one line on standard error), 130 interrupted, 1 a bug of ours.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

import noiseprune
from noiseprune.cli.compare import compare
from noiseprune.cli.convert import convert
from noiseprune.cli.demo import demo
from noiseprune.cli.inspect import inspect
from noiseprune.cli.prune import prune
from noiseprune.cli.report import report
from noiseprune.cli.run import run
from noiseprune.cli.sweep import sweep
from noiseprune.errors import NoisePruneError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Prune recurrent networks by noise, keep their dynamics, and measure what was kept.",
    epilog="Start with: noiseprune demo",
)
for verb in (demo, inspect, prune, compare, sweep, run, convert, report):
    app.command()(verb)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Prune recurrent networks by noise, keep their dynamics, and measure what was kept."""
    if show:
        sys.stdout.write(f"noiseprune {noiseprune.__version__}\n")
        raise typer.Exit


def main() -> None:
    """Run the command line; the one place that turns our errors into a line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old console may not know every letter of a name
    # typer may carry its own copy of click; a bad parameter is a usage error in either
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        code = app(standalone_mode=False)
    except NoisePruneError as error:
        code = _fail(str(error))
    except usage_error as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        code = _fail(message) if message else 0
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    sys.exit(code or 0)


def _fail(message: str) -> int:
    sys.stderr.write(f"noiseprune: {' '.join(message.split())}\n")
    return 2
