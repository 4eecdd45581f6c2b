"""What one command prints, and where: people's text, progress, warnings, the one JSON object."""

from __future__ import annotations

import contextlib
import json
import logging
import shlex
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noiseprune.cli.wording import in_shell
from noiseprune.errors import NoisePruneWarning

if TYPE_CHECKING:
    from rich.console import Console

    from noiseprune.experiments.table import Sweep
    from noiseprune.measure.result import Comparison
    from noiseprune.plasticity import Development

SCHEMA_VERSION = 1
PATIENCE = 1.0  # seconds of work before progress is shown
ROOMY = 110  # columns of a terminal from which the meaning of each measure is shown too


class Session:
    """What one command prints, and where."""

    def __init__(self, command: str, *, as_json: bool, quiet: bool) -> None:
        from rich.console import Console

        self.command = command
        self.as_json = as_json
        self.quiet = quiet
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self.people: Console = self.errors if as_json else Console(highlight=False)
        self.warnings: list[str] = []
        self._answer: dict[str, Any] = {}

    @property
    def command_line(self) -> str:
        """The command as a shell would take it again."""
        return shlex.join(["noiseprune", *sys.argv[1:]])

    def say(self, text: str) -> None:
        """Print a line for people."""
        if not self.quiet:
            self.people.print(text, markup=False, soft_wrap=True)

    def wrote(self, path: Path, note: str = "") -> None:
        """Say which files a network was written to."""
        from noiseprune.sources.files import files_of

        first, *beside = files_of(path)
        belong = f", with {' and '.join(map(str, beside))} beside it" if beside else ""
        self.say(f"Wrote {first}{belong}{note}")

    def table(self, title: str, comparisons: Mapping[str, Comparison]) -> None:
        """Print comparisons side by side, and the verdict on each."""
        if self.quiet:
            return
        from rich.table import Table
        from rich.text import Text

        from noiseprune.view.words import rows, unmeasured, verdict

        roomy = self.people.width >= ROOMY
        table = Table("measure", *comparisons, *(["meaning"] if roomy else []), title=Text(title), title_justify="left")
        for row in rows(comparisons, brief=True):
            table.add_row(*(Text(cell) for cell in (row.name, *row.values, *([row.meaning] if roomy else []))))
        self.people.print(table)
        for name, comparison in comparisons.items():
            self.say(verdict(comparison) if len(comparisons) == 1 else f"{name}: {verdict(comparison)}")
        for sentence in unmeasured(comparisons.values()):
            self.say(sentence)

    def sweep(self, title: str, table: Sweep) -> None:
        """Print a sweep, a row a choice, mean and standard error of what matters most."""
        if self.quiet:
            return
        from rich.table import Table
        from rich.text import Text

        shown = {
            table.measure: "worst dir." if table.measure == "worst_direction" else "trajectory",
            "covariance_error": "covariance",
            "components_after": "pieces",
        }
        choices = {"target_density": "density", "rule": "rule", "strengthen": "weights"}
        heads = [*choices.values(), "stable", *shown.values(), ""]
        printed = Table(*heads, title=Text(title), title_justify="left", box=None, padding=(0, 1, 0, 0))
        for row in table.rows:
            stable = "-" if row["stable"] is None else f"{100 * row['stable']:.0f} %"
            values = ["-" if row[name] is None else f"{row[name]:.3g} ± {row[name + '_se'] or 0:.1g}" for name in shown]
            printed.add_row(
                *(str(row[name]) for name in choices), stable, *values, "←" if row is table.recommended else ""
            )
        self.people.print(printed)
        chosen = table.recommended
        draws = table.provenance["draws"]
        self.say(f"Means of {draws} draws ± their standard errors; one draw may differ by more.")
        self.say(f"Criterion: {table.criterion}.")
        if table.provenance["tolerance"] is None:
            self.say("Give --tolerance, the error that you can live with, for a recommendation.")
        elif chosen is not None:
            words = f"density {chosen['target_density']}, rule {chosen['rule']}, strengthen {chosen['strengthen']}"
            self.say(f"Recommended: {words}.")
        else:
            self.say("Recommended: none of these.")

    def development(self, title: str, trace: Development) -> None:
        """Print the records of a run, a row a time."""
        if self.quiet:
            return
        from rich.table import Table
        from rich.text import Text

        shown = {
            "time": "time, s",
            "synapses": "synapses",
            "density": "density",
            "K": "K",
            "weight_q50": "median |w|",
            "activity_variance": "activity var.",
            "spectral_abscissa": "abscissa",
            "worst_direction": "worst dir.",
        }
        names = {name: head for name, head in shown.items() if trace.records[-1].get(name) is not None}
        table = Table(*names.values(), title=Text(title), title_justify="left", box=None, padding=(0, 1, 0, 0))
        for row in trace.records:
            table.add_row(*("-" if row[name] is None else f"{row[name]:,.4g}" for name in names))
        self.people.print(table)

    def facts(self, title: str, facts: Mapping[str, Any]) -> None:
        """Print names and values."""
        if self.quiet:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(title), title_justify="left", show_header=False)
        for name, value in facts.items():
            table.add_row(
                name.replace("_", " "),
                Text("-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)),
            )
        self.people.print(table)

    def answer(self, given: Mapping[str, Any], result: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
        """Keep the one JSON object, printed when the command has ended well."""
        self._answer = {
            "schema_version": SCHEMA_VERSION,
            "command": self.command,
            "input": given,
            "result": result,
            "provenance": provenance,
        }

    def close(self, caught: list[warnings.WarningMessage]) -> None:
        """Print the warnings, then the JSON object."""
        for warning in caught:
            if issubclass(warning.category, NoisePruneWarning):
                self.warnings.append(in_shell(str(warning.message)))
                style = "bold red" if "UNSTABLE" in self.warnings[-1] else "yellow"
                self.errors.print(f"warning: {self.warnings[-1]}", style=style, markup=False)
            else:
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        if self.as_json and self._answer:
            text = json.dumps({**self._answer, "warnings": self.warnings}, allow_nan=False, indent=1)
            sys.stdout.write(text + "\n")


@contextlib.contextmanager
def open_session(command: str, *, as_json: bool, quiet: bool) -> Iterator[Session]:
    """Gather what a command prints, its warnings and its progress, and print them in their places."""
    session = Session(command, as_json=as_json, quiet=quiet)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NoisePruneWarning)
        with _progress(session.errors, quiet=quiet):
            yield session
    session.close(caught)


@contextlib.contextmanager
def _progress(console: Console, *, quiet: bool) -> Iterator[None]:
    """Show on a terminal what is being done, once it has taken over a second."""
    if quiet or not console.is_terminal:
        yield
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

    shown = Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), console=console, transient=True
    )
    work = shown.add_task("working", total=None)
    bars: dict[str, TaskID] = {}

    class Show(logging.Handler):
        """A line that says what is done, and a bar for every loop whose records carry `progress`, (done, total)."""

        def emit(self, record: logging.LogRecord) -> None:
            text, progress = record.getMessage(), getattr(record, "progress", None)
            if progress is None:
                shown.update(work, description=text)
                return
            if record.module not in bars:
                bars[record.module] = shown.add_task(text)
            done, total = progress
            shown.update(bars[record.module], description=text, completed=done, total=total, visible=done < total)

    logger, handler = logging.getLogger("noiseprune"), Show(logging.INFO)
    level = logger.level
    timer = threading.Timer(PATIENCE, shown.start)
    timer.daemon = True
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        shown.stop()
        logger.removeHandler(handler)
        logger.setLevel(level)
