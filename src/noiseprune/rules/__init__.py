"""The plasticity rule as pure functions on arrays of one entry a link.

In the paper's order: `importance` weighs, `budget` turns importance into keep probabilities, `draw` decides,
`strengthen` makes up for what was lost, and `leak` keeps the balance between a neuron's leak and its total input.
"""
