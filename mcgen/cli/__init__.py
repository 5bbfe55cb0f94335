"""The command line: one file per command, which parses, calls one function and prints.

Heavy imports wait until a command needs them.
"""

from __future__ import annotations

import gc
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import click

from mcgen._version import __version__
from mcgen.base.errors import InputError, McgenError, McgenWarning, short_of_memory
from mcgen.base.interrupts import heed, leave
from mcgen.base.printed import one_line
from mcgen.cli.cache import cache
from mcgen.cli.cite import cite
from mcgen.cli.constraints import constraints
from mcgen.cli.crosscheck import crosscheck
from mcgen.cli.explore import explore
from mcgen.cli.export import export
from mcgen.cli.generate import generate
from mcgen.cli.grid import grid
from mcgen.cli.info import info
from mcgen.cli.library import library
from mcgen.cli.merge import merge
from mcgen.cli.new import new
from mcgen.cli.reach import reach
from mcgen.cli.rerun import rerun
from mcgen.cli.reweight import reweight
from mcgen.cli.run import run
from mcgen.cli.schema import schema
from mcgen.cli.show import show
from mcgen.cli.validate import validate
from mcgen.cli.volume import echo, say, volume_options
from mcgen.cli.workspace import workspace
from mcgen.cli.xsec import xsec

_INTERRUPTED = "interrupted; files that are there under a final name are complete"
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class _Group(click.Group):
    """The commands; --quiet and --verbose may also stand before their names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(volume_options())


@click.group(cls=_Group, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="mcgen")
def cli() -> None:
    """Monte Carlo events of mu N -> mu N S: exact production, decays, reweighting, reach.

    Energies and masses are in GeV unless they carry a unit. A list is a,b,c, start:stop:n or start:stop:n:log.

    \b
    mcgen run fermilab    (the whole chain for an experiment of the paper)
    mcgen xsec --target W --energy 3 --mass 100MeV
    """


COMMANDS = (
    new, run, generate, merge, rerun, export, library, info, reweight, xsec, crosscheck, reach, grid, explore,
    workspace, constraints, cite, show, validate, schema, cache,
)  # fmt: skip
for command in COMMANDS:
    cli.add_command(command)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    say(f"mcgen: warning: {message}")


def _fail(error: object, status: int) -> int:
    if isinstance(error, Exception) and short_of_memory(error):
        error, status = "not enough memory", 1
    echo("mcgen: error: " + one_line(str(error)), err=True)
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; an error is one line on stderr and the exit status."""
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        warnings.simplefilter("always", McgenWarning)
        try:
            given = arguments if arguments is None else list(arguments)
            return cli.main(given, prog_name="mcgen", standalone_mode=False) or 0  # the status of context.exit()
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            return 2
        except click.UsageError as error:
            hint = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
            return _fail(error.format_message() + hint, 2)
        except (click.Abort, KeyboardInterrupt):
            return _fail(_INTERRUPTED, 1)
        except InputError as error:
            return _fail(error, 2)
        except McgenError as error:
            return _fail(error, 1)
        except Exception as error:
            if short_of_memory(error):
                return _fail(error, 1)
            if not isinstance(error, (OSError, OverflowError, ZeroDivisionError)):
                raise
            return _fail(f"{type(error).__name__}: {error}", 1)


def _hasten() -> None:
    """Leave out what takes a third of a short command: looks for garbage, and what numba loads for other programs."""
    gc.set_threshold(100_000)
    if len(sys.argv) > 2 and not {"-h", "--help"} & set(sys.argv):
        from mcgen.base.jit import leave_out_guests

        leave_out_guests()


def entry() -> None:
    """Console script: the signals of batch systems end it like Ctrl-C, leaving no temporary file."""
    seen = heed(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if sys.stdout is None:
        sys.exit(_fail("standard output is closed", 1))
    try:
        _hasten()
        status = main()
    except Exception as error:
        if not (seen or short_of_memory(error)):  # an interrupt inside the compiler becomes an error of the compiler
            raise
        status = _fail(_INTERRUPTED if seen else error, 1)
    signal.setitimer(signal.ITIMER_REAL, 0.0)  # an interrupt that comes again would now kill a process that is done
    if seen:
        leave(status)
    sys.exit(status)
