"""What can be taken away from a page: bytes, and the name of the file."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mcgen.analysis.reach_rows import ReachTable
from mcgen.analysis.threshold import figure_title, limit_of
from mcgen.base.errors import choose
from mcgen.explorer.setup import Setup
from mcgen.report.reach_figure import draw
from mcgen.report.reach_files import save_reach

#: kinds of pictures, and of all files
PICTURES = ("png", "pdf", "svg")
KINDS = ("card", "state", "csv", "hepdata", *PICTURES)
#: time of all files in an archive, so that the same contour is the same archive
_TIME = (1980, 1, 1, 0, 0, 0)


class Export(NamedTuple):
    """A file."""

    name: str
    content: bytes


def card(setup: Setup) -> Export:
    """The card."""
    return Export(f"{setup.name}.toml", setup.text.encode())


def state(setup: Setup) -> Export:
    """The state, which a page can be opened with again."""
    return Export(f"{setup.name}.explore.json", (json.dumps(setup.document(), indent=1) + "\n").encode())


def csv(setup: Setup, rows: ReachTable) -> Export:
    """The contour, as `mcgen reach -o FILE.csv` writes it.

    Parameters
    ----------
    setup : Setup
        Of the contour.
    rows : ReachTable
        What `answer.contour` found.
    """
    return Export(f"{setup.name}.csv", _written("reach.csv", lambda path: save_reach(rows, path, setup.card)))


def hepdata(setup: Setup, rows: ReachTable) -> Export:
    """A submission to HEPData, zipped, as `mcgen reach -o FOLDER.hepdata` writes it.

    Parameters
    ----------
    setup : Setup
    rows : ReachTable

    Raises
    ------
    InputError
        If packages are missing.
    """
    with tempfile.TemporaryDirectory(prefix="mcgen-") as folder:
        made = save_reach(rows, Path(folder) / f"{setup.name}.hepdata", setup.card)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(made.iterdir()):
                archive.writestr(zipfile.ZipInfo(path.name, _TIME), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return Export(f"{setup.name}.hepdata.zip", packed.getvalue())


def picture(setup: Setup, rows: ReachTable, kind: str = "png") -> Export:
    """The figure, as `mcgen reach --plot` draws it, over the known limits that are looked at.

    Parameters
    ----------
    setup : Setup
    rows : ReachTable
    kind : {"png", "pdf", "svg"}

    Raises
    ------
    InputError
        If matplotlib is missing, or the limits do not go with the boson.
    """
    choose(kind, PICTURES, "picture")
    look, one = setup.look, setup.card
    criterion = figure_title([limit_of(one)])

    def make(path: Path) -> None:
        draw(rows, [one], path, "", look.limits, axis=look.axis, criterion=criterion)

    return Export(f"{setup.name}.{kind}", _written(f"reach.{kind}", make))


def _written(name: str, write: Callable[[Path], object]) -> bytes:
    """What a function writes into a file."""
    with tempfile.TemporaryDirectory(prefix="mcgen-") as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()
