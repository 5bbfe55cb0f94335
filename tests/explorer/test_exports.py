"""What can be taken away from a page is what the command line writes."""

from __future__ import annotations

import io
import json
import shlex
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mcgen.cli import main
from mcgen.explorer import exports
from mcgen.explorer.answer import contour
from mcgen.explorer.setup import Setup


@pytest.fixture(scope="module")
def setup():
    moved = Setup.of("fermilab").with_value("detector.L_det", "2.2 m").with_value("search.observed", 1)
    return moved.with_look(number=4, start=0.02, limits=("g2-bnl",))


@pytest.fixture(scope="module")
def rows(setup):
    return contour(setup).rows


@pytest.fixture(scope="module")
def folder(setup, tmp_path_factory):
    """What the command of the set-up writes from its card."""
    folder = tmp_path_factory.mktemp("command")
    card = exports.card(setup)
    (folder / card.name).write_bytes(card.content)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.chdir(folder)
        assert main(shlex.split(setup.command(figure="fermilab.png"))[1:]) == 0
        words = shlex.split(setup.command(output="fermilab.hepdata"))
        if has_hepdata():
            assert main(words[1:]) == 0
    return folder


def has_hepdata():
    try:
        __import__("hepdata_validator")
    except ImportError:
        return False
    return True


def test_table_is_that_of_the_command(setup, rows, folder):
    """The same bytes; fails if a digit differs."""
    made = exports.csv(setup, rows)
    assert made.name == "fermilab.csv"
    assert made.content == (folder / made.name).read_bytes()


def test_picture_is_that_of_the_command(setup, rows, folder):
    """The same pixels, over the same limits."""
    image = pytest.importorskip("matplotlib.image")
    made = exports.picture(setup, rows)
    one, two = image.imread(io.BytesIO(made.content)), image.imread(folder / made.name)
    # the command draws the same masses: its rows are those of the page
    assert one.shape == two.shape
    assert np.array_equal(one, two)


@pytest.mark.parametrize(("kind", "first"), [("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_other_pictures(setup, rows, kind, first):
    """Of the kind that is asked for."""
    pytest.importorskip("matplotlib")
    made = exports.picture(setup, rows, kind)
    assert made.name == f"fermilab.{kind}"
    assert made.content.startswith(first)


def test_submission_is_that_of_the_command(setup, rows, folder):
    """The tables of the archive are the files of the folder."""
    pytest.importorskip("hepdata_validator")
    made = exports.hepdata(setup, rows)
    assert made == exports.hepdata(setup, rows)
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        tables = [name for name in archive.namelist() if name.endswith(".yaml")]
        assert tables
        for name in tables:
            assert archive.read(name) == (folder / "fermilab.hepdata" / name).read_bytes()


def test_state_and_card_come_back(setup):
    """The files give the set-up and its card again."""
    assert Setup.from_document(json.loads(exports.state(setup).content)) == setup
    assert exports.state(setup).name == "fermilab.explore.json"
    assert exports.card(setup).content.decode() == setup.text


def test_a_name_cannot_leave_its_folder():
    """The name of a card from elsewhere is no path."""
    assert exports.state(Setup('name = "../x"')).name == "card.explore.json"
    assert Path(exports.card(Setup("name = 3")).name).name == "card.toml"
