"""noiseprune inspect."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noiseprune.cli.options import AsJson, Quiet, flag
from noiseprune.cli.reading import File, Reading, default_reading, described, flat, read_network, reads_a_file
from noiseprune.cli.session import open_session

LEAST_DENSITY = 0.1  # that we propose
WRITES_AS = ".npz"  # where the format that was read is not written


@reads_a_file()
def inspect(
    file: File,
    as_json: AsJson = False,
    quiet: Quiet = False,
    *,
    reading: Reading,
) -> None:
    """Say what a file holds, what pruning it would need, and with which command.

    [bold]noiseprune inspect worm_connectome.csv --where Type=Send --inhibitory GABA[/bold]
    """
    from noiseprune.measure.inspect import inspect as inspect_network

    with open_session("inspect", as_json=as_json, quiet=quiet) as session:
        net = read_network(file, session, reading)
        found = inspect_network(net)
        command = _command(file, reading, found["density_that_connectivity_needs"])
        memory = flat({"memory_of_probes": found["memory_of_probes"]})
        session.facts(str(file), {**found, **memory, **flat(net.origin)})
        session.say(f"To prune it: {command}")
        session.say(
            "At that density a random network just holds together; a real one loses pieces sooner: try noiseprune sweep."
        )
        session.answer(described(file, net), {**found, "origin": net.origin, "command": command}, {})


def _command(file: Path, reading: Mapping[str, Any], needed: float | None) -> str:
    """Write the command that prunes this file, with the options that it was read with."""
    from noiseprune.errors import BadFile
    from noiseprune.sources.files import check_writable
    from noiseprune.sources.reading import is_given

    defaults = default_reading()
    words = ["noiseprune", "prune", str(file)]
    for name, value in reading.items():
        if not is_given(value) or value == defaults[name]:
            continue
        option = flag(name)
        for part in value if isinstance(value, list) else [value]:
            words += [option] if part is True else [option, str(part)]
    stem, suffixes = file.name.partition(".")[0], file.name[len(file.name.partition(".")[0]) :]
    density = min(1.0, max(LEAST_DENSITY, needed or LEAST_DENSITY))
    output = Path(f"{stem}.pruned{suffixes}")
    try:
        check_writable(output, overwrite=True)
    except BadFile:
        output = Path(f"{stem}.pruned{WRITES_AS}")
    return _quoted([*words, "--density", f"{density:.2g}", "-o", str(output)], windows=os.name == "nt")


def _quoted(words: list[str], *, windows: bool) -> str:
    """Join words so that a terminal takes them apart again."""
    return subprocess.list2cmdline(words) if windows else shlex.join(words)
