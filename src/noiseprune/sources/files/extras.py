"""Libraries that only some formats need."""

from __future__ import annotations

import importlib
from typing import Any

from noiseprune.errors import MissingExtra


def require(module: str, extra: str, what: str) -> Any:
    """Import a library, or say how to install it.

    Parameters
    ----------
    module : str
        Its name, as it is imported.
    extra : str
        The extra of noiseprune that installs it.
    what : str
        What needs it, for the message.

    Returns
    -------
    module
        The library.

    Raises
    ------
    MissingExtra
        Where it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        raise MissingExtra(f'{what} needs {name}, which is not installed: pip install "noiseprune[{extra}]"') from None
