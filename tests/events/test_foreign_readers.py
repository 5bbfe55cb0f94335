"""What programs that know nothing of mcgen make of its files, by the standard fields of each format alone."""

import functools
import json
import math

import numpy as np
import pyarrow.parquet as pq
import pyhepmc
import pylhe
import pytest
import uproot

from mcgen import cross_section, generate, load, load_card, n_signal
from mcgen.base import pdg
from mcgen.base.errors import InputError
from mcgen.card.card import parse_card
from mcgen.cli import main
from mcgen.events.export import export
from mcgen.generation.library import library
from mcgen.physics.matter.materials import ELEMENTS
from mcgen.source.media import Medium
from mcgen.source.source import Source

pytestmark = [pytest.mark.first, pytest.mark.usefixtures("samplers_kept")]

EVENTS = 3000
M_S = 0.1
BEAM = 'particle = "mu+"\nenergy = "3 GeV"\nmuons = 3e14'
TARGETS = {
    "plain": '[target]\nmaterial = "W"\nlength = "50 cm"',
    "compound": '[target]\nmaterial = "PbWO4"\nlength = "50 cm"',
    "layered": """[[target.layer]]
material = "brass"
length = "20 cm"
[[target.layer]]
material = "Pb"
length = "10 cm"
""",
}


@functools.cache
def _card(target):
    return parse_card(
        f"""name = "foreign"
[beam]
{BEAM}
{TARGETS[target]}
[detector]
signature = "displaced"
L_det = "3 m"
[scalar]
mass = "100 MeV"
g_mu = 2e-4
[scan]
g_mu = "2e-4"
mass = "100 MeV"
[run]
form_factor = "tsai"
"""
    )


@functools.cache
def _own_cross_sections(target):
    """{Z: share of the mean cross section in pb}: n_i times sigma along the straight loss of energy, over all n L."""
    card = _card(target)
    y, w = np.polynomial.legendre.leggauss(12)
    E, found, nuclei = card.beam.energy, {}, 0.0
    for layer in card.target.layers:
        energies = E - Medium(layer).loss * layer.length * 0.5 * (y + 1.0)
        for element, n_atom in Medium(layer).composition:
            sigmas = [cross_section(element.name, at, M_S, form_factor="tsai").value for at in energies.tolist()]
            mean = float(np.dot(0.5 * w, sigmas))
            found[element.Z] = found.get(element.Z, 0.0) + n_atom * layer.length * mean
            nuclei += n_atom * layer.length
        E -= Medium(layer).loss * layer.length
    return {Z: value / nuclei for Z, value in found.items()}, nuclei


@pytest.fixture(scope="module", params=[(t, d) for t in TARGETS for d in ("", "natural", "forced")], ids="-".join)
def sample(request, tmp_path_factory):
    """(target, event file, decays) of each target, with and without decays."""
    target, decays = request.param
    path = tmp_path_factory.mktemp("foreign") / "events.root"
    kind = {"decays": decays == "natural", "force_decay": decays == "forced"}
    return target, generate(_card(target), M_S, EVENTS, output=path, **kind), decays


def _exported(file, ending):
    """The sample in another format, written once for all tests."""
    path = file.path.with_suffix(ending)
    return path if path.exists() else export(file, path)


@functools.cache
def _expected(target, decays):
    """(number of events that the sum of weights stands for, cross section in pb) by quadrature."""
    card = _card(target)
    sigmas, nuclei = _own_cross_sections(target)
    sigma = sum(sigmas.values())
    made = card.beam.particles_on_target * card.scalar.g_mu**2 * 1e-36 * nuclei * sigma
    if decays != "forced":
        return made, sigma
    (signal,) = n_signal(card, card.scalar.model, M_S, [card.scalar.g_mu])
    return signal.value, sigma * signal.value / made


def _near(value, error, expected, quadrature=2e-5):
    assert abs(value - expected) < 4.0 * math.hypot(error, quadrature * expected), (value, error, expected)


def _spread(weights):
    return math.sqrt(weights.size * weights.var())


