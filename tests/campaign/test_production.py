"""Productions: the same content however they are made, resumed, pooled, merged and made again."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import SpawnProcess

import numpy as np
import pytest

from mcgen import load_card
from mcgen.analysis.reweight import reweight
from mcgen.base.errors import ClosureError, InputError, McgenError
from mcgen.base.files import claim
from mcgen.campaign import engines, production
from mcgen.campaign.engines import dask, processes
from mcgen.campaign.manifest import Manifest
from mcgen.campaign.production import MANIFEST, PLAN, plan_of, produce, read_plan
from mcgen.campaign.rerun import rerun
from mcgen.card.card import card_text, parse_card
from mcgen.cli import main
from mcgen.events import pool
from mcgen.events.events import ContentHash, Events
from mcgen.events.formats.root import EventFile, save
from mcgen.events.meta import EventMeta
from mcgen.generation import generate as generation
from mcgen.generation.generate import Options, generate

pytestmark = pytest.mark.first

N, P = 50_000, 15_000  # the last partition is a shorter one


def plan(seed=1, events=N, **options):
    """A small production of the NA64 card."""
    return plan_of(load_card("na64"), 0.01, events, seed, P, Options(**options))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A production that nobody touched."""
    folder = tmp_path_factory.mktemp("production") / "folder"
    produce(plan(), folder)
    return folder


def content(folder):
    return json.loads((folder / MANIFEST).read_text())["content_sha256"]


def test_partitions(undisturbed):
    """Files and manifest agree with the plan and with each other; fails if an event is lost between two partitions."""
    document = json.loads((undisturbed / MANIFEST).read_text())
    files = [EventFile(undisturbed / part["file"]) for part in document["partitions"]]
    assert [len(f) for f in files] == [15_000, 15_000, 15_000, 5_000]
    numbers = np.concatenate([f.read().columns["event"] for f in files])
    np.testing.assert_array_equal(numbers, np.arange(N))
    for part, file in zip(document["partitions"], files, strict=True):
        weight = file.read().columns["weight"]
        assert part["sum_weights"] == pytest.approx(weight.sum(), rel=1e-12)
        assert part["sum_squares"] == pytest.approx((weight**2).sum(), rel=1e-12)
        assert part["content_sha256"] == file.content_sha256()
    assert read_plan(undisturbed) == plan()
    assert not [path for path in undisturbed.iterdir() if path.name.startswith(".")]


def test_events_depend_on_seed_and_number_only(undisturbed):
    """Momenta of partition 2 are those of one file of all events; fails if a partition has its own random numbers."""
    one = generate(load_card("na64"), 0.01, N, 1).columns
    part = EventFile(undisturbed / "events-000002.root").read().columns
    for name in ("S_px", "N_out_pz", "tau", "x"):
        np.testing.assert_array_equal(part[name], one[name][2 * P : 3 * P])


@pytest.mark.parametrize("how", ["two processes", "job array", "dask"])
def test_engines(undisturbed, tmp_path, how):
    """Processes, a job array and a dask cluster make the same content; fails if it matters who makes a partition."""
    folder = tmp_path / "folder"
    if how == "two processes":
        seen: list[int] = []
        produce(plan(), folder, engine=processes(2), progress=seen.append)
        assert seen[-1] == N  # all by the workers, none left to this process
    elif how == "job array":
        left = [0, 1, 2, 3]
        for i in (2, 0, 3, 1):
            done = produce(plan(), folder, partitions=[i])
            left.remove(i)
            assert (done.made, done.damaged, done.missing) == ([i], [], left)
    else:
        distributed = pytest.importorskip("distributed")
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster:
            produce(plan(), folder, engine=dask(cluster.scheduler_address))
    assert content(folder) == content(undisturbed)


