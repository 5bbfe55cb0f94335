"""Names that a shell completes: of cards, models and the like. What is allowed, is checked where it is used.

Nothing heavy is imported here: a shell waits for it at every press of the key.
"""

from __future__ import annotations

import glob
import tomllib
from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from mcgen.base.extras import data_folder
from mcgen.physics.boson.couplings import MODELS, MODELS_OF


class Names(click.ParamType):  # type: ignore[type-arg]
    """A text that is one of some names, or a list of them.

    Parameters
    ----------
    names : str
    files : str, optional
        Ending of files that may be named instead; with none, of any files, the shell completes them.
    """

    name = "text"

    def __init__(self, *names: str, files: str | None = None) -> None:
        self._names, self._files, self._may_be_file = names, files, files is not None

    def names(self) -> Iterable[str]:
        """All names."""
        return self._names

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002, D102
        before, comma, begun = incomplete.rpartition(",")
        found = [f"{before}{comma}{name}" for name in self.names() if name.startswith(begun)]
        if self._files:
            found += sorted(glob.glob(f"{glob.escape(incomplete)}*{self._files}"))  # noqa: PTH207  # keeps ./ and ../
        if self._may_be_file and not found:  # the shell looks itself, in other folders
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(name) for name in found]


class CardName(Names):
    """A card: one that comes with the package, or a file."""

    def names(self) -> Iterable[str]:
        """All cards of the package."""
        return sorted(path.stem for path in data_folder("cards", "cards").glob("*.toml"))


class BosonName(CardName):
    """A kind of boson, or a card that has one."""

    def names(self) -> Iterable[str]:
        """Mediators and cards."""
        return [*MODELS_OF, *super().names()]


class LimitName(Names):
    """A known limit, or a file of one."""

    def names(self) -> Iterable[str]:
        """All limits, and what stands for several of them."""
        text = (Path(__file__).parents[1] / "analysis/constraints/records.toml").read_text(encoding="utf-8")
        return ["paper", "all", *tomllib.loads(text)]


class ElementName(Names):
    """An element that the beam can hit."""

    def names(self) -> Iterable[str]:
        """All elements that are known."""
        lines = (Path(__file__).parents[1] / "physics/matter/elements.csv").read_text(encoding="utf-8").splitlines()
        return [line.split(",")[0] for line in lines if not line.startswith(("#", "name", "symbol"))]


CARD = CardName(files=".toml")
BOSON = BosonName(files=".toml")
ELEMENT = ElementName()
MODEL = Names(*MODELS, "table")
MEDIATOR = Names(*MODELS_OF)
METHOD = Names("exact", "ww", "iww")
LIMIT_METHOD = Names("poisson", "cls", "feldman-cousins", "bayes")
CALCTYPE = Names("exact", "asymptotics", "toys")
BAND = Names("form-factor", "energy-loss")
FORM_FACTOR = Names("paper", "tsai", "elastic", "helm", "fourier-bessel", files="")
LEPTON = Names("mu", "mu+", "mu-", "e", "tau")
OUT_LEPTON = Names("e", "mu", "tau")
PROCESS = Names("nuclear", "electron", "all")
SPECTRUM = Names("x", "t", "theta", "energy", "cos-theta")
LAYOUT = Names("flat", "particles", "nuhepmc")
LIMIT = LimitName(files=".csv")
