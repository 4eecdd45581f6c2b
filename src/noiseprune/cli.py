"""The command line: parse, call one function, print one result.

Results for people go to standard output, or to standard error where ``--json`` puts one object on standard output.
Exit codes: 0 done, 2 bad input or options (one line on standard error), 130 interrupted, 1 a bug of ours.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import noiseprune
from noiseprune.errors import InvalidOption, NoisePruneError, NoisePruneWarning

if TYPE_CHECKING:
    from rich.console import Console

    from noiseprune.comparison import Comparison
    from noiseprune.network import Network
    from noiseprune.sweeping import Sweep

SCHEMA_VERSION = 1
PATIENCE = 1.0  # seconds of work before progress is shown
ROOMY = 110  # columns of a terminal from which the meaning of each measure is shown too

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Prune recurrent networks by noise, keep their dynamics, and measure what was kept.",
    epilog="Start with: noiseprune demo",
)

READING = "Reading the file"
RULE = "The rule"
RUNNING = "Running"
OUTPUT = "Output"


def _option(panel: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **more)


File = Annotated[
    Path, typer.Argument(help="Edge list or square matrix: .csv .tsv .txt .npz .npy .mtx (.gz).", show_default=False)
]
Orientation = Annotated[
    str | None,
    _option(
        READING,
        "--orientation",
        help="Square matrix: pre-post (a row holds what a neuron sends) or post-pre.",
        show_default=False,
    ),
]
ContentOption = Annotated[
    str | None,
    _option(
        READING, "--content", help="Square matrix: weights or operator (W - diag(leak)); by default its diagonal tells."
    ),
]
BaseLeakOption = Annotated[
    str | None,
    _option(
        READING, "--base-leak", help='Leak for weights that have none: "dominant" (the default), or a rate in 1/s.'
    ),
]
Margin = Annotated[
    float, _option(READING, "--margin", help="dominant: how far the leak exceeds a neuron's total input.")
]
Gain = Annotated[float, _option(READING, "--gain", help="a rate: scale W to this spectral abscissa over the rate.")]
Where = Annotated[
    list[str] | None,
    _option(READING, "--where", help="Keep rows with COLUMN=VALUE[,VALUE]; repeat for and.", show_default=False),
]
SymmetricRows = Annotated[
    list[str] | None,
    _option(
        READING, "--symmetric-rows", help="Rows that are electrical synapses: COLUMN=VALUE[,VALUE].", show_default=False
    ),
]
Inhibitory = Annotated[
    list[str] | None,
    _option(
        READING,
        "--inhibitory",
        help="Transmitters with negative synapses, e.g. GABA; commas or repeat.",
        show_default=False,
    ),
]
TransmitterColumn = Annotated[
    str | None, _option(READING, "--transmitter-column", help="Column of transmitters.", show_default=False)
]
Pre = Annotated[str | None, _option(READING, "--pre", help="Column of the sending neuron.", show_default=False)]
Post = Annotated[str | None, _option(READING, "--post", help="Column of the receiving neuron.", show_default=False)]
Weight = Annotated[str | None, _option(READING, "--weight", help="Column of the weight.", show_default=False)]

KeepConnected = Annotated[
    bool, _option(RULE, "--keep-connected", help="Keep a spanning forest inside the same budget.")
]
Seed = Annotated[int, _option(RUNNING, "--seed", help="Seed of all that is random; recorded in the result.")]
Threads = Annotated[
    int | None, _option(RUNNING, "--threads", help="Threads of the numerical libraries.", show_default=False)
]
Quiet = Annotated[bool, _option(RUNNING, "--quiet", help="Print nothing for people but errors and warnings.")]
AsJson = Annotated[bool, _option(OUTPUT, "--json", help="Print one JSON object on standard output.")]
Overwrite = Annotated[bool, _option(OUTPUT, "--overwrite", help="Replace files that exist.")]


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Prune recurrent networks by noise, keep their dynamics, and measure what was kept."""
    if show:
        sys.stdout.write(f"noiseprune {noiseprune.__version__}\n")
        raise typer.Exit