def test_resume(undisturbed, tmp_path):
    """What is missing, cut or changed is made again, the rest kept; fails if damage passes `verify`."""
    folder = tmp_path / "folder"
    produce(plan(), folder)
    kept = (folder / "events-000000.root").stat().st_mtime_ns
    (folder / "events-000001.root").unlink()
    cut = folder / "events-000003.root"
    cut.write_bytes(cut.read_bytes()[:-100])
    (folder / MANIFEST).write_text("{")
    done = produce(plan(), folder)
    assert (done.made, done.damaged) == ([1, 3], [3])
    data = bytearray((folder / "events-000002.root").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "events-000002.root").write_bytes(data)
    done = produce(plan(), folder, verify=True)
    assert (done.made, done.damaged) == ([2], [2])
    assert (folder / "events-000000.root").stat().st_mtime_ns == kept
    assert content(folder) == content(undisturbed)


def test_another_plan_is_refused(undisturbed, tmp_path):
    """Another seed, card, number, option or version is named and nothing is touched; fails if two productions mix."""
    other = parse_card(card_text("na64").replace("muons = 8e12", "muons = 9e12"))
    for wrong, word in (
        (plan(seed=2), r"seed \(1 there, 2 asked for\)"),
        (plan_of(other, 0.01, N, 1, P, Options()), "another card$"),  # not all of both
        (plan(weighted=True), "options"),
        (plan(events=2 * N), "events"),
    ):
        with pytest.raises(InputError, match=word):
            produce(wrong, undisturbed)
    document = json.loads((undisturbed / PLAN).read_text())
    copy = tmp_path / "old"
    copy.mkdir()
    (copy / PLAN).write_text(json.dumps(document | {"mcgen_version": "0.0.1"}))
    with pytest.raises(InputError, match="mcgen_version"):
        produce(plan(), copy)
    (copy / PLAN).write_text("{}")  # damaged: written anew, but a partition of another plan is not
    (copy / "events-000000.root").write_bytes((undisturbed / "events-000000.root").read_bytes())
    with pytest.raises(InputError, match="belongs to another production"):
        produce(plan(seed=7), copy)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        produce(plan(), tmp_path / "mine")


def test_pool_is_the_whole(undisturbed, tmp_path):
    """N_S of a folder is that of one file of the same events, for any number of workers; merged as well.

    Fails if a short partition counts as much as a long one.
    """
    one = generate(load_card("na64"), 0.01, N, 1)
    folder = pool.load(undisturbed)
    assert len(folder) == N
    assert folder.metadata["yield_per_muon"] == pytest.approx(one.metadata["yield_per_muon"], rel=1e-12)
    assert folder.metadata["yield_error"] == pytest.approx(one.metadata["yield_error"], rel=0.02)
    whole = reweight(one, "A", [1e-4, 1e-3])
    found = [reweight(undisturbed, "A", [1e-4, 1e-3], workers=workers) for workers in (1, 3)]
    assert found[0] == found[1]
    merged = reweight(pool.merge([undisturbed], tmp_path / "all.root"), "A", [1e-4, 1e-3])
    for other in (found[0], merged):
        for mine, theirs in zip(other.n_signal, whole.n_signal, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-9)


def test_pool_of_seeds(tmp_path):
    """Runs of two seeds pool to half their errors squared, overlapping and foreign ones are refused.

    Fails if the error of a normalisation that two seeds do not share is taken as common.
    """
    card, n = load_card("na64"), 20_000
    paths = [tmp_path / f"{seed}.root" for seed in (1, 2)]
    files = [generate(card, 0.01, n, seed, output=path) for seed, path in zip((1, 2), paths, strict=True)]
    both = pool.load(*paths)
    assert both.metadata["yield_error"] == pytest.approx(files[0].metadata["yield_error"] / np.sqrt(2.0), rel=0.05)
    assert sum(chunk["weight"].sum() for chunk in both.iterate(["weight"])) == pytest.approx(
        both.metadata["yield_per_muon"], rel=1e-12
    )
    generate(card, 0.01, 5_000, 1, first=n - 1, output=tmp_path / "overlap.root")
    generate(card, 0.02, 5_000, 3, output=tmp_path / "mass.root")
    generate(card, 0.01, 5_000, 3, weighted=True, output=tmp_path / "weighted.root")
    for name, word in (("overlap", "too"), ("mass", "mass_gev"), ("weighted", "unweighted")):
        with pytest.raises(InputError, match=word):
            pool.load(paths[0], tmp_path / f"{name}.root")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no event files"):
        pool.load(tmp_path / "empty")


