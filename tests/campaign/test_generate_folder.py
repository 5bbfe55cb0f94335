"""A production in one call of Python."""

from __future__ import annotations

import numpy as np
import pytest

from mcgen import InputError, generate, generate_folder, load_card
from mcgen.campaign import production
from mcgen.campaign.production import Plan
from mcgen.generation.generate import Options


def test_like_a_file(tmp_path):
    """A folder holds the events of a file, of the mass and seed asked for; fails if a part or an option is lost."""
    chosen = {"branches": ["S_E"], "partition_events": 100}
    folder = generate_folder("fermilab", tmp_path / "f", "50 MeV", 300, 7, **chosen)
    whole = generate("fermilab", 0.05, 300, 7)
    assert folder.branches == ["event", "weight", "S_E"]
    assert np.array_equal(folder.read().columns["S_E"], whole.columns["S_E"])
    assert len(folder.files) == 3
    again = generate_folder("fermilab", tmp_path / "f", "50 MeV", 300, 7, **chosen)
    assert again.content_sha256() == folder.content_sha256()


def test_what_is_not_given_is_the_cards(tmp_path):
    """Mass, number and seed of the card count; fails if a default of the function takes their place."""
    card = load_card("fermilab")
    small = card.model_copy(update={"run": card.run.model_copy(update={"events": 50, "seed": 3})})
    folder = generate_folder(small, tmp_path / "f", partition_events=20)
    meta = folder.metadata
    assert (meta["mass_gev"], meta["n_events"], meta["seed"]) == (card.scalar.mass, 50, 3)
    assert [len(file) for file in folder.files] == [20, 20, 10]


@pytest.mark.parametrize(("events", "each"), [(0, 10), (10, 0), (-1, -1)])
def test_no_events(events, each):
    """A plan of nothing is refused; fails if only one of the two numbers is looked at."""
    with pytest.raises(InputError, match="are not 1 to"):
        Plan("", 0.1, 1, events, each, Options())


def test_locks_stay_in_the_folder(tmp_path, monkeypatch):
    """Nothing beside the folder of a production is claimed; fails if its parent gets a lock."""
    claimed, claim = [], production.claim
    monkeypatch.setattr(production, "claim", lambda path, wait=False: claimed.append(path) or claim(path, wait))
    folder = tmp_path / "f"
    generate_folder("fermilab", folder, 0.1, 100, partition_events=50)
    assert {path.parent for path in claimed} == {folder}
    assert {"plan.json", "manifest.json"} <= {path.name for path in claimed}
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
