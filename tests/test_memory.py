"""A file ten times as large takes no more memory."""

import os
import subprocess

from conftest import BIN, orders, write_job


def peak_bytes(*arguments):
    process = subprocess.Popen([BIN, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * 1024


def test_memory_is_bounded(tmp_path):
    peaks = {}
    small = orders(60000)
    header, body = small.split("\n", 1)
    for name, times in (("small", 3), ("large", 30)):
        with (tmp_path / f"{name}.csv").open("w") as out:
            out.write(header + "\n")
            for _ in range(times):
                out.write(body)
        job = write_job(tmp_path, f"{name}.csv", f"out-{name}", "")
        code, peaks[name] = peak_bytes("run", job, "--set", "limits.memory=256MiB")
        assert code == 0
    assert peaks["large"] <= 256 << 20, peaks
    assert peaks["large"] <= peaks["small"] * 1.2, peaks