@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_branches_of_forced_decays_keep_the_probability(folder, tmp_path):
    """N_S of a file of one branch is that of the whole file; fails, 1e4 times too large, without `decay_weight`."""
    card, sums = load_card("fermilab"), []
    for name, branches in (("all", ()), ("slim", ("E_mu",))):
        options = {"branches": branches, "decays": "forced"}
        if folder:
            produce(plan_of(card, 0.1, 1000, 1, 600, Options(**options)), tmp_path / name)
            file = pool.load(tmp_path / name)
        else:
            path = tmp_path / f"{name}.root"
            file = generate(card, 0.1, 1000, output=path, force_decay=True, branches=branches)
        chunks = file.iterate(["weight", "decay_weight"], 1000)
        sums.append(sum(float(np.sum(chunk["weight"] * chunk["decay_weight"])) for chunk in chunks))
    assert set(file.branches) == {"event", "weight", "E_mu", "decay_weight"}
    assert sums[0] == sums[1] > 0.0


def test_branches(tmp_path):
    """A file of chosen branches holds them and reweights like a full one; another branch is named as missing.

    Fails if the hash or the check of the quadrature takes what is not in the file.
    """
    full = generate(load_card("na64"), 0.01, 20_000)
    slim = generate(
        load_card("na64"), 0.01, 20_000, output=tmp_path / "slim.root", branches=["E_mu", "depth_cm", "S_E"]
    )
    assert set(slim.branches) == {"event", "weight", "E_mu", "depth_cm", "S_E"}
    assert slim.content_sha256() == slim.metadata["content_sha256"]
    assert reweight(slim, "A", [1e-4]).n_signal == reweight(full, "A", [1e-4]).n_signal
    with pytest.raises(InputError, match="tau"):
        reweight(slim, "A", [1e-4], method="vertex")
    with pytest.raises(InputError, match="S_EE"):
        generate(load_card("na64"), 0.01, 100, branches=["S_EE"])


def test_made_again(undisturbed, tmp_path):
    """A file and a folder are made again and found the same; a changed event is named. Fails if options are lost."""
    path = tmp_path / "events.root"
    generate(load_card("na64"), 0.01, 5_000, 3, output=path, force_decay=True, rntuple=True)
    assert rerun(path) == ""
    assert rerun(undisturbed, workers=2) == ""
    file = EventFile(path)
    columns = file.read().columns
    columns["S_px"][17] *= 1.0 + 1e-15
    pool_path = tmp_path / "changed.root"
    save(Events(file.metadata, columns), pool_path)
    assert "hash" in rerun(pool_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "folder", "--partition", "9"],
        ["-o", "folder", "--partition", "2:1"],
        ["-o", "folder", "--partition", "x"],
        ["-o", "folder", "--job", "2/2"],
        ["-o", "folder", "--job", "1"],
        ["-o", "folder", "--job", "0/1", "--partition", "0"],
        ["-o", "events.root", "--job", "0/1"],
        ["-o", "folder", "--partition-events", "0"],
        ["-o", "folder", "--scheduler", "tcp://127.0.0.1:1"],
        ["-o", "events.root", "--partition", "0"],
        ["-o", "events.txt"],
        ["-o", "folder", "--branches", "S_px,S_pq"],
    ],
)
def test_bad_requests(arguments, tmp_path, monkeypatch, capsys):
    """One line, status 2, and no events; fails if a job array with a wrong index is silent."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engines, "PATIENCE", 1.0)
    assert main(["generate", "na64", "--events", "1e3", "--partition-events", "500", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.glob("**/events-*"))


@pytest.mark.slow
def test_faults():
    """Twenty productions killed, starved and damaged come out whole; fails if a resumed one differs in a bit."""
    from validation.faults import run

    assert run(20, seed=2, report=lambda _: None)["events compared"] > 0


@pytest.mark.parametrize("kind", ["SLURMCluster", "HTCondorCluster"])
def test_batch_systems(kind):
    """dask-jobqueue writes a job script whose workers a production can use; fails if one of them goes away."""
    jobqueue = pytest.importorskip("dask_jobqueue")
    with getattr(jobqueue, kind)(
        cores=1,
        memory="2 GB",
        **({"disk": "1 GB"} if kind.startswith("HT") else {}),
        scheduler_options={"dashboard": False, "dashboard_address": ":0"},
    ) as cluster:
        assert "distributed.cli.dask_worker" in cluster.job_script()
        assert cluster.scheduler_address.startswith("tcp://")


def test_remains_of_killed_processes(undisturbed, tmp_path):
    """Temporary files and locks of the dead are swept away; fails if a plan that died half-written blocks a folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in (".plan.json.x1.json", ".plan.json.lock", ".events-000001.root.x2.root", ".events-000001.root.lock"):
        (folder / name).write_text("{")
    produce(plan(), folder)
    (folder / ".manifest.json.x3.json").write_text("{")
    (folder / ".manifest.json.lock").touch()
    (folder / ".events-000002.root.lock").touch()
    for name in (".events-000003.root.x4.root", ".plan.json.x5.json"):  # killed before the second name was removed
        (folder / name).write_text("{")
    produce(plan(), folder)
    assert {path.name for path in folder.iterdir()} == {path.name for path in undisturbed.iterdir()}
    assert content(folder) == content(undisturbed)


