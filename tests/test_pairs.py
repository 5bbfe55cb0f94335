"""Every command beside its function in Python: both give the same answer."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import mcgen
from mcgen.card.card import card_text
from mcgen.cli import COMMANDS, main
from mcgen.report import validate as report


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """600 events."""
    return mcgen.generate("fermilab", 0.1, 600, output=tmp_path_factory.mktemp("pairs") / "e.root")


@pytest.fixture
def said(capsys):
    """A function that runs a command line and returns its JSON document."""

    def run(*arguments):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def new(said, file, tmp_path):  # noqa: ARG001
    path = Path(said("new", "mine-1")["file"])
    return path.read_text(), mcgen.new("mine-2").read_text().replace("mine-2", "mine-1")


def run(said, file, tmp_path):  # noqa: ARG001
    found = said("run", "fermilab", "-o", tmp_path / "one", "--events", 2000)
    made = mcgen.run("fermilab", tmp_path / "two", events=2e3)
    summary = json.loads((tmp_path / "two" / "summary.json").read_text())
    assert made.events.metadata["content_sha256"] == found["content_sha256"]
    return found, {key: value for key, value in summary.items() if key != "provenance"}


def generate(said, file, tmp_path):
    found = said("generate", "fermilab", "-o", tmp_path / "one.root", "--mass", "100MeV", "--events", 600)
    folder = said("generate", "fermilab", "-o", tmp_path / "f", "--mass", "0.1", "--events", 200, "--workers", 1)
    whole = mcgen.generate_folder("fermilab", tmp_path / "g", "100 MeV", 200)
    assert folder["content_sha256"] == whole.metadata["content_sha256"]
    return found["content_sha256"], file.metadata["content_sha256"]


def merge(said, file, tmp_path):
    other = mcgen.generate("fermilab", 0.1, 300, 7, output=tmp_path / "other.root")
    found = said("merge", file.path, other.path, "-o", tmp_path / "one.root")
    return found["content_sha256"], mcgen.merge([file.path, other.path], tmp_path / "two.root").content_sha256()


def rerun(said, file, tmp_path):  # noqa: ARG001
    return said("rerun", file.path)["difference"] or "", mcgen.rerun(file.path)


def export(said, file, tmp_path):
    said(
        "export",
        file.path,
        "-o",
        tmp_path / "one.lhe",
        "--decays",
        "--boson-pdg",
        622,
        "--weight",
        "mediator=pseudoscalar",
    )
    events = mcgen.with_weights(file, ["mediator=pseudoscalar"])
    mcgen.export(events, tmp_path / "two.lhe", decays=True, boson_pdg=622)
    one, two = (mcgen.load(tmp_path / f"{name}.lhe") for name in ("one", "two"))
    assert one.branches == two.branches
    return one.content_sha256(), two.content_sha256()


def library(said, file, tmp_path):  # noqa: ARG001
    said("library", "fermilab", "-o", tmp_path / "one.csv", "--energies", "1,3", "--events", 50, "--mass", "50MeV")
    two = mcgen.library("fermilab", tmp_path / "two.csv", "1,3", 50, "50 MeV")
    return (tmp_path / "one.csv").read_text(), two.read_text()


def info(said, file, tmp_path):  # noqa: ARG001
    return said("info", file.path, "--verify"), mcgen.info(file.path, verify=True)


def reweight(said, file, tmp_path):  # noqa: ARG001
    found = said("reweight", file.path, "--model", "B", "--g-mu", "1e-4,1e-3", "--form-factor", "helm")
    made = mcgen.reweight(file.path, "B", "1e-4,1e-3", form_factor="helm")
    sigmas = [s for row in made.sigma_tilde for s in row]
    assert [row["sigma_tilde_cm2"] for row in found["sigma_tilde"]] == [s.value for s in sigmas]
    return found["rows"], [asdict(row) for row in made.rows]


def xsec(said, file, tmp_path):  # noqa: ARG001
    found = said("xsec", "--target", "Pb", "--energy", "1:3:2", "--mass", "10MeV", "--method", "ww", "--spectrum", "t")
    return found, [row.document() for row in mcgen.xsec("Pb", "1:3:2", "10MeV", method="ww", spectrum="t")]


def crosscheck(said, file, tmp_path):  # noqa: ARG001
    found = said("crosscheck", "fermilab", "--mass", "100MeV", "--energy", 3)
    checks = said("crosscheck", "--events", file.path)
    (check,) = mcgen.crosscheck_events(file.path)
    assert checks[0]["missing_share"] == check.missing
    assert checks[0]["sigma_exact_pb"] == check.exact.value
    return found, [asdict(row) for row in mcgen.crosscheck("fermilab", "100 MeV", 3)]


def reach(said, file, tmp_path):  # noqa: ARG001
    found = said("reach", "fermilab", "--model", "A", "--mass", "10MeV,100MeV", "--n-signal", 5)
    of_file = said("reach", "--events", file.path, "--model", "A")
    made = mcgen.reach("fermilab", "A", "10MeV,100MeV", 5)
    both = [*made, *mcgen.reach_from_events(file.path, "A")]
    return [(row["g_low"], row["g_high"]) for row in [*found, *of_file]], [(p.g_low, p.g_high) for p in both]


def constraints(said, file, tmp_path):  # noqa: ARG001
    found = said("constraints", "--boson", "scalar", "--mass", "100MeV,300MeV")
    return found, json.loads(json.dumps([asdict(row) for row in mcgen.constraints("scalar", m_S="100MeV,300MeV")]))


def cite(said, file, tmp_path):  # noqa: ARG001
    return said("cite", file.path, "na64"), [asdict(row) for row in mcgen.cite(file.path, "na64")]


def grid(said, file, tmp_path):  # noqa: ARG001
    found = said("grid", "fermilab", "--mass", "10MeV,100MeV", "--g-mu", "1e-5:1e-3:3", "--band", "energy-loss")
    of_file = said("grid", "--events", file.path, "--model", "A", "--g-mu", "1e-4")
    made = mcgen.grid("fermilab", None, "10MeV,100MeV", "1e-5:1e-3:3", band="energy-loss")
    assert [row["n_eff"] for row in of_file] == [p.n_eff for p in mcgen.grid_from_events(file.path, "A", "1e-4").rows]
    return found, [asdict(point) for point in made.rows]


def workspace(said, file, tmp_path):
    card = tmp_path / "binned.toml"
    bins = '[search.bins]\nvariable = "x"\nedges = [0.0, 0.5, 1.0]\n'
    search = f"\n[search]\nbackground = [1.0, 0.5]\nobserved = [1, 0]\n{bins}"
    card.write_text(card_text("fermilab") + search)
    asked = ("--detector", card, "--g-mu", "1e-5:3e-5:3")
    found = said("workspace", file.path, "-o", tmp_path / "one", *asked)
    made = mcgen.workspace(file.path, tmp_path / "two", g_mu="1e-5:3e-5:3", detector=card)
    one, two = ((tmp_path / name / "BkgOnly.json").read_text() for name in ("one", "two"))
    assert one == two
    return [point["n_signal"] for point in found["points"]], [point.n_signal for point in made.points]


def show(said, file, tmp_path):  # noqa: ARG001
    said("show", "fermilab", "-o", tmp_path / "one.png", "--tracks", 3)
    image = pytest.importorskip("matplotlib.image")
    mcgen.show("fermilab", tmp_path / "two.png", tracks=3)
    one, two = (image.imread(tmp_path / f"{name}.png") for name in ("one", "two"))
    return one.shape, two.shape if np.array_equal(one, two) else None


def validate(said, file, tmp_path):  # noqa: ARG001
    found = said("validate", "-o", tmp_path / "one")
    made = mcgen.validate(tmp_path / "two")
    return Path(found["file"]).read_text(), made.read_text()


def explore(said, file, tmp_path):  # noqa: ARG001
    page = mcgen.explore("na64")
    page._handle_msg({"what": "set", "key": "look.number", "text": "2"})
    while page.rows is None or len(page.rows) != 2 * len(page.setup.look.models):
        time.sleep(0.05)
    page.leave()
    (tmp_path / "mine.toml").write_text(page.setup.text)
    found = said("reach", tmp_path / "mine.toml", "--mass", page.setup.look.mass_text)
    return [(row["g_low"], row["g_high"]) for row in found], [(p.g_low, p.g_high) for p in page.rows]


def schema(said, file, tmp_path):  # noqa: ARG001
    return said("schema"), mcgen.schema()


def cache(said, file, tmp_path):  # noqa: ARG001
    found = said("cache")
    return [row["folder"] for row in found["kernels"]], [str(kept.folder) for kept in mcgen.cache()]


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_same_answer(command, said, file, tmp_path, monkeypatch):
    """Fails where a command computes something of its own, or has no pair here."""
    monkeypatch.chdir(tmp_path)
    for part in ("_tables", "_figures", "_published"):  # two minutes; what is in them has tests of its own
        monkeypatch.setattr(report, part, lambda *_: [])
    monkeypatch.setattr(report, "_beyond", lambda *_: report.Section("beyond", "<p></p>"))
    one, two = globals()[command](said, file, tmp_path)
    assert one == two
