"""Events that are read many at a time are the same as word by word, and what is wrong with them is said the same."""

from __future__ import annotations

import gzip
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcgen import export, generate, load, load_card
from mcgen.base.errors import InputError
from mcgen.events.formats import lhe_tokens
from mcgen.events.formats.lhe_alike import Alike, Pattern, whole_event
from mcgen.events.formats.lhe_events import LheStream

MADGRAPH = Path(__file__).parents[2] / "validation/reference/madgraph_W_1GeV_mS0.1.lhe.gz"
EVENTS = 12


def _event(cell):
    return f"<event>\n 1 7 2.5 91. 0.0078 0.1\n 13 -1 0 0 0 0 {cell} 0. 1. 2. 3. 0. 9.\n</event>\n"


def _numbers(first, *cells):
    """The seventh number of the particle in events that follow a first one, as far as they are alike."""
    text = "".join(map(_event, cells))
    data = np.frombuffer(text.encode() + b"\0", np.uint8)
    return Pattern(_event(first), {0, 5}).events(text, data, 0).numbers[:, 11].tolist()


NUMBERS = st.from_regex(r"\A[+-]?([0-9]{1,18}\.?[0-9]{0,3}|\.[0-9]{1,19})([eE][+-]?[0-9]{1,3})?\Z")


@given(cell=NUMBERS | st.floats(allow_nan=False, allow_infinity=False).map(lambda x: f"{x:.17g}"))
@example("-0")
@example("-0.0000000000e+00")
@example("1e-300")
@example("-1e300")
@example("9007199254740993")
@example("9007199254740992.9999")
@example("0.1000000000000000055")
@example("123456789012345678e-17")
@example("5e-324")
@example("1e309")
@example(".5")
@example("5.")
def test_numbers(cell):
    """A number is the float64 that Python reads, with its sign, or left to Python; fails for one last bit."""
    for value in _numbers("1.5", cell):
        assert np.float64(value).tobytes() == np.float64(float(cell)).tobytes()


@given(x=st.floats(1e-280, 2.0**53) | st.floats(-(2.0**53), -1e-280))
def test_all_digits_are_read(x):
    """What `%.17g` and `repr` write is read and not left to Python; fails if the fast way is never taken."""
    assert _numbers("1.5", f"{x:.17g}", repr(x), f"{x:.10e}") == [x, x, float(f"{x:.10e}")]


@pytest.mark.parametrize(
    "cell", ["nan", "inf", "1_0", "1.0-100", "0x10", "1.5e", "1.5e+", ".", "+", "--1", "1.2.3", "1,5", "1234567890" * 3]
)
def test_other_forms(cell):
    """What is no plain number is left to the reader of words; fails if a part of it is taken."""
    assert _numbers("1.5", "2.5", cell, "3.5") == [2.5]
    assert not whole_event(_event("1.5").replace("2.5", "1_0"), 0)


def test_whole_numbers():
    """Kinds, states and mothers must be whole, of any sign; fails if 13.0 passes for 13."""
    text = _event("1.5")
    for kind, n in (("+11", 1), ("-13", 1), ("13.", 0), ("13.0", 0), ("1e1", 0), (str(2**60), 0)):
        other = text.replace(" 13 ", f" {kind} ")
        found = Pattern(text, {5}).events(other, np.frombuffer(other.encode() + b"\0", np.uint8), 0)
        assert len(found.numbers) == n, kind


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """A file of MadGraph and one of mcgen with decays, both short: (text, card)."""
    text = gzip.decompress(MADGRAPH.read_bytes()).decode()
    head, events = text[: text.index("<event>")], re.findall(r"<event>.*?</event>\n", text, re.DOTALL)
    head = re.sub(r"<header>.*</header>", "<header>\n</header>", head, flags=re.DOTALL)
    foreign = "".join([head, *events[:EVENTS], "</LesHouchesEvents>\n"])
    folder = tmp_path_factory.mktemp("own")
    own = generate(load_card("fermilab"), 0.1, EVENTS, output=folder / "a.root", decays=True)
    return [(foreign, load_card("fermilab")), (export(own, folder / "a.lhe").read_text(), None)]


