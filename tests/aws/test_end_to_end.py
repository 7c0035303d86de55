"""Files go their whole way: landed, registered by their event, judged, published or set aside, and told of.

The functions are the real `bootstrap` as processes of the emulator, the container is the real `etl-batch`, and the policies of
the roles in the template are enforced.
"""

import json
import os
import signal
from types import SimpleNamespace

import pytest
from cloud import wait
from conftest import orders
from real import SECRET, expected, job, real_cloud, seen, start_file, table

GOOD, MIXED, BAD = orders(200), orders(200, bad_every=10), orders(200, bad_every=2)


@pytest.fixture(scope="module")
def cloud():
    return real_cloud()


@pytest.fixture(scope="module")
def first(cloud):
    """A run over one file of each kind."""
    bodies = {
        "orders/good.csv": GOOD,
        "orders/a mixed+one.csv": MIXED,
        "orders/bad.csv": BAD,
        "orders/empty.csv": "",
        "orders/vanished.csv": GOOD,
        "elsewhere/other.csv": GOOD,
    }
    for key, body in bodies.items():
        cloud.land(key, body.encode())
    ours = [key for key in bodies if key.startswith("orders/")]
    wait(lambda: len(cloud.files()) == len(ours), what="the registration of all files")
    registered = cloud.files()
    cloud.client("s3").delete_object(
        Bucket=cloud.outputs["Landing"], Key="orders/vanished.csv", VersionId=registered["orders/vanished.csv"]["version"]
    )
    run = cloud.run({"DatasetName": "orders"})
    return SimpleNamespace(run=run, registered=registered, files=cloud.files(), messages=cloud.messages())


def test_what_lands_is_registered_once_by_its_event(first):
    assert {file["state"] for file in first.registered.values()} == {"NEW"}
    assert all(file["queue"] == "orders#NEW" for file in first.registered.values())
    assert "elsewhere/other.csv" not in first.registered


def test_the_run_succeeds_and_counts(first):
    assert first.run.status == "SUCCEEDED", first.run
    assert first.run.output == {"Ingested": 2, "Invalid": 2, "Error": 1, "Held": 0}


def test_each_file_comes_to_its_state(first):
    assert {key: file["state"] for key, file in first.files.items()} == {
        "orders/good.csv": "INGESTED",
        "orders/a mixed+one.csv": "INGESTED",
        "orders/bad.csv": "INVALID",
        "orders/empty.csv": "INVALID",
        "orders/vanished.csv": "ERROR",
    }
    mixed = first.files["orders/a mixed+one.csv"]["rows"]
    assert (mixed["read"], mixed["accepted"], mixed["rejected"]) == (200, 180, 20)


def test_what_is_settled_has_left_the_queue(first):
    queues = {key: file["queue"] for key, file in first.files.items()}
    assert queues.pop("orders/vanished.csv") == "orders#ERROR"
    assert set(queues.values()) == {None}


def test_invalid_files_are_moved_and_no_others(cloud, first):
    for key, body in (("orders/bad.csv", BAD), ("orders/empty.csv", "")):
        place = first.files[key]["moved_to"]
        assert place.startswith(f"s3://{cloud.outputs['Failed']}/orders/")
        assert cloud.read(place) == body.encode()
    moved = [key for key in cloud.keys("Failed") if key.endswith(".csv")]
    assert len(moved) == 2
    assert set(cloud.keys("Landing")) >= {"orders/good.csv", "orders/a mixed+one.csv", "elsewhere/other.csv"}
    assert not {"orders/bad.csv", "orders/empty.csv"} & set(cloud.keys("Landing"))


def test_people_are_told_without_values(first):
    subjects = sorted(message.subject.split(":")[0] for message in first.messages)
    assert subjects == ["ERROR", "INVALID", "INVALID"]
    assert {name for name in ("bad.csv", "empty.csv", "vanished.csv") for m in first.messages if name in m.text} == {
        "bad.csv",
        "empty.csv",
        "vanished.csv",
    }
    assert not [message for message in first.messages if SECRET in message.text + message.subject]


def test_the_catalog_leads_to_exactly_the_good_rows(cloud, first):
    assert seen(table(cloud)) == expected(GOOD, MIXED)


