"""A kind of target in one file: the electrons of an atom, with the placeholder current 1 instead of that of spin 1/2.

Importing it is all that a card with `process = "electron"` needs, for every command and every format.
"""

from __future__ import annotations

from mcgen.base.constants import M_E
from mcgen.physics.emission.form_factor import PANEL, FormFactor
from mcgen.source.targets import Target, register

#: G2 = 1: no screening and no size at any momentum transfer
CURRENT = FormFactor(1.0, 1e30, 1e6, 0.0, 0.0, False, PANEL, None)
ELECTRON = Target("e-", M_E, -1.0, 0.0, 11, lambda _name, _tables: CURRENT)

register("electron", lambda atom: [(ELECTRON, atom.Z)])