def _result(path, card):
    """Bits of the columns and the metadata, or why the file is refused."""
    try:
        file = load(path, card=card)
        return {name: column.tobytes() for name, column in file.read().columns.items()}, file.metadata
    except InputError as error:
        return str(error)


def _both(path, card, monkeypatch):
    """The result, which is the same if every event is read word by word."""
    found = _result(path, card)
    with monkeypatch.context() as patch:
        patch.setattr(lhe_tokens, "whole_event", lambda *_: "")
        assert _result(path, card) == found
    return found


@pytest.mark.parametrize("kind", [0, 1])
def test_word_by_word(texts, kind, tmp_path, monkeypatch):
    """All events but the first come together, with the same bits; fails if a sign, a digit or an event is lost."""
    text, card = texts[kind]
    path = tmp_path / "events.lhe"
    path.write_text(text)
    first, *others = LheStream(path).parts()
    assert not isinstance(first, Alike)
    assert sum(len(part.numbers) for part in others) == EVENTS - 1
    assert isinstance(_both(path, card, monkeypatch), tuple)


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("at", [0, 1, 5, EVENTS - 1])
@pytest.mark.parametrize("change", ["# a comment\n</event>", "</event >", "</event> ", "\n</event>", "</event>\n#\n\n"])
def test_one_of_other_words(texts, kind, at, change, tmp_path, monkeypatch):
    """An event of another form among the others is read by itself; fails if it, or the one behind it, is lost."""
    text, card = texts[kind]
    pieces = text.split("</event>")
    path = tmp_path / "events.lhe"
    path.write_text("</event>".join(pieces[: at + 1]) + change + "</event>".join(pieces[at + 1 :]))
    found = _both(path, card, monkeypatch)
    path.write_text(text)
    assert found == _result(path, card)


def test_damage_is_told_the_same(texts, tmp_path, monkeypatch):
    """Lines changed at random: the same numbers or the same refusal; fails if the fast way passes over a fault."""
    rng = random.Random(7)
    more = (
        "0",
        " ",
        "\n",
        "#",
        "1",
        "<!-- -->",
        "\t",
        "e5",
        "</event>\n",
        "<event>\n",
        "# </event>\n",
        "_",
        "nan",
        "-",
    )
    path, refused = tmp_path / "events.lhe", 0
    for _ in range(150):
        text, card = texts[rng.random() < 0.3]
        for _ in range(rng.choice((1, 1, 3))):
            place = rng.randrange(text.index("<event>"), len(text))
            text = text[:place] + rng.choice(more) + text[place + rng.choice((0, 1, 1, 80)) :]
        data = text.encode()
        path.write_bytes(gzip.compress(data)[: rng.choice((-1, 10**9))] if rng.random() < 0.2 else data)
        refused += isinstance(_both(path, card, monkeypatch), str)
    assert 30 < refused < 140


def test_numbers_out_of_bounds(texts, tmp_path, monkeypatch):
    """One event with a fault that only its numbers show; fails if it is not looked at more closely."""
    text, card = texts[0]
    events = re.findall(r"<event>.*?</event>\n", text, re.DOTALL)
    lines = events[7].splitlines()
    S = lines[-2].split()
    for change, words in (
        ((6, "1.0000000000e-01"), "momentum is not conserved"),
        ((10, "1.3000000000e-01"), "do not agree"),
        ((0, "13"), "and lepton N -> lepton N S is expected"),
        ((1, "-1"), "and lepton N -> lepton N S is expected"),
    ):
        cells = [*S]
        cells[change[0]] = change[1]
        damaged = "\n".join([*lines[:-2], " ".join(cells), lines[-1], ""])
        path = tmp_path / "events.lhe"
        path.write_text(text.replace(events[7], damaged))
        found = _both(path, card, monkeypatch)
        assert "event 8" in found
        assert words in found
