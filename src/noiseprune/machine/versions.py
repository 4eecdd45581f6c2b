"""What ran: versions and the system."""

from __future__ import annotations

import platform

import numpy as np
import scipy

from noiseprune.version import __version__


def versions() -> dict[str, str]:
    """Say what ran: versions and the system."""
    return {
        "noiseprune": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "platform": f"{platform.system()} {platform.machine()}",
    }