def test_everything_that_was_written_is_encrypted_with_the_key(cloud, first):
    s3 = cloud.client("s3")
    for output in ("Lake", "Failed"):
        for key in cloud.keys(output):
            head = s3.head_object(Bucket=cloud.outputs[output], Key=key)
            assert head.get("ServerSideEncryption") == "aws:kms", (output, key)
            assert head.get("SSEKMSKeyId") == cloud.outputs["KeyArn"], (output, key)


def test_an_event_that_comes_twice_changes_nothing(cloud, first):
    before = cloud.files()
    file = before["orders/good.csv"]
    detail = {
        "bucket": {"name": cloud.outputs["Landing"]},
        "object": {"key": "orders/good.csv", "version-id": file["version"], "size": file["size"]},
    }
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
    answer, error = cloud.invoke("RegisterFunction", event)
    assert error is None and answer == {"Registered": 0, "Known": 1, "Passed": 0}
    assert cloud.files() == before


def test_a_file_that_is_gone_before_its_event_comes_is_an_error(cloud, first):
    """Of an event that names no version, on either way."""
    for route in ("LAMBDA", "CONTAINER"):
        key = f"orders/gone-{route.lower()}.csv"
        detail = {"bucket": {"name": cloud.outputs["Landing"]}, "object": {"key": key, "size": 7, "etag": "e"}}
        answer, error = cloud.invoke("RegisterFunction", {"source": "aws.s3", "detail-type": "Object Created", "detail": detail})
        assert error is None and answer["Registered"] == 1, error
        arn = start_file(key, route)
        assert cloud.finish(arn).output["Outcome"] == "ERROR"
        errors = [e["taskFailedEventDetails"]["error"] for e in cloud.history(arn) if e["type"] == "TaskFailed"]
        assert errors == ["Etl.InputUnavailable"]
        reason = cloud.files()[key]["reasons"][0]
        assert "not found" in reason and "denied" not in reason
        # It has no attempts left for the tests that follow.
        assert cloud.finish(start_file(key, route)).output["Outcome"] == "ERROR"
    cloud.messages()


def test_an_error_is_tried_again_until_its_attempts_are_used(cloud, first):
    second = cloud.run({"DatasetName": "orders"})
    assert second.output == {"Ingested": 0, "Invalid": 0, "Error": 1, "Held": 0}
    assert cloud.files()["orders/vanished.csv"]["tries"] == 2
    third = cloud.run({})
    assert third.status == "SUCCEEDED"
    entered = [e["stateEnteredEventDetails"]["name"] for e in cloud.history(third.arn) if "stateEnteredEventDetails" in e]
    assert entered[-1] == "Nothing New"
    assert seen(table(cloud)) == expected(GOOD, MIXED)


def in_container(cloud, key, body):
    """Starts the states of one file, routed to the container, for no file of a test is large enough to be."""
    cloud.land(key, body.encode())
    return start_file(key, "CONTAINER")


def test_the_container_does_what_the_function_does(cloud, first):
    before = seen(table(cloud))
    assert cloud.finish(in_container(cloud, "orders/large.csv", GOOD)).output["Outcome"] == "INGESTED"
    assert cloud.finish(in_container(cloud, "orders/large-bad.csv", BAD)).output["Outcome"] == "INVALID"
    codes = wait(lambda: (c := [one["code"] for one in cloud.containers()]) and None not in c and sorted(c), what="their end")
    assert codes == [0, 1, 3, 3]
    assert seen(table(cloud)) == sorted(before + expected(GOOD))


def test_a_container_that_is_stopped_is_followed_by_another(cloud, first):
    before, known = seen(table(cloud)), len(cloud.containers())
    body = orders(150_000)
    arn = in_container(cloud, "orders/stopped.csv", body)
    wait(lambda: cloud.files()["orders/stopped.csv"]["state"] == "VALIDATING", what="the container's claim")
    # As ECS does when Spot capacity is reclaimed.
    [running] = [one["pid"] for one in cloud.containers() if arn.rsplit(":", 1)[1] in one["environment"]["ETL_REQUEST"]]
    os.kill(running, signal.SIGTERM)
    assert cloud.finish(arn, 120).output["Outcome"] == "INGESTED"
    errors = [e["taskFailedEventDetails"]["error"] for e in cloud.history(arn) if e["type"] == "TaskFailed"]
    assert errors == ["Etl.Retryable"]
    requests = [json.loads(one["environment"]["ETL_REQUEST"]) for one in cloud.containers()]
    numbers = [one["Attempt"]["Number"] for one in requests if one["Attempt"]["Owner"] == arn.rsplit(":", 1)[1]]
    assert sorted(numbers) == [100, 101] and len(requests) == known + 2
    assert len(table(cloud)) == len(before) + 150_000


