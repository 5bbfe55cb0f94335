"""What a card and a result rest on: expected keys are written by hand."""

import ast
import json
import re
from pathlib import Path

import pytest
from pybtex.database import parse_string

import mcgen
from mcgen import load_card
from mcgen.analysis.citing import Made, cited, text_of
from mcgen.analysis.constraints.records import records
from mcgen.base.references import PAPER, PROGRAM, key_of, references
from mcgen.card.card import builtin_cards, parse_card
from mcgen.physics.boson.muon_g2 import NUMERATORS
from mcgen.physics.emission.form_factor import FORM_FACTORS
from mcgen.physics.emission.form_factor import REFERENCES as SHAPES
from mcgen.statistics.limits import METHODS
from mcgen.statistics.limits import REFERENCES as LIMITS

BASE = {"mcgen", "Chen:2017awl"}
ATOM = {"Bjorken:2009mm", "Tsai:1973py"}
UNSQUARED = ATOM | {"arXiv:2401.06843"}
LOSS = {"Groom:2001", "Sternheimer:1984", "ICRU:1984", "Kelner:1997", "Kokoulin:1971", "Kelner:1998", "Bezrukov:1981"}
WEIGHTS, DATA = {"IUPAC:2021"}, {"IUPAC:2021", "PDG:matter"}
SCATTERING = {"Highland:1975", "Lynch:1991", "PDG:2024", "Tsai:1973py"}
PROTON = {"arXiv:2003.13640"}
CLS = {"Read:2002", "Junk:1999"}
NA64MU = {"arXiv:2401.01708", "arXiv:2409.10128"}
DUMP_COLLIDER = {"Cesarotti:2022ttv", "JHEP:2024-05-283"}

#: card -> all that `mcgen cite CARD` names
CARDS = {
    "na64": BASE | ATOM | WEIGHTS,
    "fermilab": BASE | ATOM | WEIGHTS,
    "fermilab-3d": BASE | UNSQUARED | LOSS | SCATTERING | DATA,
    "m3-phase1": BASE | UNSQUARED | LOSS | DATA | {"arXiv:1804.03144"},
    "m3-phase2": BASE | UNSQUARED | LOSS | DATA | {"arXiv:1804.03144"},
    "na64mu-2022": BASE | UNSQUARED | PROTON | LOSS | WEIGHTS | NA64MU | CLS | {"CousinsHighland:1992"},
    "na64mu-run4": BASE | UNSQUARED | PROTON | LOSS | WEIGHTS | NA64MU | {"arXiv:2505.14291"},
    "muon-collider-1.5tev": BASE | UNSQUARED | LOSS | DATA | DUMP_COLLIDER,
    "muon-collider-1.5tev-water": BASE | UNSQUARED | PROTON | LOSS | DATA | DUMP_COLLIDER,
    "muon-collider-5tev": BASE | UNSQUARED | LOSS | DATA | DUMP_COLLIDER,
    "muon-to-tau": BASE | UNSQUARED | WEIGHTS,
    "ship-muons": BASE | UNSQUARED | LOSS | DATA | {"SHiP:2020hyy"},
    "e137": BASE | ATOM | DATA | {"Tsai:1966", "Bjorken:1988as"},
    "orsay": BASE | ATOM | DATA | {"Tsai:1966", "Davier:1989wz"},
    "babar-tautau": BASE | {"arXiv:2005.01885"},
    "belle-tautau": BASE | {"Belle:2022gbl"},
    "belle2-tautau": BASE | {"Belle-II:2018jsg"},
}


def keys(*made):
    return {one.key for one in cited(*made)}


def used_for(made):
    return {one.key: one.used_for for one in cited(made)}


def changed(name, **lines):
    """A card with other values of keys, such as material='"steel"'."""
    text = load_card(name).text
    for key, value in lines.items():
        text, n = re.subn(rf"(?m)^{key} = [^\n]*$", f"{key} = {value}", text)
        assert n == 1, key
    return parse_card(text)


@pytest.mark.parametrize("name", builtin_cards())
def test_cards(name):
    """Each card names what it rests on, no more and no less; fails for one that is forgotten or one too many."""
    assert keys(Made("card", (load_card(name),))) == CARDS[name]


