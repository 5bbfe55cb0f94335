"""The figures, tables and quoted numbers of arXiv:1701.07437, computed anew."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mcgen.analysis.reach import reach
from mcgen.base.constants import AVOGADRO
from mcgen.base.extras import data_folder
from mcgen.card.card import Card, parse_card, read_card
from mcgen.physics.boson.couplings import MODELS
from mcgen.physics.boson.muon_g2 import delta_a_mu
from mcgen.physics.boson.scalar_decay import decay_length, total_width
from mcgen.physics.emission.amplitude import reduced_amplitude
from mcgen.physics.matter.materials import ELEMENTS, MATERIALS, nuclei_per_cm3
from mcgen.physics.polarisation import spin_density
from mcgen.physics.signal.kaon import KaonModel, kaon_background
from mcgen.physics.signal.signal_yield import decay_probability, inverse_length_per_momentum
from mcgen.quadrature.polarisation import mean_polarisation
from mcgen.quadrature.xsec import cross_section
from mcgen.quadrature.yields import n_signal, production
from mcgen.search.search import Search
from mcgen.search.signal import signal
from mcgen.source.boson import Boson
from mcgen.source.media import Medium
from mcgen.source.source import Source

M_100 = 0.1  #: the mass of Fig. 4 and of the numbers in the text, GeV


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a figure."""

    panel: str
    label: str
    x: list[float]
    y: list[float]


@dataclass(frozen=True, slots=True)
class Check:
    """A number of ours beside one of the paper or of an independent reference."""

    what: str
    ours: float
    theirs: float
    source: str
    command: str
    comment: str = ""

    @property
    def deviation(self) -> float:
        """ours/theirs - 1."""
        return self.ours / self.theirs - 1.0 if self.theirs else math.nan


def figure_3() -> list[Curve]:
    """Normalised x spectra at 10 and 100 MeV, IWW and exact, for both beams (Fig. 3)."""
    curves = []
    edges = np.linspace(0.0, 1.0, 101)
    for target, E in (("Pb", 160.0), ("W", 3.0)):
        for m_S in (0.01, 0.1):
            for method in ("iww", "exact"):
                result = cross_section(target, E, m_S, method=method, spectrum="x", edges=edges)
                assert result.bins is not None
                density = result.bins / result.value / np.diff(edges)
                label = f"{method}, $m_S$ = {1e3 * m_S:g} MeV"
                centres = 0.5 * (edges[1:] + edges[:-1])
                curves.append(Curve(f"{target}, {E:g} GeV", label, centres.tolist(), density.tolist()))
    return curves


def figure_4() -> list[Curve]:
    """Probability to decay where it counts against g_mu at 100 MeV, models A and B (Fig. 4).

    The paper does not say which energy of S it takes: the average over the spectrum and x = 1/2 at the beam's energy
    stand side by side.
    """
    curves = []
    g_mu = np.geomspace(1e-6, 1.0, 121)
    for name in ("na64", "fermilab"):
        card = read_card(name)
        search = Search.of(card)
        nodes = production(Source(card), M_100, search)
        k_half = math.sqrt((0.5 * card.beam.E_max) ** 2 - M_100**2)
        z_min, z_max = search.along_beam(0.0)
        for model in ("A", "B"):
            widths = [Boson(card, model, M_100).width(g) for g in g_mu.tolist()]
            total = float(nodes.weight.sum())
            average = (signal([nodes], M_100, widths, (1.0, 0.0))[0][:, 0] / total).tolist()
            fixed = [decay_probability(z_min, z_max, inverse_length_per_momentum(w, M_100) / k_half) for w in widths]
            curves.append(Curve(name, f"model {model}, spectrum averaged", g_mu.tolist(), average))
            curves.append(Curve(name, f"model {model}, x = 1/2", g_mu.tolist(), fixed))
    return curves


def _medium(card: Card) -> Medium:
    (layer,) = card.target.layers
    return Medium(layer)


def _density_text(card: Card) -> str:
    name = card.target.material
    from_density = nuclei_per_cm3(MATERIALS[name].density, 1.0, ELEMENTS[name].A)
    return f"{_medium(card).atoms_per_cm3:g} /cm3 ({from_density:.4g} from the density)"


