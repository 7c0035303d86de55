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


# The least limit there is, and the one that the others below are measured with.
LEAST = 128 * MIB
KEPT = 256 * MIB

KEYS = """Rules = [
    IsUnique "id", IsPrimaryKey "id" "amount", IsPrimaryKey "id" "day", IsPrimaryKey "id" "ordered_at"
]"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A file and one ten times as large, every id of them different."""
    folder = tmp_path_factory.mktemp("inputs")
    for name, rows in (("small", 180_000), ("large", 1_800_000)):
        (folder / f"{name}.csv").write_text(orders(rows))
    return folder


def peaks_of(inputs, folder, memory, command="run", rules=""):
    if rules:
        (folder / "r.dqdl").write_text(rules)
    peaks = {}
    for name in ("small", "large"):
        job = write_job(folder, inputs / f"{name}.csv", f"out-{name}", "rules: r.dqdl" if rules else "")
        arguments = {
            "run": ["run", job, "--set", f"limits.memory={memory}"],
            "validate": ["validate", inputs / f"{name}.csv", "--job", job, "--memory", memory],
        }[command]
        code, peaks[name] = peak_bytes(BIN, *arguments)
        assert code == 0
    return peaks


def test_the_measure_is_not_ours():
    ballast = b"x" * (300 * MIB)
    code, peak = peak_bytes("/bin/sh", "-c", "exit 3")
    assert code == 3 and peak < 100 * MIB, (peak, len(ballast))


@pytest.mark.parametrize("memory", [KEPT, LEAST])
@pytest.mark.parametrize(
    ("command", "rules"),
    [
        pytest.param("validate", "", id="validated"),
        # Four sets of 1.8 million hashes of 16 bytes: 110 MiB if they were kept.
        pytest.param("validate", KEYS, id="unique"),
        pytest.param("run", "", id="partitioned"),
        pytest.param("run", KEYS, id="partitioned-unique"),
    ],
)
def test_the_limit_is_kept(inputs, tmp_path, memory, command, rules):
    peaks = peaks_of(inputs, tmp_path, memory, command, rules)
    assert peaks["large"] <= memory, peaks


def test_bad_records_do_not_keep_their_blocks(tmp_path):
    # Bad records in every block, fewer than are written at a time: all blocks would be kept until the end.
    (tmp_path / "bad.csv").write_text(orders(1_000_000, bad_every=2_000))
    job = write_job(tmp_path, tmp_path / "bad.csv", "out")
    code, peak = peak_bytes(BIN, "run", job, "--set", f"limits.memory={KEPT}")
    assert code == 0 and peak <= KEPT, peak


def test_many_partitions(tmp_path):
    # 1,000 partitions, met in every block: more than there may be files open.
    lines = [f"{i},c{i * 7919 % 1000},{i % 1000}.50,2024-01-01T10:00:00,2024-02-01" for i in range(600_000)]
    (tmp_path / "many.csv").write_text("\n".join(["id,country,amount,ordered_at,day", *lines]) + "\n")
    job = write_job(tmp_path, tmp_path / "many.csv", "out")
    code, peak = peak_bytes(BIN, "run", job, "--set", f"limits.memory={KEPT}")
    assert code == 0 and peak <= KEPT, peak
