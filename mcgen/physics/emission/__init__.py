"""What a lepton radiates, and how: amplitude, phase space, form factors, approximations."""
