"""prune(): from a network to a pruned one, in one pass."""