@app.command()
def demo(
    output: Annotated[Path, _option(OUTPUT, "-o", "--output", help="Page to write.")] = Path("noiseprune-demo.html"),
    density: Annotated[float, _option(RULE, "--density", help="Kept share of the synapses.")] = 0.1,
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
    from noiseprune.files.output import check_output
    from noiseprune.reporting.page import write_page

    with _session("demo", as_json=as_json, quiet=quiet) as session:
        check_output(output, overwrite=overwrite)
        net = noiseprune.gallery.clustered([1000, 200, 800], within=0.6, between=5000, signed=True, rng=seed)
        results = {
            name: noiseprune.prune(net, density=density, rule=rule, rng=seed, threads=threads)
            for name, rule in (("noise rule", "noise"), ("by weights", "weight"))
        }
        comparisons = {name: result.comparison for name, result in results.items() if result.comparison}
        provenance = {name: result.provenance for name, result in results.items()}
        title = f"The paper's network, pruned to {100 * density:.3g} %"
        introduction = (
            f"{net.n_neurons:,} neurons in clusters of 1 000, 200 and 800, {net.n_synapses:,} synapses, few of them between "
            "clusters. The noise rule keeps a synapse in proportion to |W| times the variance that noise puts between its "
            "two neurons; the rival in proportion to |W| alone. Both have the same budget, draw and leak."
        )
        write_page(
            output,
            title=title,
            introduction=introduction,
            comparisons=comparisons,
            provenance=provenance,
            overwrite=overwrite,
        )
        session.table(title, comparisons)
        session.say(f"Wrote {output}")
        session.answer(
            {"gallery": "clustered([1000, 200, 800], within=0.6, between=5000, signed=True)", "seed": seed},
            {name: c.to_dict() for name, c in comparisons.items()} | {"output": str(output)},
            provenance,
        )


@app.command()
def inspect(
    file: File,
    orientation: Orientation = None,
    content: ContentOption = None,
    base_leak: BaseLeakOption = None,
    margin: Margin = 0.05,
    gain: Gain = 0.9,
    where: Where = None,
    symmetric_rows: SymmetricRows = None,
    inhibitory: Inhibitory = None,
    transmitter_column: TransmitterColumn = None,
    pre: Pre = None,
    post: Post = None,
    weight: Weight = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say what a file holds, before pruning it.

    [bold]noiseprune inspect worm_connectome.csv --where Type=Send --inhibitory GABA[/bold]
    """
    from noiseprune.inspection import inspect as inspect_network

    with _session("inspect", as_json=as_json, quiet=quiet) as session:
        net = _read(file, session, **_reading(locals()))
        found = inspect_network(net)
        session.facts(str(file), {**found, **_flat(net.origin)})
        session.answer(_input(file, net), {**found, "origin": net.origin}, {})


@app.command()
def prune(
    file: File,
    density: Annotated[
        float | None, _option(RULE, "--density", help="Kept share of the synapses, up to 1.", show_default=False)
    ] = None,
    synapses: Annotated[int | None, _option(RULE, "--synapses", help="Kept synapses.", show_default=False)] = None,
    epsilon: Annotated[
        float | None, _option(RULE, "--epsilon", help="The theorem's error, where it holds.", show_default=False)
    ] = None,
    constant: Annotated[float | None, _option(RULE, "--K", help="The rule's constant.", show_default=False)] = None,
    probe: Annotated[str, _option(RULE, "--probe", help="auto, exact, sketched or simulated.")] = "auto",
    rule: Annotated[str, _option(RULE, "--rule", help="noise, weight, uniform or magnitude.")] = "noise",
    strengthen: Annotated[str, _option(RULE, "--strengthen", help="auto, reciprocal, matched or regressed.")] = "auto",
    leak: Annotated[str, _option(RULE, "--leak", help="auto, matched, original or free.")] = "auto",
    draw: Annotated[
        str, _option(RULE, "--draw", help="independent or fixed (exactly the number asked for).")
    ] = "independent",
    keep_connected: KeepConnected = False,
    beyond_theorem: Annotated[
        bool, _option(RULE, "--beyond-theorem", help="Use the formula of --epsilon where its theorem does not hold.")
    ] = False,
    output: Annotated[
        Path | None, _option(OUTPUT, "-o", "--output", help="Write the pruned network here.", show_default=False)
    ] = None,
    seed: Seed = 0,
    threads: Threads = None,
    no_compare: Annotated[bool, _option(RUNNING, "--no-compare", help="Do not measure what was preserved.")] = False,
    dry_run: Annotated[
        bool, _option(RUNNING, "--dry-run", help="Only estimate memory and time; prune and write nothing.")
    ] = False,
    orientation: Orientation = None,
    content: ContentOption = None,
    base_leak: BaseLeakOption = None,
    margin: Margin = 0.05,
    gain: Gain = 0.9,
    where: Where = None,
    symmetric_rows: SymmetricRows = None,
    inhibitory: Inhibitory = None,
    transmitter_column: TransmitterColumn = None,
    pre: Pre = None,
    post: Post = None,
    weight: Weight = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Prune a network and state what was preserved.

    [bold]noiseprune prune worm_connectome.csv --where Type=Send --inhibitory GABA --density 0.5 --seed 1 -o worm.csv[/bold]
    """
    from noiseprune.files import check_writable
    from noiseprune.rule.budget import Budget

    options = locals()
    with _session("prune", as_json=as_json, quiet=quiet) as session:
        if output is not None:
            check_writable(output, overwrite=overwrite)
        budget: dict[str, Any] = {"density": density, "synapses": synapses, "epsilon": epsilon, "K": constant}
        if any(value is not None for value in budget.values()):
            Budget(**budget)  # refuse a bad one before a large file is read
        net = _read(file, session, **_reading(options))
        chosen = {name: options[name] for name in ("probe", "rule", "strengthen", "leak", "draw", "beyond_theorem")}
        if dry_run:
            _foretell(session, file, net, Budget(**budget), chosen, compare=not no_compare, threads=threads)
            return
        result = noiseprune.prune(
            net, **budget, **chosen, keep_connected=keep_connected, compare=not no_compare, threads=threads, rng=seed
        )
        if output is not None:
            noiseprune.write(result.network, output, overwrite=overwrite)
        if result.comparison is not None:
            session.table(f"{file.name}, pruned by {_rule_name(rule)}", {"value": result.comparison})
        session.say(
            f"Wrote {output}" if output else "Nothing was written: name a file with -o to keep the pruned network."
        )
        measured: dict[str, Any] = {
            "n_synapses_before": net.n_synapses,
            "n_synapses_after": result.network.n_synapses,
        }
        if result.comparison is not None:
            measured = result.comparison.to_dict()
        session.answer(
            _input(file, net), {**measured, "output": None if output is None else str(output)}, result.provenance
        )


def _foretell(
    session: _Session,
    file: Path,
    net: Network,
    budget: Any,
    chosen: Mapping[str, Any],
    *,
    compare: bool,
    threads: int | None,
) -> None:
    """Say what a prune would take, instead of pruning."""
    from noiseprune.estimating import estimate
    from noiseprune.linalg.memory import gigabytes
    from noiseprune.planning import make_plan
    from noiseprune.threads import limited

    with limited(threads):
        found = estimate(net, make_plan(net, budget, **chosen), compare=compare)
    seconds = found["seconds"]
    session.facts(
        f"{file.name}: what pruning would take, roughly",
        {
            "probe": found["probe"] or "none: the rule reads no covariance",
            "memory beside the network": f"{gigabytes(found['memory'])} of {gigabytes(found['available_memory'])}",
            "time to measure v": f"{seconds['probe']:.2g} s",
            "time to compare": f"{seconds['comparison']:.2g} s" if compare else "none: --no-compare",
        },
    )
    session.say("Nothing was pruned or written (--dry-run).")
    session.answer(_input(file, net), {"dry_run": True, **found, "output": None}, {})


@app.command()
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
    orientation: Orientation = None,
    content: ContentOption = None,
    base_leak: BaseLeakOption = None,
    margin: Margin = 0.05,
    gain: Gain = 0.9,
    where: Where = None,
    symmetric_rows: SymmetricRows = None,
    inhibitory: Inhibitory = None,
    transmitter_column: TransmitterColumn = None,
    pre: Pre = None,
    post: Post = None,
    weight: Weight = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure what one network kept of another.

    [bold]noiseprune compare worm_connectome.csv worm.csv --where Type=Send --inhibitory GABA[/bold]
    """
    from noiseprune.files import records_everything
    from noiseprune.threads import limited

    options = _reading(locals())
    with _session("compare", as_json=as_json, quiet=quiet) as session, limited(threads):
        net, other = (_read(file, session, **({} if records_everything(file) else options)) for file in (before, after))
        result = noiseprune.compare(net, other, rng=seed)
        session.table(f"{before.name} and {after.name}", {"value": result})
        session.answer({"before": _input(before, net), "after": _input(after, other)}, result.to_dict(), {"seed": seed})


@app.command()
def sweep(
    file: File,
    density: Annotated[
        list[str], _option(RULE, "--density", help="Densities to try, commas or repeat.", show_default=False)
    ],
    rule: Annotated[list[str] | None, _option(RULE, "--rule", help="Rules to try; noise by default.")] = None,
    strengthen: Annotated[
        list[str] | None, _option(RULE, "--strengthen", help="Strengthenings to try; auto by default.")
    ] = None,
    draws: Annotated[int, _option(RULE, "--draws", help="Draws of each combination.")] = 10,
    tolerance: Annotated[
        float | None,
        _option(RULE, "--tolerance", help="Recommend the smallest density within this error.", show_default=False),
    ] = None,
    keep_connected: KeepConnected = False,
    output: Annotated[
        Path | None, _option(OUTPUT, "-o", "--output", help="Table to write: .json .csv .parquet.", show_default=False)
    ] = None,
    checkpoint: Annotated[
        Path | None,
        _option(RUNNING, "--checkpoint", help="Keep each draw here; resume where it exists.", show_default=False),
    ] = None,
    workers: Annotated[int, _option(RUNNING, "--workers", help="Processes.")] = 1,
    seed: Seed = 0,
    orientation: Orientation = None,
    content: ContentOption = None,
    base_leak: BaseLeakOption = None,
    margin: Margin = 0.05,
    gain: Gain = 0.9,
    where: Where = None,
    symmetric_rows: SymmetricRows = None,
    inhibitory: Inhibitory = None,
    transmitter_column: TransmitterColumn = None,
    pre: Pre = None,
    post: Post = None,
    weight: Weight = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Try many densities, rules and strengthenings, and say which density to choose.

    [bold]noiseprune sweep worm_connectome.csv --where Type=Send --inhibitory GABA --density 0.3,0.5,0.7 --tolerance 0.2[/bold]
    """
    from noiseprune.files.output import check_output

    options = _reading(locals())
    with _session("sweep", as_json=as_json, quiet=quiet) as session:
        if output is not None:
            check_output(output, overwrite=overwrite)
        densities = [_float("--density", part) for part in _parts(density)]
        net = _read(file, session, **options)
        table = noiseprune.sweep(
            net,
            densities=densities,
            rules=_parts(rule) or ["noise"],
            strengthens=_parts(strengthen) or ["auto"],
            draws=draws,
            tolerance=tolerance,
            keep_connected=keep_connected,
            workers=workers,
            checkpoint=checkpoint,
            rng=seed,
        )
        if output is not None:
            table.save(output, overwrite=overwrite)
        session.sweep(str(file.name), table)
        if output is not None:
            session.say(f"Wrote {output}")
        found = {"rows": table.rows, "recommended": table.recommended, "criterion": table.criterion}
        session.answer(_input(file, net), found | {"output": None if output is None else str(output)}, table.provenance)


def _parts(given: list[str] | None) -> list[str]:
    """Split what was repeated or joined by commas."""
    return [part.strip() for text in given or [] for part in text.split(",") if part.strip()]


def _float(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidOption(f"{option} takes numbers; got {text!r}") from None


# --- reading --------------------------------------------------------------------------------------------------------

READING_OPTIONS = [
    "orientation",
    "content",
    "base_leak",
    "margin",
    "gain",
    "where",
    "symmetric_rows",
    "inhibitory",
    "transmitter_column",
    "pre",
    "post",
    "weight",
]


def _reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the options for reading out of a command's arguments."""
    return {name: options[name] for name in READING_OPTIONS}


def _read(file: Path, session: _Session, *, base_leak: str | None = None, **options: Any) -> Network:
    for name in ("where", "symmetric_rows", "inhibitory"):
        options[name] = options.get(name) or ()
    if base_leak is not None and base_leak != "dominant":
        with contextlib.suppress(ValueError):
            options["base_leak"] = float(base_leak)
    options.setdefault("base_leak", base_leak)
    logging.getLogger("noiseprune").info("reading %s", file.name)
    net = noiseprune.read(file, **options)
    session.say(f"Read {file}: {net.n_neurons:,} neurons, {net.n_synapses:,} synapses")
    for name, value in _flat(net.origin).items():
        if name not in ("file", "rows", "provenance") and value not in (0, "0"):
            session.say(f"  {name.replace('_', ' ')}: {value}")
    return net


def _flat(origin: Mapping[str, Any]) -> dict[str, str]:
    """Write what a reader counted, one text a count; a file that noiseprune wrote has its provenance instead."""
    if "versions" in origin:
        return {"provenance": f"pruned by noiseprune {origin['versions']['noiseprune']}, seed {origin['seed']}"}
    return {
        name: ", ".join(f"{key} {item}".removeprefix("kind ").replace("_", " ") for key, item in value.items())
        if isinstance(value, dict)
        else str(value)
        for name, value in origin.items()
    }


def _input(file: Path, net: Network) -> dict[str, Any]:
    return {"file": str(file), "n_neurons": net.n_neurons, "n_synapses": net.n_synapses, "symmetric": net.symmetric}


def _rule_name(rule: str) -> str:
    return "the noise rule" if rule == "noise" else f"the rule {rule}"


# --- printing -------------------------------------------------------------------------------------------------------


class _Session:
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

    def say(self, text: str) -> None:
        """Print a line for people."""
        if not self.quiet:
            self.people.print(text, markup=False, soft_wrap=True)

    def table(self, title: str, comparisons: Mapping[str, Comparison]) -> None:
        """Print comparisons side by side, and the verdict on each."""
        if self.quiet:
            return
        from rich.table import Table
        from rich.text import Text

        from noiseprune.reporting.words import rows, verdict

        roomy = self.people.width >= ROOMY
        table = Table("measure", *comparisons, *(["meaning"] if roomy else []), title=Text(title), title_justify="left")
        for row in rows(comparisons, brief=True):
            table.add_row(*(Text(cell) for cell in (row.name, *row.values, *([row.meaning] if roomy else []))))
        self.people.print(table)
        for name, comparison in comparisons.items():
            self.say(verdict(comparison) if len(comparisons) == 1 else f"{name}: {verdict(comparison)}")
        reasons: dict[str, list[str]] = {}
        for name, why in {k: v for c in comparisons.values() for k, v in c.not_measured.items()}.items():
            reasons.setdefault(why, []).append(name.replace("_", " "))
        for why, names in reasons.items():
            self.say(f"Not measured ({why}): {', '.join(names)}.")

    def sweep(self, title: str, table: Sweep) -> None:
        """Print a sweep, a row a choice, mean and standard error of what matters most."""
        if self.quiet:
            return
        from rich.table import Table
        from rich.text import Text

        symmetric = table.rows[0]["worst_direction"] is not None
        shown = {
            ("worst_direction" if symmetric else "trajectory_error_linear"): "worst dir."
            if symmetric
            else "trajectory",
            "covariance_error": "covariance",
            "components_after": "pieces",
        }
        choices = {"asked_density": "density", "rule": "rule", "strengthen": "weights"}
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
        self.say(f"Criterion: {table.criterion}.")
        if chosen is not None:
            words = f"density {chosen['asked_density']}, rule {chosen['rule']}, strengthen {chosen['strengthen']}"
            self.say(f"Recommended: {words}.")
        else:
            self.say("Recommended: none of these.")

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
                self.warnings.append(str(warning.message))
                style = "bold red" if "UNSTABLE" in self.warnings[-1] else "yellow"
                self.errors.print(f"warning: {warning.message}", style=style, markup=False)
            else:
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        if self.as_json and self._answer:
            text = json.dumps({**self._answer, "warnings": self.warnings}, allow_nan=False, indent=1)
            sys.stdout.write(text + "\n")


@contextlib.contextmanager
def _session(command: str, *, as_json: bool, quiet: bool) -> Iterator[_Session]:
    session = _Session(command, as_json=as_json, quiet=quiet)
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
    status = console.status("working")

    class Show(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            status.update(record.getMessage())

    logger, handler = logging.getLogger("noiseprune"), Show(logging.INFO)
    level = logger.level
    timer = threading.Timer(PATIENCE, status.start)
    timer.daemon = True
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        status.stop()
        logger.removeHandler(handler)
        logger.setLevel(level)


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
