"""Networks in time: the stationary state that noise drives them to, and runs."""
