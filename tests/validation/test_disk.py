"""The disk that loses what was not synced, without a mount."""

from __future__ import annotations

import random
import stat

import pytest

from validation.disk import CRASHES, ROOT, Disk, replayed

FILE = stat.S_IFREG | 0o644
FOLDER = stat.S_IFDIR | 0o755
OLD, NEW = b"o" * 2048, b"n" * 2048


def crashed(disk, how, seed=1):
    return disk.crash(how, random.Random(seed))


@pytest.mark.parametrize(
    ("how", "wanted"), [("lost", {}), ("zeros", {"a": bytes(2048)}), ("cut", {"a": b""}), ("torn", None)]
)
def test_a_file_that_nobody_synced(how, wanted):
    """Gone, zeros, empty, or whole sectors of it; fails if a crash keeps what only the memory had."""
    disk = Disk()
    disk.write(disk.make(ROOT, "a", FILE), 0, NEW)
    found = crashed(disk, how)
    if wanted is not None:
        assert found == wanted
    else:
        sectors = {found["a"][i : i + 512] for i in range(0, 2048, 512)}
        assert sectors == {b"n" * 512, bytes(512)}


@pytest.mark.parametrize("how", CRASHES)
def test_what_is_synced_stays(how):
    """Bytes and name, each synced; fails if a kind of crash takes what was promised."""
    disk = Disk({"d": None, "d/b": OLD})
    number = disk.make(disk.find("d"), "a", FILE)
    disk.write(number, 0, NEW)
    disk.sync(number)
    disk.sync(disk.find("d"))
    assert crashed(disk, how) == {"d": None, "d/a": NEW, "d/b": OLD}


def test_bytes_are_not_the_name():
    """fsync of a file keeps no name, that of a folder no bytes; fails if the disk promises more than POSIX."""
    disk = Disk()
    number = disk.make(ROOT, "a", FILE)
    disk.write(number, 0, NEW)
    disk.sync(number)
    assert crashed(disk, "lost") == {}
    disk = Disk()
    disk.write(disk.make(ROOT, "a", FILE), 0, NEW)
    disk.sync(ROOT)
    assert crashed(disk, "lost") == {"a": b""}


def test_a_folder_needs_its_own_name():
    """What lies in a folder whose name was lost is lost; what had to come first is kept with what is synced."""
    disk = Disk()
    folder = disk.make(ROOT, "d", FOLDER)
    disk.sync(disk.make(folder, "a", FILE))
    disk.sync(folder)
    assert crashed(disk, "lost") == {}
    disk = Disk({"a": OLD})
    folder = disk.make(ROOT, "d", FOLDER)
    disk.rename(ROOT, "a", folder, "b")
    disk.sync(folder)
    assert crashed(disk, "lost") == {"d": None, "d/b": OLD}


def test_names_in_disorder():
    """Changes in one folder keep their order, those in two folders do not; fails if a rename is done by half."""
    found = set()
    for seed in range(200):
        disk = Disk({"d": None, "a": OLD})
        disk.rename(ROOT, "a", ROOT, "b")
        disk.make(ROOT, "c", FILE)
        disk.make(disk.find("d"), "e", FILE)
        found.add(frozenset(crashed(disk, "disorder", seed)) - {"d"})
    each = [{"a"}, {"b"}, {"b", "c"}]
    assert found == {frozenset(names | more) for names in each for more in (set(), {"d/e"})}


def test_exchange_and_remove():
    """Two names change places in one step; a removed file is there until its folder is synced."""
    disk = Disk({"a": OLD, "b": NEW})
    disk.rename(ROOT, "a", ROOT, "b", exchange=True)
    disk.sync(ROOT)
    disk.remove(ROOT, "a")
    assert crashed(disk, "lost") == {"a": NEW, "b": OLD}


def test_log_is_replayed():
    """The same steps make the same disk; fails if a number depends on more than the log."""
    log = [("make", (ROOT, "a", FILE)), ("write", (2, 3, b"xy")), ("cut", (2, 4)), ("sync", (2,)), ("sync", (ROOT,))]
    assert crashed(replayed({}, log), "lost") == {"a": b"\0\0\0x"}
    assert crashed(replayed({}, log[:3]), "cut") == {"a": b""}
