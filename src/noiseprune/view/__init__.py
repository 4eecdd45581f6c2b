"""What people look at: sentences, cards, plots, pages. Nothing below imports it."""
