"""Numbers without random numbers: cross sections, yields and signal events."""
