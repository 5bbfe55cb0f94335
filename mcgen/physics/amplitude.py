"""The exact amplitudes under their documented names; they live in `mcgen.physics.emission.amplitude`."""

from mcgen.physics.emission.amplitude import flavour_amplitude as flavour_amplitude
from mcgen.physics.emission.amplitude import reduced_amplitude as reduced_amplitude
from mcgen.physics.emission.amplitude import struck_electron_amplitude as struck_electron_amplitude