def test_a_partition_that_cannot_be_read_back(tmp_path, monkeypatch):
    """A disk that fails at the end is an error, and no production without manifest that looks done; fails for none."""
    real, looks = production.check_partition, []

    def looked(made, folder, i, verify):
        if i == 1 and made.path(folder, i).exists() and not looks:
            looks.append(i)
            return None
        return real(made, folder, i, verify)

    monkeypatch.setattr(production, "check_partition", looked)
    small = plan(events=2 * P)
    with pytest.raises(McgenError, match="partition 1 cannot be read back; the same command resumes"):
        produce(small, tmp_path / "folder")
    assert not (tmp_path / "folder" / MANIFEST).exists()
    assert produce(small, tmp_path / "folder").made == []


def test_no_more_processes(tmp_path, monkeypatch):
    """A system without room for a second worker says so; fails if that of the first is lost, or goes on."""
    begun = []

    def start(process, real=SpawnProcess.start):
        if begun:
            raise BlockingIOError(errno.EAGAIN, "no more processes")
        begun.append(process)
        real(process)

    monkeypatch.setattr(SpawnProcess, "start", start)
    with pytest.raises(BlockingIOError, match="no more processes"):
        produce(plan(), tmp_path / "folder", engine=processes(2))
    assert not begun[0].is_alive()