def test_program_and_paper_come_first():
    """The order is program, paper, physics, matter, experiment, statistics, and each is there once."""
    order = [one.key for one in cited(Made("card", (load_card("na64mu-2022"),)))]
    assert order[:2] == [PROGRAM, PAPER]
    for before, after in [
        ("Bjorken:2009mm", "IUPAC:2021"), ("IUPAC:2021", "arXiv:2401.01708"), ("arXiv:2401.01708", "Read:2002"),
    ]:  # fmt: skip
        assert order.index(before) < order.index(after)
    assert len(order) == len(set(order))
    assert [one.key for one in cited(Made())] == [PROGRAM, PAPER]


@pytest.mark.parametrize("name", FORM_FACTORS)
def test_form_factors(name):
    """One form factor does not name the papers of another; fails if a shape is cited that was not used."""
    table = '\n[run.form_factor_table]\nPb = """1e-6 1\\n1e-2 2"""\n'
    text = load_card("na64").text.replace('form_factor = "paper"', f'form_factor = "{name}"')
    card = parse_card(text + table if name == "table" else text)
    expected = {
        "paper": ATOM, "tsai": UNSQUARED, "elastic": ATOM, "helm": UNSQUARED | {"Lewin:1996"},
        "fourier-bessel": UNSQUARED | {"DeVries:1987"}, "table": set(),
    }  # fmt: skip
    assert set(SHAPES) == set(FORM_FACTORS)
    assert keys(Made("events", (card,))) == BASE | WEIGHTS | expected[name]


@pytest.mark.parametrize(
    ("mediator", "mass", "hadrons"),
    [
        ("scalar", 0.5, set()),
        ("pseudoscalar", 0.5, set()),
        ("axial", 0.5, set()),
        ("vector", 0.1, set()),
        ("vector", 0.5, {"arXiv:2201.01788"}),
        ("vector", 2.5, {"Ilten:2018crw"}),
    ],
)
def test_mediators(mediator, mass, hadrons):
    """Hadrons are those of a dark photon above two pions, and widths of the paper those of a scalar."""
    made = Made("events", (load_card("na64").with_boson(mediator),), masses=(mass,))
    assert keys(made) == BASE | ATOM | WEIGHTS | hadrons
    assert ("widths of the scalar" in used_for(made)[PAPER]) == (mediator == "scalar")


def test_hadrons_only_of_a_dark_photon():
    """L_mu - L_tau has none, and a range of masses has both tables."""
    card = load_card("na64").with_boson("vector")
    both = {"arXiv:2201.01788", "Ilten:2018crw"}
    assert keys(Made("reach", (card,), (0.1, 3.0), ("dark-photon",))) >= both
    assert not keys(Made("reach", (card,), (0.1, 3.0), ("Lmu-Ltau",))) & both


@pytest.mark.parametrize(("process", "expected"), [("electron", set()), ("all", ATOM), ("nuclear", ATOM)])
def test_processes(process, expected):
    """Free electrons have no form factor; fails if that of the nucleus is cited for them."""
    text = (
        load_card("na64")
        .text.replace('form_factor = "paper"', "")
        .replace("[detector]", f'process = "{process}"\n\n[detector]')
    )
    assert keys(Made("events", (parse_card(text),))) == BASE | expected | WEIGHTS


def test_all_leaves_out_the_inelastic_term():
    """With `all` the bracket of Eq. A2 is not used, whatever the shape; fails if its correction is cited."""
    text = (
        load_card("na64")
        .text.replace('form_factor = "paper"', 'form_factor = "helm"')
        .replace("[detector]", 'process = "all"\n\n[detector]')
    )
    assert keys(Made("events", (parse_card(text),))) == BASE | ATOM | WEIGHTS | {"Lewin:1996"}


@pytest.mark.parametrize(
    ("law", "expected"), [("constant", {"PDG:matter"}), ("table", LOSS), ("mulder", {"Niess:2022", "Niess:2018"})]
)
def test_energy_loss(law, expected):
    """Each law of energy loss has its own papers; fails if one is cited for another."""
    text = re.sub(r"dE_dy = [^\n]*", f'energy_loss = "{law}"', load_card("na64").text)
    assert keys(Made("events", (parse_card(text),))) == BASE | ATOM | WEIGHTS | expected


