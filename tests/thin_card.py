"""A thin target that takes no energy: where events of one beam energy are read."""

from __future__ import annotations

CARD = """name = "thin"
[beam]
particle = "mu+"
energy = "3 GeV"
muons = 1e14
[target]
material = "W"
length = "1 cm"
energy_loss = "none"
[detector]
signature = "missing-energy"
L_det = "1 m"
[scalar]
mass = "100 MeV"
model = "B"
g_mu = 1e-4
[scan]
g_mu = "1e-4"
mass = "100 MeV"
models = ["B"]
[run]
form_factor = "tsai"
"""