def test_a_lost_plan_of_more_partitions(undisturbed, tmp_path):
    """Parts beyond those of a smaller production keep it out; fails if a folder then holds events of both."""
    shutil.copytree(undisturbed, folder := tmp_path / "folder")
    (folder / PLAN).unlink()
    (folder / "events-000000.root").unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match=r"events-00000[1-3].root: belongs to another production, of more partitions"):
        produce(plan(events=P), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_no_locks(undisturbed, tmp_path, monkeypatch):
    """A file system without locks holds the same production; fails if a file for a lock stays behind."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    produce(plan(), tmp_path / "folder")
    assert {path.name for path in (tmp_path / "folder").iterdir()} == {path.name for path in undisturbed.iterdir()}
    assert content(tmp_path / "folder") == content(undisturbed)


def test_living_writers_are_left_alone(undisturbed, tmp_path):
    """What another process is at is neither made nor swept away; fails if two write the same partition at once."""
    folder = tmp_path / "folder"
    produce(plan(), folder, partitions=[0])
    path, others = folder / "events-000001.root", folder / ".events-000001.root.x.root"
    with ThreadPoolExecutor(1) as thread:
        with claim(path) as mine:
            assert mine
            others.write_text("half")
            resumed = thread.submit(produce, plan(), folder, partitions=[1, 2])
            while not (folder / "events-000002.root").exists():
                time.sleep(0.01)
            time.sleep(0.2)
            assert not resumed.done()
            assert others.exists()
            assert not path.exists()
        assert resumed.result().missing == [3]  # the other one has died: what it had begun is made
    assert not others.exists()
    produce(plan(), folder)
    assert content(folder) == content(undisturbed)


def test_a_lock_that_was_removed_is_none(tmp_path):
    """Of many who wait for a claim each gets it alone; fails if one holds a file that another has removed."""
    inside, at_once = [], []

    def work(_):
        with claim(tmp_path / "a.root", wait=True):
            inside.append(1)
            at_once.append(len(inside))
            time.sleep(0.002)
            inside.pop()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(80)))
    assert at_once == [1] * 80


def test_plans_begun_at_once(tmp_path):
    """Of two different productions begun at once in a folder one is refused; fails if each believes it was first."""
    folder, refused = tmp_path / "folder", []

    def begin(seed):
        try:
            produce(plan(seed, 100), folder, partitions=[])
        except InputError as error:
            refused.append(str(error))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(begin, [1, 2] * 8))
    assert len(refused) == 8
    assert all("another seed" in line for line in refused)


def test_lost_plan(undisturbed, tmp_path):
    """A folder that lost its plan takes only the one of its partitions; fails if a wrong plan is written first."""
    folder = tmp_path / "folder"
    shutil.copytree(undisturbed, folder)
    (folder / PLAN).unlink()
    with pytest.raises(InputError, match="another production"):
        produce(plan(seed=7), folder)
    assert not (folder / PLAN).exists()
    assert produce(plan(), folder).made == []
    assert read_plan(folder) == plan()


def test_incomplete_folders(undisturbed, tmp_path):
    """A folder that lacks partitions is read with a warning and not merged; fails if it passes for the whole.

    The unfinished file of a writer is no event file.
    """
    folder = tmp_path / "folder"
    shutil.copytree(undisturbed, folder)
    (folder / "events-000001.root").rename(folder / ".events-000001.root.x.root")
    with pytest.warns(pool.IncompleteWarning, match="1 partitions are missing"):
        part = pool.load(folder)
    assert len(part) == N - P
    weights = sum(chunk["weight"].sum() for chunk in part.iterate(["weight"]))
    assert weights == pytest.approx(part.metadata["yield_per_muon"], rel=1e-12)
    with pytest.raises(InputError, match="1 partitions are missing"):
        pool.merge([folder], tmp_path / "all.root")


def together(parts):
    """Metadata of several files together."""
    pooling = pool.Pooling()
    for part in parts:
        pooling.add(part)
    return pooling.result()


def test_whole_is_compared_in_t(undisturbed):
    """A loss of 2 sigma in a bin of t of each of 16 files is seen in all of them; fails if only files are looked at."""
    metadata = EventFile(undisturbed / "events-000000.root").metadata
    t = metadata["t_spectrum"]
    bin_ = int(np.argmax(t["expected"]))
    total, squares = metadata["sum_weights"], metadata["sum_squares"]
    share = t["expected"][bin_]
    sigma = np.sqrt(share * (1.0 - share) * squares)
    sums = [share * total for share in t["expected"]]
    sums[bin_] -= 2.0 * sigma
    lossy = metadata | {"t_spectrum": t | {"sum_weights": sums}}
    parts = [lossy | {"first_event": i * P, "branch_sha256": {}} for i in range(16)]
    assert 1.8 < together(parts[:1])["pull_t_worst"] < 2.2
    assert 7.2 < together(parts)["pull_t_worst"] < 8.8


def biased_in_t(true, loss):
    """`generation.chunks` whose fullest bin of t lacks a share of its weight, which goes to the other events."""

    def chunks(sampler, *arguments, **options):
        i = int(np.argmax(sampler.shares))
        share = sampler.shares[i]
        for columns, trials in true(sampler, *arguments, **options):
            inside = (columns["t"] >= sampler.edges[i]) & (columns["t"] < sampler.edges[i + 1])
            factor = np.where(inside, 1.0 - loss, 1.0 + loss * share / (1.0 - share))
            yield columns | {"weight": factor * columns["weight"]}, trials

    return chunks


@pytest.mark.parametrize("engine", ["serial", "partition"])
@pytest.mark.parametrize("fault", ["normalisation", "bin of t"])
def test_a_biased_sampler_makes_no_partition(tmp_path, monkeypatch, fault, engine):
    """A sampler 2 % off in all, or 30 % in a bin of t, fails at once and leaves no events and no manifest.

    Fails if partitions are no longer compared with the quadrature.
    """
    if fault == "normalisation":
        true = production._prepared(plan().card, 0.01, 1)
        wrong = [dataclasses.replace(source, scale=1.02 * source.scale) for source in true.components]
        monkeypatch.setattr(production, "_prepared", lambda *_: dataclasses.replace(true, components=wrong))
    else:
        monkeypatch.setattr(generation, "chunks", biased_in_t(generation.chunks, 0.3))
    partitions = None if engine == "serial" else [2]
    with pytest.raises(ClosureError, match="disagree" if fault == "normalisation" else "pull in t"):
        produce(plan(), tmp_path / "folder", partitions=partitions)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == [PLAN]


def test_a_bias_below_notice_in_a_partition_is_seen_in_all(tmp_path, monkeypatch):
    """A loss of 2 to 3 sigma in each of 16 partitions stops the whole; fails if only partitions are compared."""
    monkeypatch.setattr(generation, "chunks", biased_in_t(generation.chunks, 0.12))
    small = plan_of(load_card("na64"), 0.01, 32_000, 1, 2_000, Options())
    with pytest.raises(ClosureError, match="events disagree with the quadrature"):
        produce(small, tmp_path / "folder")
    assert len(list((tmp_path / "folder").glob("events-*.root"))) == 16
    assert not (tmp_path / "folder" / MANIFEST).exists()


@pytest.mark.parametrize("pulls", [(6.0, 0.0), (-6.0, 0.0), (0.0, 6.0)])
def test_too_many_or_too_few(tmp_path, pulls):
    """Too much, too little, or too much in t alone stops the whole; fails if only one side of the pull is looked at."""
    found = Manifest({}, EventMeta(zip(("pull", "pull_t_worst"), pulls, strict=True)), [])
    with pytest.raises(ClosureError, match="events disagree with the quadrature"):
        production._finish(tmp_path, found, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("partitions", [1, 16, 1_000_000])
def test_partitions_share_the_chance_of_a_false_alarm(partitions):
    """The chance of a pull, times the partitions, is that of 5 sigma once; fails for another limit in partitions."""
    limit = plan_of(load_card("na64"), 0.01, 10 * partitions, 1, 10, Options()).max_pull
    assert partitions * np.exp(-0.5 * limit**2) == pytest.approx(np.exp(-12.5), rel=1e-12)


def test_pool_of_pools(tmp_path):
    """Merging first and pooling then changes no error, and a merged file knows its events.

    Fails if the normalisation of a merged file counts as one seed's.
    """
    card, paths = load_card("na64"), [tmp_path / f"{seed}.root" for seed in (1, 2, 3)]
    for seed, path in enumerate(paths, 1):
        generate(card, 0.01, 20_000, seed, output=path)
    two = pool.merge(paths[:2], tmp_path / "two.root")
    assert two.content_sha256() == two.metadata["content_sha256"]
    once, twice = pool.load(*paths).metadata, pool.load(tmp_path / "two.root", paths[2]).metadata
    for key in ("yield_per_muon", "yield_error", "norm_relative_error", "pull", "pull_t_worst"):
        assert once[key] == pytest.approx(twice[key], rel=1e-9), key
    assert once["norm_relative_error"] < 0.7 * EventFile(paths[0]).metadata["norm_relative_error"]
    assert twice["merged"] == once["merged"]
    with pytest.raises(InputError, match="too"):
        pool.load(tmp_path / "two.root", paths[1])


def test_merged_partitions_are_one_run(undisturbed, tmp_path):
    """Neighbours join in the metadata; fails if a million partitions make metadata that no reader takes."""
    (run,) = pool.merge([undisturbed], tmp_path / "all.root").metadata["merged"]
    assert (run["seed"], run["first_event"], run["n_events"]) == (1, 0, N)


@pytest.mark.parametrize("system", ["slurm", "htcondor"])
def test_submit_files(system, tmp_path, monkeypatch, capsys):
    """The jobs of an array make each partition once, by the plan that was asked for; fails if the last one is lost."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mcgen.campaign.submit.MAX_JOBS", 3)
    asked = ["generate", "na64", "-o", "it's a folder", "--events", "5e4", "--partition-events", "1e4", "--weighted",
             "--branches", "x,t", "--mass", "10MeV", "--model", "B"]  # fmt: skip
    assert main([*asked, "--submit", system]) == 0
    text = capsys.readouterr().out
    if system == "slurm":
        assert "--array=0-2\n" in text
        command = re.search(r"^exec (.*)$", text, re.MULTILINE)[1].replace("$SLURM_ARRAY_TASK_ID", "{job}")
    else:
        assert text.endswith("\nqueue 3\n")
        quoted = re.search(r"""arguments = "-c 'exec (.*)'"$""", text, re.MULTILINE)[1]
        command = quoted.replace("''", "'").replace('""', '"').replace("$(Process)", "{job}")
    for job in range(3):
        assert main(shlex.split(command.format(job=job))[1:]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.search(r"(\d) partitions made", line)[1] for line in lines] == ["1", "2", "2"]
    assert main(asked) == 0
    assert "(0 partitions made)" in capsys.readouterr().out


