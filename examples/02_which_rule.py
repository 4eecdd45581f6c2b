"""
Noise, weights or chance: which rule keeps what
===============================================

Four rules choose as many synapses of the same network. In the median, choosing by noise and by weights do much the same. In
the worst direction and in the slowest modes, which the few synapses between the clusters decide, they do not.
"""

import matplotlib.pyplot as plt

import noiseprune
from noiseprune.view import plots

net = noiseprune.gallery.clustered([250, 50, 200], within=0.6, between=1000, rng=3)
rules = ("noise", "weight", "uniform", "magnitude")
results = {rule: noiseprune.prune(net, density=0.2, rule=rule, strengthen="reciprocal", rng=1) for rule in rules}

# %%
# All rules but magnitude strengthen what they keep to W / p.

for rule, result in results.items():
    kept = result.comparison
    low, high = kept.worst_direction_interval
    print(
        f"{rule:10} worst direction {low:.2f} - {high:.2f}, eigenvalue error {kept.eigenvalue_error['median']:.3f} in the "
        f"median and {kept.eigenvalue_error['slowest']:.3f} in the ten slowest, {kept.components_after} components"
    )

# %%
# The ten slowest modes under each rule.

figure, axes = plt.subplots(1, 4, figsize=(13, 3.2), sharey=True, layout="constrained")
for ax, (rule, result) in zip(axes, results.items(), strict=True):
    plots.slowest_modes(result, ax)
    ax.set_title(rule, pad=20)
plt.show()