def test_scattering_of_mulder():
    """With mulder the angles are its own and not Highland's."""
    text = load_card("fermilab-3d").text.replace('energy_loss = "table"', 'energy_loss = "mulder"')
    found = keys(Made("events", (parse_card(text),)))
    assert not found & {"Highland:1975", "Lynch:1991", "Groom:2001"}
    assert "Niess:2022" in found


@pytest.mark.parametrize(
    ("material", "expected"), [("steel", {"Geant4:2003"}), ("concrete", {"NIST:concrete"}), ("Fe", set())]
)
def test_materials(material, expected):
    """Materials with a source of their own name it; fails if it is cited for another one."""
    text = load_card("m3-phase1").text.replace('material = "W"', f'material = "{material}"')
    assert keys(Made("events", (parse_card(text),))) - PROTON == CARDS["m3-phase1"] | expected


def test_lengths_in_units_of_the_material():
    """X0 and lambda_I are of tables; fails if a length in cm cites them."""
    X0, lambda_I = (changed("na64", length=value) for value in ('"10 X0"', '"1 lambda_I"'))
    assert "X0 of the target" in used_for(Made("events", (X0,)))["Tsai:1973py"]
    assert keys(Made("events", (lambda_I,))) == BASE | ATOM | DATA


def with_search(**values):
    lines = "".join(f"{key} = {value}\n" for key, value in values.items())
    return parse_card(load_card("na64").text + f"\n[search]\n{lines}")


@pytest.mark.parametrize("method", METHODS)
def test_methods(method):
    """Each method of limits has its papers, and none is cited for events or N_S, which have no limit."""
    expected = {"poisson": set(), "cls": CLS, "feldman-cousins": {"Feldman:1997qc"}, "bayes": set()}
    assert set(LIMITS) == set(METHODS)
    card, plain = with_search(method=f'"{method}"', background=1.0), BASE | ATOM | WEIGHTS
    assert keys(Made("reach", (card,))) == plain | expected[method]
    assert keys(Made("n_signal", (card,))) == keys(Made("events", (card,))) == plain


def test_pyhf():
    """pyhf is cited where it was asked, and Cousins and Highland where errors were integrated over."""
    card = with_search(method='"cls"', background=1.0, background_error=0.3)
    plain, pyhf = BASE | ATOM | WEIGHTS, {"pyhf", "pyhf_joss"}
    assert keys(Made("reach", (card,))) == plain | CLS | {"CousinsHighland:1992"}
    assert keys(Made("reach", (card,), limit={"calctype": "asymptotics"})) == plain | CLS | pyhf | {"Cowan:2010js"}
    assert keys(Made("reach", (card,), limit={"calctype": "toys"})) == plain | CLS | pyhf
    assert keys(Made("reach", (card,), limit={"method": "bayes"})) == plain | {"CousinsHighland:1992"}
    assert keys(Made("workspace", (card,))) == plain | pyhf
    assert keys(Made("reach", (load_card("na64"),), limit={"n_signal": 5.0})) == plain


def test_an_efficiency_of_correctionlib():
    """correctionlib is cited if it gave an efficiency that counted; fails for a number or a table."""
    formula = {"nodetype": "formula", "expression": "0.5", "parser": "TFormula", "variables": ["x"]}
    ends = {"inputs": [{"name": "x", "type": "real"}], "output": {"name": "e", "type": "real"}}
    document = {"schema_version": 2, "corrections": [{"name": "e", "version": 1, **ends, "data": formula}]}
    card = with_search(efficiency=f"'{json.dumps(document)}'")
    assert "correctionlib" in keys(Made("n_signal", (card,)))
    assert "correctionlib" not in keys(Made("events", (card,))) | keys(Made("n_signal", (with_search(efficiency=0.5),)))


@pytest.mark.parametrize("name", records())
def test_constraints(name):
    """Each known limit resolves to entries, and only it is cited; fails for a reference that is not in the file."""
    record = records()[name]
    own = {key_of(reference) for reference in record.references}
    assert None not in own
    found = keys(Made("reach", (load_card("na64"),), constraints=(name,)))
    others = {key_of(r) for one in records().values() for r in one.references} - own - BASE - ATOM
    assert own <= found
    assert not found & others


