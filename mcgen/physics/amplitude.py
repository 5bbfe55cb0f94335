"""The exact amplitude under its documented name; it lives in `mcgen.physics.emission.amplitude`."""

from mcgen.physics.emission.amplitude import reduced_amplitude as reduced_amplitude
