"""The options of the command line: those that several commands share, and those that are generated from declarations."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any

import typer

READING = "Reading the file"
RULE = "The rule"
RUNNING = "Running"
OUTPUT = "Output"


def option(panel: str, *names: str, **more: Any) -> Any:
    """Declare an option that `--help` shows in a panel."""
    return typer.Option(*names, rich_help_panel=panel, **more)


Seed = Annotated[int, option(RUNNING, "--seed", help="Seed of all that is random; recorded in the result.")]
Threads = Annotated[
    int | None, option(RUNNING, "--threads", help="Threads of the numerical libraries.", show_default=False)
]
Quiet = Annotated[bool, option(RUNNING, "--quiet", help="Print nothing for people but errors and warnings.")]
AsJson = Annotated[bool, option(OUTPUT, "--json", help="Print one JSON object on standard output.")]
Overwrite = Annotated[bool, option(OUTPUT, "--overwrite", help="Replace files that exist.")]


def flag(name: str) -> str:
    """Write the name of an option as the command line has it."""
    return f"--{name.replace('_', '-')}"


# types of fields that mean the same on the command line
TYPES: dict[str, Any] = {"bool": bool, "str": str, "str | None": str, "int | None": int, "float | None": float}


def generated(panel: str, *declarations: type) -> Iterator[inspect.Parameter]:
    """Make an option of every field of some dataclasses, as `noiseprune.machine.declared` declares them."""
    for declaration in declarations:
        for f in fields(declaration):
            kind = f.metadata["cli"] or TYPES[str(f.type)]
            default = None if kind not in TYPES.values() else f.default
            told = option(
                panel,
                flag(f.name),
                *f.metadata["flags"],
                help=f.metadata["help"],
                show_default=not (default is None or isinstance(default, bool)),
            )
            annotation: Any = Annotated[kind if default is not None else kind | None, told]
            yield inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def takes(**groups: tuple[Any, ...]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command generated options; those of a group reach it together, as one argument, a dict by name.

    Parameters
    ----------
    groups : (panel, dataclass, ...)
        By the name of the argument.
    """
    made = {argument: list(generated(*group)) for argument, group in groups.items()}

    def give(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**given: Any) -> None:
            gathered = {name: {p.name: given.pop(p.name) for p in group} for name, group in made.items()}
            command(**given, **gathered)

        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name not in made]
        every = [*own, *(p for group in made.values() for p in group)]
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in every]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in parameters}
        return called

    return give


def defaults(*declarations: type) -> Mapping[str, Any]:
    """Return what generated options are where a user gives none."""
    return {p.name: p.default for p in generated("", *declarations)}
