"""The version of noiseprune."""

__version__ = "0.1.0"
