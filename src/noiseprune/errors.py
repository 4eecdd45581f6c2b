"""Every error and warning that noiseprune raises on purpose.

::

    NoisePruneError
    ├── InvalidNetwork     (ValueError)     the numbers given are no network
    ├── UnstableNetwork    (ValueError)     the network has no stationary state
    ├── InvalidOption      (ValueError)     an option, or two of them together, make no sense
    ├── BadFile            (ValueError)     a file cannot be read or written; names path and line
    ├── TooLarge           (MemoryError)    the work would not fit into memory
    ├── DidNotConverge     (RuntimeError)   an iteration ended short of its tolerance
    └── MissingExtra       (ImportError)    an optional dependency is not installed

    NoisePruneWarning      (UserWarning)    a result that must not be used unread

The leaves are also builtins, so ``except ValueError`` works. The command line catches the root alone; anything
else is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class NoisePruneError(Exception):
    """The root of all errors that noiseprune raises on purpose.

    Parameters
    ----------
    fact : str
        What was expected, what came, and where.
    remedy : str
        What to do about it. It follows the fact, and who passes an error on may know a better one.
    """

    def __init__(self, fact: str = "", *, remedy: str = "") -> None:
        super().__init__(f"{fact}: {remedy}" if remedy else fact)
        self.fact, self.remedy = fact, remedy


class InvalidNetwork(NoisePruneError, ValueError):
    """The numbers given are no network."""


class UnstableNetwork(NoisePruneError, ValueError):
    """The network has an eigenvalue without negative real part, hence no stationary covariance."""


class InvalidOption(NoisePruneError, ValueError):
    """An option, or two of them together, make no sense."""


class BadFile(NoisePruneError, ValueError):
    """A file cannot be read or written."""


class TooLarge(NoisePruneError, MemoryError):
    """The work would not fit into memory."""


class DidNotConverge(NoisePruneError, RuntimeError):
    """An iteration ended short of its tolerance."""


class MissingExtra(NoisePruneError, ImportError):
    """An optional dependency is not installed."""


class NoisePruneWarning(UserWarning):
    """A result that must not be used unread: an unstable network, a leak at its floor, a lost connection."""


def check_choice(name: str, value: Any, allowed: Iterable[Any]) -> Any:
    """Return `value` where it is one of `allowed`.

    Parameters
    ----------
    name : str
        What is chosen, for the message.
    value : object
        What came.
    allowed : iterable
        What may come.

    Returns
    -------
    object
        `value`.

    Raises
    ------
    InvalidOption
        Where it is not.
    """
    allowed = tuple(allowed)
    if value not in allowed:
        raise InvalidOption(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return value


def check_protocol(what: str, given: Any, members: tuple[str, ...], example: str) -> None:
    """Refuse an object that a user gives where it lacks what is asked of it.

    Parameters
    ----------
    what : str
        What it is for, for the message.
    given : object
        What came.
    members : tuple of str
        The attributes and methods that it must have.
    example : str
        An object that would do, as Python.

    Raises
    ------
    InvalidOption
        Where a class came, or an object that lacks one of `members`.
    """
    if isinstance(given, type):
        raise InvalidOption(f"{what} must be a name or an object; got the class {given.__name__}: call it, {example}")
    missing = [name for name in members if not hasattr(given, name)]
    if missing:
        raise InvalidOption(
            f"{what} must be a name or an object such as {example}; got {given!r}, which has no {' and no '.join(missing)}"
        )