def test_hepmc(sample):
    """N_S from the first weight, sigma and its error from GenCrossSection, all else from the run's attributes.

    Fails for the cross section of one nucleus, a yield without the probability of decay, or a lost unit.
    """
    target, file, decays = sample
    path = _exported(file, ".hepmc3")
    with pyhepmc.open(str(path)) as stream:
        events = list(stream)
    first = events[0]
    about = {name: str(value) for name, value in first.run_info.attributes.items()}
    assert about["weight_unit"] == "S per muon on target at g_mu = 1"
    weights = np.array([event.weights[0] for event in events])
    signal, sigma = _expected(target, decays)
    rate = float(about["beam_particles"]) * float(about["reference_g_mu"]) ** 2
    norm = 5e-4  # of the integration that fixes the weights
    _near(rate * weights.sum(), math.hypot(rate * _spread(weights), norm * signal), signal)
    found = first.cross_section
    assert 0.0 < found.xsec_err() < (0.1 if decays == "forced" else 1e-3) * found.xsec()
    _near(found.xsec(), found.xsec_err(), sigma)
    assert all(event.cross_section.to_string() == found.to_string() for event in events)  # one number for the sample
    assert found.xsec() * 1e-36 * float(about["sum_nuclei_per_cm2"]) == pytest.approx(weights.sum(), rel=1e-8)
    assert first.run_info.weight_names == (["nominal", "weight", "decay_weight"] if decays == "forced" else ["nominal"])
    if decays == "forced":
        for event, weight in zip(events, weights, strict=True):
            assert event.weights[1] * event.weights[2] == pytest.approx(weight, rel=1e-15)
        _, of_all = _expected(target, "")
        _near(found.xsec("weight"), found.xsec_err("weight"), of_all)


def test_hepmc_struck_nucleus(sample):
    """The attribute of an event is the cross section of its nucleus at its energy, 1e-5; fails for another's."""
    target, file, _ = sample
    path = _exported(file, ".hepmc3")
    names = {hit.pdg: hit for hit in Source(_card(target)).targets}
    struck = set()
    with pyhepmc.open(str(path)) as stream:
        for event in stream:
            element = names[event.particles[1].pid]
            if len(struck) < 3 * len(names) and (element.name, event.event_number % 3) not in struck:
                struck.add((element.name, event.event_number % 3))
                sigma = cross_section(element, event.particles[0].momentum.e, M_S, form_factor="tsai").value
                assert float(str(event.attributes["struck_nucleus_sigma_pb"])) == pytest.approx(sigma, rel=1e-5)


def test_decays_in_the_file(tmp_path):
    """N_S counted from the decay vertices of HepMC, paths in mm; fails if vertices and weights are not of one event."""
    card = _card("plain")
    file = generate(card, M_S, 10_000, output=tmp_path / "events.root", decays=True)
    path = export(file, tmp_path / "events.hepmc3.gz")
    inside = []
    with pyhepmc.open(str(path)) as stream:
        for event in stream:
            made, decayed = (np.array([v.position.x, v.position.y, v.position.z]) for v in event.vertices)
            z = made[2] + np.linalg.norm(decayed - made)  # the paper lets S fly along the beam
            inside.append(event.weights[0] if 500.0 <= z < 3500.0 else 0.0)
    weights = card.beam.particles_on_target * card.scalar.g_mu**2 * np.array(inside)
    (expected,) = n_signal(card, card.scalar.model, M_S, [card.scalar.g_mu])
    _near(weights.sum(), _spread(weights), expected.value)


def _header_numbers(path):
    """Numbers of the header's remarks, '# name value'."""
    words = [line.split() for line in path.read_text().split("<init>")[0].splitlines() if line.startswith("# ")]
    return {w[1]: float(w[2]) for w in words if len(w) == 3}


