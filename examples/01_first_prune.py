"""
Prune a network and see what was kept
=====================================

Three dense clusters, few long-range synapses, signed weights: the network of the paper, small. One synapse in five stays.
"""

import matplotlib.pyplot as plt

import noiseprune
from noiseprune.view import plots

net = noiseprune.gallery.clustered([250, 50, 200], within=0.6, between=2500, signed=True, rng=1)
result = noiseprune.prune(net, density=0.2, rng=1)
print(result)

# %%
# The comparison holds every number that was measured. One direction in all of activity space was changed the most:

kept = result.comparison
print("worst direction, 1 is unchanged:", kept.worst_direction_interval)
print("error of the ten slowest modes: ", kept.eigenvalue_error["slowest"])
print("connected components:           ", kept.components_before, "before,", kept.components_after, "after")

# %%
# The spectrum, every direction, and the keep probability of every synapse against its weight. Synapses of the same weight
# have quite different probabilities: the noise tells which of them other paths could replace.

figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
plots.spectrum(result, axes[0])
plots.worst_direction(result, axes[1])
plots.keep_probability(result, ax=axes[2])
plt.show()
