"""`etl-engine pipeline` and `plan`: the workflow of files that arrive, in one process."""

import json
import os
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from conftest import BIN, ROOT

JOB = """
version: 1
name: orders
schema: {columns: [{name: id, type: bigint, nullable: false}, {name: country, type: string}]}
rules_text: 'Rules = [ IsUnique "id" ]'
on_invalid: {rows: quarantine, max_rejected: 30%%}
sink: {location: lake, partition_by: [country]}
%s
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "orders.yaml").write_text(JOB % "")
    return tmp_path


def lines(place):
    """What one look at the folder says, a document a file."""
    command = [BIN, "pipeline", "orders.yaml", "--watch", "in", "--once", "--json"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60)
    assert not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def good(first, rows=3):
    return "id,country\n" + "".join(f"{first + i},{'DE' if i % 2 else 'FR'}\n" for i in range(rows))


def test_good_bad_and_empty_files(etl, place):
    (place / "in" / "a.csv").write_text(good(1))
    (place / "in" / "b.csv").write_text("id,country\nx,DE\n")
    (place / "in" / "c.csv").write_text("")
    (place / "in" / "_d.csv").write_text("not,mine\n")
    done = etl("pipeline", "orders.yaml", "--watch", "in", "--once", cwd=place)
    assert done.code == 1
    states = {file["uri"].rsplit("/", 1)[-1]: file for file in audit(etl, place)}
    assert {name: file["state"] for name, file in states.items()} == {
        "a.csv": "INGESTED",
        "b.csv": "INVALID",
        "c.csv": "INVALID",
    }
    moved = states["b.csv"]["moved_to"]
    assert open(moved).read() == "id,country\nx,DE\n"
    reasons = json.load(open(moved + ".reasons.json"))
    assert reasons["rows"]["rejected"] == 1 and reasons["reasons"]
    assert "empty" in json.load(open(states["c.csv"]["moved_to"] + ".reasons.json"))["reasons"][0]
    assert sorted(os.listdir(place / "in")) == ["_d.csv", "_failed", "a.csv"]


def audit(etl, place):
    return json.loads(etl("audit", "list", "lake", "--json", cwd=place).out)["files"]


def test_a_second_look_does_nothing_and_an_overwritten_file_is_a_new_one(etl, place):
    (place / "in" / "a.csv").write_text(good(1))
    assert [line["state"] for line in lines(place)] == ["INGESTED"]
    assert lines(place) == []
    (place / "in" / "a.csv").write_text(good(100))
    assert [line["state"] for line in lines(place)] == ["INGESTED"]
    assert len(audit(etl, place)) == 2


def test_two_processes_share_a_folder(etl, place):
    for number in range(30):
        (place / "in" / f"{number}.csv").write_text(good(number * 10))
    command = [BIN, "pipeline", "orders.yaml", "--watch", "in", "--once", "--json"]
    both = [subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [json.loads(line) for process in both for line in process.communicate(timeout=120)[0].splitlines()]
    assert all(process.returncode == 0 for process in both)
    assert all(line["state"] == "INGESTED" for line in told)
    commits = json.loads(etl("commits", "list", "lake", "--json", cwd=place).out)["commits"]
    assert len(commits) == 30 and sum(commit["rows"]["accepted"] for commit in commits) == 90


def test_killed_at_any_instant_it_goes_on_where_it_was(etl, place):
    for number in range(12):
        text = good(number * 10) if number % 3 else "id,country\nx,DE\n"
        (place / "in" / f"{number}.csv").write_text(text)
    arguments = ["pipeline", "orders.yaml", "--watch", "in", "--once", "--lease", "1s"]
    for pause in [0.05, 0.1, 0.15, 0.2, 0.3, 0.4]:
        process = subprocess.Popen([BIN, *arguments], cwd=place, stdout=subprocess.DEVNULL)
        time.sleep(pause)
        process.kill()
        process.wait()
    for _ in range(30):
        etl(*arguments, cwd=place)
        if all(file["state"] in ("INGESTED", "INVALID") for file in audit(etl, place)):
            break
        time.sleep(0.5)
    states = [file["state"] for file in audit(etl, place)]
    assert sorted(states) == ["INGESTED"] * 8 + ["INVALID"] * 4
    commits = json.loads(etl("commits", "list", "lake", "--json", cwd=place).out)["commits"]
    assert len(commits) == 8 and sum(commit["rows"]["accepted"] for commit in commits) == 24


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()


def test_failures_and_lineage_are_posted(etl, place, hook):
    more = f"notify: {{webhook: {{url: '{hook.url}/hook'}}}}\nlineage: {{url: '{hook.url}/lineage', file: lineage.ndjson}}\n"
    (place / "orders.yaml").write_text(JOB % more)
    (place / "in" / "a.csv").write_text(good(1))
    (place / "in" / "secret.csv").write_text("id,country\nTOP-SECRET,DE\n")
    assert etl("pipeline", "orders.yaml", "--watch", "in", "--once", cwd=place).code == 1
    messages = [body for path, body in hook.seen if path == "/hook"]
    assert [message["subject"] for message in messages] == ["INVALID: orders/secret.csv"]
    assert "1 of 1 rows were rejected" in messages[0]["text"]
    assert "TOP-SECRET" not in json.dumps(hook.seen)
    events = [body for path, body in hook.seen if path == "/lineage"]
    assert sorted(event["eventType"] for event in events) == ["COMPLETE", "FAIL", "START", "START"]
    written = [json.loads(line) for line in (place / "lineage.ndjson").read_text().splitlines()]
    assert written == events
    complete = next(event for event in events if event["eventType"] == "COMPLETE")
    assert complete["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert complete["inputs"][0]["facets"]["schema"]["fields"][0] == {"name": "id", "type": "bigint"}


def test_a_hook_that_is_away_changes_nothing(etl, place):
    (place / "orders.yaml").write_text(JOB % "notify: {webhook: {url: 'http://127.0.0.1:9/'}}\n")
    (place / "in" / "b.csv").write_text("id,country\nx,DE\n")
    assert etl("pipeline", "orders.yaml", "--watch", "in", "--once", cwd=place).code == 1
    assert audit(etl, place)[0]["moved_to"]


def test_it_watches_until_it_is_stopped(place):
    command = [BIN, "pipeline", "orders.yaml", "--watch", "in", "--interval", "100ms", "--json"]
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().startswith("watching")
        # A file that grows while it is looked at is judged once, whole.
        with open(place / "in" / "a.csv", "w") as file:
            for part in ["id,country\n", "1,DE\n", "2,FR\n"]:
                file.write(part)
                file.flush()
                time.sleep(0.06)
        assert json.loads(process.stdout.readline())["rows"]["accepted"] == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()


def test_wrong_use_is_said(etl, place):
    (place / "nosink.yaml").write_text("version: 1\n")
    done = etl("pipeline", "nosink.yaml", "--watch", "in", "--once", cwd=place)
    assert done.code == 2 and "sink" in done.err
    done = etl("pipeline", "orders.yaml", "--once", cwd=place)
    assert done.code == 2 and "--watch" in done.err
    done = etl("pipeline", "orders.yaml", "--watch", "nowhere", "--once", cwd=place)
    assert done.code == 3 and "nowhere" in done.err


def test_a_plan_says_route_time_and_price(etl, tmp_path):
    (tmp_path / "a.csv").write_text("x")
    with open(tmp_path / "b.csv", "wb") as file:
        file.truncate(300 << 30)
    plan = etl("plan", "a.csv", "b.csv", "--json", cwd=tmp_path).json
    assert [file["route"] for file in plan["files"]] == ["LAMBDA", "CONTAINER"]
    assert plan["total_usd"] > plan["compute_usd"] > 0
    assert plan["glue_floor_per_file_usd"] == pytest.approx(2 * 0.44 * 2 / 60)
    text = etl("plan", "a.csv", "b.csv", cwd=tmp_path)
    assert "container (time" in text.out and "Glue's floor" in text.out
    prices = json.loads((ROOT / "engine/src/plan/prices.json").read_text())
    prices["fargate_arm_vcpu_hour"] *= 2
    (tmp_path / "prices.json").write_text(json.dumps(prices))
    dearer = etl("plan", "a.csv", "b.csv", "--prices", "prices.json", "--json", cwd=tmp_path).json
    assert dearer["files"][1]["usd"] > plan["files"][1]["usd"]
    (tmp_path / "prices.json").write_text("{}")
    assert etl("plan", "a.csv", "--prices", "prices.json", cwd=tmp_path).code == 2
