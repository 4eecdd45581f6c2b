"""
Prune a trained recurrent network without labels
================================================

A tanh network of PyTorch learns to say of which sign the sum of a noisy input is. Then its recurrent weights are pruned from
unlabelled inputs, or by magnitude. Labels are used to score alone.
"""

import copy

import matplotlib.pyplot as plt
import torch

from noiseprune.torch import evaluate, prune_

torch.manual_seed(1)
rnn, readout = torch.nn.RNN(1, 64), torch.nn.Linear(64, 1)
optimiser = torch.optim.Adam([*rnn.parameters(), *readout.parameters()], lr=5e-3)


def trials(count):
    """Return inputs (T, trials, 1) and whether their sum is positive."""
    x = torch.randn(20, count, 1) + 0.2 * torch.randn(1, count, 1)
    return x, (x.sum(dim=0) > 0).float()


for _ in range(100):
    x, right = trials(128)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(readout(rnn(x)[0][-1]), right)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()

# %%
# Retention is accuracy after over accuracy before; drift needs no labels.

unlabelled, _ = trials(200)
x, right = trials(2000)


@torch.no_grad()
def accuracy(network):
    """Share of right answers."""
    return float(((readout(network(x)[0][-1]) > 0) == right).float().mean())


intact, densities = accuracy(rnn), (0.5, 0.3, 0.2, 0.1, 0.05)
methods = {"staged": {"strengthen": "staged"}, "magnitude": {"rule": "magnitude", "strengthen": "reciprocal"}}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for name, options in methods.items():
    pruned = [copy.deepcopy(rnn) for _ in densities]
    for network, density in zip(pruned, densities, strict=True):
        prune_(network, density, inputs=unlabelled, rng=1, **options)
    axes[0].plot(densities, [accuracy(network) / intact for network in pruned], "o-", label=name)
    axes[1].plot(densities, [evaluate(each, rnn, unlabelled)["output_drift"] for each in pruned], "o-", label=name)
axes[0].set(xlabel="kept share", ylabel=f"retention (intact: {intact:.2f})")
axes[1].set(xlabel="kept share", ylabel="drift of the outputs")
axes[0].legend()
plt.show()