def table_1() -> list[tuple[str, str, str]]:
    """Table I as the cards hold it: (quantity, NA64 type, Fermilab)."""
    na64, fermilab = read_card("na64"), read_card("fermilab")

    def row(what: str, value: Callable[[Card], str]) -> tuple[str, str, str]:
        return what, value(na64), value(fermilab)

    return [
        row("E_beam", lambda c: f"{c.beam.E_max:g} GeV"),
        row("N_mu", lambda c: f"{c.beam.particles_on_target:g}"),
        row("target, L_tg", lambda c: f"{c.target.material}, {c.target.length:g} cm"),
        row("n_atom", _density_text),
        row("dE/dy", lambda c: f"{1e3 * _medium(c).loss:g} MeV/cm"),
        row("L_det", lambda c: f"{c.detector.L_det:g} cm"),
        row("E_min", lambda c: f"{Source(c).E_exit:g} GeV"),
    ]


def reference_folder() -> Path:
    """Folder of the reference numbers, installed or in a checkout."""
    return data_folder("reference", "validation/reference")


def _reference(name: str) -> Any:
    return json.loads((reference_folder() / name).read_text(encoding="utf-8"))


def quoted() -> Iterator[Check]:
    """Numbers of the paper's text."""
    shift = delta_a_mu(5e-4, M_100)
    yield Check(
        "Delta a_mu, g_mu = 5e-4, 100 MeV", shift, 1.6e-9, "Eq. 3, text", "mcgen.physics.boson.muon_g2.delta_a_mu"
    )
    for model, length, unit in (("A", 25.0, "Eq. 10"), ("B", 2000.0, "Eq. 11")):
        width = total_width(MODELS[model](5e-4), M_100, ee_only=model == "A")
        ours = decay_length(3.0, M_100, width)
        comment = "Gamma_ee alone; 24.3 cm with gamma gamma" if model == "A" else ""
        yield Check(f"L_S at 3 GeV, model {model}, cm", ours, length, unit, "mcgen.physics.boson.scalar_decay", comment)
    card, W = read_card("fermilab"), MATERIALS["W"]
    beam = card.beam.particles_on_target, W.density * AVOGADRO, card.beam.E_max
    arguments = (*beam, _medium(card).loss, card.target.length, card.detector.L_det)
    ours = kaon_background(*arguments)
    longer = kaon_background(*arguments, KaonModel(attenuation_cm=9.94))
    comment = f"order of magnitude; {longer:.0f} with the interaction length of 9.94 cm for the collision length"
    yield Check(
        "K_L decays behind the Fermilab target", ours, 1.0, "Eq. 22, O(1)", "mcgen.physics.signal.kaon", comment
    )


#: published edges of the dumps, model A in g_mu, digitised: name, mass in GeV, lower, upper
PUBLISHED_DUMPS = (
    ("E137", 0.01, 4.9e-6, 2.1e-3),
    ("E137", 0.05, 5.4e-6, 3.3e-4),
    ("E137", 0.1, 6.3e-6, 1.4e-4),
    ("E137", 0.2, 8.6e-6, 5.1e-5),
    ("Orsay", 0.005, 1.35e-4, 1.4e-2),
    ("Orsay", 0.02, 1.4e-4, 2.6e-3),
    ("Orsay", 0.05, 2.0e-4, 6.2e-4),
)


def dumps() -> Iterator[Check]:
    """E137 and Orsay beside the published edges."""
    for name, m_S, low, high in PUBLISHED_DUMPS:
        card = read_card(name.lower())
        whole = card.detector.geometry == "paper"
        (point,) = reach(card, ["A"], [m_S])
        for side, ours, theirs in (("lower", point.g_low, low), ("upper", point.g_high, high)):
            seen = "all S accepted, no cut on the angle" if whole else "one daughter in the calorimeter is enough"
            comment = seen if side == "lower" else "set by L_sh/E"
            what = f"{name} {side} edge at {1e3 * m_S:g} MeV"
            yield Check(what, ours or math.nan, theirs, "published, digitised", f"mcgen reach {name.lower()}", comment)


