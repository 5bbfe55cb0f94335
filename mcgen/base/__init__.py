"""What everything stands on: constants, units, errors, estimates, files, random numbers."""
