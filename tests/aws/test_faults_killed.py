"""Processes are killed at each request that they make, before it has its effect and after, and no file is lost or doubled.

ETL_WALK=all goes through all of these points, which takes minutes; without it a sample that stays the same.
"""

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from cloud import wait
from real import expected, real_cloud, registered, seen, some, start_file, table

MOVE = "Move Invalid File To Failed Bucket"
CONTAINER = "Validate In Container"
# The most requests that a step makes for these files; beyond that there is nothing to be killed at.
MOST = {"Validate": 18, CONTAINER: 20, "Publish": 14, MOVE: 9, "Record Error": 4, "Notify": 3}
ALL = [(state, request, after) for state, most in MOST.items() for request in range(1, most + 1) for after in (False, True)]
# Around the commit and the last word, where it is easiest to be wrong.
ALWAYS = [("Publish", request, after) for request in (6, 8, 10) for after in (False, True)] + [(MOVE, 6, True), (MOVE, 7, True)]
WALK = ALL if os.environ.get("ETL_WALK") == "all" else sorted({*ALWAYS, *random.Random(1).sample(ALL, 24)}, key=ALL.index)


@pytest.fixture(scope="module")
def cloud():
    return real_cloud()


@pytest.fixture(scope="module")
def walked(cloud):
    """Each point is met by a file of its own, then all files are taken up once more."""
    files = {}
    for number, (state, request, after) in enumerate(WALK):
        bad = state in (MOVE, "Notify")
        key = f"killed/{state.replace(' ', '-').lower()}-{request}-{'after' if after else 'before'}.csv"
        files[key] = SimpleNamespace(state=state, request=request, after=after, bad=bad, body=some(1000 * number, bad))
        cloud.land(key, files[key].body.encode())
    wait(lambda: files.keys() <= cloud.files().keys(), 60, what="the registration of all files")
    rules = []
    for key, file in files.items():
        file.id = registered(key)["file_id"]
        if file.state == "Record Error":
            rules.append({"do": "kill", "file": file.id, "state": "Publish", "request": 1})
        rules.append({"do": "kill", "file": file.id, "state": file.state, "request": file.request, "after": file.after})
    cloud.control("faults", rules)

    def through(key):
        return cloud.finish(start_file(key, "CONTAINER" if files[key].state == CONTAINER else "LAMBDA"), 120)

    with ThreadPoolExecutor(4) as pool:
        for key, run in zip(files, pool.map(through, files), strict=True):
            files[key].run, files[key].between = run, cloud.files()[key]
    told = cloud.control("faults")
    fired = {(rule["file"], rule["state"]) for rule in told["fired"]}
    for file in files.values():
        file.fired = (file.id, file.state) in fired
    cloud.control("faults", [])
    cloud.time_passes("killed")
    again = cloud.run({"DatasetName": "killed"}, 180)
    cloud.messages()
    return SimpleNamespace(files=files, told=told, again=again, ends=cloud.files())


def test_every_point_was_met(walked):
    most = Counter()
    for place, count in walked.told["requests"].items():
        file_id, _, state = place.partition(" ")
        if file_id in {file.id for file in walked.files.values()}:
            most[state] = max(most[state], count)
    assert {state: count for state, count in most.items() if count > MOST.get(state, count)} == {}
    missed = [key for key, file in walked.files.items() if not file.fired and file.request <= most[file.state] - 3]
    assert missed == []
    assert sum(file.fired for file in walked.files.values()) > len(walked.files) / 2


def test_the_executions_end(walked):
    for key, file in walked.files.items():
        assert file.run.status == "SUCCEEDED", (key, file.run)
        assert file.run.output["Outcome"] in ("INGESTED", "INVALID", "ERROR"), (key, file.run)
        if file.run.output["Outcome"] == "INGESTED":
            assert file.between["state"] == "INGESTED", key


def test_who_is_killed_while_judging_is_followed_by_another_at_once(walked):
    for key, file in walked.files.items():
        if file.state in ("Validate", CONTAINER):
            assert file.run.output["Outcome"] == "INGESTED", (key, file.run)


def test_the_next_execution_takes_up_what_is_left(walked):
    assert walked.again.status == "SUCCEEDED", walked.again
    ends = {key: walked.ends[key]["state"] for key in walked.files}
    assert ends == {key: "INVALID" if file.bad else "INGESTED" for key, file in walked.files.items()}
    assert not [key for key in walked.files if walked.ends[key]["queue"]]


def test_rows_are_published_once(cloud, walked):
    good = [file.body for file in walked.files.values() if not file.bad]
    assert seen(table(cloud, "killed")) == expected(*good)


def test_each_file_is_committed_once(cloud, walked):
    manifests = Counter(walked.ends[key]["run_id"] for key, file in walked.files.items() if not file.bad)
    found = {key.rsplit("/", 1)[-1].split(".")[0] for key in cloud.keys("Lake", "killed/commits/")}
    assert set(manifests) == found and set(manifests.values()) == {1}


def test_invalid_files_are_moved_once_and_no_others(cloud, walked):
    landed, failed = cloud.keys("Landing", "killed/"), [key for key in cloud.keys("Failed", "killed/") if key.endswith(".csv")]
    assert sorted(landed) == sorted(key for key, file in walked.files.items() if not file.bad)
    assert sorted(key.rsplit("/", 1)[-1] for key in failed) == sorted(
        key.rsplit("/", 1)[-1] for key, file in walked.files.items() if file.bad
    )
    for key, file in walked.files.items():
        if file.bad:
            assert cloud.read(walked.ends[key]["moved_to"]) == file.body.encode()


def test_a_large_file_whose_publishing_died_is_found_published(cloud, walked):
    """The container finds the commit of the attempt before it by what that attempt wrote down."""
    cloud.land("killed/large.csv", some(800_000).encode())
    file_id = registered("killed/large.csv")["file_id"]
    cloud.control("faults", [{"do": "kill", "file": file_id, "target": "BatchCreatePartition"}])
    assert cloud.finish(start_file("killed/large.csv", "CONTAINER")).output["Outcome"] == "ERROR"
    before = cloud.keys("Lake", "killed/")
    assert cloud.finish(start_file("killed/large.csv", "CONTAINER")).output["Outcome"] == "INGESTED"
    assert not [key for key in set(cloud.keys("Lake", "killed/")) - set(before) if "/data/" in key or "/commits/" in key]
    assert [row for row in seen(table(cloud, "killed")) if row[0] >= 800_000] == expected(some(800_000))
    cloud.control("faults", [])
    cloud.messages()


def test_a_list_that_was_not_finished_is_made_by_the_next_execution(cloud, walked):
    body = some(900_000)
    cloud.land("killed/listed.csv", body.encode())
    registered("killed/listed.csv")
    for request in (1, 4):
        cloud.control("faults", [{"do": "kill", "state": "Get New List", "request": request}])
        run = cloud.run({"DatasetName": "killed"})
        assert run.status == "FAILED" and run.error == "Runtime.ExitError", run
        assert cloud.files()["killed/listed.csv"]["state"] == "NEW"
        assert [message.subject.split(":")[0] for message in cloud.messages()] == ["FAILURE"]
    cloud.control("faults", [])
    assert cloud.run({"DatasetName": "killed"}).output["Ingested"] == 1
