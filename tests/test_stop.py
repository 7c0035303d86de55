"""Asked to stop, a run ends at once, whatever it is waiting for, and nothing of it is to be seen."""

import json
import os
import signal
import subprocess
import time

import pytest
from conftest import BIN, orders, write_job

PROMPTLY = 5


def start(*arguments, cwd, stdin=subprocess.PIPE):
    env = {**os.environ, "NO_COLOR": "1"}
    return subprocess.Popen(
        [BIN, *map(str, arguments)], cwd=cwd, env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def listens(process):
    """Waits until the process handles signals itself: the kernel says which ones it catches."""
    for _ in range(200):
        status = dict(line.split(":", 1) for line in open(f"/proc/{process.pid}/status").read().splitlines())
        if int(status["SigCgt"], 16) & (1 << (signal.SIGTERM - 1)):
            return
        time.sleep(0.05)
    pytest.fail("signals are not listened to")


def stop(process, number):
    listens(process)
    began = time.monotonic()
    process.send_signal(number)
    process.wait(timeout=60)
    took = time.monotonic() - began
    assert took < PROMPTLY, took
    return process.stdout.read().decode(), process.stderr.read().decode()


def left_behind(folder):
    return [path for path in folder.rglob("*") if path.is_file() and "audit" not in path.parts]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("sent", [b"", orders(3).encode(), orders(60000).encode()])
def test_while_standard_input_is_idle(tmp_path, number, sent):
    process = start("run", write_job(tmp_path, "-", "out"), "--json", cwd=tmp_path)
    process.stdin.write(sent)
    process.stdin.flush()
    time.sleep(0.3)
    out, err = stop(process, number)
    assert process.returncode == 3
    assert json.loads(out)["error"]["kind"] == "cancelled"
    assert "nothing was published" in err
    assert not left_behind(tmp_path / "out")
    process.stdin.close()


@pytest.mark.parametrize("command", ["validate", "infer"])
def test_commands_that_write_nothing(tmp_path, command):
    process = start(command, "-", cwd=tmp_path)
    _, err = stop(process, signal.SIGINT)
    assert process.returncode == 3 and "stopped" in err
    process.stdin.close()


def test_while_nobody_opens_a_named_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    process = start("run", write_job(tmp_path, "pipe.csv", "out"), cwd=tmp_path, stdin=subprocess.DEVNULL)
    stop(process, signal.SIGINT)
    assert process.returncode == 3
    assert not left_behind(tmp_path / "out")


def test_a_named_pipe_is_read_to_its_end(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    process = start("run", write_job(tmp_path, "pipe.csv", "out"), "--json", cwd=tmp_path, stdin=subprocess.DEVNULL)
    (tmp_path / "pipe.csv").write_text(orders(20000))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["rows"]["accepted"] == 20000


def test_in_the_midst_of_a_file(tmp_path):
    (tmp_path / "a.csv").write_text(orders(1_500_000))
    process = start("run", write_job(tmp_path, "a.csv", "out"), cwd=tmp_path, stdin=subprocess.DEVNULL)
    listens(process)
    time.sleep(0.3)
    assert process.poll() is None, "it was too quick to be stopped"
    stop(process, signal.SIGTERM)
    assert process.returncode == 3
    assert not list(tmp_path.glob("out/commits/*"))
    assert not left_behind(tmp_path / "out")