def test_a_long_list_goes_by_the_distributed_map(cloud, first):
    before = seen(table(cloud))
    functions = cloud.client("lambda")
    name = cloud.physical("GetNewListFunction")
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]
    shorter = {"Variables": {**environment["Variables"], "ETL_INLINE_MAX": "1"}}
    functions.update_function_configuration(FunctionName=name, Environment=shorter)
    cloud.land("orders/many-1.csv", GOOD.encode())
    cloud.land("orders/many-2.csv", BAD.encode())
    wait(lambda: {"orders/many-1.csv", "orders/many-2.csv"} <= set(cloud.files()), what="the registration")
    try:
        run = cloud.run({"DatasetName": "orders"})
    finally:
        functions.update_function_configuration(FunctionName=name, Environment=environment)
    assert run.status == "SUCCEEDED" and run.output["Files"] == 2, run
    assert json.loads(cloud.read("s3://{Bucket}/{Key}".format(**run.output["List"])))[0]["DatasetName"] == "orders"
    states = cloud.client("stepfunctions")
    children = [states.describe_execution(executionArn=arn) for arn in cloud.children(run.arn)]
    assert sorted(json.loads(child["output"])["Outcome"] for child in children) == ["INGESTED", "INVALID"]
    assert seen(table(cloud)) == sorted(before + expected(GOOD))


def test_a_function_may_do_its_own_step_only(cloud, first):
    """All functions are the same program; what keeps them apart is their roles."""
    before, keys = cloud.files(), {output: cloud.keys(output) for output in ("Landing", "Lake", "Failed")}
    file_id = before["orders/vanished.csv"]["file_id"]
    file = {"DatasetName": "orders", "FileId": file_id, "Attempt": {"Owner": "thief", "Number": 0}}
    for function, state in (
        ("Notify", "Record Error"),
        ("Notify", "Validate"),
        ("GetNewList", "Validate"),
        ("RecordError", "Validate"),
        ("MoveInvalid", "Validate"),
    ):
        _, error = cloud.invoke(f"{function}Function", {"SFNState": state, **file, "Error": {"Error": "x", "Cause": "y"}})
        assert error and error["errorType"].startswith("Etl."), (function, state)
        assert "AccessDenied" in str(error) or "denied" in str(error), error
    assert cloud.files() == before
    assert {output: cloud.keys(output) for output in keys} == keys


def test_a_wrong_job_is_an_error_and_moves_nothing(cloud, first):
    cloud.land("orders/later.csv", GOOD.encode())
    wait(lambda: "orders/later.csv" in cloud.files(), what="the registration")
    cloud.messages()
    cloud.put_job("orders", "version: 1\nsource: {locaton: x}\n")
    try:
        run = cloud.run({"DatasetName": "orders"})
    finally:
        cloud.put_job("orders", job(cloud, "orders"))
    assert run.output["Error"] == 1 and run.output["Invalid"] == 0
    assert cloud.files()["orders/later.csv"]["state"] == "ERROR"
    assert "orders/later.csv" in cloud.keys("Landing")
    assert [message.subject.split(":")[0] for message in cloud.messages()] == ["ERROR"]
    # The job is right again: the next run takes the file up.
    assert cloud.run({"DatasetName": "orders"}).output["Ingested"] == 1


def test_no_value_of_a_cell_is_in_a_log(cloud, first):
    logs = [cloud.folder / "emulator.log", *(cloud.folder / "containers").glob("*.log")]
    assert len(logs) > 1 and "etl.step" in logs[0].read_text()
    assert not [log.name for log in logs if SECRET in log.read_text()]


def test_nothing_is_left_in_the_dead_letters(cloud, first):
    assert cloud.dead_letters() == 0
