"""(a) The rule at work: weights, covariance, difference variances and keep probabilities of three dense clusters.

150 neurons in three clusters, positive weights, a few long-range synapses between the clusters and a few exceptionally
strong ones inside; a fifth of the synapses is kept. The long-range ones must come out as the important ones.
"""

from __future__ import annotations

from setting import panels, save, save_cost, save_picture  # first: it pins the threads

import numpy as np

import noiseprune
from noiseprune.dynamics.stationary import stationary_covariance
from noiseprune.network.links import absolute_row_sums

SIZES = (70, 30, 50)
LONG_RANGE = 40
STRONG, STRONGER = 12, 8.0  # pairs inside clusters, times their weight
DENSITY = 0.2
CLUSTER = np.repeat(np.arange(len(SIZES)), SIZES)


def network() -> tuple[noiseprune.Network, dict[str, np.ndarray]]:
    """Make the network; return it and which of its pairs are of which kind."""
    net = noiseprune.gallery.clustered(SIZES, within=0.6, between=LONG_RANGE, rng=3)
    post, pre, _ = net.links
    far = CLUSTER[post] != CLUSTER[pre]
    strong = np.zeros(far.size, bool)
    strong[np.random.default_rng(3).choice(np.flatnonzero(~far), STRONG, replace=False)] = True
    links = net.link_matrix.copy()
    links.data[strong] *= STRONGER
    leak = absolute_row_sums(links, True) + net.dominance_margin
    net = noiseprune.Network.from_links(links, leak, net.noise_std, symmetric=True)
    return net, {"between clusters": far, "inside, strong": strong, "inside, all others": ~far & ~strong}


def main() -> None:
    net, kinds = network()
    C, _ = stationary_covariance(net)
    results = {rule: noiseprune.prune(net, density=DENSITY, rule=rule, compare=False) for rule in ("noise", "weight")}
    probability = {rule: result.probability.per_link for rule, result in results.items()}
    v = results["noise"].variance.per_link
    post, pre, weight = net.links
    deviation = np.sqrt(C.diagonal())
    correlation = C[post, pre] / (deviation[post] * deviation[pre])
    rows = []
    for kind, chosen in kinds.items():
        rows.append(
            {
                "pairs": kind,
                "number": int(chosen.sum()),
                "mean weight": round(float(weight[chosen].mean()), 4),
                "mean correlation": round(float(correlation[chosen].mean()), 3),
                "mean v": round(float(v[chosen].mean()), 2),
                "keep probability, noise rule": round(float(probability["noise"][chosen].mean()), 3),
                "keep probability, by weights": round(float(probability["weight"][chosen].mean()), 3),
            }
        )
    save("paper_rule", rows)
    draw(net, C, v, probability["noise"])


def draw(net: noiseprune.Network, C: np.ndarray, v: np.ndarray, p: np.ndarray) -> None:
    figure, axes = panels(2, 2, width=3.6, height=3.2)
    pictures = {
        "weight W": matrix(net, net.links.weight),
        "covariance C": C,
        "difference variance v": matrix(net, v),
        "keep probability p": matrix(net, p),
    }
    for ax, (title, values) in zip(axes.flat, pictures.items(), strict=True):
        image = ax.imshow(values, cmap="viridis_r" if title[0] in "wk" else "viridis", interpolation="nearest")
        figure.colorbar(image, ax=ax, shrink=0.8)
        ax.set(title=title, xlabel="from neuron", ylabel="to neuron")
    save_picture(figure, "rule")


def matrix(net: noiseprune.Network, values: np.ndarray) -> np.ndarray:
    """Spread one number a link over an (n_neurons, n_neurons) array; NaN, drawn white, where there is no synapse."""
    full = np.full((net.n_neurons, net.n_neurons), np.nan)
    post, pre, _ = net.links
    full[post, pre] = full[pre, post] = values
    return full


if __name__ == "__main__":
    main()
    save_cost("rule_at_work")
