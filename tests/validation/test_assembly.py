"""Stages of generation take several points at a time."""

from __future__ import annotations

import pytest

from validation.assembly import count, fresh, widest

#: stages whose loops are vectorised
VECTORISED = ("rays", "amplitude", "form_factor", "weights")


def test_what_is_counted():
    """Packed and scalar arithmetic of doubles, and nothing else; fails if moves or whole numbers count."""
    lines = [
        "vmulpd\t%ymm1, %ymm2, %ymm3", "addpd\t%xmm1, %xmm2", "vfmadd213pd\t%zmm1, %zmm2, %zmm3",
        "vaddsd\t(%rax), %xmm0, %xmm1", "vmovupd\t(%rax), %ymm0", "vpaddq\t%ymm1, %ymm2, %ymm3",
    ]  # fmt: skip
    found = count("", "\n".join("\t" + line for line in lines))
    assert (found.bits, found.packed, found.scalar) == (512, 3, 1)


@pytest.mark.slow
def test_stages_are_vectorised():
    """Wide operations are a third of a stage or more; fails if a branch or a call keeps a loop from it."""
    found = {stage.name: stage for stage in fresh()}
    assert {name for name in VECTORISED if found[name].bits < widest() or found[name].share < 0.33} == set()
