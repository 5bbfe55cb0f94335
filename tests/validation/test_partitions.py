"""Productions of many partitions, at a scale that takes seconds."""

from __future__ import annotations

from mcgen.campaign.manifest import MANIFEST
from mcgen.campaign.production import produce
from validation import partitions


def test_a_folder_like_that_of_a_production(tmp_path):
    """What is made by copying is taken for a whole production, and nothing is made; fails if its metadata are not."""
    partitions.fill(folder := tmp_path / "folder", 30)
    manifest = (folder / MANIFEST).read_text()
    done = produce(partitions.plan(30), folder, verify=True)
    assert (done.made, done.missing) == ([], [])
    assert done.metadata["n_events"] == 30 * partitions.EACH
    assert (folder / MANIFEST).read_text() == manifest
