"""Files and their names are on the disk in this order, whatever happens to the machine."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mcgen.base import files
from mcgen.base.files import atomic_path, make_folder, open_atomic, overwriting


@pytest.fixture
def done(monkeypatch):
    """What is done to the disk, in order."""
    found = []
    for name, real in (("link", os.link), ("unlink", Path.unlink), ("replace", Path.replace)):

        def noted(*arguments, _name=name, _real=real, **how):
            found.append(_name)
            return _real(*arguments, **how)

        monkeypatch.setattr(os if name == "link" else Path, name, noted)
    real = files.sync

    def sync(path):
        found.append(f"sync {'folder' if path.is_dir() else 'file'}")
        real(path)

    monkeypatch.setattr(files, "sync", sync)
    return found


def test_order_of_a_new_file(tmp_path, done):
    """The bytes, the name, the end of the other name, the folder; fails if a crash can leave a name without bytes."""
    with open_atomic(tmp_path / "a.txt") as stream:
        stream.write("1")
    assert done[:4] == ["sync file", "link", "unlink", "sync folder"]


def test_order_of_a_file_that_is_replaced(tmp_path, done):
    """The same; fails if the old file can be lost before the new one is there."""
    (tmp_path / "a.txt").write_text("0")
    with overwriting(), open_atomic(tmp_path / "a.txt") as stream:
        stream.write("1")
    assert [what for what in done if what != "unlink"] == ["sync file", "replace", "sync folder"]


def test_names_of_new_folders_are_kept(tmp_path, monkeypatch):
    """Each folder around a new one is synced; fails if a production can vanish with the name of its folder."""
    synced = []
    monkeypatch.setattr(files, "sync", synced.append)
    make_folder(tmp_path / "a" / "b")
    assert sorted(synced) == [tmp_path, tmp_path / "a"]
    make_folder(tmp_path / "a" / "b")
    assert len(synced) == 2


def test_a_name_that_cannot_be_removed(tmp_path, monkeypatch):
    """The file is there and the error is told; fails if it is lost with its temporary name."""
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError(1, "not permitted")))
    with pytest.raises(PermissionError), atomic_path(tmp_path / "a.txt") as part:
        part.write_text("1")
    assert (tmp_path / "a.txt").read_text() == "1"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_folders(tmp_path, monkeypatch, number):
    """Files are written there all the same, and one of them that cannot be synced is an error; fails for either."""
    real = os.fsync

    def fsync(handle):
        if os.path.isdir(handle) is is_refused_folder:  # noqa: PTH112 - an open file
            raise OSError(number, os.strerror(number))
        real(handle)

    is_refused_folder = True
    monkeypatch.setattr(os, "fsync", fsync)
    with open_atomic(tmp_path / "a.txt") as stream:
        stream.write("a")
    assert (tmp_path / "a.txt").read_text() == "a"
    is_refused_folder = False
    with pytest.raises(OSError, match=os.strerror(number)), open_atomic(tmp_path / "b.txt") as stream:
        stream.write("b")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_lock_that_another_machine_has_removed(tmp_path, monkeypatch):
    """A name that is there and cannot be opened is tried again, and a folder that is not there is an error at once."""
    real, failed = files._open_lock, []

    def stale(path):
        if len(failed) < 2 and path.parent == tmp_path:
            failed.append(path)
            raise FileNotFoundError(errno.ENOENT, "stale")
        return real(path)

    monkeypatch.setattr(files, "_open_lock", stale)
    with files.claim(tmp_path / "a.root") as mine:
        assert mine
    assert len(failed) == 2
    with pytest.raises(FileNotFoundError), files.claim(tmp_path / "none" / "a.root"):
        pass