def test_provenance(tmp_path, monkeypatch):
    """Files and results say what command, card, version and seed they come from; fails if one of these is dropped."""
    monkeypatch.setattr("sys.argv", ["/some/where/mcgen", "generate", "na64", "-o", "a b.root"])
    path = tmp_path / "events.root"
    meta = generate(load_card("na64"), 0.01, 2_000, 3, output=path).metadata
    assert meta["command"] == "mcgen generate na64 -o 'a b.root'"
    assert meta["card_sha256"] == hashlib.sha256(card_text("na64").encode()).hexdigest()
    assert main(["export", str(path), "-o", str(tmp_path / "events.parquet")]) == 0
    assert pool.load(tmp_path / "events.parquet").metadata == meta
    assert main(["reweight", str(path), "--g-mu", "1e-4", "-o", str(tmp_path / "signal.json")]) == 0
    said = json.loads((tmp_path / "signal.json").read_text())["provenance"]
    for key in ("card", "card_sha256", "seed", "mcgen_version", "versions", "content_sha256"):
        assert said[key] == meta[key]


def test_reruns_name_what_moved(tmp_path):
    """Other versions are named only where the events differ; fails if a rerun on a newer Python is never the same."""
    path = tmp_path / "events.root"
    made = generate(load_card("na64"), 0.01, 2_000, 3, output=path)
    older = made.metadata | {"versions": made.metadata["versions"] | {"numpy": "1.0"}}
    assert rerun(save(Events(older, made.read().columns), tmp_path / "older.root").path) == ""
    columns = made.read().columns
    right = float(columns["tau"][17])
    columns["tau"][17] = moved = right * (1.0 + 1e-15)
    digest = ContentHash()
    digest.update(columns)
    hashes = {"content_sha256": digest.hexdigest(), "branch_sha256": digest.branches()}
    save(Events(older | hashes, columns), path, overwrite=True)
    assert rerun(path).startswith(f"tau of event 17 was {moved!r} and is {right!r}")
    assert "numpy 1.0 (now 2" in rerun(path)
    assert main(["rerun", str(path)]) == 1


