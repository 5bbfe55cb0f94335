"""Files of strangers: bytes that once broke a reader, and texts meant for a terminal, a page or a spreadsheet."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import uproot

from mcgen import load_card
from mcgen.base.errors import InputError, McgenError
from mcgen.base.files import claim, read_text
from mcgen.base.table import html
from mcgen.campaign import production
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.cli.volume import echo
from mcgen.events.events import Events
from mcgen.events.export import export
from mcgen.events.formats import load
from mcgen.events.formats.g4darkbrem_reader import LibraryFile
from mcgen.events.formats.lhe_named import attributes
from mcgen.events.formats.lhe_process import digits
from mcgen.events.formats.root import EventFile, save
from mcgen.events.meta import EventMeta
from mcgen.generation.generate import Options, generate
from validation import strangers

EVIL = "\x1b]0;x\x07\x1b[2J\u202e\x9b31m"
KEPT = sorted(strangers.CORPUS.glob("*/*"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file of 4 events."""
    path = tmp_path_factory.mktemp("strangers") / "small.root"
    return generate(load_card("fermilab"), 0.1, 4, 1, output=path, branches=("E_mu", "depth_cm", "S_E"))


def test_corpus(tmp_path):
    """Every input that was kept still keeps the law; fails for an exception, or an error that is not one line."""
    assert KEPT
    faults = {}
    for path in KEPT:
        _, fault = strangers.law(path.parent.name, path.read_bytes(), tmp_path)
        if fault:
            faults[f"{path.parent.name}/{path.name}"] = fault
    assert not faults


@pytest.mark.parametrize("name", sorted(strangers.READERS))
def test_valid_files(name, tmp_path, tmp_path_factory):
    """A search begins with files that are read; fails if a reader refuses what the program writes."""
    seeds = strangers.READERS[name].seeds(tmp_path_factory.mktemp("seeds"))
    assert ("read", "") in [strangers.law(name, data, tmp_path) for data in seeds]


def test_the_law_sees(tmp_path, monkeypatch):
    """The law notices what it is there for; fails if a search would count these as right."""

    def wrong(read):
        monkeypatch.setitem(strangers.READERS, "plan", strangers.Reader(".x", read, lambda _: []))
        return strangers.law("plan", b"", tmp_path)[1]

    raw = McgenError()
    raw.args = (EVIL,)

    def raising(_):
        raise raw

    assert wrong(lambda path: path.stat().nothing).startswith("escapes: AttributeError")
    assert wrong(lambda _: [0.0, {"a": np.array([1.0, np.nan])}]).startswith("returns")
    assert wrong(raising).startswith("an error that is not one plain line")
    assert wrong(lambda _: time.sleep(0)) == ""
    monkeypatch.setattr(strangers, "peak", iter([0, 10**12]).__next__)
    assert wrong(lambda _: 0).endswith("MB")


# --------------------------------------------------------------------------------------------------- the terminal


def test_errors_are_one_plain_line(tmp_path, capsys):
    """What an error quotes does not reach the terminal raw; fails for an escape sequence or a second line."""
    path = tmp_path / f"a\n{EVIL}.toml"
    path.write_text(f'[beam]\n"{json.dumps(EVIL)[1:-1]}" = 1\n')
    assert main(["generate", str(path)]) == 2
    assert main(["generate", str(path) + EVIL]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 2
    assert not strangers._RAW.search(err.replace("\n", ""))
    assert len(str(InputError("x" * 10_000))) < strangers.LONGEST


def test_texts_of_files_are_plain(small, tmp_path, capsys):
    """`info`, and how events show themselves, print no letter that a terminal obeys; fails for a raw one."""
    metadata = small.metadata | {"decay_law": EVIL, "mcgen_version": EVIL, "note": "a\n" + EVIL}
    file = save(Events(metadata, small.read().columns), tmp_path / "evil.root")
    assert main(["info", str(tmp_path / "evil.root")]) == 0
    out = capsys.readouterr().out
    echo(EVIL)
    out += capsys.readouterr().out + repr(file) + repr(metadata) + html(["a"], [[EVIL]])
    assert "\\x1b[2J" in out
    assert not strangers._RAW.search(out.replace("\n", ""))


@pytest.mark.parametrize(
    "text", ['{"a": "\\ud800"}', "[" * 100_000, '{"a": ' + "1" * 10_000 + "}", "null", '{"a": NaN}']
)
def test_metadata_that_are_no_json(text):
    """Half a letter, endless nesting and digits are refused by one class; fails for another exception."""
    with pytest.raises(InputError, match="no JSON"):
        EventMeta.unsealed(text)


def test_endless_card_in_metadata():
    """Metadata show themselves whatever the card in them is; fails for a RecursionError."""
    assert "card" not in dict(EventMeta({"card": "a = " + "[" * 100_000}).facts)


# ------------------------------------------------------------------------------- names in paths, tables and figures


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "+1", "-x", "@x", "../../x", "a/b", "$\\frac$", "<script>", EVIL, "a\nb", "x" * 65]
)
def test_names_of_cards(name):
    """Experiments and materials have names without paths, formulas and mathematics; fails if one gets through."""
    text, quoted = card_text("na64"), json.dumps(name)
    for changed in (
        re.sub(r'name = "[^"]*"', lambda _: f"name = {quoted}", text, count=1),
        re.sub(r'material = "[^"]*"', lambda _: f"material = {quoted}", text, count=1),
    ):
        assert changed != text
        with pytest.raises(InputError, match=r"should match pattern"):
            parse_card(changed)


