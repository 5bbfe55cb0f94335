"""Compiled kernels on disk: never older than the source, and no need of a place to keep them."""

import errno
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numba
import pytest
from numba.core.caching import UserProvidedCacheLocator

import mcgen
from mcgen.base import jit
from mcgen.physics.emission.form_factor import form_factor
from mcgen.physics.emission.iww import flux

CALL = """
from mcgen.physics.emission.form_factor import form_factor
from mcgen.physics.emission.iww import flux
print(flux(3.0, 0.1, 0.1, form_factor("paper", 74.0, 183.84)))
"""


def _run(package: Path, before: Callable[[], None] | None = None, **environment: str) -> float:
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"} | environment
    command = [sys.executable, "-c", CALL]
    done = subprocess.run(
        command, capture_output=True, text=True, env=variables, cwd=package, check=True, preexec_fn=before
    )
    assert not done.stderr
    return float(done.stdout)


def test_an_edited_callee_is_compiled_again(tmp_path):
    """Eq. A1 changed in its own file changes a kernel of another file; numba's own cache returns the old number."""
    shutil.copytree(Path(mcgen.__file__).parent, tmp_path / "mcgen", ignore=shutil.ignore_patterns("__pycache__"))
    cache = tmp_path / "cache"
    before = _run(tmp_path, XDG_CACHE_HOME=str(cache))
    assert len(list((cache / "mcgen").iterdir())) == 1
    assert _run(tmp_path, XDG_CACHE_HOME=str(cache)) == before
    source = tmp_path / "mcgen" / "physics" / "emission" / "form_factor.py"
    text = source.read_text()
    assert "return ff.elastic * " in text
    stat = source.stat()
    source.write_text(text.replace("return ff.elastic * ", "return 2.0 * ff.elastic * "))
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert _run(tmp_path, XDG_CACHE_HOME=str(cache)) > 1.5 * before
    assert len(list((cache / "mcgen").iterdir())) == 2


def test_nowhere_to_write():
    """Without any folder to write to, kernels are compiled in memory; fails if the import needs a home."""
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/a", "NUMBA_CACHE_DIR": "/dev/null/b"}
    package = Path(mcgen.__file__).parent.parent
    assert _run(package, **nowhere) == flux(3.0, 0.1, 0.1, form_factor("paper", 74.0, 183.84))


def _kernel(x: float) -> float:
    return 2.0 * x + 1.0


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A folder of its own for compiled kernels."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    jit.cache_folder.cache_clear()
    yield tmp_path
    jit.cache_folder.cache_clear()


def _hits(kernel):
    return sum(kernel.stats.cache_hits.values())


needs_cache = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


@needs_cache
@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", [lambda _: b"", lambda data: bytes(len(data)), lambda data: data[: len(data) // 2]])
def test_kernels_that_a_crash_has_torn(cache, ending, damage):
    """Empty files, zeros and half files are written anew; fails if the program ends at each start until they go."""
    assert jit.jit(_kernel)(3.0) == 7.0
    (path,) = cache.rglob(f"*{ending}")
    path.write_bytes(damage(path.read_bytes()))
    again = jit.jit(_kernel)
    assert (again(3.0), _hits(again)) == (7.0, 0)
    again = jit.jit(_kernel)
    assert (again(3.0), _hits(again)) == (7.0, 1)


@needs_cache
def test_kernels_are_on_the_disk_before_their_name(cache, monkeypatch):
    """Half a kernel that can be read would give other numbers; fails if a name comes before the bytes."""
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, _n=name, _real=real: (done.append(_n), _real(*a)))
    assert jit.jit(_kernel)(3.0) == 7.0
    assert done == ["fsync", "replace"] * 2
    assert list(cache.rglob("*.nbc"))


@needs_cache
def test_no_room_for_kernels(cache, monkeypatch):
    """A full disk of the cache costs time and no numbers; fails if the program ends."""

    def full(_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    assert jit.jit(_kernel)(3.0) == 7.0
    assert not list(cache.rglob("*.nb?"))


def test_damaged_kernels(tmp_path):
    """Kernels that are empty, cut or changed are compiled again; fails if numba loads one, or stumbles over it."""
    package, cache = Path(mcgen.__file__).parent.parent, tmp_path / "cache"
    before = _run(package, XDG_CACHE_HOME=str(cache))
    files = sorted(cache.rglob("*.nb[ci]"))
    whole = [path.stat().st_size for path in files]
    assert len(files) > 10
    for number, path in enumerate(files):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes([b"", data[: len(data) // 2], data][number % 3])
    assert _run(package, XDG_CACHE_HOME=str(cache)) == before
    assert [path.stat().st_size for path in files] == whole


def test_full_disk(tmp_path):
    """Kernels that cannot be kept are compiled in memory; fails if a full disk ends the computation."""
    package = Path(mcgen.__file__).parent.parent
    full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (100, 100))
    found = _run(package, full, XDG_CACHE_HOME=str(tmp_path))
    assert found == flux(3.0, 0.1, 0.1, form_factor("paper", 74.0, 183.84))
    assert not list(tmp_path.rglob("*.nb*"))


@needs_cache
def test_two_processes_begin_together(cache, monkeypatch):
    """Kernels of other types that two processes keep at the same time; fails if one is read as the other."""
    with monkeypatch.context() as patch:  # both look for what is there before either has kept anything
        patch.setattr(jit._KernelFiles, "_load_index", lambda _: {})
        assert jit.jit(_kernel)(3.0) == 7.0
        assert jit.jit(_kernel)(3) == 7.0
    assert len(list(cache.rglob("*.nbc"))) == 2
    for value in (3.0, 3, 3.0):
        again = jit.jit(_kernel)
        assert again(value) == 7.0
        assert [signature[0] for signature in again.signatures] == [numba.typeof(value)]


@needs_cache
def test_kernels_that_can_only_be_read(cache, monkeypatch):
    """Those of a container are used, and an empty folder is not; fails if a place that is read must be written to."""
    assert jit.jit(_kernel)(3.0) == 7.0

    def read_only(**_):
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    jit.cache_folder.cache_clear()
    again = jit.jit(_kernel)
    assert (again(3.0), _hits(again)) == (7.0, 1)
    for path in cache.rglob("*.nb?"):
        path.unlink()
    monkeypatch.setenv("HOME", str(cache / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    jit.cache_folder.cache_clear()
    assert jit.cache_folder() is None
    assert jit.jit(_kernel)(3.0) == 7.0


@needs_cache
def test_another_installation_of_the_same_version(cache, monkeypatch):
    """Another time stamp of the same source; fails if the kernels are compiled again."""
    assert jit.jit(_kernel)(3.0) == 7.0
    monkeypatch.setattr(UserProvidedCacheLocator, "get_source_stamp", lambda _: (1.0, 1))
    again = jit.jit(_kernel)
    assert (again(3.0), _hits(again)) == (7.0, 1)
    assert list(cache.rglob("*.nbc"))
