"""Options declared once, in the fields of a dataclass: their names, defaults, types, and what the command line says of them."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def declared(help: str, *, default: Any = None, cli: Any = None, flags: tuple[str, ...] = (), **more: Any) -> Any:
    """Declare an option as a field of a frozen dataclass.

    Parameters
    ----------
    help : str
        What the command line says of it, in one line.
    default : object
        What it is where nobody gives it.
    cli : type, optional
        The type on the command line, where it is not that of the field.
    flags : tuple of str
        Further names on the command line, beside ``--name``.
    more
        What else the code wants to know of the option.

    Returns
    -------
    dataclasses.Field
    """
    return field(default=default, metadata={"help": help, "cli": cli, "flags": flags, **more})
