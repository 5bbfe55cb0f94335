"""The report: complete, self-contained, and shown whole by a real browser."""

import csv
import re
import shlex
import shutil
import subprocess
from html import unescape

import pytest

from mcgen.analysis import crosscheck as comparison
from mcgen.analysis import reach as contours
from mcgen.card.card import builtin_cards
from mcgen.cli import main

pytestmark = [pytest.mark.first, pytest.mark.usefixtures("samplers_kept", "nodes_kept")]

HEADINGS = (
    "Table I",
    "Independent references",
    "Fig. 1",
    "Fig. 3",
    "Fig. 4",
    "Fig. 5",
    "What the approximations",
    "What the line of M3",
    "Dumps at muon colliders",
    "NA64mu 2022",
    "Beyond",
)


def _coarser(patch):
    """Lines through fewer masses and a ninth of the error maps, for `mcgen validate` and the commands of its captions.

    How smooth lines are is what test_tracing looks at.
    """
    patch.setattr(contours, "BY_QUADRATURE", (1.0, 400))
    patch.setattr(contours, "FROM_EVENTS", (0.2, 4))
    patch.setattr(comparison, "MAP_ENERGIES", comparison.MAP_ENERGIES[::3])
    patch.setattr(comparison, "MAP_MASSES", comparison.MAP_MASSES[::3])


@pytest.fixture(scope="module", params=["coarse", pytest.param("whole", marks=pytest.mark.slow)])
def report(request, tmp_path_factory):
    """The folder of a report."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "coarse":
            _coarser(patch)
        assert main(["validate", "-o", str(folder)]) == 0
        yield folder


def test_report_is_self_contained(report):
    """Every figure is inside the page and nothing is fetched; fails for a link to a file or a host."""
    page = (report / "report.html").read_text()
    assert all(heading in page for heading in HEADINGS)
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert len(sources) == 11
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert not re.search(r"<script|<link|https?://", page)


def test_references_are_met(report):
    """Each row of an independent reference agrees to 1e-5; fails when any table is missed."""
    with (report / "checks.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if ".json" in row["source"]]
    assert len(rows) == 9
    assert all(abs(float(row["difference"])) < 1e-5 for row in rows)


def test_effects(report):
    """Tabulated energy loss takes 14 to 16 % from a long-lived S at Fermilab, a finite detector more; no row is lost.

    Fails if a variant of a card is the card itself.
    """
    with (report / "effects.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    ratio = {
        (r["instead of the paper's"], r["experiment"], r["g_mu"]): float(r["N_S over that of the paper"]) for r in rows
    }
    assert 0.84 < ratio["energy loss as a function of energy", "fermilab", "2e-05"] < 0.86
    assert 0.99 < ratio["energy loss as a function of energy", "na64", "2e-05"] < 1.0
    small, large = (ratio[f"detector of {r} cm radius that both daughters hit", "fermilab", "2e-05"] for r in (50, 100))
    any_, both = (
        ratio[f"detector of 150 cm radius that {r}", "e137", "2e-05"]
        for r in ("any daughter hits", "both daughters hit")
    )
    assert 0.2 < both < 0.5 * any_ < 0.4
    assert 0.3 < ratio["all of the card fermilab-3d", "fermilab", "2e-05"] < small < large < 0.9
    assert all(value != 1.0 for value in ratio.values())


def test_published_numbers_are_there(report):
    """M3 in both phases and the dumps at muon colliders are rows of the checks; fails if a table is left out."""
    with (report / "checks.csv").open() as stream:
        names = [row["what"] for row in csv.DictReader(stream)]
    assert [sum(name.startswith(f"{card},") for name in names) for card in ("m3-phase1", "m3-phase2")] == [8, 8]
    assert sum(name.startswith("muon-collider") for name in names) == 18
    assert sum(name.startswith(("E137", "Orsay")) for name in names) == 14


@pytest.mark.parametrize(
    "name", ["today.csv", "figure_3.csv", "figure_4.csv", "figure_5.csv", "error_map_W.csv", "error_map_Pb.csv"]
)
def test_curves_are_tables(report, name):
    """Every curve is in a CSV of finite numbers; fails for a nan or an empty table."""
    text = (report / name).read_text()
    assert len(text.splitlines()) > 100
    assert "nan" not in text


def commands(report):
    """Commands of the captions, as given to the program."""
    page = (report / "report.html").read_text()
    return [shlex.split(unescape(text)) for text in re.findall(r"Made by <code>mcgen (.*?)</code>", page)]


def again(command, folder, monkeypatch):
    """Tables that a command of a caption writes, by name."""
    monkeypatch.chdir(folder)
    assert main(command) == 0
    return {path.name: path.read_text() for path in folder.rglob("*.csv")}


@pytest.mark.parametrize(
    "name", ["figure_5", "figure_5_today", "muon_collider_dumps", pytest.param("today", marks=pytest.mark.slow)]
)
def test_captions_make_the_figures(report, name, tmp_path, monkeypatch, capsys):
    """The command below a figure of contours writes the very table; fails if it has other masses, cards or limits."""
    (command,) = [words for words in commands(report) if f"{name}.svg" in words]
    assert command[0] == "reach"
    assert again(command, tmp_path, monkeypatch)[f"{name}.csv"] == (report / f"{name}.csv").read_text()
    assert (tmp_path / f"{name}.svg").stat().st_size > 10_000
    capsys.readouterr()


def test_captions_of_the_error_maps(report, tmp_path, monkeypatch, capsys):
    """So do those of the error maps; fails if a form factor differs."""
    command, _ = [words for words in commands(report) if words[0] == "crosscheck"]
    assert again(command, tmp_path, monkeypatch)["error_map_W.csv"] == (report / "error_map_W.csv").read_text()
    capsys.readouterr()


def test_captions_are_commands(report):
    """Every other caption names a command that exists, with all of its cards; fails for a sketch of one."""
    known = {"show", "validate", "reach", "crosscheck"}
    assert {words[0] for words in commands(report)} == known
    assert not any("..." in word for words in commands(report) for word in words)
    (today,) = [words for words in commands(report) if "today.svg" in words]
    assert set(builtin_cards()) <= set(today)


def test_browser_shows_it(report):
    """A headless Chromium lays the page out without a broken image or anything wider than the window."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    probe = (
        "<script>window.onload = () => { const broken = [...document.images].filter(i => !i.naturalWidth).length;"
        "document.title = ['@', broken, document.documentElement.scrollWidth, window.innerWidth].join(' ') }</script>"
    )
    page = report / "probe.html"
    page.write_text((report / "report.html").read_text().replace("</body>", probe + "</body>"))
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    command = [browser, *flags.split(), f"--user-data-dir={report / 'profile'}", "--window-size=1200,900", "--dump-dom"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    broken, width, window = (int(n) for n in re.search(r"<title>@ (\d+) (\d+) (\d+)", done.stdout).groups())
    assert broken == 0
    assert width <= window
    assert all(heading in done.stdout for heading in HEADINGS)
