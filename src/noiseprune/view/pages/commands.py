"""The exact command that repeats a result, as Python and for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from importlib import import_module
from typing import Any

OBJECTS = {
    "probe": "probes",
    "rule": "rules",
    "strengthen": "strengthenings",
}  # options that may be objects, and of where


def in_python(provenance: Mapping[str, Any]) -> str:
    """Write the calls that repeat a prune."""
    options = {name: value for name, value in provenance["options"].items() if value is not False}
    prune = _call("noiseprune.prune", ["net"], options | {"rng": provenance["seed"]})
    for option, module in OBJECTS.items():
        value = str(options[option])
        if "(" in value:  # an object, which the record holds as it prints; a user's own is not found in our modules
            ours = hasattr(import_module(f"noiseprune.{module}"), value.partition("(")[0])
            prune = prune.replace(repr(value), f"noiseprune.{module}.{value}" if ours else value)
    file = _file(provenance)
    if file is None:
        return f"# net: the network with the digest {provenance['input']['digest'][:16]}…\nresult = {prune}"
    return f"net = {_call('noiseprune.read', [repr(file)], provenance.get('reading', {}))}\nresult = {prune}"


def in_shell(provenance: Mapping[str, Any]) -> str:
    """Write the command line that repeats a prune: as it was given, or made from the options."""
    if "command" in provenance:
        return str(provenance["command"])
    words = ["noiseprune", "prune", _file(provenance) or "NETWORK.npz"]
    for name, value in provenance["options"].items():
        option = "--" + name.replace("_", "-")
        words += [option] if value is True else [] if value is False else [option, str(value)]
    return shlex.join([*words, "--seed", str(provenance["seed"])])


def _file(provenance: Mapping[str, Any]) -> str | None:
    return provenance["input"].get("origin", {}).get("file")


def _call(function: str, given: list[str], options: Mapping[str, Any]) -> str:
    return f"{function}({', '.join([*given, *(f'{name}={value!r}' for name, value in options.items())])})"
