"""Killed at random instants, then run again: the rows of a clean run, once each."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from conftest import BIN, orders, run, write_job
from test_run import published, read_back


def rows(root):
    return sorted((row["id"], str(row["amount"])) for row in read_back(published(root)))


def test_killed_anywhere(tmp_path):
    runs = int(os.environ.get("ETL_KILL_RUNS", "50"))
    seed = int(os.environ.get("ETL_KILL_SEED", time.time_ns() % 2**32))
    print(f"seed {seed}")
    instants = random.Random(seed)
    (tmp_path / "a.csv").write_text(orders(40000, bad_every=50))
    began = time.monotonic()
    clean = run("run", write_job(tmp_path, "a.csv", "clean"), "--json")
    took = time.monotonic() - began
    assert clean.code == 0
    expected = rows(tmp_path / "clean")
    killed = 0
    for number in range(runs):
        sink = tmp_path / f"out{number}"
        job = write_job(tmp_path, "a.csv", sink)
        process = subprocess.Popen([BIN, "run", job], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(instants.uniform(0, took))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        commits = list(sink.glob("commits/*.json"))
        for name in published(sink) if commits else []:
            assert Path(name).exists(), f"the commit names a missing file, seed {seed}"
        again = run("run", job, "--json")
        assert again.code == 0, again.err
        assert rows(sink) == expected, f"seed {seed}, kill {number}"
        assert again.json["rows"] == clean.json["rows"]
        third = run("run", job, "--json")
        assert third.code == 0 and third.json["commit"]["outcome"] == "already_committed"
        assert len(list(sink.glob("commits/*.json"))) == 1
        # What the killed attempt left behind goes, what the commit names stays.
        assert run("commits", "gc", sink, "--older-than", "0s").code == 0
        assert {str(path.resolve()) for path in sink.glob("data/**/*.parquet")} == {
            str(Path(name).resolve()) for name in published(sink)
        }, f"seed {seed}, kill {number}"
        assert rows(sink) == expected, f"seed {seed}, kill {number}, after gc"
        subprocess.run(["rm", "-rf", sink], check=True)
    assert killed > runs // 4, f"only {killed} of {runs} were killed while they ran"
