"""How much a command says: --quiet only what it was asked for, --verbose also each step and how long it took."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

import click

from mcgen.base.printed import plain
from mcgen.base.steps import LOG, step

_KEY = "mcgen.volume"


def _choose(context: click.Context, option: click.Parameter, is_given: bool) -> None:
    """Note the choice where the group and its command both see it."""
    if is_given and context.meta.setdefault(_KEY, option.name) != option.name:
        message = "--quiet and --verbose: give one or the other"
        raise click.UsageError(message, context)


def volume_options() -> list[click.Option]:
    """The two options, for the group and for each command."""
    how: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _choose}
    return [
        click.Option(["-q", "--quiet"], help="Print results that are asked for, errors and warnings only.", **how),
        click.Option(["-v", "--verbose"], help="Tell each step and how long it took, on stderr.", **how),
    ]


def _is(volume: str) -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and context.meta.get(_KEY) == volume


def is_quiet() -> bool:
    """Whether the command that runs has --quiet."""
    return _is("quiet")


def is_verbose() -> bool:
    """Whether the command that runs has --verbose."""
    return _is("verbose")


def echo(text: object, err: bool = False, nl: bool = True) -> None:
    """Text on stdout or stderr, of which a terminal obeys no letter."""
    click.echo(plain(str(text)), err=err, nl=nl)


def say(text: str) -> None:
    """A line on stderr, above a bar that is drawn there: the bar takes the place of `sys.stderr`."""
    if sys.stderr is not None:
        click.echo(plain(text), file=sys.stderr)


class _Told(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(f"mcgen: {record.getMessage()}")


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Inside, the log of the package goes to stderr with --verbose."""
    if not is_verbose():
        yield
        return
    handler, level = _Told(), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        with step("done in all"):
            yield
    finally:
        LOG.setLevel(level)
        LOG.removeHandler(handler)
