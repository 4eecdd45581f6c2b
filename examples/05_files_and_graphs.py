"""
Files, graphs and frames: what you give is what you get
=======================================================

A graph of NetworkX goes in and a graph of NetworkX comes out, with everything that its nodes and edges carry. A file that
noiseprune wrote reads back as the same network.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import networkx as nx

import noiseprune
from noiseprune.view import plots

graph = nx.les_miserables_graph()  # 77 people, weights are the scenes that they share
result = noiseprune.prune(graph, density=0.5, keep_connected=True, rng=1)
sparser = result.in_kind
print(f"{graph} -> {sparser}; in one piece: {nx.is_connected(sparser)}")

# %%
# A graph holds no leak, so one was made: each neuron's leak exceeds its total input by 5 %.

print(result.original.origin)

# %%
# To a file and back. Labels, leak and provenance travel along.

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "sparser.graphml"
    noiseprune.write(result.network, path)
    again = noiseprune.read(path)
print(again, again.labels[:3], noiseprune.compare(result.network, again).covariance_error)

# %%
# Before and after, in the same places, and what became of the total input of each node.

places = nx.spring_layout(graph, seed=1)
figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
for ax, which in zip(axes, (graph, sparser), strict=False):
    nx.draw_networkx(which, places, ax=ax, with_labels=False, node_size=12, edge_color="#767676", width=0.6)
    ax.set_title(f"{which.number_of_edges()} edges")
plots.strengths(result, axes[2])
plt.show()
