"""Compounds and layers: what muons hit, against sums of single elements."""

from __future__ import annotations

import numpy as np
import pytest

from mcgen.analysis.reweight import reweight
from mcgen.base.constants import AMU, PB_CM2
from mcgen.base.errors import InputError
from mcgen.card.card import card_text, parse_card
from mcgen.generation.generate import generate
from mcgen.generation.normalisation import prepare
from mcgen.physics.emission.cross_section import sigma
from mcgen.physics.matter.materials import ELEMENTS, MATERIALS, nuclei_per_cm3
from mcgen.quadrature.yields import n_signal, production, sigma_tilde
from mcgen.search.search import Search
from mcgen.source.beam_nodes import group_nodes, groups
from mcgen.source.media import Medium
from mcgen.source.source import Source

pytestmark = pytest.mark.first

_TARGET = card_text("fermilab").split("[target]")[1].split("[detector]")[0]

SANDWICH = """
E_min = "0.5 GeV"
[[target.layer]]
material = "LYSO"
length = "25 cm"
[[target.layer]]
material = "Pb"
length = "30 cm"
[[target.layer]]
material = "concrete"
length = "2 m"
"""


def card_with(target):
    """The Fermilab card with another target."""
    return parse_card(card_text("fermilab").replace(_TARGET, "\n" + target + "\n"))


@pytest.fixture(scope="module")
def sandwich():
    """100000 events in three layers, two of them compounds."""
    return generate(card_with(SANDWICH), 0.1, 100_000, workers=2)


def test_layers_of_one_material_are_a_slab():
    """W in three layers gives N_S and sigma~ of one slab, in the errors; fails if a layer has a wrong energy."""
    slab = card_with('material = "W"\nlength = "90 cm"')
    layers = "".join(f'[[target.layer]]\nmaterial = "W"\nlength = "{cm} cm"\n' for cm in (10, 50, 30))
    stack = card_with(layers)
    assert Source(stack).E_exit == pytest.approx(Source(slab).E_exit, rel=1e-13)
    for g_mu in (1e-4, 1e-3):
        one, three = (n_signal(card, "A", 0.1, [g_mu])[0] for card in (slab, stack))
        assert abs(three.value - one.value) < one.error + three.error < 1e-5 * one.value
    one, three = (sigma_tilde(card, "A", 0.1, 3e-4, [1.1, 2.0, 2.9]) for card in (slab, stack))
    np.testing.assert_allclose([e.value for e in three], [e.value for e in one], rtol=1e-9)


@pytest.mark.parametrize("name", [name for name, material in MATERIALS.items() if len(material.fractions) > 1])
def test_compound_is_the_sum_of_its_elements(name):
    """N_S is the sum over slabs of each element alone, 1e-12; fails if a share of mass is taken for one of nuclei."""
    material = MATERIALS[name]
    assert sum(material.fractions.values()) == pytest.approx(1.0, abs=2e-6)
    common = f'length = "60 cm"\nE_min = "0.5 GeV"\ndE_dy = "{1e3 * material.dEdx_min * material.density!r} MeV/cm"\n'
    whole = n_signal(card_with(f'material = "{name}"\n{common}'), "A", 0.05, [2e-4])[0].value
    parts = 0.0
    for element, share in material.fractions.items():
        _, Z, A = ELEMENTS[element]
        n_atom = nuclei_per_cm3(material.density, share / sum(material.fractions.values()), A)
        alone = f'material = "x"\nZ = {float(Z)}\nA = {A}\nn_atom = "{n_atom!r} /cm3"\n{common}'
        parts += n_signal(card_with(alone), "A", 0.05, [2e-4])[0].value
    assert whole == pytest.approx(parts, rel=1e-12)


def test_struck_nuclei(sandwich):
    """Shares of nuclei and layers, and N_S, within 4 sigma; fails if an element is drawn with the weight of another."""
    card, c = card_with(SANDWICH), sandwich.columns
    total = sum(c["weight"])
    edges = np.cumsum([0.0, *(layer.length for layer in card.target.layers)])
    for component in Source(card).components(0.1):
        E, _, nuclei = group_nodes([component], 32)
        process = Source(card).process(0.1, component.target)
        expected = 1e-36 * sum(w * sigma(e, process)[0] for e, w in zip(E, nuclei.sum(axis=1), strict=True))
        layer = np.searchsorted(edges, component.track.front, side="right") - 1
        mine = (c["target_Z"] == component.target.Z) & (c["depth_cm"] >= edges[layer])
        mine &= c["depth_cm"] < edges[layer + 1]
        assert np.all(c["target_A"][mine] == component.target.A)
        share, wanted = c["weight"][mine].sum() / total, expected / sandwich.metadata["yield_quadrature"]
        assert abs(share - wanted) < 4.0 * np.sqrt(wanted / len(sandwich)) + 1e-5
    for g_mu in (1e-4, 5e-4):
        found = reweight(sandwich, "A", [g_mu]).n_signal[0]
        assert abs(found.pull(n_signal(card, "A", 0.1, [g_mu])[0].value)) < 4.0


def test_momentum_balance_on_every_nucleus(sandwich):
    """Energy is conserved with the mass of the struck nucleus; fails if an event keeps the nucleus of another."""
    c = sandwich.columns
    excess = c["mu_in_E"] + c["target_A"] * AMU - c["mu_out_E"] - c["S_E"] - c["N_out_E"]
    assert np.all(np.abs(excess) < 1e-12 * 200.0)


