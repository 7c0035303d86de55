"""The side-by-side benchmark, on little data and for its answers alone: every contender agrees with every other, row for row."""

import subprocess
import sys
from pathlib import Path

from conftest import BIN

COMPARE = Path(__file__).resolve().parent.parent / "benches" / "compare"


def test_all_contenders_agree():
    command = [sys.executable, COMPARE, "--quick", "--engine", BIN, "--lineitem", Path(BIN).with_name("lineitem")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = done.stdout.strip().splitlines()[-1]
    passed, failed = int(summary.split(" passed")[0].split()[-1]), int(summary.split(" failed")[0].split()[-1])
    # V, U, P twice, W, G twice, J, Q four times, K; what else there is needs Spark, a server or a large file.
    assert (passed, failed) == (13, 0), summary
