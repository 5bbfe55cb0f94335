"""The boson by itself: couplings, widths, decays."""
