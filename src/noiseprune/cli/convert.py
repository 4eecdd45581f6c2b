"""noiseprune convert."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import noiseprune
from noiseprune.cli.options import AsJson, Overwrite, Quiet
from noiseprune.cli.reading import File, Reading, described, read_network, reads_a_file
from noiseprune.cli.session import open_session


@reads_a_file()
def convert(
    file: File,
    target: Annotated[
        Path,
        typer.Argument(
            help="The file to write, in the format that its suffix tells; also .sonata.h5, and the scripts .brian2.py and "
            ".nest.py.",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    *,
    reading: Reading,
) -> None:
    """Write a network in another format, and say what that format cannot carry.

    [bold]noiseprune convert worm_connectome.csv worm.graphml --where Type=Send --inhibitory GABA[/bold]
    """
    from noiseprune.sources.files import check_writable, losses

    with open_session("convert", as_json=as_json, quiet=quiet) as session:
        check_writable(target, overwrite=overwrite)
        net = read_network(file, session, reading)
        noiseprune.write(net, target, overwrite=overwrite)
        lost = losses(target)
        session.wrote(target, f"; it cannot carry {lost}" if lost else "; it carries all of the network")
        session.answer(described(file, net), {"output": str(target), "cannot_carry": lost or None}, {})