def test_ending_of_what_is_merged(tmp_path):
    """Only .root; fails if a ROOT file gets the name of another format."""
    file = generate(load_card("na64"), 0.01, 10, output=tmp_path / "e.root")
    with pytest.raises(InputError, match=r"ending must be \.root"):
        pool.merge([file.path], tmp_path / "e.parquet")
    assert len(pool.merge([file.path, file.path], tmp_path / "m.root")) == 10


#: a hundred partitions, some hundredths of a second each
MANY = ["generate", "na64", "--mass", "10MeV", "--events", "4e5", "--partition-events", "4e3"]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The production of a hundred partitions, undisturbed."""
    folder = tmp_path_factory.mktemp("many") / "folder"
    assert main([*MANY, "-o", str(folder), "--workers", "1"]) == 0
    return folder


def _address(file, tries=600):
    for _ in range(tries):
        with contextlib.suppress(OSError, ValueError):
            return json.loads(file.read_text())["address"]
        time.sleep(0.1)
    pytest.fail("no scheduler")


@pytest.mark.parametrize("victim", ["scheduler", "worker"])
def test_a_part_of_a_dask_cluster_dies(many, tmp_path, capfd, monkeypatch, victim):
    """One line and status 1 when scheduler or only worker is killed, and the same command resumes to the same events.

    Fails for an endless wait, a traceback, or a page of log lines.
    """
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(engines, "PATIENCE", 5.0)
    folder, told = tmp_path / "folder", tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask_command = [sys.executable, "-m", "dask"]
    parts = {
        "scheduler": ["scheduler", "--port", "0", "--dashboard-address", ":0"],
        "worker": ["worker", "--nthreads", "1", "--no-nanny", "--no-dashboard"],
    }
    running = {}
    try:
        for name, arguments in parts.items():
            running[name] = subprocess.Popen([*dask_command, *arguments, "--scheduler-file", str(told)], **quiet)
            address = _address(told)
        with distributed.Client(address) as client:
            client.wait_for_workers(1, timeout=60)

        def kill():
            while not (folder / "events-000000.root").exists():
                time.sleep(0.01)
            running[victim].kill()

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        capfd.readouterr()
        assert main([*MANY, "-o", str(folder), "--scheduler", address]) == 1
        killer.join()
        out, err = capfd.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        assert "dask cluster" in err
        assert f"its {victim}" in err
        assert "resumes" in err
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    done = len(list(folder.glob("events-*.root")))
    assert 1 <= done < 100
    assert main([*MANY, "-o", str(folder), "--workers", "1"]) == 0
    assert content(folder) == content(many)


def test_a_worker_of_dask_that_dies_again_and_again(tmp_path):
    """The error of dask about a task that kills its workers is one line of ours; fails for a KilledWorker."""
    distributed = pytest.importorskip("distributed")
    import dask as dask_itself

    folder = tmp_path / "folder"
    with (
        dask_itself.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
    ):

        def kill():
            while not (folder / "events-000000.root").exists():
                time.sleep(0.01)
            os.kill(cluster.workers[0].pid, signal.SIGKILL)

        threading.Thread(target=kill, daemon=True).start()
        many = plan_of(load_card("na64"), 0.01, 400_000, 1, 4_000, Options())
        with pytest.raises(McgenError, match="a worker died again and again; the same command resumes"):
            produce(many, folder, engine=dask(cluster.scheduler_address))


def test_a_dask_cluster_without_workers_yet(undisturbed, tmp_path, monkeypatch):
    """A warning until the batch system starts one, then all is made; fails for an error or for silence."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(engines, "PATIENCE", 0.5)
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster:
        threading.Timer(3.0, cluster.scale, [1]).start()
        with pytest.warns(engines.NoWorkerWarning, match="no worker yet"):
            produce(plan(), tmp_path / "folder", engine=dask(cluster.scheduler_address))
    assert content(tmp_path / "folder") == content(undisturbed)


@pytest.mark.parametrize("address", ["", "nowhere", "tcp://localhost", "http://localhost:8786", "tcp://localhost:1"])
def test_wrong_address_of_a_scheduler(tmp_path, capfd, monkeypatch, address):
    """Status 2 and one line for an address where no scheduler is; fails for a log, a traceback or a local run."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(engines, "PATIENCE", 1.0)
    assert main([*MANY, "-o", str(tmp_path / "folder"), "--scheduler", address]) == 2
    out, err = capfd.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert "no scheduler answers there" in err


def test_a_web_page_is_no_scheduler(tmp_path, capfd, monkeypatch):
    """Its dashboard's port instead of the scheduler's is refused; fails for a client that waits forever."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(engines, "PATIENCE", 1.0)
    with socket.create_server(("localhost", 0)) as server:  # accepts and says nothing
        address = f"tcp://localhost:{server.getsockname()[1]}"
        assert main([*MANY, "-o", str(tmp_path / "folder"), "--scheduler", address]) == 2
    assert "no scheduler answers there" in capfd.readouterr().err
