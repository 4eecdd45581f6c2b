"""Many prunes of one network."""
