"""What the beam does in the target: layers, energy, who can be hit, and the boson at the couplings of a card."""
