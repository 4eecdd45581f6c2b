"""noiseprune inspect."""

from __future__ import annotations

from noiseprune.cli.options import AsJson, Quiet
from noiseprune.cli.reading import File, Reading, described, flat, read_network, reads_a_file
from noiseprune.cli.session import open_session


@reads_a_file
def inspect(
    file: File,
    as_json: AsJson = False,
    quiet: Quiet = False,
    *,
    reading: Reading,
) -> None:
    """Say what a file holds, before pruning it.

    [bold]noiseprune inspect worm_connectome.csv --where Type=Send --inhibitory GABA[/bold]
    """
    from noiseprune.inspection import inspect as inspect_network

    with open_session("inspect", as_json=as_json, quiet=quiet) as session:
        net = read_network(file, session, reading)
        found = inspect_network(net)
        session.facts(str(file), {**found, **flat(net.origin)})
        session.answer(described(file, net), {**found, "origin": net.origin}, {})