def test_names_of_materials():
    """A material may have blanks, accents and signs; fails if an honest name is refused."""
    text = card_text("na64")
    with pytest.raises(InputError, match=r"material .Béton lourd, 3\.2 .%.. is not known"):
        parse_card(re.sub(r'material = "[^"]*"', 'material = "Béton lourd, 3.2 (%)"', text, count=1))


@pytest.mark.parametrize("name", ["pipe", "folder"])
def test_tables_of_a_card_are_files(tmp_path, name):
    """A card waits for no pipe, and reads tables of its folder or elsewhere; fails if something else is opened."""
    folder = tmp_path / "card"
    (folder / "folder").mkdir(parents=True)
    os.mkfifo(folder / "pipe")
    with pytest.raises(InputError, match="is no file"):
        parse_card(card_text("na64") + f'\n[search]\nefficiency = "{name}"\n', folder=folder)
    shared = tmp_path / "shared.csv"
    shared.write_text("S_E_gev,efficiency\n0,0.1\n160,1\n")
    for place in (str(shared), "../shared.csv"):
        assert parse_card(card_text("na64") + f'\n[search]\nefficiency = "{place}"\n', folder=folder).search


def test_endless_files():
    """A file without an end is read no further than it may be long; fails if memory runs out."""
    with pytest.raises(InputError, match="larger than 1000 bytes"):
        read_text(Path("/dev/zero"), "card", 1000)


# -------------------------------------------------------------------------------------------------------- links


def test_productions_do_not_write_through_links(tmp_path):
    """A link in a production is read, and what it leads to never replaced; fails if a file elsewhere changes."""
    plan = production.plan_of(load_card("fermilab"), 0.1, 4, 1, 4, Options(branches=("E_mu",)))
    folder, victim = tmp_path / "p", tmp_path / "victim"
    production.produce(plan, folder)
    events, whole = folder / "events-000000.root", tmp_path / "moved.root"
    events.rename(whole)
    events.symlink_to(whole)
    assert production.produce(plan, folder).made == []
    for name in ("events-000000.root", "plan.json", "manifest.json", ".plan.json.lock", ".events-000000.root.lock"):
        victim.write_text("precious")
        path = folder / name
        before = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        path.symlink_to(victim)
        with pytest.raises(InputError, match="link"):
            production.produce(plan, folder)
        assert victim.read_text() == "precious"
        victim.unlink()
        with pytest.raises(InputError, match="link"):
            production.produce(plan, folder)
        assert not victim.exists()
        path.unlink()
        if before is not None:
            path.write_bytes(before)
    assert production.produce(plan, folder).made == []


