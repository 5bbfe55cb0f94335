"""Folders of which all files are there, or none."""

from __future__ import annotations

import ctypes
import errno
import os
import re
from pathlib import Path

import pytest

from mcgen.base import files, folders
from mcgen.base.errors import InputError
from mcgen.base.folders import atomic_folder, check_folder


def belongs(name):
    return re.fullmatch(r"[ab]\.txt", name) is not None


def same(one, two):
    return one.read_bytes() == two.read_bytes()


def write(path, meanwhile=lambda: None, **texts):
    """Write files into a folder; `meanwhile` is called when they are there."""
    with atomic_folder(path, belongs, same) as part:
        for name, text in texts.items():
            (part / f"{name}.txt").write_text(f"mcgen {text}")
        meanwhile()


def read(path):
    return {one.stem: one.read_text().split()[1] for one in path.iterdir()}


def test_all_or_nothing(tmp_path):
    """An error leaves neither the folder nor parts of it; fails if a temporary one stays."""

    def fail():
        assert not (tmp_path / "x").exists()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write(tmp_path / "x", fail, a="1")
    assert [*tmp_path.iterdir()] == []
    write(tmp_path / "x", a="1", b="2")
    assert read(tmp_path / "x") == {"a": "1", "b": "2"}
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o777 & ~_umask()


def _umask():
    found = os.umask(0)
    os.umask(found)
    return found


@pytest.mark.parametrize("other", [{"a": "1"}, {"a": "1", "b": "3"}, {"b": "2"}])
def test_other_content(tmp_path, other):
    """Other texts, more files and fewer ones are refused, or replace the whole folder; fails if they are mixed."""
    path = tmp_path / "x"
    write(path, a="1", b="2")
    before = path.stat().st_ino
    with files.command_policy(False, [], {}) as policy:
        write(path, a="1", b="2")
        assert policy.left == [path / "a.txt", path / "b.txt"]
    assert path.stat().st_ino == before
    with pytest.raises(InputError, match=r"x/[ab]\.txt: is there with other content; --overwrite replaces it"):
        write(path, **other)
    assert read(path) == {"a": "1", "b": "2"}
    with files.overwriting():
        write(path, **other)
    assert read(path) == other
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_files_of_others_stay(tmp_path):
    """A folder with something else in it is never replaced, at the beginning nor later; fails if a thesis is lost."""
    path = tmp_path / "x"
    write(path, a="1")
    (path / "thesis.tex").write_text("years")
    for overwrite in (False, True):
        with (
            files.overwriting(overwrite),
            pytest.raises(InputError, match=r"holds thesis\.tex, which is no part of it"),
        ):
            write(path, a="2")
    (path / "thesis.tex").unlink()
    with files.overwriting(), pytest.raises(InputError, match=r"holds b\.txt"):
        write(path, (path / "b.txt").mkdir, a="2")
    assert (path / "b.txt").is_dir()
    assert (path / "a.txt").read_text() == "mcgen 1"


def test_where_it_goes(tmp_path):
    """An empty folder and a link are filled; a file, a missing folder and one of another program are refused."""
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", a="1")
    (tmp_path / "link").symlink_to(tmp_path / "far")
    write(tmp_path / "link", a="1")
    assert (tmp_path / "link").is_symlink()
    assert read(tmp_path / "far") == {"a": "1"}
    (tmp_path / "file").write_text("mcgen")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "a.txt").write_text("mine")
    for name, why in (
        ("file", "is a file, not a folder"),
        ("no/x", "does not exist"),
        ("foreign", "foreign/a.txt: is there and was not made by mcgen"),
    ):
        with pytest.raises(InputError, match=why):
            check_folder(tmp_path / name, belongs)


def test_another_process_is_faster(tmp_path):
    """A folder that appears meanwhile is not replaced unasked; fails if the last one wins."""
    path = tmp_path / "x"
    with pytest.raises(InputError, match="other content"):
        write(path, lambda: write(path, a="2"), a="1")
    assert read(path) == {"a": "2"}
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_everything_is_on_the_disk_first(tmp_path, monkeypatch):
    """Files, their folder, the name, the folder around it; fails if a crash can leave a name without its files."""
    done = []
    monkeypatch.setattr(files, "sync", lambda path: done.append(path.name.partition(".")[0] or "part"))
    real = Path.rename
    monkeypatch.setattr(Path, "rename", lambda old, new: (done.append("rename"), real(old, new)))
    write(tmp_path / "x", a="1", b="2")
    assert sorted(done[:2]) == ["a", "b"]
    assert done[2:] == ["part", "rename", tmp_path.name]


def test_replaced_in_one_step(tmp_path, monkeypatch):
    """Where the system can, no moment is without the folder; fails if its name is free in between."""
    path = tmp_path / "x"
    write(path, a="1")
    monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("renamed"))
    real = files.sync
    seen = []
    monkeypatch.setattr(files, "sync", lambda path: (real(path), seen.append(path)))
    with files.overwriting():
        folders._swap(_part(tmp_path, a="2"), path)
    assert read(path) == {"a": "2"}
    assert seen == [tmp_path]


def _part(folder, **texts):
    part = folder / ".x.part"
    part.mkdir()
    for name, text in texts.items():
        (part / f"{name}.txt").write_text(f"mcgen {text}")
    return part


def test_errors_of_an_exchange(tmp_path, monkeypatch):
    """A file system that cannot do it is told from one that is broken; fails if an error counts as 'cannot'."""

    class System:
        def renameat2(self, *_):
            ctypes.set_errno(System.number)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: System())
    for System.number in (errno.EINVAL, errno.ENOSYS):
        assert not folders._exchange(tmp_path / "a", tmp_path / "b")
    System.number = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        folders._exchange(tmp_path / "a", tmp_path / "b")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())  # a system without the call
    assert not folders._exchange(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("crash_at", [2, 3, None])
def test_replaced_in_two_steps(tmp_path, monkeypatch, crash_at):
    """A crash before the second step, or before the old files are gone, is mended by the next look at the folder.

    Fails if the old content stays under another name only.
    """
    path = tmp_path / "x"
    write(path, a="1")
    monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    steps = iter(range(1, 9))

    def until(real, *arguments, **how):
        if next(steps) == crash_at:
            raise KeyboardInterrupt  # no clean-up of a failed step, as in a crash
        real(*arguments, **how)

    with monkeypatch.context() as patch:
        rename, rmtree = Path.rename, folders.shutil.rmtree
        patch.setattr(Path, "rename", lambda *a: until(rename, *a))
        patch.setattr(folders.shutil, "rmtree", lambda *a, **how: until(rmtree, *a, **how))
        part = _part(tmp_path, a="2")
        if crash_at:
            with pytest.raises(KeyboardInterrupt):
                folders._swap(part, path)
        else:
            folders._swap(part, path)
    assert path.exists() == (crash_at != 2)
    check_folder(path, belongs)
    assert read(path) == {"a": "1" if crash_at == 2 else "2"}
    folders.shutil.rmtree(part, ignore_errors=True)
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_a_folder_of_others_is_not_recovered(tmp_path):
    """What is called like an old folder but holds something else stays; fails if it is removed."""
    write(tmp_path / "x", a="1")
    mine = tmp_path / ".x.replaced"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years")
    check_folder(tmp_path / "x", belongs)
    assert (mine / "thesis.tex").exists()
