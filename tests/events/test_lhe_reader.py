"""Les Houches files as others write them: valid ones give the same numbers, the rest one line that says why."""

import gzip
import io
import json
import math
import random
import re
import warnings

import numpy as np
import pyhepmc
import pylhe
import pytest
import uproot
from thin_card import CARD

from mcgen import export, load, load_card, reweight, save
from mcgen.base.errors import InputError
from mcgen.card.card import parse_card
from mcgen.cli import main
from mcgen.events.formats.lhe_events import Event, LheStream
from mcgen.events.formats.lhe_process import digits
from mcgen.events.formats.lhe_weights import CrossSectionWarning
from mcgen.generation.library import scatterings
from mcgen.source.boson import Boson
from mcgen.source.source import Source

pytestmark = pytest.mark.filterwarnings("ignore::mcgen.analysis.reweight.LowStatisticsWarning")

EVENTS = 6
E_BEAM, M_S, M_MU = 3.0, 0.1, 0.1056583755
SIGMA, ERROR = 3.26e8, 1e5
G = 1e-4
M = 171.24585696  # W in GeV


@pytest.fixture(scope="module")
def card():
    return parse_card(CARD)


@pytest.fixture(scope="module")
def momenta(card):
    """Lists of (id, status, mothers, px, py, pz, E, m): beam, nucleus, both after, S."""
    (chunk,) = scatterings(Source(card).process(M_S), Source(card).targets[0], E_BEAM, EVENTS, 1)
    found = []
    for i in range(EVENTS):
        four = {name: [float(chunk[f"{name}_{x}"][i]) for x in ("px", "py", "pz", "E")] for name in _NAMES}
        found.append(
            [
                [-13, -1, "0 0", *four["mu_in"], M_MU],
                [9000002, -1, "0 0", 0.0, 0.0, 0.0, M, M],
                [-13, 1, "1 2", *four["mu_out"], M_MU],
                [9000002, 1, "1 2", *four["N_out"], M],
                [9000005, 1, "1 2", *four["S"], M_S],
            ]
        )
    return found


_NAMES = ("mu_in", "mu_out", "N_out", "S")


def _text(events, number="%.10e", weights=None, strategy=-4, rows=((SIGMA, ERROR, SIGMA, 1),), processes=None):
    """An LHE file of events."""
    lines = ['<LesHouchesEvents version="3.0">', "<header>", "</header>", "<init>"]
    lines.append(f"-13 9000002 3.0 171.2459 0 0 0 0 {strategy} {len(rows)}")
    lines += [f"{sigma:.10e} {error:.10e} {most:.10e} {process}" for sigma, error, most, process in rows]
    lines.append("</init>")
    for i, event in enumerate(events):
        weight = SIGMA if weights is None else weights[i]
        process = 1 if processes is None else processes[i]
        lines += ["<event>", f" {len(event)} {process} {weight:.10e} 91.2 0.0078 0.1"]
        for pdg, status, mothers, *numbers in event:
            lines.append(f" {pdg} {status} {mothers} 0 0 {' '.join(number % v for v in numbers)} 0. 9.")
        lines.append("</event>")
    return "\n".join([*lines, "</LesHouchesEvents>", ""])


@pytest.fixture(scope="module")
def plain(momenta):
    return _text(momenta)


def _sigma(path, card):
    """sigma~ in cm^2, and the number of events."""
    result = reweight(load(path, card=card), "B", [G])
    return result.sigma_tilde[0][0].value, result.n_events


@pytest.fixture(scope="module")
def expected(momenta):
    """By hand: g^2 sigma of the events above a third of the energy, S living long enough in model B."""
    return G**2 * SIGMA * 1e-36 * np.mean([event[4][6] > E_BEAM / 3 for event in momenta])