def test_lhe(sample):
    """Strategy -4: weights in pb whose mean is the sum of XSECUP, one process per struck nucleus, XERRUP, XMAXUP.

    Fails for weights that are yields, for a process on a nucleus that was not struck, for an error of 0.
    """
    target, file, decays = sample
    path = _exported(file, ".lhe")
    found = pylhe.LHEFile.fromfile(str(path))
    events = list(found.events)
    weights = np.array([event.eventinfo.weight for event in events])
    signal, sigma = _expected(target, decays)
    assert found.init.initInfo.weightingStrategy == -4
    processes = {p.procId: p for p in found.init.procInfo}
    assert sum(p.xSection for p in processes.values()) == pytest.approx(weights.mean(), rel=1e-12)
    _near(weights.mean(), _spread(weights) / EVENTS + 5e-4 * sigma, sigma)
    about = _header_numbers(path)
    nuclei = 1e-36 * about["nuclei_per_cm2"]
    rate = about["beam_particles"] * nuclei * about["reference_g_mu"] ** 2
    _near(rate * weights.mean(), rate * _spread(weights) / EVENTS + 5e-4 * signal, signal)
    own, _ = _own_cross_sections(target)
    heaviest = max(own, key=own.get)
    assert found.init.initInfo.beamB // 10_000 % 1000 == heaviest
    for number, process in processes.items():
        mine = [e for e in events if e.eventinfo.pid == number]
        (Z,) = {int(e.particles[1].id) // 10_000 % 1000 for e in mine}  # each process has one nucleus
        assert process.xSection == pytest.approx(sum(e.eventinfo.weight for e in mine) / EVENTS, rel=1e-12)
        assert process.unitWeight == max(e.eventinfo.weight for e in mine)
        assert process.error > 0.0
        if decays != "forced":
            _near(process.xSection, max(process.error, own[Z] / EVENTS), own[Z])
    assert len(processes) == len({e.eventinfo.pid for e in events})
    if decays == "forced":
        for event in events:
            assert event.weights["weight"] * event.weights["decay_weight"] == pytest.approx(event.eventinfo.weight)


def test_lhe_vertices_as_ldmx_reads_them(sample):
    """Lines with # are remarks, #vertex has three numbers in mm, all others 13 words; fails for any other line."""
    _, file, _ = sample
    path = _exported(file, ".lhe")
    places, inside = [], False
    for line in path.read_text().splitlines():
        if line in ("<event>", "</event>"):
            inside, head = line == "<event>", line == "<event>"
        elif inside and head:
            assert len(line.split()) == 6
            head = False
        elif inside and "#" not in line:
            assert len(line.split()) == 13
        elif inside and "#vertex" in line:
            words = line.split()
            assert words[0] == "#vertex"
            places.append([float(word) for word in words[1:]])
    columns = file.read().columns
    assert np.array(places) == pytest.approx(10.0 * np.stack([columns[f"vertex_{a}_cm"] for a in "xyz"], 1), rel=1e-15)


@pytest.mark.parametrize("ending", ["parquet", "root"])
def test_flat_files(sample, tmp_path, ending):
    """N_S and sigma of the columns with what the metadata say of weights; fails for a number that is not there."""
    target, file, decays = sample
    path = export(file, tmp_path / f"copy.{ending}")
    if ending == "root":
        with uproot.open(path) as opened:
            columns, text = opened["events"].arrays(library="np"), str(opened["metadata"])
    else:
        table = pq.read_table(path)
        columns, text = {n: table[n].to_numpy() for n in table.column_names}, table.schema.metadata[b"mcgen"]
    about = json.loads(text)
    weights = columns["weight"] * columns.get("decay_weight", 1.0)
    exposure = about["exposure"]
    rate = exposure["beam_particles"] * about["reference_g_mu"] ** 2
    signal, _ = _expected(target, decays)
    _near(rate * weights.sum(), math.hypot(rate * _spread(weights), 5e-4 * signal), signal)
    _, sigma = _expected(target, "")
    _near(exposure["cross_section_pb"], exposure["cross_section_error_pb"], sigma)
    assert exposure["sum_nuclei_per_cm2"] == pytest.approx(sum(exposure["nuclei_per_cm2"].values()), rel=1e-14)


@pytest.mark.parametrize("rntuple", [False, True])
def test_nanoaod(sample, tmp_path, rntuple):
    """genWeight is the nominal weight, Runs has its sums, as in NanoAOD; fails if forced decays count as certain."""
    target, file, decays = sample
    path = export(file, tmp_path / "nano.root", layout="particles", rntuple=rntuple)
    with uproot.open(path) as opened:
        weights = opened["Events"].arrays(["genWeight"])["genWeight"].to_numpy()
        runs = opened["Runs"].arrays(library="np")
    assert runs["genEventCount"][0] == EVENTS
    assert runs["genEventSumw"][0] == pytest.approx(weights.sum(), rel=1e-12)
    assert runs["genEventSumw2"][0] == pytest.approx((weights**2).sum(), rel=1e-12)
    card = _card(target)
    rate = card.beam.particles_on_target * card.scalar.g_mu**2
    signal, _ = _expected(target, decays)
    _near(rate * weights.sum(), math.hypot(rate * _spread(weights), 5e-4 * signal), signal)


def test_na64mu_at_100_MeV(tmp_path):
    """sigma of a mixture with hydrogen is 7.44e8 pb, not the 1.2e6 pb of its last element."""
    file = generate(load_card("na64mu-2022"), M_S, EVENTS, output=tmp_path / "a.root")
    with pyhepmc.open(str(export(file, tmp_path / "a.hepmc3"))) as stream:
        assert next(iter(stream)).cross_section.xsec() == pytest.approx(7.44e8, rel=3e-3)


def test_merged_files_keep_the_cross_section(tmp_path):
    """The pool of two seeds has the mean yield and its cross section; fails if one file's number stays."""
    card = _card("plain")
    paths = [tmp_path / f"{seed}.root" for seed in (1, 2)]
    parts = [generate(card, M_S, EVENTS, seed, output=p).metadata for seed, p in enumerate(paths, 1)]
    pool = load(*paths).metadata
    sigmas = [part["exposure"]["cross_section_pb"] for part in parts]
    assert pool["exposure"]["cross_section_pb"] == pytest.approx(sum(sigmas) / 2.0, rel=1e-12)
    assert pool["exposure"]["cross_section_error_pb"] < parts[0]["exposure"]["cross_section_error_pb"]


#: isotopes that nature has, of elements whose rounded weight is none of them, and of some others
ISOTOPES = {
    "H": (1,),
    "Cu": (63, 65),
    "Zn": (64, 66, 67, 68, 70),
    "Ni": (58, 60, 61, 62, 64),
    "Ge": (70, 72, 73, 74, 76),
}


def test_isotopes_exist():
    """The number of a nucleus is that of the most abundant isotope; a mass number of the user's own stays."""
    for name, isotopes in ISOTOPES.items():
        assert pdg.mass_number(ELEMENTS[name].Z, ELEMENTS[name].A) in isotopes
    expected = {"Fe": 1000260560, "Cu": 1000290630, "Zn": 1000300640, "Ni": 1000280580, "Pb": 1000822080, "H": 2212}
    expected |= {"W": 1000741840, "Be": 1000040090, "Sn": 1000501200, "U": 1000922380, "Cl": 1000170350}
    for name, number in expected.items():
        assert pdg.nucleus(ELEMENTS[name].Z, ELEMENTS[name].A) == number
    assert pdg.nucleus(29.0, 64.0) == 1000290640
    assert pdg.nucleus(1.0, 2.014) == 1000010020
    codes = [pdg.nucleus(Z, A) for Z, A in ((82.0, 207.2), (1.0, 1.00794), (82.0, 206.0))]
    assert codes == [1000822080, 2212, 1000822060]


def test_brass_keeps_its_masses(tmp_path):
    """Copper and zinc have numbers of isotopes and the masses of the mixture; fails if the mass follows the number."""
    card = _card("layered")
    file = generate(card, M_S, 500, output=tmp_path / "a.root")
    codes = set()
    for event in pylhe.LHEFile.fromfile(str(export(file, tmp_path / "a.lhe"))).events:
        nucleus = event.particles[1]
        codes.add(int(nucleus.id))
        if int(nucleus.id) == 1000290630:
            assert nucleus.m == pytest.approx(63.546 * 0.931494, rel=1e-6)
    assert codes == {1000290630, 1000300640, 1000822080}


@pytest.mark.parametrize("ending", ["lhe", "hepmc3", "parquet", "root"])
def test_boson_number(tmp_path, ending):
    """--boson-pdg is the number of S in every format, is stored, and stays on the way through another format."""
    file = generate(_card("plain"), M_S, 50, output=tmp_path / "a.root", decays=True)
    path = tmp_path / f"b.{ending}"
    assert main(["export", str(file.path), "-o", str(path), "--boson-pdg", "622"]) == 0
    if ending == "hepmc3":
        with pyhepmc.open(str(path)) as stream:
            assert all(event.particles[4].pid == 622 for event in stream)
        return
    again = load(path)
    assert again.metadata["boson_pdg"] == 622
    assert again.content_sha256() == file.metadata["content_sha256"]
    export(again, tmp_path / "c.lhe")
    assert {int(e.particles[4].id) for e in pylhe.LHEFile.fromfile(str(tmp_path / "c.lhe")).events} == {622}
    export(again, tmp_path / "d.root", layout="particles")
    with uproot.open(tmp_path / "d.root") as opened:
        assert set(opened["Events"]["Particle_pdgId"].array()[:, 4].to_list()) == {622}


@pytest.mark.parametrize("number", [0, 13, -622, 2212, 1000822080])
def test_numbers_that_no_boson_has(tmp_path, number, capsys):
    """Leptons, nuclei and negative numbers are refused in one line, for export and library."""
    file = generate(_card("plain"), M_S, 50, output=tmp_path / "a.root")
    for command in (["export", str(file.path)], ["library", "fermilab", "--energies", "2", "--events", "5"]):
        assert main([*command, "-o", str(tmp_path / "b.lhe"), "--boson-pdg", str(number)]) == 2
        assert "boson_pdg" in capsys.readouterr().err
    with pytest.raises(InputError, match="boson"):
        pdg.check_boson(number)
    assert [path.name for path in tmp_path.iterdir()] == ["a.root"]


def test_library_weights(tmp_path):
    """An LHE library weighs an event with the cross section at its energy; the mean is XSECUP; 622 is read as S."""
    card = load_card("fermilab")
    path = library(card, tmp_path / "a.lhe", [1.0, 2.0], 20, boson_pdg=622)
    found = pylhe.LHEFile.fromfile(str(path))
    events = list(found.events)
    for event in events:
        sigma = cross_section("W", event.particles[0].e, M_S).value
        assert event.eventinfo.weight == pytest.approx(sigma, rel=1e-6)
        assert int(event.particles[4].id) == 622
    (process,) = found.init.procInfo
    assert process.xSection == pytest.approx(np.mean([e.eventinfo.weight for e in events]), rel=1e-12)
    assert process.unitWeight == max(e.eventinfo.weight for e in events)
    assert 0.0 < process.error < 1e-5 * process.xSection


def test_neutrinos():
    """L_mu - L_tau decays into muon and tau neutrinos, half each, other invisible particles are dark ones."""
    text = _card("plain").text.replace("[scalar]", '[scalar]\nmediator = "vector"\nmodel = "Lmu-Ltau"')
    text = text.replace("[scan]", '[scan]\nmodels = ["Lmu-Ltau"]')
    events = generate(parse_card(text), 0.05, EVENTS, decays=True).columns
    codes, counts = np.unique(events["decay_pdg"], return_counts=True)
    assert codes.tolist() == [14, 16]
    assert abs(counts[0] / EVENTS - 0.5) < 4.0 * 0.5 / math.sqrt(EVENTS)
    dark = generate(
        parse_card(text.replace("[scalar]", "[scalar]\ninvisible = 0.5")), 0.05, EVENTS, decays=True
    ).columns
    codes, counts = np.unique(dark["decay_pdg"], return_counts=True)
    assert codes.tolist() == [14, 16, 52]
    assert abs(counts[2] / EVENTS - 0.5) < 4.0 * 0.5 / math.sqrt(EVENTS)
    photon = text.replace("Lmu-Ltau", "dark-photon").replace("[scalar]", "[scalar]\ninvisible = 0.25")
    found = generate(parse_card(photon), 0.05, EVENTS, decays=True).columns["decay_pdg"]
    assert set(found.tolist()) == {11, 52}


ELECTRONS = """name = "electrons"
[beam]
particle = "e-"
energy = "8 GeV"
muons = 1e14
[target]
material = "W"
length = "1 cm"
energy_loss = "none"
[detector]
signature = "displaced"
L_det = "3 m"
[scalar]
mass = "10 MeV"
g_mu = 1e-2
[scan]
g_mu = "1e-2"
mass = "10 MeV"
"""


def test_electron_beams_say_the_coupling_of_the_electron(tmp_path):
    """N_S of a beam of electrons from each file alone: weights are for g_e = 1, and g_e is 207 times below g_mu.

    Fails if a file has only g_mu: N_S is 4e4 too large then.
    """
    card = parse_card(ELECTRONS)
    expected = n_signal(card, model="A", m_S=0.01, g_mu=[1e-2])[0].value
    path = tmp_path / "events.root"
    generate(card, events=EVENTS, force_decay=True, output=path)
    file = load(path)
    hepmc, lhe, parquet = (export(file, tmp_path / f"events{ending}") for ending in (".hepmc3", ".lhe", ".parquet"))
    unit = "S per electron on target at g_e = 1"

    with pyhepmc.open(str(hepmc)) as stream:
        events = list(stream)
    weights = np.array([event.weights[0] for event in events])
    about = {name: str(value) for name, value in events[0].run_info.attributes.items()}
    assert about["weight_unit"] == unit
    assert about["signal_events"].startswith("beam_particles * g_e^2 *")
    rate = float(about["beam_particles"]) * float(about["reference_g_e"]) ** 2
    assert float(about["reference_g_mu"]) == 1e-2
    _near(rate * weights.sum(), rate * _spread(weights), expected)

    header = {row.split()[1]: row.split()[2] for row in lhe.read_text().splitlines() if row.startswith("# reference_g")}
    assert "cross section in pb at g_e = 1" in lhe.read_text()
    assert float(header["reference_g_e"]) == pytest.approx(float(about["reference_g_e"]), rel=1e-15)

    with uproot.open(path) as root:
        of_root = json.loads(root["metadata"])
    of_parquet = json.loads(pq.read_schema(parquet).metadata[b"mcgen"])
    for metadata in (of_root, of_parquet):
        assert metadata["exposure"]["weight_unit"] == unit
        assert metadata["exposure"]["reference_g_e"] == pytest.approx(float(about["reference_g_e"]), rel=1e-15)
        assert metadata["weight_convention"].startswith(unit)


@pytest.mark.parametrize("name", ["A.LHE", "B.Lhe.GZ", "C.HEPMC3", "D.ROOT", "E.PARQUET", "F.CSV.gz", "G.HepMC3.ZST"])
def test_endings_in_capitals(tmp_path, name):
    """An ending means the same in letters of any size, to write and to read; fails if one is refused or not packed."""
    file = generate(_card("plain"), M_S, 50, output=tmp_path / "a.root")
    path = export(file, tmp_path / name)
    start = path.read_bytes()[:4]
    packed = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5"}.get(path.suffix.lower())
    assert packed is None or start.startswith(packed)
    if name[0] in "ABDE":
        assert load(path).content_sha256() == file.metadata["content_sha256"]


def test_one_energy_one_cross_section():
    """A beam that loses nothing has one line of sigma per element; fails for six of the same."""
    text = _card("plain").text.replace("[detector]", 'energy_loss = "none"\n[detector]')
    (row,) = generate(parse_card(text), M_S, 100).metadata["sigma"]
    assert row["sigma_pb"] == pytest.approx(cross_section("W", 3.0, M_S, form_factor="tsai").value, rel=1e-6)
