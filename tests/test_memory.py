"""A file ten times as large takes no more memory than the job allows."""

import subprocess
import sys

import pytest
from conftest import BIN, orders, write_job

MIB = 1 << 20

# A child's peak begins with what its parent held when it was started, and this process is a large one (pandas, DuckDB, the
# texts of the inputs): so the binary is started by an interpreter that holds nothing.
LAUNCHER = """
import os, sys
null = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1, 2)]
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=null), 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)
"""


def peak_bytes(*arguments):
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, *map(str, arguments)]
    code, peak = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout.split()
    return int(code), int(peak)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A file and one ten times as large, every id of them different."""
    folder = tmp_path_factory.mktemp("inputs")
    for name, rows in (("small", 180_000), ("large", 1_800_000)):
        (folder / f"{name}.csv").write_text(orders(rows))
    return folder


def peaks_of(inputs, folder, memory, rules=""):
    peaks = {}
    for name in ("small", "large"):
        job = write_job(folder, inputs / f"{name}.csv", f"out-{name}", rules)
        code, peaks[name] = peak_bytes(BIN, "run", job, "--set", f"limits.memory={memory}")
        assert code == 0
    return peaks


def test_the_measure_is_not_ours():
    ballast = b"x" * (300 * MIB)
    code, peak = peak_bytes("/bin/sh", "-c", "exit 3")
    assert code == 3 and peak < 100 * MIB, (peak, len(ballast))


def test_memory_is_bounded(inputs, tmp_path):
    peaks = peaks_of(inputs, tmp_path, "256MiB")
    assert peaks["large"] <= 256 * MIB, peaks


def test_keys_are_spilled_not_kept(inputs, tmp_path):
    # Four sets of 1.8 million hashes of 16 bytes: 110 MiB if they were kept.
    (tmp_path / "r.dqdl").write_text(
        'Rules = [ IsUnique "id", IsPrimaryKey "id" "amount", IsPrimaryKey "id" "day", IsPrimaryKey "id" "ordered_at" ]'
    )
    peaks = peaks_of(inputs, tmp_path, "64MiB", "rules: r.dqdl")
    assert peaks["large"] - peaks["small"] <= 64 * MIB, peaks


@pytest.mark.xfail(strict=True, reason="a small --memory is exceeded: the process takes more than 100 MiB at 64MiB")
def test_the_least_memory_is_kept_to(inputs, tmp_path):
    peaks = peaks_of(inputs, tmp_path, "64MiB")
    assert peaks["large"] <= 64 * MIB, peaks
