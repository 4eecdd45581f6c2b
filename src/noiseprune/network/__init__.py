"""The network, the conventions that hold everywhere, and what is known of a network without running it."""

from noiseprune.network.links import Synapses
from noiseprune.network.type import ACTIVATIONS, Activation, Network

__all__ = ["ACTIVATIONS", "Activation", "Network", "Synapses"]
