"""The file that a command reads, and the options for reading it, written once."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import noiseprune
from noiseprune.cli.options import READING, option
from noiseprune.errors import BadFile

if TYPE_CHECKING:
    from noiseprune.cli.session import Session
    from noiseprune.network import Network

Reading = dict[str, Any]  # the options below, by name

File = Annotated[
    Path,
    typer.Argument(
        help="Edge list, matrix or graph: .csv .tsv .txt .xlsx .parquet .feather .npz .npy .mtx .mat .h5 .graphml .gml .gexf "
        ".net .zip (TVB) .pt .safetensors .nir; text also as .gz.",
        show_default=False,
    ),
]


def _unset(name: str, help: str) -> Any:
    return option(READING, name, help=help, show_default=False)


def _options(
    orientation: Annotated[
        str | None,
        _unset("--orientation", "Square matrix: pre-post (a row holds what a neuron sends) or post-pre."),
    ] = None,
    content: Annotated[
        str | None,
        _unset(
            "--content",
            "Square matrix: weights, operator (W - diag(leak)) or laplacian; its diagonal tells the first two.",
        ),
    ] = None,
    base_leak: Annotated[
        str | None,
        _unset("--base-leak", 'Leak for weights that have none: "dominant" (the default), or a rate in 1/s.'),
    ] = None,
    margin: Annotated[
        float | None,
        _unset("--margin", "dominant: how far the leak exceeds a neuron's total input, by default 0.05."),
    ] = None,
    gain: Annotated[
        float | None,
        _unset("--gain", "a rate: scale W to this spectral abscissa over the rate, by default 0.9."),
    ] = None,
    variable: Annotated[
        str | None,
        _unset("--variable", "Which one, where a file holds several: matrix, field of a struct, population, graph."),
    ] = None,
    pre: Annotated[str | None, _unset("--pre", "Column of the sending neuron.")] = None,
    post: Annotated[str | None, _unset("--post", "Column of the receiving neuron.")] = None,
    weight: Annotated[str | None, _unset("--weight", "Column, or attribute of an edge, that holds the weight.")] = None,
    threshold: Annotated[
        float | None, _unset("--threshold", "Drop connections whose rows sum to less than this, e.g. 5 synapses.")
    ] = None,
    where: Annotated[
        list[str] | None, _unset("--where", "Keep rows with COLUMN=VALUE[,VALUE]; repeat for and.")
    ] = None,
    electrical: Annotated[
        list[str] | None, _unset("--electrical", "Rows that are electrical synapses: COLUMN=VALUE[,VALUE].")
    ] = None,
    inhibitory: Annotated[
        list[str] | None,
        _unset("--inhibitory", "Transmitters with negative synapses, e.g. GABA; commas or repeat."),
    ] = None,
    signs: Annotated[
        str | None,
        _unset("--signs", "Sign of every transmitter: ACH=1,GABA=-1,DA=0 (0 drops), or a table transmitter,sign."),
    ] = None,
    transmitter_column: Annotated[str | None, _unset("--transmitter-column", "Column of transmitters.")] = None,
    decimal_comma: Annotated[bool, option(READING, "--decimal-comma", help="Numbers in text are written 0,5.")] = False,
    no_header: Annotated[
        bool,
        option(READING, "--no-header", help="The first row is data; --pre, --post and --weight count columns from 1."),
    ] = False,
    undirected: Annotated[
        bool, option(READING, "--undirected", help="Edge list: each row stands for both directions.")
    ] = False,
    symmetrise: Annotated[
        bool, option(READING, "--symmetrise", help="Square matrix: take its symmetric part, (W + W^T) / 2.")
    ] = False,
    sheet: Annotated[str | None, _unset("--sheet", "Spreadsheet: the sheet to read, by name or number from 1.")] = None,
    index: Annotated[
        int | None, _unset("--index", "Stack of matrices (three axes): which one to read, from 0.")
    ] = None,
    mean: Annotated[bool, option(READING, "--mean", help="Stack of matrices (three axes): read their mean.")] = False,
    labels: Annotated[
        str | None, _unset("--labels", "Square matrix: a file with the names of the neurons, one a line.")
    ] = None,
    edge_types: Annotated[
        str | None, _unset("--edge-types", "SONATA: the table of edge types, where it is not found beside the file.")
    ] = None,
) -> None:
    """Hold the options: their names, types, help and defaults."""


def reads_a_file(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options for reading; they reach it together, as its argument `reading`."""
    options = inspect.signature(_options, eval_str=True).parameters

    @functools.wraps(command)
    def called(**given: Any) -> None:
        reading = {name: given.pop(name) for name in options}
        _check_files(given, reading)
        command(**given, reading=reading)

    own = inspect.signature(command, eval_str=True).parameters
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in (*own.values(), *options.values())
        if parameter.name != "reading"
    ]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


INPUTS = ("file", "before", "after")  # arguments of commands
FURTHER_INPUTS = ("labels", "signs", "edge_types")  # options that may name a file


def _check_files(given: Mapping[str, Any], reading: Reading) -> None:
    """Refuse to write what is read, and what belongs beside it; all other paths that a command takes are written."""
    from noiseprune.machine.output import check_apart
    from noiseprune.sources.files import files_of
    from noiseprune.sources.files.metadata import sidecar

    def made(path: Path) -> list[Path]:
        try:
            return files_of(path)
        except BadFile:  # a page, a table of a sweep
            return [path]

    paths = {name: path for name, path in given.items() if isinstance(path, Path)}
    inputs = [each for name in INPUTS if name in paths for each in (paths[name], sidecar(paths[name]))]
    inputs += [Path(reading[name]) for name in FURTHER_INPUTS if reading[name] is not None]
    check_apart(inputs, [each for name, path in paths.items() if name not in INPUTS for each in made(path)])


def default_reading() -> Reading:
    """Return what the options are where a user gives none."""
    return {name: parameter.default for name, parameter in inspect.signature(_options).parameters.items()}


def read_network(file: Path, session: Session, reading: Mapping[str, Any], *, sparing: bool = False) -> Network:
    """Read a file and say what was found in it; `sparing` leaves options out where the file records everything."""
    from noiseprune.sources.files import read_sparing

    options = chosen_options(reading)
    logging.getLogger("noiseprune").info("reading %s", file.name)
    net = (read_sparing if sparing else noiseprune.read)(file, **options)
    session.say(f"Read {file}: {net.n_neurons:,} neurons, {net.n_synapses:,} synapses")
    for name, value in flat(net.origin).items():
        if name not in ("file", "rows", "provenance") and value not in (0, "0"):
            session.say(f"  {name.replace('_', ' ')}: {value}")
    return net


def chosen_options(reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options for `noiseprune.read` that were given, a rate as a number."""
    options = {name: value for name, value in reading.items() if value is not None}
    with contextlib.suppress(KeyError, ValueError):
        options["base_leak"] = float(options["base_leak"])
    return options


def flat(origin: Mapping[str, Any]) -> dict[str, str]:
    """Write what a reader counted, one text a count; a file that noiseprune wrote has its provenance instead."""
    if "versions" in origin:
        return {"provenance": f"pruned by noiseprune {origin['versions']['noiseprune']}, seed {origin['seed']}"}
    return {
        name: ", ".join(f"{key} {item}".removeprefix("kind ").replace("_", " ") for key, item in value.items())
        if isinstance(value, dict)
        else (", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in origin.items()
    }


def described(file: Path, net: Network) -> dict[str, Any]:
    """Say in the JSON object what was read."""
    return {"file": str(file), "n_neurons": net.n_neurons, "n_synapses": net.n_synapses, "symmetric": net.symmetric}
