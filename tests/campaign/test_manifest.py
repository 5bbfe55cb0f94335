"""Manifests: by which a production that is complete is known again, without opening its files."""

from __future__ import annotations

import json

import pytest

from mcgen import load_card
from mcgen.campaign import production
from mcgen.campaign.manifest import MANIFEST, Manifest
from mcgen.campaign.production import plan_of, produce
from mcgen.events.events import Events
from mcgen.events.formats import root
from mcgen.events.formats.root import EventFile, save
from mcgen.generation.generate import Options


@pytest.fixture
def plan():
    """Five partitions of a hundred events."""
    return plan_of(load_card("fermilab"), 0.1, 500, 1, 100, Options(branches=("E_mu",)))


@pytest.fixture
def folder(plan, tmp_path):
    """They are all there."""
    produce(plan, tmp_path / "folder")
    return tmp_path / "folder"


def read(plan, folder):
    return Manifest.read(folder, plan.document(), plan.partitions)


def test_what_is_complete_is_not_opened(plan, folder, monkeypatch):
    """The same command reads the metadata as they lie there; fails if a hundred thousand files are parsed again."""
    whole = produce(plan, folder).metadata

    def opened(*_):
        pytest.fail("a file was opened")

    monkeypatch.setattr(production, "check_partition", opened)
    monkeypatch.setattr(root, "EventFile", opened)
    before = (folder / MANIFEST).stat().st_mtime_ns
    again = produce(plan, folder)
    assert (again.made, again.metadata) == ([], whole)
    assert produce(plan, folder, partitions=[1]).metadata == whole
    assert (folder / MANIFEST).stat().st_mtime_ns == before


def test_one_that_was_made_again(plan, folder, monkeypatch):
    """Of four files nothing but the mark is looked at, and the new mark is written; fails if it is lost afterwards."""
    looked, real = [], production.check_partition
    monkeypatch.setattr(production, "check_partition", lambda *a, **k: looked.append(a[2]) or real(*a, **k))
    marks = [row.stored for row in read(plan, folder).rows]
    plan.path(folder, 2).unlink()
    monkeypatch.setattr("mcgen.generation.normalisation.time.strftime", lambda *_: "later")
    assert produce(plan, folder).made == [2]
    assert set(looked) == {2}
    changed = [row.stored != mark for row, mark in zip(read(plan, folder).rows, marks, strict=True)]
    assert changed == [False, False, True, False, False]


def test_other_events_under_the_same_plan(plan, folder):
    """A partition that somebody wrote anew with other sums counts in the whole; fails if the manifest is believed."""
    before = read(plan, folder)
    path = plan.path(folder, 3)
    file = EventFile(path)
    doubled = file.metadata | {"sum_weights": 1.0001 * file.metadata["sum_weights"]}
    save(Events(doubled, file.read().columns), path, overwrite=True)
    after = produce(plan, folder).metadata
    assert after["sum_weights"] == pytest.approx(1.00002 * before.whole["sum_weights"], rel=1e-12)
    assert read(plan, folder).rows[3].sum_weights == doubled["sum_weights"]


@pytest.mark.parametrize("key", ["first_event", "stored", "content_sha256"])
def test_a_row_that_was_changed(plan, folder, key):
    """A manifest that was changed by hand is written anew; fails if its rows are believed."""
    path = folder / MANIFEST
    right, document = path.read_text(), json.loads(path.read_text())
    document["partitions"][1][key] = document["partitions"][2][key]
    path.write_text(json.dumps(document))
    assert read(plan, folder) is None
    assert produce(plan, folder).made == []
    assert path.read_text() == right


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"partitions": 1}', '{"partitions": [], "metadata": {}}', "\udcff"])
def test_no_manifest(plan, folder, text):
    """Whatever else stands there is written anew; fails for an error about it."""
    right = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text, errors="surrogateescape")
    assert read(plan, folder) is None
    produce(plan, folder)
    assert (folder / MANIFEST).read_text() == right


def test_a_file_that_is_listed_late(plan, folder, monkeypatch):
    """It is neither damaged nor missing; fails if it is said to be made anew because of damage, or to be lost."""
    view = production._names(folder) - {plan.path(folder, 1).name}
    monkeypatch.setattr(production, "_names", lambda _: view)
    done = produce(plan, folder)
    assert (done.made, done.damaged, done.missing) == ([1], [], [])
