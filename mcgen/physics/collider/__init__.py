"""A boson radiated by a pair of leptons, e+ e- -> f+ f- X through one photon; docs/collider.md derives it."""
