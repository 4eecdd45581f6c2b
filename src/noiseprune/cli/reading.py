"""The file that a command reads, and the options for reading it, written once."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import noiseprune
from noiseprune.cli.options import READING, defaults, takes
from noiseprune.cli.wording import in_shell
from noiseprune.errors import BadFile
from noiseprune.sources.reading import DECLARATIONS

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


def reads_a_file(**groups: tuple[Any, ...]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options for reading, as its argument `reading`, and further groups; check what it would write."""
    give = takes(**groups, reading=(READING, *DECLARATIONS))

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def checked(**given: Any) -> None:
            _check_files(given, given["reading"])
            command(**given)

        return give(checked)

    return decorate


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


def default_reading() -> Mapping[str, Any]:
    """Return what the options are where a user gives none."""
    return defaults(*DECLARATIONS)


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
        else in_shell(", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in origin.items()
    }


def described(file: Path, net: Network) -> dict[str, Any]:
    """Say in the JSON object what was read."""
    return {"file": str(file), "n_neurons": net.n_neurons, "n_synapses": net.n_synapses, "symmetric": net.symmetric}
