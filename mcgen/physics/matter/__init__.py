"""What matter does to the beam: energy loss, scattering, materials."""
