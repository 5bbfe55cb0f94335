"""The card: an experiment as data, read and checked, nothing computed."""
