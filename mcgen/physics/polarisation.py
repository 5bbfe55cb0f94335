"""The spin density of vectors under its documented name; it lives in `mcgen.physics.emission.polarisation`."""

from mcgen.physics.emission.polarisation import spin_density as spin_density
