"""A kind of target in one file: particles of charge 1 and of the electron's mass and spin 0, with the current 1.

Importing it is all that a card with `process = "toy"` needs, for every command and every format.
"""

from __future__ import annotations

from mcgen.base.constants import M_E
from mcgen.physics.emission.form_factor import FREE
from mcgen.source.targets import Target, register

TOY = Target("toy", M_E, -2.0, 0.0, 9000111, lambda _name, _tables: FREE)

register("toy", lambda atom: [(TOY, atom.Z)])
