"""Several files of another generator for one card as one: each at its beam energy, or at several."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from mcgen.base.errors import InputError, refuse_if
from mcgen.card.card import Card
from mcgen.events.branches import Columns
from mcgen.events.events import STEP, Readable, View
from mcgen.events.formats import load
from mcgen.events.formats.foreign import described
from mcgen.events.formats.stored import StoredEvents
from mcgen.events.meta import Sample
from mcgen.source.source import Source

#: what files of one pool agree in
_COMMON = ("card", "beam_pdg", "boson_pdg", "sigma_from")
#: masses of S that differ by less than this share are the same
_SAME = 1e-6


class ForeignPool(Readable):
    """Files of another generator, read one after the other.

    Files at the same energy are parts of one sample: their cross sections are averaged by numbers of events.

    Parameters
    ----------
    paths : sequence of path
    card : Card, optional
        Experiment that the events are meant for, if the files do not hold it.

    Raises
    ------
    InputError
        If a file cannot be used, or is of another mass or card.
    """

    def __init__(self, paths: Sequence[str | Path], card: Card | None) -> None:
        unique = {Path(path).resolve(): path for path in paths}.values()
        self.files: list[StoredEvents] = [load(path, card) for path in unique]
        first = self.files[0]
        for file in self.files:
            refuse_if(not file.metadata.is_foreign, f"file {file.path}: is of mcgen, and {first.path} is not")
            for key in _COMMON:
                if file.metadata.get(key) != first.metadata.get(key):
                    message = f"file {file.path}: its {key} is not that of {first.path}"
                    raise InputError(message)
            m_S, other = file.metadata.m_S, first.metadata.m_S
            is_other = abs(m_S - other) > _SAME * other
            refuse_if(
                is_other, f"file {file.path}: its mass of S is {m_S:.9g} GeV, that of {first.path} {other:.9g} GeV"
            )
            file.metadata.check_one_mass(f"file {file.path}, several files")
        self.path = first.path.parent
        self.branches = [name for name in first.branches if all(name in file.branches for file in self.files)]
        self._samples = _joined([file.metadata.samples for file in self.files])
        of_all = [file.metadata for file in self.files]
        unweighted = all(metadata.get("unweighted", True) for metadata in of_all)
        more = {key: of_all[0][key] for key in ("beam_pdg", "sigma_from") if key in of_all[0]}
        pdg = of_all[0].get("boson_pdg", 0)
        self.metadata = described(first.card, self._samples, first.metadata.m_S, pdg, unweighted=unweighted, **more)
        starts = [sum(map(len, self.files[:k])) for k in range(len(self.files))]
        #: each with its part of the weights and numbers of its own
        self.parts = [self._part(file, start) for file, start in zip(self.files, starts, strict=True)]

    def _part(self, file: StoredEvents, start: int) -> View:
        """A file of the pool; a sample that goes on in other files has its share of the weights."""
        together = {(s.target, s.energy): s for s in self._samples}
        share = {
            (s.target, s.energy): s.n_events / together[s.target, s.energy].n_events for s in file.metadata.samples
        }
        targets = {target.name: target for target in Source(file.card).targets}

        def change(chunk: Columns) -> Columns:
            changed = dict(chunk)
            if "event" in chunk:
                changed["event"] = chunk["event"] + chunk["event"].dtype.type(start)
            if "weight" in chunk and set(share.values()) != {1.0}:
                changed["weight"] = chunk["weight"].copy()
                for (name, E), part in share.items():
                    changed["weight"][(chunk["E_mu"] == E) & targets[name].is_struck(chunk)] *= part
            return changed

        needed = ["E_mu", "target_Z", "target_A"] if set(share.values()) != {1.0} else []
        return View(file, {}, change, needed)

    def __len__(self) -> int:
        return self.metadata.n_events

    @property
    def card(self) -> Card:
        """The card of all files."""
        return self.files[0].card

    def iterate(self, names: Sequence[str], step: int = STEP) -> Iterator[Columns]:
        """Chunks of the named branches, file by file."""
        for part in self.parts:
            yield from part.iterate(names, step)

    def content_sha256(self) -> str:
        """Hash of the events as they are in the files now."""
        return hashlib.sha256("".join(file.content_sha256() for file in self.files).encode()).hexdigest()


def _joined(of_files: Sequence[Sequence[Sample]]) -> list[Sample]:
    """Samples of several files; those of one energy and target as one, whose errors are independent."""
    found: dict[tuple[str, float], list[Sample]] = {}
    for sample in (sample for samples in of_files for sample in samples):
        found.setdefault((sample.target, sample.energy), []).append(sample)
    joined = []
    for (target, E), parts in found.items():
        n = sum(part.n_events for part in parts)
        sigmas = [part.n_events / n * part.sigma for part in parts]
        sigma = math.fsum(sigmas)
        error = math.hypot(*(s * part.relative_error for s, part in zip(sigmas, parts, strict=True)))
        joined.append(Sample(target, E, sigma, n, error / sigma))
    return joined
