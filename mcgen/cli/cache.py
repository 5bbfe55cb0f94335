"""`mcgen cache`: what is kept between runs."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mcgen.base.errors import refuse_if
from mcgen.cli.display import print_json, table, tell
from mcgen.cli.options import Command, flag, json_option
from mcgen.cli.volume import echo

if TYPE_CHECKING:
    from mcgen.base.cache import Kernels


@click.command(cls=Command)
@flag("--clear", "Remove all compiled kernels; the next command compiles again, half a minute.")
@flag("--clear-old", "Remove those of other versions of mcgen or numba, and of other processors.")
@json_option("kernels: [folder, bytes, written, is_current], removed: [the same], mulder (its folder, or null)")
def cache(clear: bool, clear_old: bool, as_json: bool) -> None:
    """Where compiled kernels are kept and how large they are; remove them while no other command of mcgen runs.

    They lie in mcgen/ of the first of $NUMBA_CACHE_DIR, $XDG_CACHE_HOME and ~/.cache that can be written: set one
    of the two to move them. The tables of mulder are its own and are only named.

    \b
    $ mcgen cache
    $ mcgen cache --clear-old
    """
    from mcgen.base.cache import cleared
    from mcgen.source.mulder_tables import cache_folder

    refuse_if(clear and clear_old, "--clear, --clear-old: give one or the other")
    left, gone = cleared(clear, clear_old)
    mulder = cache_folder()
    if as_json:
        named = mulder and str(mulder)
        print_json({"kernels": [*map(_row, left)], "removed": [*map(_row, gone)], "mulder": named})
        return
    if gone or clear or clear_old:
        tell(f"removed {len(gone)} of {len(gone) + len(left)} folders, {_size(gone)}")
        return
    for home in dict.fromkeys(each.folder.parent for each in left):
        mine = [each for each in left if each.folder.parent == home]
        cells = [[each.folder.name, _size([each]), _day(each), "this" if each.is_current else "other"] for each in mine]
        table(["compiled kernels", "size", "last written", "version"], cells, str(home))
    echo(f"{len(left)} folders, {_size(left)}")
    if mulder is not None:
        echo(f"tables of mulder: {mulder}")


def _row(kernels: Kernels) -> dict[str, Any]:
    return asdict(kernels) | {"folder": str(kernels.folder)}


def _size(kernels: list[Kernels]) -> str:
    return f"{sum(each.bytes for each in kernels) / 1e6:.1f} MB"


def _day(kernels: Kernels) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(kernels.written))
