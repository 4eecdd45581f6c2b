"""The command line: parse, call one function, print one result.

Results for people go to standard output, or to standard error where ``--json`` puts one object on standard output.
Exit codes: 0 done, 2 bad input or options (one line on standard error), 130 interrupted, 1 a bug of ours. Where nobody
reads the output any more, as after ``| head -1``, the work goes on and its files are written.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Annotated, Any, TextIO

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
from noiseprune.cli.wording import in_shell
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
    given = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_lasting, given)
    try:
        code = _run()
        sys.stdout.flush()
        lost = getattr(getattr(getattr(sys.stdout, "buffer", None), "raw", None), "lost", None)
        if not code and lost is not None and lost.errno not in (errno.EPIPE, errno.EINVAL):  # EINVAL: a pipe of Windows
            code = _fail(f"the standard output cannot be written: {lost.strerror}")
        sys.stderr.flush()
    finally:
        sys.stdout, sys.stderr = given
    sys.exit(code)


def _run() -> int:
    # typer may carry its own copy of click; a bad parameter is a usage error in either
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        return app(standalone_mode=False) or 0
    except NoisePruneError as error:
        return _fail(in_shell(str(error)))
    except usage_error as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return _fail(message) if message else 0
    except (typer.Abort, KeyboardInterrupt):
        return 130


class _Lasting(io.FileIO):
    """A pipe or file that takes what is written also when it can keep no more, so that the work goes on."""

    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        if self.lost is None:
            try:
                return super().write(data)
            except OSError as error:
                self.lost = error
        return memoryview(data).nbytes


def _lasting(stream: TextIO | None) -> TextIO:
    """Return a standard stream that never fails, and writes in some way letters that an old console does not know."""
    if stream is None:  # closed before we started
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    unbuffered = getattr(stream.buffer, "raw", stream.buffer)
    if type(unbuffered) is not io.FileIO or stream.isatty():
        stream.reconfigure(errors="replace")
        return stream
    file = io.BufferedWriter(_Lasting(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(
        file, stream.encoding, "replace", line_buffering=stream.line_buffering, write_through=stream.write_through
    )


def _fail(message: str) -> int:
    sys.stderr.write(f"noiseprune: {' '.join(message.split())}\n")
    return 2
