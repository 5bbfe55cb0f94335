#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["nox>=2025.2.9"]
# ///
"""Tasks: `nox` runs lint, types, tests and docs; `nox -s` with another name the others."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"


@nox.session
def lint(session: nox.Session) -> None:
    """Style."""
    session.install("ruff>=0.9")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types."""
    session.install("-e", ".[lint]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Tests, all or those named behind --."""
    session.install(".[test]")
    session.run("pytest", "-q", *session.posargs)


@nox.session(default=False)
def slow(session: nox.Session) -> None:
    """Validations that take long."""
    session.install(".[test]")
    session.run("pytest", "-q", "-m", "slow", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, in docs/_build/html."""
    session.install(".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "-j", "2", "docs", "docs/_build/html")


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Speed and memory."""
    session.install(".[benchmark]")
    session.run("python", "-m", "validation.benchmarks", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"], default=False)
def versions(session: nox.Session) -> None:
    """Tests on every Python that pyproject.toml names."""
    tests(session)


@nox.session(venv_backend="uv", python="3.11", default=False)
def minimums(session: nox.Session) -> None:
    """Tests with the lowest versions that pyproject.toml allows."""
    session.install("--resolution", "lowest-direct", ".[test]")
    session.run("pytest", "-q", *session.posargs)


if __name__ == "__main__":
    nox.main()
