"""
Sweep through densities and take the recommended one
====================================================

How much can go? Say what error you can live with. The sweep prunes at every density several times and recommends the
smallest at which every draw is stable and the mean error is within the tolerance with 95 % confidence.
"""

import matplotlib.pyplot as plt

import noiseprune
from noiseprune.view import plots

net = noiseprune.gallery.clustered([50, 15, 35], within=0.6, between=300, signed=True, rng=1)
table = noiseprune.sweep(
    net,
    densities=[0.1, 0.2, 0.3, 0.5, 0.7, 0.9],
    rules=["noise", "weight"],
    draws=5,
    tolerance=0.5,
    rng=1,
)
print(table)
print(table.criterion)

# %%
# A row is a choice of density, rule and strengthening, with mean and standard error of every measure.

best = table.recommended
print(f"keep {best['target_density']:.0%} by the rule {best['rule']}: worst direction {best['worst_direction']:.2f}")

# %%
# The error against the kept share.

figure, ax = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
plots.sweep_error(table, ax=ax)
plt.show()