def references() -> Iterator[Check]:
    """The worst number of every reference table."""
    yield _worst("reduced amplitude", _amplitudes(), "me_points.json, 48 digits", "reduced_amplitude")
    for method, key in (("exact", "sigma_g1_pb"), ("iww", "IWW"), ("ww", "WW_A")):
        pairs = []
        for entry in _reference("sigma.json")["entries"]:
            ours = cross_section(entry["target"], entry["E_beam"], entry["m_S"], method=method).value
            pairs.append((ours, entry[key] if method == "exact" else entry[key]["sigma_pb"]))
        yield _worst(f"sigma {method}", pairs, "sigma.json", f"mcgen xsec --method {method}", ", pb")
    table = "vector_decay.json, explicit spinors"
    yield _worst("trace of the spin density of V and A", _spin_densities(), table, "polarisation.spin_density")
    means = "quadrature.polarisation.mean_polarisation"
    yield _worst("longitudinal part of V and A", _polarisations(), "vector_decay.json, quadrature", means)
    yield from _signal_references()


def _worst(what: str, pairs: Iterable[tuple[float, float]], source: str, command: str, unit: str = "") -> Check:
    """The one of (ours, theirs) that differs most."""
    ours, theirs = max(pairs, key=lambda pair: abs(pair[0] / pair[1] - 1.0))
    return Check(f"{what}, worst of the table{unit}", ours, theirs, source, command)


def _amplitudes() -> Iterator[tuple[float, float]]:
    for point in _reference("me_points.json")["points"]:
        if point["category"] != "x_near_xmax":
            numbers = point | point["variables"]
            names = ("E_beam", "m_lepton", "m_S", "M_N", "E_S", "one_minus_cos_theta_S", "t_minus_tmin", "phi_q")
            yield reduced_amplitude(*(float(numbers[name]) for name in names)), float(point["A"])


def _spin_densities() -> Iterator[tuple[float, float]]:
    for row in _reference("vector_decay.json")["points"]["rows"]:
        numbers = row | row["variables"]
        names = ("E_beam", "m_lepton", "m_X", "M_N", "E_X", "one_minus_cos_theta_X", "t_minus_tmin", "phi_q")
        for key, axial in (("T_V", False), ("T_A", True)):
            if row["category"] != "x_near_xmax":
                xx, yy, zz, *_ = spin_density(*[*(numbers[name] for name in names), axial])
                yield xx + yy + zz, row[key]["xx"] + row[key]["yy"] + row[key]["zz"]


def _polarisations() -> Iterator[tuple[float, float]]:
    for row in _reference("vector_decay.json")["average"]:
        found = mean_polarisation(row["target"], row["E_beam"], row["m_X"], mediator=row["mediator"])
        yield found.rho_00, row["rho_00"]


def _signal_references() -> Iterator[Check]:
    table = _reference("nsignal.json")
    cards = {}
    for experiment, name in (("Fermilab", "fermilab"), ("NA64", "na64")):
        text = read_card(name).text
        for width in ("total", "ee_only"):
            cards[experiment, width] = parse_card(text.replace('width = "total"', f'width = "{width}"'))
    pairs = []
    for row in table["N"]:
        card = cards[row["exp"], row["width"]]
        found = n_signal(card, row["model"], row["m_S"], table["g_grid"], row["production"])
        pairs += [(ours.value, theirs) for ours, theirs in zip(found, row["N_S"], strict=True) if theirs > 1e-30]
    yield _worst("N_S", pairs, "nsignal.json, N_S > 1e-30", "mcgen reweight, mcgen.n_signal")
    edges = []
    for row in table["contours"]:
        (point,) = reach(cards[row["exp"], row["width"]], [row["model"]], [row["m_S"]], production=row["production"])
        edges.append(((point.g_low, row["g_low"]), (point.g_high, row["g_up"])))
    for side, pairs in zip(("g_low", "g_high"), zip(*edges, strict=True), strict=True):
        yield _worst(f"contour {side}", pairs, "nsignal.json", "mcgen reach")


#: where the code differs from the paper, and by how much
DEVIATIONS = [tuple(row) for row in csv.reader(Path(__file__).with_name("deviations.csv").read_text().splitlines()[1:])]
