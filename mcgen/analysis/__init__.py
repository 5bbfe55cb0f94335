"""What events and quadrature say of couplings: reweighting, reach, comparison, limits."""
