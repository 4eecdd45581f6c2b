"""What a network is, and what pruning preserved of it."""