def test_locks_are_no_links(tmp_path):
    """A lock that is a link empties no other file; fails if it is opened for writing."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / ".x.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(InputError, match="is a link"), claim(tmp_path / "x"):
        pass
    assert (tmp_path / "victim").read_text() == "precious"


@pytest.mark.parametrize("kind", ["soft", "external", "external storage", "virtual"])
def test_hdf5_opens_no_other_file(small, tmp_path, kind):
    """LHEH5 files with parts in other files are refused; fails if one of these is opened."""
    whole = generate(load_card("fermilab"), 0.1, 4, 1, output=tmp_path / "e.root")
    path = tmp_path / "e.lheh5"
    export(whole, path)
    (tmp_path / "other.h5").write_bytes(path.read_bytes())
    (tmp_path / "raw").write_bytes(bytes(8_000))
    assert len(load(path)) == len(small)
    with h5py.File(path, "r+") as file:
        shape = file["particles"].shape
        del file["particles"]
        if kind == "soft":
            file["particles"] = h5py.SoftLink("/events")
        elif kind == "external":
            file["particles"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "particles")
        elif kind == "virtual":
            layout = h5py.VirtualLayout(shape, float)
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "particles", shape)
            file.create_virtual_dataset("particles", layout)
        else:
            external = [(str(tmp_path / "raw"), 0, 8_000)]
            file.create_dataset("particles", shape, float, external=external)
    with pytest.raises(InputError, match=r"no links are followed|lies in other files"):
        load(path)


# ----------------------------------------------------------------------------------------- time for each byte


def test_patterns_take_no_time():
    """Patterns look at each letter a few times; fails for one that takes minutes on a long word."""
    began = time.process_time()
    assert digits("1" * 5_000 + "x").number == 0
    assert attributes("a" * 50_000) == {}
    assert time.process_time() - began < 1.0


def test_digits_with_long_exponents():
    """An exponent of thousands of digits is one; fails for Python's limit to whole numbers."""
    assert digits("1.5e" + "0" * 5_000 + "2").last == pytest.approx(10.0)
    assert digits("2.5-12") == (2, pytest.approx(1e-13))


def test_lines_of_a_library_are_short(tmp_path):
    """A line of a library that does not end is not read to the end of the file; fails if it is held in memory."""
    path = tmp_path / "library.csv"
    columns = "target_Z,incident_energy,recoil_energy,recoil_px,recoil_py,recoil_pz,centerMomentum_energy"
    path.write_text(columns + ",centerMomentum_px,centerMomentum_py,centerMomentum_pz\n" + "1" * 2_000 + "\n")
    with pytest.raises(InputError, match="within 1000 characters"):
        LibraryFile(path, load_card("fermilab"))


def test_a_root_file_of_strange_metadata(tmp_path, small):
    """Metadata of another class are not unpacked at all; fails if any object is read for them."""
    with uproot.recreate(tmp_path / "x.root") as file:
        file.mktree("events", {"E_mu": "f8"}).extend({"E_mu": np.ones(4)})
        file["metadata"] = np.histogram([1.0, 2.0])
    with pytest.raises(InputError, match="no text of a page"):
        EventFile(tmp_path / "x.root")
    assert EventFile(small.path)


_CODE = (
    "x'+EVIL()+'", 'x"+EVIL()+"', "x\n    EVIL()\n", "x\\'+EVIL()+\\'", 'x\\"+EVIL()+\\"', "{EVIL()}", "x\rEVIL()",
    "x')\n        EVIL()#", "vector<x'+EVIL()+'>", "map<int,x\"+EVIL()+\">", "EVIL()", "vector<EVIL()>",
)  # fmt: skip


def test_classes_of_root_files_are_quoted(tmp_path):
    """uproot writes the classes of a file as Python: what the file says stays text; fails if a part of it is called."""
    with uproot.recreate(tmp_path / "x.root") as file:
        file["h"] = np.histogram([1.0, 2.0])
    streamers = uproot.open(tmp_path / "x.root").file.streamers.values()
    parts = {type(part): (info, part) for of in streamers for info in of.values() for part in info.elements}
    assert len(parts) > 4
    for info, part in parts.values():
        for holder in (part, *part._bases):
            for field in {"fName", "fTypeName", "fCountName"} & holder._members.keys():
                before = holder._members[field]
                for text in _CODE:
                    holder._members[field] = text
                    with contextlib.suppress(ValueError, NotImplementedError):
                        names = [
                            node.id for node in ast.walk(ast.parse(info.class_code())) if isinstance(node, ast.Name)
                        ]
                        assert "EVIL" not in names
                holder._members[field] = before
