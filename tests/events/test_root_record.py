"""Metadata that are read without opening the file."""

from __future__ import annotations

import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcgen import InputError, generate
from mcgen.events.formats.root import METADATA, EventFile, quick_metadata, stored_metadata
from mcgen.events.formats.root_record import record, text_of


@pytest.fixture(
    scope="module", params=[{}, {"rntuple": True}, {"layout": "particles"}, {"branches": ["E_mu"]}], ids=str
)
def path(request, tmp_path_factory):
    """An event file of each kind."""
    path = tmp_path_factory.mktemp("record") / "events.root"
    generate("fermilab", 0.1, 20, 1, output=path, **request.param)
    return path


def test_the_same_as_by_uproot(path):
    """The text is that which uproot reads; fails if another layout makes each file be opened again."""
    found = record(path, METADATA)
    with uproot.open(path) as file:
        assert text_of(found) == str(file[METADATA])
    assert quick_metadata(path, found) == EventFile(path).metadata
    assert record(path, "another") is None


def test_a_text_that_is_not_compressed(tmp_path):
    """A short and a long one, as they lie there; fails if their beginning is taken for a compressed block."""
    for text in ("short", "long " * 1000):
        with uproot.recreate(tmp_path / "a.root", compression=None) as file:
            file["text"] = text
        assert text_of(record(tmp_path / "a.root", "text")) == text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damage(path, tmp_path_factory, data):
    """A file that is cut, or has another byte, is opened, refused, or has the metadata it had; fails for an error."""
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = tmp_path_factory.mktemp("damaged") / "events.root"
    is_cut = data.draw(st.booleans())
    damaged.write_bytes(whole[:at] if is_cut else whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    stored = stored_metadata(damaged)
    assert stored is None or not is_cut
    try:
        found = quick_metadata(damaged, stored)
    except InputError as error:
        assert str(damaged) in str(error)  # noqa: PT017
        return
    assert found is None or found == EventFile(path).metadata


def test_no_file(tmp_path):
    """None, of a folder too; fails if a reader that only tries raises."""
    assert stored_metadata(tmp_path / "none.root") is None
    assert stored_metadata(tmp_path) is None