def test_energy_loss_layer_by_layer(sandwich):
    """Energy against depth is a broken line, 1e-12; fails if a layer takes the loss of its neighbour."""
    card, c = card_with(SANDWICH), sandwich.columns
    depths = np.cumsum([0.0, *(layer.length for layer in card.target.layers)])
    energies = np.concatenate(
        [[3.0], 3.0 - np.cumsum([layer.length * Medium(layer).loss for layer in card.target.layers])]
    )
    np.testing.assert_allclose(c["E_mu"], np.interp(c["depth_cm"], depths, energies), rtol=1e-12)


def test_sigma_tilde_of_layers(sandwich):
    """sigma~ per nucleus meets the quadrature in bins inside a layer; fails if normalised to another layer's nuclei."""
    card = card_with(SANDWICH)
    found = reweight(sandwich, "B", [1e-3], energy_bins=25)
    wanted = sigma_tilde(card, "B", 0.1, 1e-3, found.E_mu)
    half = 0.5 * (found.E_mu[1] - found.E_mu[0])
    inside = [
        i for i, E in enumerate(found.E_mu) if not any(E - half < s.E_out < E + half for s in Source(card).segments)
    ]
    pulls = [found.sigma_tilde[0][i].pull(wanted[i].value) for i in inside]
    assert len(pulls) > 15
    assert np.sum(np.square(pulls)) < len(pulls) + 4.0 * np.sqrt(2.0 * len(pulls))


def test_chunks_and_workers(sandwich):
    """The same events in other chunks with other workers; fails if the source of an event depends on its chunk."""
    again = generate(card_with(SANDWICH), 0.1, 100_000, chunk=7_777, workers=1)
    assert again.metadata["content_sha256"] == sandwich.metadata["content_sha256"]


def test_stopped_in_a_layer():
    """Layers behind the muon's end are not hit; fails if a muon goes on with negative energy."""
    stack = card_with('E_min = "0.5 GeV"\n' + 3 * '[[target.layer]]\nmaterial = "Fe"\nlength = "3 m"\n')
    assert len(Source(stack).segments) == 1
    assert Source(stack).E_exit == 0.5


def test_text_of_layers():
    """A changed stack writes a card that reads back the same; fails if the table of layers is lost."""
    card = card_with(SANDWICH)
    changed = card.model_copy(update={"beam": card.beam.model_copy(update={"particles_on_target": 7e13})})
    assert parse_card(changed.text).model_dump() == changed.model_dump()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ('[[target.layer]]\nmaterial = "Led"\nlength = "1 cm"', ["target.layer.0", "'Led'"]),
        ('[[target.layer]]\nmaterial = "Pb"\nlength = 1', ["target.layer.0.length", "unit"]),
        ('[[target.layer]]\nmaterial = "Pb"\nlenth = "1 cm"', ["lenth", "'length'"]),
        ('layer = []', ["target.layer", "1 item"]),
        ('material = "LYSO"\nlength = "1 cm"\nn_atom = "1e22 /cm3"', ["compound"]),
        ('material = "x"\nlength = "1 cm"\nfractions = {Pb = 0.5}', ["add up to 0.5"]),
        ('material = "x"\nlength = "1 cm"\nfractions = {Pbx = 1.0}', ["'Pbx'", "'Pb'"]),
        ('material = "x"\nlength = "1 cm"\nfractions = {Pb = 0.5, W = 0.5}', ["density"]),
    ],
)  # fmt: skip
def test_faults(target, words):
    """Faults of layers are named with their place; fails if a stack is read with fewer checks than a slab."""
    with pytest.raises(InputError) as error:
        card_with(target)
    for word in words:
        assert word in str(error.value)


def calorimeter(n, active):
    """Layers of lead and of what sees its showers, in turn."""
    pair = [f'[[target.layer]]\nmaterial = "{name}"\nlength = "{mm} mm"\n' for name, mm in (("Pb", 2), (active, 3))]
    return n * "".join(pair)


def test_many_thin_layers():
    """40 layers make what each makes on its own, 1e-5; fails if layers that share nodes share depths too."""
    card = card_with('energy_loss = "table"\n' + calorimeter(20, "Fe"))
    components = Source(card).components(0.1)
    assert len(components) == 40
    whole = production(Source(card), 0.1, Search.of(card))
    shared = groups(components)
    assert len(shared) < 40
    plain = 0.0
    for component in components:
        E, _, nuclei = group_nodes([component], 8)
        process = Source(card).process(0.1, component.target)
        sigmas = [sigma(e, process)[0] for e in E.tolist()]
        plain += PB_CM2 * np.sum(nuclei.sum(axis=1) * sigmas)
    assert production(Source(card), 0.1).weight.sum() == pytest.approx(plain, rel=1e-5)
    edges = np.linspace(0.0, card.target.length, 21)  # pairs of layers
    pairs, _ = np.histogram(card.target.length - whole.z_min, edges, weights=whole.weight)
    np.testing.assert_allclose(pairs / pairs.mean(), 1.0, atol=0.05)
    events = generate(card, 0.1, 50_000, workers=2)
    found = reweight(events, "A", [1e-4]).n_signal[0]
    assert abs(found.pull(n_signal(card, "A", 0.1, [1e-4])[0].value)) < 4.0


def test_shared_lattices():
    """A hundred layers share a few lattices; fails if each is prepared on its own, 60 times slower."""
    head, rest = card_text("na64").split("[target]")
    layers = calorimeter(50, "polystyrene")
    sampler = prepare(Source(parse_card(f"{head}[target]\n{layers}[detector]{rest.split('[detector]')[1]}")), 0.1, 1)
    assert len(sampler.components) == 150
    assert len({id(source.lattice.table) for source in sampler.components}) <= 6
