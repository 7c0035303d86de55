"""One process, measured: CPU seconds, wall seconds, peak memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .model import Failed

# A child's peak begins with what its parent held: so everything is started by an interpreter that holds nothing.
LAUNCHER = """
import json, os, sys, time
began = time.monotonic()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ), 0)
with open(sys.argv[1], "w") as f:
    json.dump([usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1024], f)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measure(command, scratch, *, env=None, codes=(0,), keep_output=True):
    """Runs a command, an absolute path first: its figures by name, and its standard output."""
    figures = Path(scratch) / "figures.json"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LAUNCHER, str(figures), *command],
        stdout=subprocess.PIPE if keep_output else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
        check=False,
    )
    if done.returncode not in codes:
        # A report begins with the verdict and its reasons; a traceback ends with what matters.
        said = (done.stdout or b"").decode()[:400] + done.stderr.decode()[-1000:]
        raise Failed(f"{' '.join(command)[:300]} ended with {done.returncode}:\n{said}")
    cpu, wall, peak = json.loads(figures.read_text())
    return {"cpu": cpu, "wall": wall, "peak": peak}, done.stdout or b""
