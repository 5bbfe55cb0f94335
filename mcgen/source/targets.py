"""What the beam can hit: the targets that an atom holds.

A card says by `target.process` which kind of target counts. A further kind is one call of `register`, in a file of its
own: its name, what of an atom belongs to it, and how the lepton scatters on it, as a current that gives G2(t).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcgen.base import pdg
from mcgen.base.constants import M_E
from mcgen.base.errors import InputError, choose, refuse_if
from mcgen.card.form_factors import element_form_factor
from mcgen.physics.emission.amplitude import Process
from mcgen.physics.emission.both_lines import both_lines
from mcgen.physics.emission.form_factor import FREE, FormFactor
from mcgen.physics.emission.mediator import MEDIATORS, MIXES, weights_of
from mcgen.physics.emission.struck_electron import ALONE, BothLines
from mcgen.physics.matter.materials import ELEMENTS, Element

#: gives G2(t) for the kernels from the name of a form factor and the user's tables of G2(t), by target
Current = Callable[[str, Mapping[str, str]], FormFactor]


def no_current(form_factor: str, tables: Mapping[str, str]) -> FormFactor:  # noqa: ARG001
    """The current of what has no form factor: it is asked for by mistake only."""
    message = f"form factor {form_factor}: no nucleus is hit"
    raise InputError(message)


@dataclass(frozen=True, slots=True)
class Target:
    """A particle at rest that the beam lepton scatters on."""

    name: str
    M: float  #: mass in GeV
    Z: float  #: charge, as in the branch `target_Z`
    A: float  #: mass number of a nucleus, as in the branch `target_A`, which with Z tells targets apart; else 0
    pdg: int
    current: Current = field(compare=False, repr=False)
    spin_half: bool = False  #: of spin 1/2 and without structure, as an electron; else of spin 0

    def is_struck(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Events on this target."""
        return np.asarray((columns["target_Z"] == self.Z) & (columns["target_A"] == self.A))


#: what the electron of two colliding beams hits, which is in no atom; Z and A tell it from nuclei
POSITRON = Target("e+", M_E, 1.0, 0.0, pdg.BEAMS["e+"], no_current)

#: targets that one atom holds, each with their number
OfAtom = Callable[[Element], Iterable[tuple[Target, float]]]


@functools.lru_cache(maxsize=512)
def nucleus(element: Element) -> Target:
    """The nucleus of an element, isotopes averaged."""
    Z, A = element.Z, element.A
    current = functools.partial(element_form_factor, element=element)
    return Target(element.name, element.M, Z, A, pdg.nucleus(Z, A), current)


#: free and at rest
ELECTRON = Target("e-", M_E, -1.0, 0.0, 11, lambda _name, _tables: FREE, spin_half=True)

#: kind of target, `target.process` of a card -> what of an atom belongs to it
KINDS: dict[str, OfAtom] = {
    "nuclear": lambda element: [(nucleus(element), 1.0)],
    "electron": lambda element: [(ELECTRON, element.Z)],
    "all": lambda element: [(nucleus(element), 1.0), (ELECTRON, element.Z)],
}


def register(kind: str, of_atom: OfAtom) -> None:
    """Make a kind of target known to cards, cross sections and files, under a name of its own."""
    if KINDS.setdefault(kind, of_atom) is not of_atom:
        message = f"process {kind}: is known already"
        raise ValueError(message)


def in_atom(kind: str, element: Element) -> list[tuple[Target, float]]:
    """Targets of a kind that an atom holds, each with their number."""
    return list(KINDS[choose(kind, KINDS, "target.process")](element))


def named(name: str) -> Target:
    """A target of any kind by its name: nuclei have that of their element."""
    known = {
        target.name: target for kind in KINDS for element in ELEMENTS.values() for target, _ in in_atom(kind, element)
    }
    return known[choose(name, known, "target")]


def struck(Z: float, A: float) -> Target:
    """The target of an event: a particle of a known kind, or a nucleus."""
    if (Z, A) == (POSITRON.Z, POSITRON.A):
        return POSITRON
    others = (target for kind in KINDS if kind != "nuclear" for target, _ in in_atom(kind, ELEMENTS["H"]))
    found = (target for target in others if (target.Z, target.A) == (Z, A))
    return next(found, None) or nucleus(Element("", Z, A))


def per_event(columns: Mapping[str, NDArray[Any]], value: Callable[[Target], float]) -> NDArray[Any]:
    """A property of the struck target, event by event."""
    Z, A = columns["target_Z"], columns["target_A"]
    _, first, which = np.unique(1e3 * Z + A, return_index=True, return_inverse=True)
    return np.array([value(struck(float(Z[i]), float(A[i]))) for i in first])[which]


