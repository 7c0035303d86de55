"""benches/many-files in short: no file is lost, doubled or half published, however often its events come."""

import subprocess
import sys

from conftest import ROOT
from test_lambda import BOOTSTRAP


def test_of_many_files_none_is_lost_or_doubled():
    command = [sys.executable, ROOT / "benches" / "many-files", "--bootstrap", BOOTSTRAP, "--files", "60", "--no-rules"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| holds |") == 11