def _written(tmp_path, content, name="events.lhe"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _refused(path, *words, card=None):
    with pytest.raises(InputError) as error:
        load(path, card=card).read()
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    for word in words:
        assert word in message
    return message


def _events(path):
    """Every event word by word, also those that come many at a time."""
    file, found = LheStream(path), []
    for part in file.parts():
        found += (
            [part]
            if isinstance(part, Event)
            else [file.event_of(part.text_of(i), "") for i in range(len(part.numbers))]
        )
    return found


def _in_event(text, extra, before="</event>"):
    return text.replace(before, extra + before)


RWGT = "<rwgt>\n<wgt id='1'> +3.2e+08 </wgt>\n<wgt id='2'>\n -13 1 1 2 0 0 1 1 1 1 1 0 9\n</wgt>\n</rwgt>\n"
MGRWT = "<mgrwt>\n<rscale>  0 0.9E+02</rscale>\n<pdfrwt beam='1'>  0</pdfrwt>\n</mgrwt>\n"

GENERATOR = "<generator name='a' version='1'>cite 1 2 3 4</generator>\ngarbage\n"
INITRWGT = "<initrwgt>\n<weight id='1'> 1 1 1 1 </weight>\n</initrwgt>\n"
SCALES = "<scales pt_clust_1='6.5'></scales>\n<weights> 1 2 </weights>\n"
OLD_HEADER = "<!--\n# old\n<init>\n 1 2 3\n</init> -- <event>\n-->"

#: ways to write the same events
FORMS = {
    "plain": lambda t: t,
    "blank lines": lambda t: t.replace("\n", "\n\n \t\n"),
    "indented": lambda t: "".join(f"\t  {line}\n" for line in t.splitlines()),
    "spaces behind": lambda t: t.replace("\n", "   \n"),
    "CRLF": lambda t: t.replace("\n", "\r\n"),
    "CR": lambda t: t.replace("\n", "\r"),
    "no final newline": lambda t: t.rstrip("\n"),
    "declaration": lambda t: '<?xml version="1.0" encoding="UTF-8"?>\n' + t,
    "declaration in the same line": lambda t: '<?xml version="1.0"?>' + t,
    "BOM": lambda t: b"\xef\xbb\xbf" + t.encode(),
    "UTF-16": lambda t: t.encode("utf-16"),
    "doctype": lambda t: '<!DOCTYPE a [\n<!ENTITY b "c">\n]>\n' + t,
    "blank first line": lambda t: "\n\n" + t,
    "Latin-1 in the header": lambda t: t.encode().replace(b"<header>\n", b"<header>\n# Jos\xe9 \xff\xfe <init>\n"),
    "Latin-1 in an event": lambda t: t.encode().replace(b"</event>", b"# \xe9\xa0\x85\n</event>"),
    "initrwgt in the header": lambda t: t.replace("</header>", INITRWGT + "</header>"),
    "initrwgt in init": lambda t: t.replace("</init>", INITRWGT + "</init>"),
    "header of anything": lambda t: t.replace(
        "</header>", "<init>\n<event>\n a < b > c & d <x\n<![CDATA[ </header> <event> ]]>\n<!-- </header> --></header>"
    ),
    "header in a comment": lambda t: t.replace("<header>\n</header>", OLD_HEADER),
    "no header": lambda t: t.replace("<header>\n</header>\n", ""),
    "empty header": lambda t: t.replace("<header>\n</header>", "<header/>"),
    "attributes": lambda t: (
        t.replace("<event>", "<event npLO='-1' npNLO=\"a>b\">").replace("<init>", "<init a = '1' >")
    ),
    "space in tags": lambda t: t.replace("</event>", "</event >").replace("<event>", "<event >"),
    "a tag over lines": lambda t: t.replace('version="3.0">', 'version="3.0"\n  xmlns:a="http://a.b/c"\n>'),
    "tags and text in a line": lambda t: (
        t.replace("<event>\n", "<event>").replace("\n</event>\n<event>", "</event><event>")
    ),
    "init in a line": lambda t: t.replace("<header>\n</header>\n<init>\n", "<header></header><init>"),
    "generator in init": lambda t: t.replace("</init>", GENERATOR + "</init>"),
    "generator first": lambda t: t.replace("<init>\n", "<init>\n<generator name='a'/>\n"),
    "rwgt": lambda t: _in_event(t, RWGT),
    "rwgt before the particles": lambda t: t.replace("<event>\n", "<event>\n" + RWGT),
    "mgrwt, scales, weights": lambda t: _in_event(t, MGRWT + SCALES),
    "open scales": lambda t: _in_event(t, "<scales muf='1'>\n"),
    "eventgroup": lambda t: (
        t.replace("<event>", "<eventgroup>\n<event>").replace("</event>", "</event>\n</eventgroup>")
    ),
    "comments": lambda t: _in_event(t, "# event 1 passed the filter\n#aMCatNLO 2 5 3\n#<event> </event> <init\n"),
    "comments between": lambda t: t.replace("<event>", "# <event>\n#</LesHouchesEvents>\n<event>"),
    "comments first": lambda t: (
        t.replace("<event>\n", "<event>\n# 5 1 1 1 1 1\n").replace("<init>\n", "<init>\n# 1 2\n")
    ),
    "comments behind": lambda t: t.replace(" 0. 9.\n", " 0. 9. # a <particle>\n"),
    "comment over lines": lambda t: _in_event(t, "<!-- 5 1\n</event>\n<event> -->\n"),
    "comment in a line": lambda t: t.replace(" 0. 9.\n", " <!-- </event> --> 0. 9.\n"),
    "a text between": lambda t: t.replace("<event>", "something 1 2 3\n<event>"),
    "optional line": lambda t: _in_event(t, " 1.0 2.0 3.0\n"),
    "Fortran": lambda t: re.sub(r"(\d)e([+-]\d\d)", r"\1D\2", t),
    "Fortran without letter": lambda t: re.sub(r"(\d)e([+-]\d\d)", r"\g<1>\g<2>", t),
    "plus signs": lambda t: re.sub(r" (\d\.\d{10}e)", r" +\1", t).replace("9000005", "+9000005"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms(plain, card, expected, tmp_path, form):
    """Every way to write the events gives the same sigma~; fails if a line more or a tag alike is taken for events."""
    path = _written(tmp_path, FORMS[form](plain))
    assert path.read_bytes() != plain.encode() or form == "plain"
    sigma, n = _sigma(path, card)
    assert n == EVENTS
    assert sigma == pytest.approx(_sigma(_written(tmp_path, plain, "plain"), card)[0], rel=1e-12)
    assert sigma == pytest.approx(expected, rel=1e-2)  # the decays of model B


#: ways to list the particles of the process
PARTICLES = {
    "mothers 2 1": lambda e: [[*p[:2], p[2].replace("1 2", "2 1"), *p[3:]] for p in e],
    "mothers 0 0": lambda e: [[*p[:2], "0 0", *p[3:]] for p in e],
    "mothers 1 1": lambda e: [[*p[:2], p[2].replace("1 2", "1 1"), *p[3:]] for p in e],
    "mothers 2 0": lambda e: [[*p[:2], p[2].replace("1 2", "2 0"), *p[3:]] for p in e],
    "mothers beyond": lambda e: [[*p[:2], p[2].replace("1 2", "1 9"), *p[3:]] for p in e],
    "nucleus first": lambda e: [e[1], e[0], *e[2:]],
    "another order": lambda e: [e[0], e[1], e[4], e[3], e[2]],
    "after first": lambda e: [*([*p[:2], p[2].replace("1 2", "4 5"), *p[3:]] for p in e[2:]), e[0], e[1]],
    "beams": lambda e: [[-13, -9, "0 0", *e[0][3:]], [9000002, -9, "0 0", *e[1][3:]],
                        *([*p[:2], "1 2" if p[1] < 0 else "3 4", *p[3:]] for p in e)],
    "decayed S": lambda e: [*e[:4], _status(e[4], 2), *_daughters(e[4], "5 5")],
    "decayed S, one mother": lambda e: [*e[:4], _status(e[4], 2), *_daughters(e[4], "5 0")],
    "decayed S of status 1": lambda e: [*e, *_daughters(e[4], "5 5")],
    "decayed S, no mothers": lambda e: [[*p[:2], "0 0", *p[3:]] for p in
                                        [*e[:4], _status(e[4], 2), *_daughters(e[4], "0 0")]],
    "decayed to muons, no mothers": lambda e: [[*p[:2], "0 0", *p[3:]] for p in
                                               [*e[:2], *_daughters(e[4], "0 0", -13), *e[2:4], _status(e[4], 2)]],
    "radiation": lambda e: [*e[:2], _status(e[2], 2), *e[3:],
                            [-13, 1, "3 3", *(0.9 * v for v in e[2][3:7]), M_MU],
                            [22, 1, "3 3", *(0.1 * v for v in e[2][3:7]), 0.0]],
    "exchanged photon": lambda e: [*e[:2], [22, -2, "1 2", 0.0, 0.0, 0.01, 0.0, 0.0], *e[2:]],
}  # fmt: skip


def _status(particle, status):
    return [particle[0], status, *particle[2:]]


def _daughters(S, mothers, pdg=11):
    half = [0.5 * value for value in S[3:7]]
    return [[pdg, 1, mothers, *half, 0.000511], [-pdg, 1, mothers, *half, 0.000511]]


@pytest.mark.parametrize("form", PARTICLES)
def test_particles(momenta, plain, card, tmp_path, form):
    """Mothers, order, daughters and photons do not matter; fails if a daughter is taken for the scattered muon."""
    path = _written(tmp_path, _text([PARTICLES[form](event) for event in momenta]))
    assert _sigma(path, card) == pytest.approx(_sigma(_written(tmp_path, plain, "plain"), card), rel=1e-12)
    columns, same = (load(p, card=card).read().columns for p in (path, tmp_path / "plain"))
    for name in ("mu_out_px", "S_E", "N_out_pz"):
        np.testing.assert_array_equal(columns[name], same[name])


@pytest.mark.parametrize(
    "number", [f"%.{n}e" for n in (5, 6, 7, 8, 10, 16)] + ["%.6f", "%.8f", "%.12f", "%.6g", "%.9g", "%.17g", "%r"]
)
def test_printed_digits(momenta, card, expected, tmp_path, number):
    """Files of 6 to 17 digits are read, also where all energies are off by one of the last; fails for one constant."""
    text = _text(momenta, number)
    path = _written(tmp_path, text)
    result = reweight(load(path, card=card), "B", [G])
    assert result.E_mu == [E_BEAM]  # that of the card
    assert result.sigma_tilde[0][0].value == pytest.approx(expected, rel=1e-2)
    places = int(re.sub(r"\D", "", number) or 15)
    last = 10.0 ** -{"e": places, "f": places, "g": places - 1, "r": places}[number[-1]]
    for off in (-1, 1):
        shifted = [[[*e[0][:6], E_BEAM + off * max(last, 1e-15), M_MU], *e[1:]] for e in momenta]
        assert shifted[0][0][6] != E_BEAM
        result = reweight(load(_written(tmp_path, _text(shifted, number)), card=card), "B", [G])
        assert result.E_mu == [E_BEAM]
        assert result.sigma_tilde[0][0].value == pytest.approx(expected, rel=1e-2)


def test_digits():
    """The place of the last digit as one counts it by hand; fails if an exponent or a leading zero is counted."""
    for cell, number, last in (
        ("3.00e+00", 3, 0.01), ("-0.0050", 2, 1e-4), ("1.5D-03", 2, 1e-4), ("171.2459", 7, 1e-4), ("0", 0, 1.0),
        ("2.5-10", 2, 1e-11), ("0.1E+02", 1, 10.0), ("7", 1, 1.0),
    ):  # fmt: skip
        assert digits(cell).number == number, cell
        assert digits(cell).last == pytest.approx(last), cell


def _with_masses(momenta, masses, column=None):
    """Events in which S has other masses; the scattered muon takes what this changes of the energy by its momentum."""
    changed = []
    for event, m in zip(momenta, masses, strict=True):
        S = list(event[4])
        p2 = sum(v * v for v in S[3:6])
        scale = math.sqrt((S[6] ** 2 - m * m) / p2)
        new = [v * scale for v in S[3:6]]
        N = [n + v - w for n, v, w in zip(event[3][3:6], S[3:6], new, strict=True)]
        E_N = math.sqrt(sum(v * v for v in N) + M * M)
        changed.append([*event[:3], [*event[3][:3], *N, E_N, M], [*S[:3], *new, S[6], column or m]])
    return changed


@pytest.mark.parametrize("column", [None, M_S])
def test_width(momenta, card, tmp_path, column):
    """S with a width: each event decays with its own mass, also where the lines hold the nominal one.

    Reference: sum over events of the probability to leave target and detector, with p/m of each. Fails if all events
    take one mass, or the momentum alone is put in.
    """
    masses = [0.1, 0.1031, 0.0967, 0.1005, 0.1017, 0.0989]
    events = _with_masses(momenta, masses, column)
    path = _written(tmp_path, _text(events, "%.12e"))
    file = load(path, card=card)
    assert file.metadata["mass_range_gev"] == pytest.approx([0.0967, 0.1031], rel=1e-5)
    columns = file.read().columns
    assert columns["S_mass"] == pytest.approx(masses, rel=1e-5)
    for g in (G, 1e-3, 2e-3):
        width, total = Boson(card, "B", M_S).width(g), 0.0
        for event, m, depth in zip(events, masses, columns["depth_cm"], strict=True):
            if event[4][6] > E_BEAM / 3:
                length = math.hypot(*event[4][3:6]) / m * 1.973269804e-14 / width
                total += math.exp(-(1.0 + 100.0 - depth) / length) * SIGMA / EVENTS
        (found,) = reweight(file, "B", [g]).sigma_tilde
        assert found[0].value == pytest.approx(g * g * total * 1e-36, rel=2e-5)
    with pytest.raises(InputError, match=r"width.*0\.0967.*0\.1031"):
        reweight(file, "B", [G], mediator="vector")
    shape = '"displaced"\ngeometry = "3d"\nradius = "1 m"'
    with pytest.raises(InputError, match=r"daughters.*width.*0\.0967.*0\.1031"):
        reweight(load(path, card=parse_card(CARD.replace('"missing-energy"', shape))), "B", [G])
    reweight(file, "B", [G], form_factor="helm")  # depends on t alone
    with pytest.raises(InputError, match=r"width.*0\.0967.*0\.1031"):
        export(file, tmp_path / "out.root")
    assert not (tmp_path / "out.root").exists()


def test_width_that_is_rounding(momenta, card, tmp_path):
    """Masses that differ by printing are one mass; two bosons in a file are refused; fails if either is a width."""
    path = _written(tmp_path, _text(_with_masses(momenta, [M_S * (1 + 5e-7 * (-1) ** i) for i in range(EVENTS)])))
    assert "S_mass" not in load(path, card=card).branches
    masses = [0.1, 0.2, 0.1, 0.2, 0.1, 0.2]
    _refused(_written(tmp_path, _text(_with_masses(momenta, masses))), "0.1", "0.2", "several bosons", card=card)


def _boosted(event, gamma_beta, turned=1.0):
    """The event in a frame that moves along z; turned = -1 looks from the other side."""
    gamma = math.hypot(1.0, gamma_beta)
    return [
        [*p[:3], p[3], p[4], turned * (gamma * p[5] + gamma_beta * p[6]), gamma * p[6] + gamma_beta * p[5], p[7]]
        for p in event
    ]


def test_frames(momenta, card, tmp_path):
    """Other frames are refused with what they are; fails if sigma~ comes out, at the energy in that frame."""
    p = math.sqrt(E_BEAM**2 - M_MU**2)
    W = math.sqrt((E_BEAM + M) ** 2 - p * p)
    for gamma_beta, turned, words in (
        (0.0, -1.0, "along -z"),
        (-p / W, 1.0, "centre-of-mass frame"),
        (-p / W, -1.0, "centre-of-mass frame"),
        (-p / M_MU, 1.0, "lepton is at rest"),
        (0.01, 1.0, "nucleus moves with p_z = 1.712"),
    ):
        path = _written(tmp_path, _text([_boosted(event, gamma_beta, turned) for event in momenta], "%.16e"))
        load(_written(tmp_path, _text(momenta, "%.16e"), "same"), card=card)
        # an energy that the card lacks must not hide the frame
        _refused(path, "event 1", words, "expected: the nucleus at rest and the beam along +z", card=card)
    inclined = [[[*q[:3], q[5], q[3], q[4], *q[6:]] for q in event] for event in momenta]
    _refused(_written(tmp_path, _text(inclined)), "at an angle", "+z", card=card)


def test_several_energies(momenta, card, tmp_path):
    """An energy that the beam of the card never has is refused; fails if the first one stands for all."""
    (chunk,) = scatterings(Source(card).process(M_S), Source(card).targets[0], 2.0, 1, 5)
    other = [list(p) for p in momenta[0]]
    for row, name in ((0, "mu_in"), (2, "mu_out"), (3, "N_out"), (4, "S")):
        other[row][3:7] = [float(chunk[f"{name}_{x}"][0]) for x in ("px", "py", "pz", "E")]
    path = _written(tmp_path, _text([*momenta[:3], other]))
    _refused(path, "event 4: energy 2 GeV is not in the card's target (3 to 3 GeV)", card=card)


#: file -> (events, particles, process): what other generators write, in short
OTHERS = {
    "ttbar": (
        "2212 -2212 9.8E+02 9.8E+02 0 0 7 7 3 2\n5.2 0.5 1.0 81\n0.2 0.1 1.0 82",
        [[(2, -1, "0 0"), (-2, -1, "0 0"), (6, 2, "1 2"), (-6, 2, "1 2"), (24, 2, "3 3"), (5, 1, "3 3"),
          (-24, 2, "4 4"), (-5, 1, "4 4")]] * 3,
        "2212 -2212 -> 6 -6 (first event, from 2 -2)",
    ),
    "jets": (
        "2212 2212 6.5e3 6.5e3 0 0 247000 247000 -4 1\n6.9e8 4.2e6 6.9e8 1",
        [[(21, -1, "0 0"), (21, -1, "0 0"), (21, 1, "1 2"), (21, 1, "1 2")],
         [(1, -1, "0 0"), (2, -1, "0 0"), (1, 1, "1 2"), (2, 1, "1 2"), (21, 1, "1 2")]],
        "2212 2212 -> 21 21 (first event, from 21 21)",
    ),
    "unknown cross section": (
        "2212 2212 6.5e3 6.5e3 -1 -1 -1 -1 -4 1\n-1.0 -1.0 1.0 10001",
        [[(2, -1, "0 0"), (2, -1, "0 0"), (2, 1, "1 2"), (2, 1, "1 2"), (22, 1, "1 2")]],
        "2212 2212 -> 2 2 22 (first event, from 2 2)",
    ),
    "pair production": (
        "-11 11 250. 250. -1 -1 -1 -1 3 1\n7.19 0.0025 1.0 1",
        [[(-11, -1, "0 0"), (11, -1, "0 0"), (24, 1, "1 2"), (-24, 1, "1 2")]] * 2,
        "-11 11 -> 24 -24 (first event)",
    ),
    "final states alone": (
        "1 2 1.23 2.34 3 4 5 6 7 8",
        [[(211, 0, "0 0"), (2212, 0, "0 0")], [(111, 0, "0 0")]],
        "1 2 -> 211 2212 (first event)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_processes(card, tmp_path, name):
    """Events and particles as pylhe counts them, and their process in the refusal; fails if one is lost or misnamed."""
    init, events, process = OTHERS[name]
    lines = ['<LesHouchesEvents version="3.0">', "<header>\n<x>\n1\n</x>\n</header>", "<init>", init, "</init>"]
    rng = random.Random(name)
    for event in events:
        lines += ["<event npLO='1'>", f"{len(event)} 1 {rng.uniform(1, 9):.7e} 91. 0.0078 0.1"]
        for pdg, status, mothers in event:
            momentum = " ".join(f"{rng.gauss(0, 50):.10e}" for _ in range(5))
            lines.append(f"{pdg} {status} {mothers} 501 0 {momentum} 0. 9.")
        lines += ["#pdf 1 2 3", "<rwgt>\n<wgt id='1'> 1.0 </wgt>\n</rwgt>", "</event>"]
    path = _written(tmp_path, "\n".join([*lines, "</LesHouchesEvents>", ""]))
    mine, theirs = _events(path), list(pylhe.LHEFile.fromfile(path).events)
    assert len(mine) == len(theirs) == len(events)
    for one, two in zip(mine, theirs, strict=True):
        assert (one.process, one.weight) == (two.eventinfo.pid, two.eventinfo.weight)
        assert [(p.pdg, p.status, p.mothers, p.p, p.mass) for p in one.particles] == [
            (p.id, p.status, (p.mother1, p.mother2), [p.px, p.py, p.pz, p.e], p.m) for p in two.particles
        ]
    message = _refused(path, f"holds {process}", "lepton N -> lepton N S", card=card)
    assert "damaged" not in message


STATED = ((SIGMA, ERROR, SIGMA, 1),)
WEIGHTED = [1.0, 2.0, 3.0, 0.5, 1.5, 4.0]


@pytest.mark.parametrize(
    ("strategy", "rows", "weights", "sigma"),
    [
        (3, STATED, [1.0] * 6, SIGMA),
        (-3, STATED, [1.0, -1.0, 1.0, 1.0, 1.0, 1.0], SIGMA),
        (3, STATED, [SIGMA / 6] * 6, SIGMA),  # events that add up to it
        (-4, STATED, [SIGMA / 20_000] * 6, SIGMA),  # some of those
        (-4, STATED, [w * SIGMA / 2 for w in WEIGHTED], SIGMA),
        (4, STATED, [w * SIGMA / 2 for w in WEIGHTED], SIGMA),
        (-4, ((-1.0, -1.0, 1.0, 1),), [w * SIGMA / 2 for w in WEIGHTED], SIGMA),  # not known: the mean weight
        (-4, ((0.0, 0.0, 0.0, 1),), [SIGMA] * 6, SIGMA),
        (1, ((0.0, 0.0, SIGMA, 1),), [w * SIGMA / 2 for w in WEIGHTED], SIGMA),
        (-1, ((-1.0, 0.0, SIGMA, 1),), [w * SIGMA / 2 * (-1) ** (w == 0.5) for w in WEIGHTED], SIGMA * 11 / 12),
        (2, STATED, WEIGHTED, SIGMA),  # relative
        (-2, STATED, [-w if w == 0.5 else w for w in WEIGHTED], SIGMA),
    ],
)
def test_strategies(momenta, card, tmp_path, strategy, rows, weights, sigma):
    """The sum of the weights is the cross section of every strategy, in proportion; fails if XWGTUP is taken as is."""
    path = _written(tmp_path, _text(momenta, weights=weights, strategy=strategy, rows=rows))
    file = load(path, card=card)
    found = file.read().columns["weight"]
    assert found.sum() == pytest.approx(sigma, rel=1e-9)
    assert found / found[0] == pytest.approx(np.array(weights) / weights[0], rel=1e-9)
    assert file.metadata["norm_relative_error"] == pytest.approx(ERROR / SIGMA if rows == STATED else 0.0)
    assert file.metadata["sigma_pb"] == pytest.approx(sigma, rel=1e-9)


def test_strategy_of_processes(momenta, card, tmp_path):
    """With strategies 1 and 2 each process has its own cross section, however many of its events there are.

    Fails if the first, of two thirds of the events, gets two thirds of the cross section.
    """
    rows = ((1e8, 3e5, 1.0, 7), (2e8, 4e5, 1.0, 8))
    for strategy in (2, -2, -1):
        path = _written(
            tmp_path, _text(momenta, weights=[1.0] * 6, strategy=strategy, rows=rows, processes=[7, 7, 8, 7, 8, 7])
        )
        file = load(path, card=card)
        assert file.read().columns["weight"] == pytest.approx(np.array([1, 1, 4, 1, 4, 1]) * 1e8 / 4, rel=1e-12)
        assert file.metadata["norm_relative_error"] == pytest.approx(5e5 / 3e8)
    _refused(_written(tmp_path, _text(momenta, strategy=2, rows=rows)), "process 1", "<init>", card=card)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strategy": 3, "rows": ((0.0, 0.0, 1.0, 1),)}, ("not positive", "IDWTUP 3")),
        ({"strategy": -3, "rows": ((-1.0, 0.0, 1.0, 1),)}, ("not positive",)),
        ({"strategy": 3, "weights": [1.0, 1.0, -1.0, 1.0, 1.0, 1.0]}, ("event 3", "negative", "IDWTUP 3")),
        ({"strategy": -3, "weights": [-1.0] * 6}, ("not positive",)),
        ({"strategy": 7}, ("IDWTUP is 7",)),
        ({"strategy": 3, "rows": ((1.0, 1.0, 1.0, 1),), "weights": [675.0] * 6}, ("placeholder",)),
    ],
)
def test_refuse_weights(momenta, card, tmp_path, options, words):
    """Weights that say no cross section are refused; fails if a sign or a placeholder goes into a number."""
    _refused(_written(tmp_path, _text(momenta, **options)), *words, card=card)


def test_weights_against_init(momenta, card, tmp_path):
    """Weights in pb of another mean than <init> says are told; fails if a factor of 100 goes unseen."""
    path = _written(tmp_path, _text(momenta, weights=[100.0 * SIGMA] * 6))
    with pytest.warns(CrossSectionWarning, match=r"mean of 3\.26e\+10 pb and <init> says 3\.26e\+08 pb"):
        load(path, card=card)


@pytest.mark.parametrize(
    "name", ["EVENTS.LHE", "EVENTS.LHE.GZ", "events", "events.root", "events.txt", "events.parquet", "events.zst"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_known_by_first_bytes(plain, card, tmp_path, name, packed):
    """The name of a file does not matter; fails if an ending is looked at."""
    content = plain.encode()
    path = _written(tmp_path, gzip.compress(content) if packed else content, name)
    assert _sigma(path, card)[1] == EVENTS


def test_known_by_first_bytes_of_others(plain, card, tmp_path):
    """What a file is instead is said, and damage of damaged files only; fails if a text is called damaged."""
    packed = gzip.compress(plain.encode())
    for content, words in (
        (b"", "empty"), (b" \n", "empty"), (b"%PDF-1.4", "PDF"),
        (b"\x00\x01" * 9, "binary"),
        (b"hello\n", "text"), (b"<html>\n</html>", "<html> stands where <LesHouchesEvents>"), (b"BZh91AY", "bzip2"),
        (gzip.compress(b"PAR1" + bytes(99)), "packed Parquet"), (b"<LesHouchesEvents>\n<event>\n", "no <init>"),
    ):  # fmt: skip
        message = _refused(_written(tmp_path, content, "events.lhe"), words, card=card)
        assert "damaged" not in message
    for content in (packed[:-200], packed[:15], packed[:-4], plain.encode()[:-30], plain.encode()[:900]):
        _refused(_written(tmp_path, content), "damaged or cut short", card=card)


def test_every_ending(tmp_path):
    """A folder and the other formats too are known in capital letters; fails if .ROOT is no ROOT file."""
    from mcgen import generate

    made = generate(load_card("fermilab"), 0.1, 50, output=tmp_path / "a.root")
    for name, copy in (("a.parquet", "B.PARQUET"), ("a.lhe.gz", "C.LHE.GZ"), ("a.lhe.zst", "D.ZST")):
        path = tmp_path / copy
        path.write_bytes(export(made, tmp_path / name).read_bytes())
        assert load(path).content_sha256() == made.metadata["content_sha256"]
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "A.ROOT").write_bytes(made.path.read_bytes())
    assert len(load(folder)) == 50


def test_comment_wins(tmp_path):
    """A weight in the comment of mcgen's own file is exact, XWGTUP is for others; fails if the latter is taken."""
    from mcgen import generate

    made = generate(load_card("fermilab"), 0.1, 50, output=tmp_path / "a.root")
    path = export(made, tmp_path / "a.lhe")
    text = re.sub(r"(?m)^( 5 1) \S+", r"\1 7.5", path.read_text())
    text = _in_event(text, "# event 1 passed the filter\n" + RWGT)
    assert load(_written(tmp_path, text)).content_sha256() == made.metadata["content_sha256"]


@pytest.fixture(scope="module")
def weighted(momenta):
    """Events of different weights."""
    return _text(momenta, weights=[w * SIGMA / 2 for w in WEIGHTED])


@pytest.mark.parametrize("ending", ["root", "parquet", "lhe.gz", "lhe", "particles", "ntuple"])
def test_export_reads_back(weighted, card, tmp_path, ending):
    """Exported events of another generator hold their card and give the same sigma~; fails if a weight changes."""
    source = load(_written(tmp_path, weighted), card=card)
    kinds = {"particles": {"layout": "particles"}, "ntuple": {"layout": "particles", "rntuple": True}}
    name = "out.root" if ending in kinds else f"out.{ending}"
    made = load(export(source, tmp_path / name, **kinds.get(ending, {})))
    assert reweight(made, "B", [G, 1e-3]) == reweight(source, "B", [G, 1e-3])
    assert made.content_sha256() == made.metadata["content_sha256"]
    assert made.metadata["boson_pdg"] == 9000005
    again = load(export(made, tmp_path / "again.lhe"))
    assert again.content_sha256() == made.metadata["content_sha256"]
    with pytest.raises(InputError, match="card of its own"):
        load(made.path, card=card)


def test_export_for_others(weighted, plain, momenta, card, tmp_path):
    """By the standard fields alone: cross section, its error, weights, ids, energy and momentum of every format.

    Fails for a yield in place of pb, or a nucleus of the card's mass beside one of the file's.
    """
    heavier = weighted.replace("1.7124585696e+02 0. 9.", "1.7124600000e+02 0. 9.").replace(
        "1.7124585696e+02", "1.7124600000e+02"
    )
    heavier = re.sub(
        r"1\.712458(\d{4})e\+02 1\.7124600000",
        lambda m: f"{171.2458 + float(m[1]) * 1e-8 + 1.4304e-4:.10e} 1.7124600000",
        heavier,
    )
    for text in (weighted, heavier):
        file = load(_written(tmp_path, text), card=card)
        lhe = pylhe.LHEFile.fromfile(export(file, tmp_path / "out.lhe", overwrite=True))
        events = list(lhe.events)
        assert np.mean([e.eventinfo.weight for e in events]) == pytest.approx(SIGMA, rel=1e-9)
        (process,) = lhe.init.procInfo
        assert (process.xSection, process.unitWeight) == pytest.approx((SIGMA, 2 * SIGMA), rel=1e-9)
        assert 0.0 < process.error < SIGMA
        assert lhe.init.initInfo.energyA == E_BEAM
        for event in events:
            p = event.particles
            assert [q.id for q in p] == [-13, 1000741840, -13, 1000741840, 9000005]
            for part in ("px", "py", "pz", "e"):
                before, after = (sum(getattr(q, part) for q in side) for side in (p[:2], p[2:]))
                assert abs(before - after) < 1e-8
        with pyhepmc.open(str(export(file, tmp_path / "out.hepmc3", overwrite=True))) as stream:
            records = list(stream)
        assert [e.weights[0] for e in records] == pytest.approx([w * SIGMA / 12 for w in WEIGHTED], rel=1e-9)
        assert records[0].cross_section.xsec() == pytest.approx(SIGMA, rel=1e-8)
        about = {name: str(value) for name, value in records[0].run_info.attributes.items()}
        assert about["weight_unit"] == "pb at g_mu = 1"
        assert "beam_particles" not in about
    with uproot.open(export(file, tmp_path / "out.root")) as root:
        assert root["events"]["weight"].array().to_numpy().sum() == pytest.approx(SIGMA, rel=1e-9)
        assert "pb" in json.loads(str(root["metadata"]))["weight_convention"]
    with pytest.raises(InputError, match="weights differ"):
        export(file, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    even = load(_written(tmp_path, plain), card=card)
    table = np.loadtxt(export(even, tmp_path / "out.csv"), delimiter=",", skiprows=1)
    assert table[:, 2] == pytest.approx([event[2][6] for event in momenta], rel=1e-9)
    with pytest.raises(InputError, match="no lifetimes"):
        export(even, tmp_path / "out.lhe", force_decay=True)
    assert len(save(even, tmp_path / "saved.root")) == EVENTS


def test_the_beam_keeps_its_charge(plain, card, tmp_path):
    """Events of mu- for a card of mu+ are cross sections of either, and exported they are mu- as before.

    Fails where the number of the card is written.
    """
    assert card.beam.particle == "mu+"
    file = load(_written(tmp_path, re.sub(r"(?m)^( *)-13 ", r"\g<1>13 ", plain)), card=card)
    for name in ("one.root", "two.lhe", "three.parquet", "four.lhe"):
        file = load(export(file, tmp_path / name))
    lhe = pylhe.LHEFile.fromfile(tmp_path / "four.lhe")
    assert lhe.init.initInfo.beamA == 13
    assert all([p.id for p in event.particles][::2][:2] == [13, 13] for event in lhe.events)
    with pyhepmc.open(str(export(file, tmp_path / "out.hepmc3"))) as stream:
        assert all([p.pid for p in record.particles][::2][:2] == [13, 13] for record in stream)
    with uproot.open(export(file, tmp_path / "nano.root", layout="particles")) as root:
        assert root["Events"]["Particle_pdgId"].array()[:, [0, 2]].to_numpy().tolist() == [[13, 13]] * EVENTS


def test_commands(plain, tmp_path, capsys):
    """Each command takes the events with --card, or says which one does; fails if an advice cannot be followed."""
    path, card = _written(tmp_path, plain), _written(tmp_path, CARD, "thin.toml")
    out = str(tmp_path / "x.root")
    for command in (
        ["info", str(path)], ["merge", str(path), "-o", out], ["rerun", str(path)], ["reach", "--events", str(path)],
        ["reweight", str(path)], ["export", str(path), "-o", out],
    ):  # fmt: skip
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        for advised in re.findall(r"`(?:mcgen )?(\w+)`", line):
            assert main([advised, "--help"]) == 0
            assert "--card" in capsys.readouterr().out
        assert "--card" in line
    assert main(["export", str(path), "-o", out, "--card", str(card)]) == 0
    assert main(["info", out, "--verify"]) == 0
    assert "6 events" not in capsys.readouterr().err
    assert main(["reweight", out, "--g-mu", "1e-4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sigma_tilde"][0]["energy_gev"] == E_BEAM
    for command, words in (
        (["merge", out, "-o", str(tmp_path / "y.root")], "pooled"),
        (["rerun", out], "made again"),
        (["reach", "--events", out], "no N_S"),
        (["reweight", str(path), out, "--card", str(card)], "card of its own"),
        (["reweight", out, "--card", str(card)], "card of its own"),
    ):
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line
    assert not (tmp_path / "y.root").exists()


def _result(path, card):
    """sigma~ or nothing if the file is refused; any other error comes through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CrossSectionWarning)
        try:
            return _sigma(path, card)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017
            return None


def test_cut_anywhere(plain, card, tmp_path):
    """A file cut at any place is refused, or whole but for spaces; fails if fewer events come out."""
    whole = _sigma(_written(tmp_path, plain), card)
    for form in (FORMS["rwgt"](plain), FORMS["comments"](plain), FORMS["tags and text in a line"](plain)):
        for end in range(0, len(form), 53):
            found = _result(_written(tmp_path, form[:end]), card)
            assert found is None, end
        assert _result(_written(tmp_path, form.rstrip()), card) == pytest.approx(whole, rel=1e-12)
    packed = gzip.compress(plain.encode())
    for end in range(0, len(packed), 29):
        assert _result(_written(tmp_path, packed[:end]), card) is None


def test_changed_lines(plain, card, tmp_path):
    """A line twice, or missing, is refused or changes nothing; fails if an event or a process counts twice."""
    whole = _sigma(_written(tmp_path, plain), card)
    lines = FORMS["rwgt"](plain).splitlines(keepends=True)
    kept = 0
    for i, line in enumerate(lines):
        for changed in ([*lines[:i], line, *lines[i:]], [*lines[:i], *lines[i + 1 :]]):
            found = _result(_written(tmp_path, "".join(changed)), card)
            assert found is None or found == pytest.approx(whole, rel=1e-9), line
            kept += found is not None
    assert kept > 10
    last = next(line for line in lines if "9000005" in line)
    _refused(_written(tmp_path, _in_event(plain, last)), "event 1", "more particles than the 5", card=card)
    twice = plain.replace("<event>", "<event>" + "\n# x" * 10)
    _refused(_written(tmp_path, twice + plain), "two files", card=card)


def test_random_bytes(plain, card, tmp_path):
    """Random bytes are refused, or too far behind the point to matter, or in what is not checked: XWGTUP and XSECUP.

    Fails with a traceback, or if a momentum that is off by more than its check allows goes into the result.
    """
    whole, n = _sigma(_written(tmp_path, plain), card)
    rng = random.Random(3)
    free = [i for m in re.finditer(r"(?m)^ 5 1 .*$|^3\.26.*$|^-13 9000002.*$", plain) for i in range(*m.span())]
    refused = 0
    for _ in range(400):
        data = bytearray(plain.encode())
        places = [i for i in (rng.randrange(len(data)) for _ in range(rng.choice((1, 1, 4)))) if i not in free]
        for place in places:
            data[place] = rng.choice((rng.randrange(256), ord("0") + rng.randrange(10), ord("<"), ord(" "), ord("#")))
        found = _result(_written(tmp_path, bytes(data)), card)
        refused += found is None
        assert found is None or found == pytest.approx((whole, n), rel=1e-4)
    assert refused > 50


def test_memory_is_bounded(tmp_path, card, momenta):
    """A line of comments, of weights or of a number without end is refused or cut; fails if lines pile up."""
    import tracemalloc

    start, end = _text(momenta[:1]).split("</event>")
    for filling in (
        "# event 1 passed\n" * 20,
        "1 2 3\n" * 20,
        "<a>" * 20,
        "<wgt id='1'> 1.0 </wgt>\n" * 10,
        "# " + "x" * 400,
    ):
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as stream:
            stream.write(start.encode())
            for _ in range(2_000):
                stream.write(filling.encode())
            stream.write(b"\n</event>" + end.encode())
        path = _written(tmp_path, buffer.getvalue())
        tracemalloc.start()
        _result(path, card)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20e6, filling[:20]