def check_parity(mediator: str, parity_angle: float) -> None:
    """Raise InputError unless the angle in degrees is one that this mediator can have."""
    inside = 0.0 <= parity_angle <= 90.0
    refuse_if(not inside, f"parity_angle: {parity_angle:g} must lie in 0..90 degrees")
    wrong = parity_angle != 0.0 and mediator not in MIXES
    refuse_if(wrong, f"parity_angle: is of mediator {' or '.join(MIXES)}, not {mediator}; at 90 they are the odd ones")


def check_stable(m: float, m_out: float, m_S: float) -> None:
    """Raise InputError if a lepton of mass m decays to one of mass m_out and the boson."""
    decays = "where the beam lepton decays to the outgoing one and S"
    refuse_if(m_out + m_S <= m, f"mass: {m_S:g} GeV must lie above {m - m_out:.7g} GeV, {decays}")


def process_on(
    target: Target,
    m: float,
    m_S: float,
    mediator: str = "scalar",
    form_factor: str = "paper",
    tables: Mapping[str, str] | None = None,
    *,
    ww: bool = False,
    m_out: float | None = None,
    parity_angle: float = 0.0,
) -> Process:
    """Constants of the kernels: what radiates, what it radiates, and what it scatters on.

    Parameters
    ----------
    target : Target
    m, m_S : float
        Masses of the beam lepton and of the boson in GeV.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    form_factor : str
        Name of the target's form factor.
    tables : mapping, optional
        Texts of G2(t) for the form factor `table`, by target.
    ww : bool
        Take the Weizsaecker-Williams limit of the amplitude.
    m_out : float, optional
        Mass of the outgoing lepton in GeV, if it is another one.
    parity_angle : float
        Of a scalar or a vector, in degrees: 90 is a pseudoscalar or an axial vector.

    Raises
    ------
    InputError
        If a name is unknown, the angle is not possible, or the beam lepton would decay.
    """
    m_out = m if m_out is None else m_out
    refuse_if(target.spin_half and m_out != m, "out_lepton: flavour changes on nuclei only, not on electrons")
    check_parity(choose(mediator, MEDIATORS, "mediator"), parity_angle)
    check_stable(m, m_out, m_S)
    weights, current = weights_of(mediator, m, m_out, m_S, parity_angle), target.current(form_factor, tables or {})
    return Process(m, m_out, m_S, target.M, weights, current, ww, target.spin_half or None)


def scattering_on(
    target: Target,
    m: float,
    m_S: float,
    mediator: str = "scalar",
    form_factor: str = "paper",
    tables: Mapping[str, str] | None = None,
    *,
    kind: str = "nuclear",
    ratio: float = 0.0,
    charge: int = 1,
    ww: bool = False,
    m_out: float | None = None,
    parity_angle: float = 0.0,
) -> Process | BothLines:
    """`process_on` of a target that is one of its kind, with all lines that can make S.

    Parameters
    ----------
    target : Target
    m, m_S : float
        Masses of the beam lepton and of the boson in GeV.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    form_factor : str
        Name of the form factor of a nucleus.
    tables : mapping, optional
        Texts of G2(t) for the form factor `table`, by target.
    kind : str
        Of targets; with `all` a nucleus scatters elastically, as the electrons beside it are no part of it.
    ratio : float
        Coupling to electrons over that to the beam lepton; it counts where electrons are hit.
    charge : {1, -1}
        Of the beam lepton.
    ww : bool
        Take the Weizsaecker-Williams limit of the amplitude.
    m_out : float, optional
        Mass of the outgoing lepton in GeV, if it is another one.
    parity_angle : float
        Of a scalar or a vector, in degrees.
    """
    process = process_on(target, m, m_S, mediator, form_factor, tables, ww=ww, m_out=m_out, parity_angle=parity_angle)
    if kind == "all":
        process = process._replace(ff=process.ff._replace(inelastic=0.0))
    if not target.spin_half or ratio == 0.0:
        return process
    refuse_if(ww, f"method ww: {ALONE}")
    refuse_if(parity_angle != 0.0, "parity_angle: with a coupling to electrons it must be 0")
    return with_both_lines(process, mediator, ratio, charge)


def with_both_lines(process: Process, mediator: str, ratio: float, charge: int) -> BothLines:
    """S from the line of the beam lepton, and from that of the electron that it hits.

    Parameters
    ----------
    process : Process
        S from the line of the beam lepton.
    mediator : {"scalar", "pseudoscalar", "vector", "axial"}
    ratio : float
        Coupling to electrons over that to the beam lepton.
    charge : {1, -1}
        Of the beam lepton.
    """
    m, M, m_S = process.m, process.M, process.m_S
    exchanged = process._replace(m=M, m_out=M, M=m, weights=MEDIATORS[mediator](M, M, m_S))
    return both_lines(process, exchanged, mediator, ratio, charge)
