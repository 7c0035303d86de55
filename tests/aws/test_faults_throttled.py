"""S3, DynamoDB and Glue say "slow down": a while is ridden out, a long one ends in ERROR, and the next execution goes on."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from real import expected, real_cloud, registered, seen, some, start_file, table

# name: rules for its file
SHORT = {
    "s3": [{"do": "throttle", "service": "s3", "times": 4}],
    "s3 by chance": [{"do": "throttle", "service": "s3", "rate": 0.25}],
    "dynamodb": [{"do": "throttle", "service": "dynamodb", "times": 2}],
    "dynamodb by chance": [{"do": "throttle", "service": "dynamodb", "rate": 0.25}],
    "glue": [{"do": "throttle", "service": "glue", "times": 2}],
}
# name: rules, the state that it is left in
LONG = {
    "s3 validate": ([{"do": "throttle", "service": "s3", "state": "Validate"}], "ERROR"),
    "s3 publish": ([{"do": "throttle", "service": "s3", "state": "Publish"}], "ERROR"),
    "s3 move": ([{"do": "throttle", "service": "s3", "state": "Move Invalid File To Failed Bucket"}], "INVALID"),
    "dynamodb validate": ([{"do": "throttle", "service": "dynamodb", "state": "Validate"}], "ERROR"),
    "dynamodb publish": ([{"do": "throttle", "service": "dynamodb", "state": "Publish"}], "ERROR"),
    "dynamodb": ([{"do": "throttle", "service": "dynamodb"}], "NEW"),
    "glue": ([{"do": "throttle", "service": "glue"}], "ERROR"),
}


@pytest.fixture(scope="module")
def cloud():
    return real_cloud()


@pytest.fixture(scope="module")
def throttled(cloud):
    files, rules = {}, []
    for number, (name, (its_rules, _)) in enumerate({**{f"short {n}": (r, None) for n, r in SHORT.items()}, **LONG}.items()):
        body = some(100 * number, bad=name == "s3 move")
        files[name] = SimpleNamespace(key=f"throttled/{name.replace(' ', '-')}.csv", body=body, rules=its_rules)
        cloud.land(files[name].key, body.encode())
    for file in files.values():
        file.id = registered(file.key)["file_id"]
        rules += [{**rule, "file": file.id} for rule in file.rules]
    cloud.messages()

    def through(name):
        return cloud.finish(start_file(files[name].key), 240)

    # Beside them a container that hears nothing for longer than it is silent: it beats meanwhile.
    cloud.land("throttled/slow.csv", some(80_000).encode())
    slow = registered("throttled/slow.csv")["file_id"]
    rules.append({"do": "delay", "file": slow, "state": "Validate In Container", "request": 1, "seconds": 33})
    cloud.control("faults", rules)
    slow = start_file("throttled/slow.csv", "CONTAINER")
    with ThreadPoolExecutor(len(files)) as pool:
        for name, run in zip(files, pool.map(through, files), strict=True):
            files[name].run = run
    slow = cloud.finish(slow)
    cloud.control("faults", [])
    between = cloud.files()
    for file in files.values():
        file.between = between[file.key]
    before = SimpleNamespace(
        rows=seen(table(cloud, "throttled")),
        landed=cloud.keys("Landing", "throttled/"),
        failed=cloud.keys("Failed", "throttled/"),
    )
    cloud.time_passes("throttled")
    again = cloud.run({"DatasetName": "throttled"}, 120)
    return SimpleNamespace(files=files, before=before, again=again, ends=cloud.files(), slow=slow, messages=cloud.messages())


@pytest.mark.parametrize("name", SHORT)
def test_a_short_while_is_ridden_out(throttled, name):
    file = throttled.files[f"short {name}"]
    assert file.run.output == {"FileId": file.id, "Outcome": "INGESTED"}, file.run


@pytest.mark.parametrize("name", LONG)
def test_a_long_while_ends_in_an_error_that_says_so(cloud, throttled, name):
    file = throttled.files[name]
    assert file.run.output == {"FileId": file.id, "Outcome": "ERROR"}, file.run
    assert file.between["state"] == LONG[name][1]
    errors = [e["taskFailedEventDetails"]["error"] for e in cloud.history(file.run.arn) if e["type"] == "TaskFailed"]
    assert set(errors) == {"Etl.Retryable"} and len(errors) >= 7


def test_in_between_nothing_is_published_or_moved(throttled):
    good = [file.body for name, file in throttled.files.items() if name.startswith("short")]
    assert throttled.before.rows == expected(*good, some(80_000))
    assert set(throttled.before.landed) == {*(file.key for file in throttled.files.values()), "throttled/slow.csv"}
    assert throttled.before.failed == []


def test_the_next_execution_goes_on(cloud, throttled):
    assert throttled.again.status == "SUCCEEDED"
    assert throttled.again.output == {"Ingested": len(LONG) - 1, "Invalid": 1, "Error": 0, "Held": 0}
    ends = {name: throttled.ends[file.key]["state"] for name, file in throttled.files.items()}
    assert ends == {name: "INVALID" if name == "s3 move" else "INGESTED" for name in throttled.files}
    good = [file.body for name, file in throttled.files.items() if name != "s3 move"]
    assert seen(table(cloud, "throttled")) == expected(*good, some(80_000))
    assert "throttled/s3-move.csv" not in cloud.keys("Landing", "throttled/")


def test_a_container_that_waits_is_not_given_up(cloud, throttled):
    assert throttled.slow.output["Outcome"] == "INGESTED"
    assert "states:SendTaskHeartbeat" in {action for _, action, _ in cloud.control("calls")}


def test_people_are_told_once_a_file(throttled):
    told = [message for message in throttled.messages if "ERROR" in message.subject or "INVALID" in message.subject]
    assert len(told) == len(LONG) + 1, [message.subject for message in throttled.messages]


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_was_throttled_is_tried_again(cloud, throttled, code):
    """DynamoDB says so in the reasons of a cancelled transaction: its own retries know nothing of that."""
    key = f"throttled/{code}.csv"
    cloud.land(key, some(90_000).encode())
    file = registered(key)
    rule = {"do": "throttle", "file": file["file_id"], "target": "TransactWriteItems", "times": 1, "reason": code}
    cloud.control("faults", [rule])
    try:
        assert cloud.finish(start_file(key)).output["Outcome"] == "INGESTED"
    finally:
        cloud.control("faults", [])
