"""Particle numbers of the Particle Data Group."""

SCALAR = 54  #: scalar mediator, the number kept for models with a new light scalar
BEAMS = {"mu+": -13, "mu-": 13}
#: status codes of HepMC: beam, decayed, final
BEAM, DECAYED, FINAL = 4, 2, 1
ANTIPARTICLE_OF_ITSELF = (22,)


def nucleus(Z: float, A: float) -> int:
    """10LZZZAAAI of a nucleus; the proton for hydrogen. A standard atomic weight is rounded to an isotope."""
    if round(Z) == 1 and round(A) == 1:
        return 2212
    return 1_000_000_000 + 10_000 * round(Z) + 10 * round(A)


def second_daughter(first: int) -> int:
    """The other daughter of a decay into a particle and its antiparticle."""
    return first if first in ANTIPARTICLE_OF_ITSELF else -first
