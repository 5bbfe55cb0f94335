"""The command line: documented keys, files, and a quick start."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import subprocess
import sys

import pytest
import uproot
from places import ROOT

from mcgen.base.printed import with_error
from mcgen.cli import cli, main
from mcgen.events.export import export
from mcgen.events.formats.root import save
from mcgen.events.pool import load
from mcgen.quadrature.xsec import cross_section


def _json(capsys, *arguments):
    """Document on stdout; it must be the only thing there, and nothing may be on stderr."""
    assert main([*arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


XSEC_KEYS = {
    "lepton", "target", "energy_gev", "mass_gev", "mediator", "method", "form_factor", "sigma_pb", "error_pb",
    "process", "electron_coupling", "out_lepton", "parity_angle",
}  # fmt: skip


def test_xsec(capsys):
    """xsec --json has the documented keys for each energy and mass in order; fails if one is renamed."""
    rows = _json(capsys, "xsec", "--target", "W", "--energy", "1,3", "--mass", "10MeV,100 MeV")
    assert [(row["energy_gev"], row["mass_gev"]) for row in rows] == [(1, 0.01), (1, 0.1), (3, 0.01), (3, 0.1)]
    assert all(set(row) == XSEC_KEYS for row in rows)
    assert rows[3]["sigma_pb"] == pytest.approx(326032068.1585097, rel=1e-6, abs=0.0)
    assert (rows[0]["lepton"], rows[0]["mediator"], rows[0]["method"]) == ("mu", "scalar", "exact")


@pytest.mark.parametrize("variable", ["x", "t", "theta"])
def test_xsec_spectrum(capsys, variable):
    """--spectrum adds variable, edges and bins that sum to sigma, 1e-4; fails if edges and bins do not match."""
    (row,) = _json(capsys, "xsec", "--target", "W", "--energy", "3", "--mass", "0.1", "--spectrum", variable)
    assert set(row) == XSEC_KEYS | {"spectrum"}
    spectrum = row["spectrum"]
    assert spectrum["variable"] == variable
    assert len(spectrum["edges"]) == len(spectrum["sigma_pb"]) + 1
    assert sum(spectrum["sigma_pb"]) == pytest.approx(row["sigma_pb"], rel=1e-4, abs=0.0)


@pytest.fixture(scope="module")
def event_file(tmp_path_factory):
    """An event file made by the command line."""
    path = tmp_path_factory.mktemp("cli") / "events.root"
    assert main(["generate", "fermilab", "-o", str(path), "--mass", "100MeV", "--events", "20000", "--seed", "3"]) == 0
    return path


def test_generate(event_file):
    """The file has the events that were asked for, and nothing else lies beside it; fails if a temporary file stays."""
    with uproot.open(event_file) as file:
        assert file["events"].num_entries == 20_000
    assert [p.name for p in event_file.parent.iterdir()] == ["events.root"]


def test_info(capsys, event_file):
    """info --json has the documented keys, --verify passes; fails if a key is renamed."""
    meta = _json(capsys, "info", str(event_file))
    wanted = {"n_events", "seed", "mass_gev", "mcgen_version", "content_sha256", "yield_per_muon", "yield_error"}
    assert wanted <= set(meta)
    assert (meta["n_events"], meta["seed"], meta["mass_gev"]) == (20_000, 3, 0.1)
    assert main(["info", str(event_file), "--verify"]) == 0
    out = capsys.readouterr().out
    assert "sha256" in out
    text = with_error(meta["yield_per_muon"], meta["yield_error"])
    assert re.search(rf"^yield_per_muon +{re.escape(text)}$", out, re.MULTILINE)


@pytest.mark.parametrize("kind", ["file", "folder", "lhe.gz", "parquet"])
def test_info_names_the_element_of_each_sigma(capsys, tmp_path, kind):
    """Each line is the cross section on its element, 1e-5, in every kind of file; fails for a list without names."""
    path = tmp_path / ("folder" if kind == "folder" else "events.root")
    parts = ["--partition-events", "300", "--workers", "1"] if kind == "folder" else []
    arguments = ["generate", "na64mu-2022", "-o", str(path), "--mass", "100MeV", "--events", "600", *parts]
    assert main(arguments) == 0
    if kind in ("lhe.gz", "parquet"):
        path = export(load(path), tmp_path / f"events.{kind}")
    capsys.readouterr()
    assert main(["info", str(path)]) == 0
    lines = re.findall(r"^sigma\(E_mu\) on (\w+) +(\S+) pb at (\S+) GeV$", capsys.readouterr().out, re.MULTILINE)
    assert [name for name, _, _ in lines] == ["Pb"] * 6 + ["C"] * 6 + ["H"] * 6
    for name, sigma, E in lines[5::6]:
        exact = cross_section(name, float(E), 0.1, form_factor="tsai").value
        assert float(sigma) == pytest.approx(exact, rel=1e-5)


def test_info_of_another_generator(capsys):
    """Its energy, target and cross section, with --card; --verify is refused. Fails for a traceback."""
    file = str(ROOT / "validation/reference/madgraph_W_1GeV_mS0.1.lhe.gz")
    assert main(["info", file, "--card", "fermilab"]) == 0
    out = capsys.readouterr().out
    for line in (r"n_events +600", r"target +W", r"sigma_pb +75057000", r"beam_energy_gev +1\.0"):
        assert re.search(f"^{line}", out, re.MULTILINE), line
    assert main(["info", file, "--card", "fermilab", "--verify"]) == 2
    assert "no hash" in capsys.readouterr().err


def test_verify_notices_changed_events(capsys, event_file, tmp_path):
    """--verify refuses a file with one event changed; fails if the hash is only copied from the metadata."""
    events = load(event_file).read()
    events.columns["weight"][17] *= 2.0
    save(events, tmp_path / "changed.root")
    assert main(["info", str(tmp_path / "changed.root"), "--verify"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "hash" in err


def test_reweight(capsys, event_file, tmp_path):
    """reweight --json has the documented keys on stdout and in -o; fails if a coupling or a bin is missing."""
    output = tmp_path / "n.json"
    document = _json(
        capsys,
        "reweight",
        str(event_file),
        "--model",
        "A",
        "--g-mu",
        "1e-5:1e-4:3",
        "--energy-bins",
        "5",
        "-o",
        str(output),
    )
    assert {"model", "mass_gev", "n_events", "rows", "sigma_tilde"} <= set(document)
    assert [row["g_mu"] for row in document["rows"]] == pytest.approx([1e-5, 10**-4.5, 1e-4], rel=1e-12, abs=0.0)
    assert all(set(row) == {"g_mu", "n_signal", "error", "n_eff"} for row in document["rows"])
    keys = {"g_mu", "energy_gev", "sigma_tilde_cm2", "error_cm2", "n_eff"}
    assert all(set(row) == keys for row in document["sigma_tilde"])
    assert len(document["sigma_tilde"]) == 15
    written = json.loads(output.read_text())
    assert written.pop("provenance")["card"].startswith("#")
    assert written == document


def test_crosscheck(capsys):
    """crosscheck --json has the documented keys and Monte Carlo within 5 sigma; fails if a column is swapped."""
    rows = _json(capsys, "crosscheck", "fermilab", "--mass", "100MeV", "--energy", "1,3")
    keys = {
        "energy_gev",
        "mass_gev",
        "sigma_exact_pb",
        "sigma_ww_pb",
        "sigma_iww_pb",
        "sigma_mc_pb",
        "error_mc_pb",
        "target",
    }
    assert [row["energy_gev"] for row in rows] == [1.0, 3.0]
    for row in rows:
        assert set(row) == keys
        assert abs(row["sigma_mc_pb"] - row["sigma_exact_pb"]) < 5.0 * row["error_mc_pb"]
        assert row["sigma_iww_pb"] > 3.0 * row["sigma_exact_pb"] > 2.5 * row["sigma_ww_pb"]


def test_reach(capsys, tmp_path):
    """reach writes the documented header and one line per model and mass; fails if the columns move."""
    output = tmp_path / "reach.csv"
    rows = _json(capsys, "reach", "fermilab", "--model", "A,B", "--mass", "10MeV,0.1", "-o", str(output))
    with output.open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert output.read_text().splitlines()[0] == "experiment,model,production,mass_gev,g_low,g_high"
    assert [(line["model"], float(line["mass_gev"])) for line in table] == [
        ("A", 0.01),
        ("A", 0.1),
        ("B", 0.01),
        ("B", 0.1),
    ]
    for line, row in zip(table, rows, strict=True):
        assert float(line["g_low"]) == row["g_low"]
        assert float(line["g_high"]) == row["g_high"]


def test_schema(capsys):
    """schema prints a JSON schema with the card's tables; fails if a table is missing."""
    assert main(["schema"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"beam", "target", "detector", "scalar", "scan", "run"} <= set(document["properties"])


def test_run(capsys, tmp_path):
    """The README's first command leaves events, tables and a summary; fails if a step of the chain is broken."""
    folder = tmp_path / "results"
    document = _json(capsys, "run", "fermilab", "-o", str(folder), "--events", "5000")
    assert {"signal", "reach", "content_sha256", "yield_per_muon"} <= set(document)
    assert {"events.root", "signal.csv", "sigma_tilde.csv", "reach.csv", "summary.json"} <= {
        p.name for p in folder.iterdir()
    }
    written = json.loads((folder / "summary.json").read_text())
    origin = written.pop("provenance")
    assert written == document
    assert hashlib.sha256(origin["card"].encode()).hexdigest() == origin["card_sha256"]
    assert {"mcgen_version", "versions", "command"} <= set(origin)


@pytest.mark.parametrize("command", [None, *cli.commands])
def test_help(capsys, command):
    """--help of every command works and shows how to call it; fails if a command is not reachable."""
    assert main([*([command] if command else []), "--help"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: mcgen")
    assert err == ""


def test_documented_commands():
    """The commands of the interface exist; fails if one is renamed."""
    assert {"run", "generate", "info", "reweight", "xsec", "crosscheck", "reach", "schema"} <= set(cli.commands)


def test_help_is_light():
    """`mcgen --help` loads none of the heavy packages; fails if a command imports them at the top of its file."""
    code = (
        "import sys; sys.argv = ['mcgen', '--help']\n"
        "from mcgen.cli import main\n"
        "assert main(['--help']) == 0\n"
        "print(sorted({'numba', 'numpy', 'uproot', 'awkward', 'pydantic', 'matplotlib', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    light = "import sys, mcgen; print(sorted({'numba', 'numpy', 'uproot', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_command_leaves_out_what_no_kernel_needs():
    """Neither scipy nor vector is loaded by a command that compiles; fails if numba finds them another way."""
    code = (
        "import sys; from mcgen.cli import entry; sys.argv[1:] = 'xsec --target W --energy 3 --mass 0.1'.split()\n"
        "try: entry()\nexcept SystemExit: print({'scipy.linalg', 'vector', 'numba.np.arraymath'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "{'numba.np.arraymath'}"


def test_low_statistics_is_a_warning(event_file):
    """A coupling that few events carry gives a warning on stderr and status 0; fails if it is silent or an error."""
    arguments = ["reweight", str(event_file), "--model", "A", "--g-mu", "5e-3", "--json"]
    code = f"from mcgen.cli import main; raise SystemExit(main({arguments!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("mcgen: warning: ")
    assert len(done.stderr.splitlines()) == 1
    json.loads(done.stdout)
