"""What is kept between runs, and what is removed of it."""

from __future__ import annotations

import json
import os

import pytest

from mcgen.base import cache
from mcgen.base.errors import InputError
from mcgen.base.jit import cache_homes
from mcgen.cli import main

THIS, OTHER = "numba-0123456789abcdef", "numba-fedcba9876543210"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A cache with this version, another one, and things of others beside them; never that of the user."""
    home = tmp_path / "mcgen"
    for name in (THIS, OTHER, "numba-notes", "tables"):
        (home / name / "deeper").mkdir(parents=True)
        (home / name / "deeper" / "kernel.nbi").write_bytes(bytes(1000))
    (tmp_path / "precious").mkdir()
    (home / "numba-00000000ffffffff").symlink_to(tmp_path / "precious")
    os.utime(home / OTHER / "deeper" / "kernel.nbi", (2e9, 2e9))
    monkeypatch.setattr(cache, "cache_homes", lambda: [home, tmp_path / "nowhere"])
    monkeypatch.setattr(cache, "cache_folder", lambda: home / THIS)
    return home


def test_what_is_kept(kept):
    """Folders of kernels alone, with size and time, this version first; fails if others' folders are listed."""
    found = cache.kept_kernels()
    assert [(k.folder.name, k.bytes, k.is_current) for k in found] == [(THIS, 1000, True), (OTHER, 1000, False)]
    assert found[0].folder.parent == kept
    assert found[1].written == 2e9


@pytest.mark.parametrize(("option", "gone"), [("--clear", {THIS, OTHER}), ("--clear-old", {OTHER})])
def test_clear(kept, capsys, option, gone):
    """What is asked for is removed and nothing else; fails if a link is followed or another folder goes."""
    before = {path.name for path in kept.iterdir()}
    assert main(["cache", option, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {path.name for path in kept.iterdir()} == before - gone
    assert (kept.parent / "precious").is_dir()
    assert {row["folder"] for row in document["removed"]} == {str(kept / name) for name in gone}
    assert len(document["kernels"]) == 2 - len(gone)


@pytest.mark.usefixtures("kept")
def test_what_stays_is_said(monkeypatch):
    """A folder that cannot be removed is an error; fails if it passes for removed."""
    monkeypatch.setattr(cache.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(InputError, match=f"{THIS}: cannot be removed"):
        cache.remove(cache.kept_kernels())


def test_homes(monkeypatch):
    """Two variables and the home say where; fails if another order hides the user's choice."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/one")
    monkeypatch.setenv("XDG_CACHE_HOME", "/two")
    monkeypatch.setenv("HOME", "/three")
    assert [str(path) for path in cache_homes()] == ["/one/mcgen", "/two/mcgen", "/three/.cache/mcgen"]


def test_cache_is_shown(kept, capsys):
    """The table names each folder, its size and the sum; fails if a column is lost."""
    assert main(["cache"]) == 0
    out = capsys.readouterr().out
    assert "2 folders, 0.0 MB" in out
    assert str(kept) in out
    assert THIS in out
    assert main(["cache", "--clear", "--clear-old"]) == 2