def test_who_collected_numbers():
    """A table from a collection of others cites it, whatever its quality says; fails if no key says so."""
    collected = {name for name, one in records().items() if one.table and "darkcast @" in one.path.read_text()}
    assert collected >= {"babar", "lhcb", "charm", "nucal"}
    for name in records():
        found = keys(Made("reach", (load_card("na64"),), constraints=(name,)))
        assert ("Ilten:2018crw" in found) == (name in collected), name


def test_computed_constraints_name_their_physics():
    """A limit that is computed here rests on how; fails if only the experiment is named."""
    card = load_card("na64")
    assert keys(Made("reach", (card,), constraints=("e137",))) >= {"Tsai:1966", "Bjorken:1988as"}
    assert keys(Made("reach", (card,), constraints=("g2-wp2025",))) >= {"Jegerlehner:2009", "arXiv:2506.03069"}
    axial = card.with_boson("axial")
    assert "Leveille:1978" in keys(Made("reach", (axial,), constraints=("g2-wp2025",)))
    assert "Leveille:1978" not in keys(Made("reach", (card,), constraints=("g2-wp2025",)))


def test_productions_and_bands():
    """IWW is that of the paper, and a band names what was varied and fits the card."""
    card = load_card("na64")
    assert "IWW" in used_for(Made("reach", (card,), productions=("iww",)))[PAPER]
    assert "IWW" not in used_for(Made("reach", (card,)))[PAPER]
    assert keys(Made("reach", (card,), band=("form-factor",))) >= UNSQUARED | {"Lewin:1996", "DeVries:1987"}
    assert "DeVries:1987" not in keys(Made("reach", (load_card("fermilab"),), band=("form-factor",)))
    assert keys(Made("reach", (card,), band=("energy-loss",))) == BASE | ATOM | WEIGHTS | LOSS


def test_references_of_a_card():
    """A card may name papers that nobody here knows; fails if they are lost, or a fault is not told."""
    text = load_card("na64").text.replace("arXiv:1701.07437", "arXiv:2999.00001")
    entry = cited(Made("card", (parse_card(text),)))[-1]
    assert (entry.key, entry.eprint, entry.doi) == ("arXiv:2999.00001", "2999.00001", None)
    with pytest.raises(mcgen.InputError, match=r"references.0: references: 'a paper' is no reference"):
        parse_card(load_card("na64").text.replace("arXiv:1701.07437", "a paper"))


def _written_keys():
    """Keys that the code names: texts in the package that look like one of the file, in code and in records."""
    found = set()
    for path in Path(mcgen.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [getattr(t, "id", "") for t in getattr(node, "targets", [getattr(node, "target", None)]) if t]
            is_of = isinstance(node, ast.Assign | ast.AnnAssign) and any(
                "REFERENCES" in str(n) or n in ("_ATOM", "_UNSQUARED") for n in [*names, *_of_tuples(node)]
            )
            if is_of:
                values = [n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)]
                found |= {v for v in values if isinstance(v, str)}
    return found


def _of_tuples(node):
    targets = getattr(node, "targets", [])
    return [e.id for t in targets if isinstance(t, ast.Tuple) for e in t.elts if isinstance(e, ast.Name)]


def test_every_key_exists_and_every_reference_is_used():
    """The code names no key that is not in the file, and the file none that nothing uses."""
    names = {*FORM_FACTORS, *METHODS, *NUMERATORS, "concrete", "steel"}
    written = _written_keys() - names
    assert len(written) > 30
    assert written <= set(references())
    of_limits = {key_of(r) for one in records().values() for r in one.references}
    of_cards = {key_of(r) for name in builtin_cards() for r in load_card(name).references or ()}
    assert set(references()) - {PROGRAM, PAPER, "correctionlib"} <= written | of_limits | of_cards


def test_comments_are_safe():
    """A comment has one line, is ASCII, and has no @, which would begin an entry; all of it is BibTeX."""
    cards = tuple(load_card(name) for name in builtin_cards())
    entries = cited(Made("reach", cards, constraints=tuple(records()), is_random=True))
    for one in entries:
        assert one.used_for.isascii()
        assert not set(one.used_for) & set("@\n")
    read = parse_string(text_of(entries), "bibtex").entries
    assert list(read) == [one.key for one in entries]
