"""Fixtures that several test files share: reference numbers and one event file per experiment."""

from __future__ import annotations

import functools
import json
import sys

import pytest
from hypothesis import settings
from places import ROOT

from mcgen import load_card
from mcgen.analysis import reach
from mcgen.card.card import parse_card
from mcgen.generation import generate as generation
from mcgen.generation.generate import generate
from mcgen.generation.normalisation import prepare
from mcgen.quadrature.yields import production
from mcgen.source.source import source_of

REFERENCE = ROOT / "validation" / "reference"
sys.path.append(str(ROOT))  # for `validation`; at the end, so that the installed package is what is tested

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=200, database=None)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items):
    """Begin with the long files, so that both workers end with short ones."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


@functools.cache
def _read(name):
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def reference():
    """Reader of the JSON files in validation/reference."""
    return _read


@functools.lru_cache(40)
def _prepared(text, m_S, seed, **how):
    return prepare(source_of(parse_card(text)), m_S, seed, **how)


@pytest.fixture(scope="module")
def samplers_kept():
    """Prepare the sampler of a card, mass and seed once, for tests of what becomes of its events."""

    def kept(source, m_S, seed, _, **how):
        return _prepared(source.card.text, m_S, seed, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "prepare", kept)
        yield


@functools.lru_cache(4000)
def _nodes(text, *arguments, **options):
    return production(source_of(parse_card(text)), *arguments, **options)


@pytest.fixture(scope="module")
def nodes_kept():
    """Compute the nodes of N_S of a card and mass once, for tests that draw the same lines again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "production", lambda source, *rest, **how: _nodes(source.card.text, *rest, **how))
        yield


@pytest.fixture(scope="session")
def fermilab_events(tmp_path_factory):
    """200000 events of the Fermilab card at 0.1 GeV, on disk."""
    path = tmp_path_factory.mktemp("fermilab") / "events.root"
    return generate(load_card("fermilab"), 0.1, 200_000, output=path, workers=2)


@pytest.fixture(scope="session")
def na64_events(tmp_path_factory):
    """200000 events of the NA64 card at 0.01 GeV, on disk."""
    path = tmp_path_factory.mktemp("na64") / "events.root"
    return generate(load_card("na64"), 0.01, 200_000, output=path, workers=2)
