"""
An excitatory-inhibitory network that stays stable
==================================================

No theorem covers a directed network in which inhibition holds excitation back. There 1/p can make a stable network
unstable. Let every neuron refit the inputs that it kept, and it stays stable, or the error says why not.
"""

import warnings

import matplotlib.pyplot as plt

import noiseprune
from noiseprune.view import plots

net = noiseprune.gallery.excitatory_inhibitory(400, connection=0.3, inhibitory=0.2, gain=0.9, rng=1)
results = {}
for strengthen in ("reciprocal", "regressed"):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        results[strengthen] = noiseprune.prune(net, density=0.2, strengthen=strengthen, rng=1)
    kept = results[strengthen].comparison
    print(
        f"{strengthen}: spectral abscissa {kept.spectral_abscissa_before:.2f} -> {kept.spectral_abscissa_after:.2f} 1/s"
    )
    print(*(f"  warned: {warning.message}" for warning in said), sep="\n")

# %%
# Nothing but the weights differs: both kept the same wiring, and no synapse changed its sign.

print("sign flips:", [result.comparison.sign_flips for result in results.values()])

# %%
# Right of the dashed line an eigenvalue is unstable. The last shows two neurons of the network that stayed stable.

figure, axes = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained")
for ax, (strengthen, result) in zip(axes, results.items(), strict=False):
    plots.spectrum(result, ax)
    ax.set_title(strengthen, pad=28)
plots.trajectories(results["regressed"], ax=axes[2])
axes[2].set_title("regressed: one noisy run", pad=36)
plt.show()
