"""What counts as a signal: where, with which energy, how well it is seen, and how many particles were on target."""
