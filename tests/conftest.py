from tests.networks import network

__all__ = ["network"]
