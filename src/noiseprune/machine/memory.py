"""How much memory there is, so that work too large is refused before it starts."""

from __future__ import annotations

from noiseprune.errors import TooLarge


def available_bytes() -> int:
    """Bytes that a process can take without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def gigabytes(size: float) -> str:
    """Write a size in bytes for a person."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def require_memory(size: float, what: str, remedy: str) -> None:
    """Refuse what would take more memory than there is.

    Parameters
    ----------
    size : float, bytes
        What is needed.
    what : str
        What needs it, for the message.
    remedy : str
        What to do instead, for the message.

    Raises
    ------
    TooLarge
        Where `size` exceeds what is available.
    """
    there = available_bytes()
    if size > there:
        raise TooLarge(f"{what} needs about {gigabytes(size)} of memory and {gigabytes(there)} are available: {remedy}")
