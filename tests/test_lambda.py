"""The real `bootstrap` behind the Runtime API of Lambda: each request once, each typed error, deadlines and rivals."""

import io
import itertools
import json
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote_plus

import pyarrow.parquet as pq
import pytest
from conftest import BIN, orders
from emulator import CREDENTIALS, Emulator
from runtime_api import Function

BOOTSTRAP = Path(os.environ.get("ETL_BOOTSTRAP_BIN") or Path(BIN).with_name("bootstrap"))
KEY = "arn:aws:kms:us-east-1:123456789012:key/0b1c"
TABLE = "etl-audit"
LEASE = 3
# Rows of files, one of which takes longer than the deadline: a fast machine is done with the first before it.
LARGE, LARGER, DEADLINE = 110_000, 500_000, 6
JOB = """
version: 1
name: %(name)s
source: {location: "s3://%(bucket)s/%(name)s/", csv: {header: true}}
schema:
  columns:
    - {name: id, type: bigint, nullable: false}
    - {name: country, type: string}
    - {name: amount, type: "decimal(12,2)"}
    - {name: ordered_at, type: timestamp}
    - {name: day, type: date}
on_invalid: {rows: quarantine, max_rejected: "20%%"}
sink: {location: "s3://lake/%(name)s", partition_by: [country]}
catalog: {glue: {database: sales, table: %(name)s}}
"""
WIDE = """
version: 1
name: wide
source: {location: "s3://landing/wide/", csv: {header: true}}
schema: {columns: [{name: id, type: bigint}, {name: text, type: string}]}
# What is on its way when a run is stopped is sent before the answer: little of it.
sink: {location: "s3://lake/wide", row_group_size: 8MiB}
"""
GOOD, BAD = orders(200, bad_every=10), orders(200, bad_every=2)
names = itertools.count()


class World:
    def __init__(self, emulator, function):
        self.emulator, self.function = emulator, function
        self.s3, self.inbox = emulator.client("s3"), None

    def call(self, state, file=None, owner="run-1", number=0, seconds=60, **more):
        attempt = {"Attempt": {"Owner": owner, "Number": number}} if file else {}
        return self.function.invoke({"SFNState": state, **(file or {}), **attempt, **more}, seconds)

    def done(self, *arguments, **more):
        """An answer that must not be an error."""
        answer = self.call(*arguments, **more)
        assert answer.error is None, f"{answer.error}: {answer.message}"
        return answer.value

    def land(self, key, body, bucket="landing"):
        body = body if isinstance(body, bytes) else body.encode()
        put = self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        return SimpleNamespace(bucket=bucket, key=key, size=len(body), etag=put["ETag"].strip('"'), version=put.get("VersionId"))

    def register(self, *messages):
        return self.function.invoke(messages[0] if len(messages) == 1 else queued(*messages), 60).value

    def arrived(self, body, dataset="orders", key=None):
        """A file that is registered: what the state machine knows of it."""
        landed = self.land(key or f"{dataset}/{next(names)}.csv", body)
        assert self.register(from_s3(landed))["Registered"] == 1
        return self.of(landed)

    def of(self, landed, dataset="orders"):
        uri = f"s3://{landed.bucket}/{landed.key}"
        found = [item for item in self.files() if item["uri"] == uri and landed.version in (None, item["event"].get("version"))]
        assert len(found) == 1, found
        return {"DatasetName": found[0]["dataset"], "FileId": found[0]["pk"]}

    def files(self):
        every = [item for item in self.emulator.items(TABLE) if item["sk"] == "FILE"]
        return [{**item, "event": json.loads(item["event"])} for item in every]

    def state(self, file):
        return next(item["state"] for item in self.files() if item["pk"] == file["FileId"])

    def keys(self, bucket, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def read(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def rows(self, manifest):
        """Rows in the files that a manifest names."""
        files = json.loads(self.read(manifest))["files"]
        return sum(pq.read_table(io.BytesIO(self.read(f"s3://lake/{file['path']}"))).num_rows for file in files)

    def messages(self):
        sqs, found = self.emulator.client("sqs"), []
        while batch := sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
        return found


def from_s3(landed):
    """As S3 notifies: the key encoded as forms are."""
    told = {"key": quote_plus(landed.key, safe="/"), "size": landed.size, "eTag": landed.etag}
    if landed.version:
        told["versionId"] = landed.version
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": landed.bucket}, "object": told}}]}


def from_eventbridge(landed, **more):
    told = {"key": landed.key, "size": landed.size, "etag": landed.etag, **({"version-id": landed.version} if landed.version else {}), **more}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": {"name": landed.bucket}, "object": told}}


def queued(*events):
    """A batch of a queue; texts go as they are."""
    body = lambda event: event if isinstance(event, str) else json.dumps(event)  # noqa: E731
    return {"Records": [{"eventSource": "aws:sqs", "messageId": f"m{n}", "body": body(event)} for n, event in enumerate(events)]}


@pytest.fixture(scope="module")
def world():
    if not BOOTSTRAP.exists():
        pytest.fail(f"{BOOTSTRAP} is not built: cargo build --workspace")
    with Emulator() as emulator:
        s3, sns, sqs = map(emulator.client, ("s3", "sns", "sqs"))
        for bucket in ("config", "landing", "versions", "lake", "failed"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        for name, bucket in (("orders", "landing"), ("versioned", "versions"), ("gone", "landing")):
            s3.put_object(Bucket="config", Key=f"jobs/{name}.yaml", Body=(JOB % {"name": name, "bucket": bucket}).encode())
        s3.put_object(Bucket="config", Key="jobs/wide.yaml", Body=WIDE.encode())
        emulator.create_audit_table(TABLE)
        emulator.client("glue").create_database(DatabaseInput={"Name": "sales"})
        topic = sns.create_topic(Name="files")["TopicArn"]
        inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        environment = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "ETL_JOBS": "s3://config/jobs/",
            "ETL_AUDIT_TABLE": TABLE,
            "ETL_FAILED": "s3://failed/",
            "ETL_WORK": "s3://lake/_etl/",
            "ETL_TOPIC": topic,
            "ETL_KMS_KEY": KEY,
            "ETL_INLINE_MAX": "3",
            "ETL_LEASE_SECONDS": str(LEASE),
        }
        with Function(BOOTSTRAP, environment, instances=2) as function:
            world = World(emulator, function)
            world.inbox = inbox
            yield world
            assert "panicked" not in function.log()


def test_a_good_file_goes_its_way_and_every_step_can_be_repeated(world):
    landed = world.land("orders/a b+é.csv", GOOD)
    told = [world.register(event) for event in (from_s3(landed), from_s3(landed), from_eventbridge(landed))]
    assert [(one["Registered"], one["Known"]) for one in told] == [(1, 0), (0, 1), (0, 1)]
    file = world.of(landed)
    listed = world.done("Get New List", NeededState="NEW", DatasetName="orders", ExecutionName="run-1")
    assert listed == {"Count": 1, "Files": [{**file, "Route": "LAMBDA"}], "List": None}
    judged = [world.done("Validate", file, number=number) for number in (0, 1)]
    assert judged[0] == judged[1] and judged[0]["Verdict"] == "VALID"
    assert judged[0]["Rows"] == {"read": 200, "accepted": 180, "rejected": 20, "filtered": 0}
    assert world.read(judged[0]["Report"])
    # What was judged waits for its owner, and nothing of it is to be seen.
    assert world.done("Get New List", DatasetName=None, ExecutionName="run-2")["Count"] == 0
    assert not world.keys("lake", "orders/commits/")
    published = [world.done("Publish", file, number=number) for number in (0, 0, 1)]
    assert published[0] == published[1] == published[2]
    assert published[0]["State"] == "INGESTED" and published[0]["Table"] == "sales.orders"
    assert len(world.keys("lake", "orders/commits/")) == 1
    assert world.rows(published[0]["Manifest"]) == 180
    partitions = world.emulator.client("glue").get_partitions(DatabaseName="sales", TableName="orders")["Partitions"]
    assert sum(int(partition["Parameters"]["numRows"]) for partition in partitions) == 180
    assert world.done("Validate", file, owner="later")["Verdict"] == "VALID"
    for key in world.keys("lake"):
        assert world.s3.head_object(Bucket="lake", Key=key)["SSEKMSKeyId"] == KEY, key


def test_a_bad_file_is_moved_and_told_of(world):
    file = world.arrived(BAD)
    judged = world.done("Validate", file)
    assert judged["Verdict"] == "INVALID" and judged["Reasons"] and "oops" not in json.dumps(judged)
    before = len(world.keys("failed"))
    moved = [world.done("Move Invalid File To Failed Bucket", file, number=number) for number in (0, 1)]
    assert moved[0] == moved[1] and moved[0]["MovedTo"].startswith("s3://failed/orders/")
    assert world.read(moved[0]["MovedTo"]) == BAD.encode()
    assert json.loads(world.read(moved[0]["MovedTo"] + ".reasons.json"))["reasons"]
    assert len(world.keys("failed")) == before + 2
    assert moved[0]["MovedTo"].rsplit("/", 1)[1] not in {key.rsplit("/", 1)[1] for key in world.keys("landing", "orders/")}
    assert world.done("Notify", file, Kind="INVALID", ExecutionName="run-1")["MessageId"]
    message = world.messages()[-1]
    assert message["Subject"].startswith("INVALID") and "oops" not in message["Message"]
    assert world.call("Publish", file).error == "Etl.InvalidJob"


def test_an_error_is_recorded_told_and_the_file_listed_again(world):
    file = world.arrived(GOOD)
    caught = {"Error": "Etl.Retryable", "Cause": json.dumps({"errorType": "Etl.Retryable", "errorMessage": "the store failed"})}
    assert world.done("Record Error", file, Error=caught)["State"] == "ERROR"
    assert world.done("Notify", file, Kind="ERROR", Error=caught, ExecutionName="run-1")["MessageId"]
    message = world.messages()[-1]
    assert message["Subject"].startswith("ERROR") and "the store failed" in message["Message"]
    assert world.done("Notify", Kind="FAILURE", Error=caught, ExecutionName="run-9")["MessageId"]
    assert "run-9" in world.messages()[-1]["Message"]
    listed = world.done("Get New List", NeededState="NEW", DatasetName="orders", ExecutionName="run-2")
    assert file["FileId"] in [one["FileId"] for one in listed["Files"]]
    assert world.done("Validate", file, owner="run-2")["Verdict"] == "VALID"
    assert world.done("Publish", file, owner="run-2")["State"] == "INGESTED"
    assert world.done("Record Error", file, owner="run-3", Error=caught)["State"] == "INGESTED"


def test_a_batch_names_the_messages_that_failed_and_takes_the_others(world):
    landed = [world.land(f"orders/batch {n}.csv", GOOD) for n in range(3)]
    notification = {"Type": "Notification", "Message": json.dumps(from_s3(landed[2]))}
    events = [from_s3(landed[0]), "{broken", from_eventbridge(landed[1]), {"nothing": "of S3"}, notification]
    events.append({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    answer = world.register(*events)
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["m1", "m3"]
    files = [world.of(one) for one in landed]
    assert len({file["FileId"] for file in files}) == 3
    assert {world.state(file) for file in files} == {"NEW"}
    passed = world.register(from_s3(world.land("elsewhere/x.csv", GOOD)))
    assert passed == {"Registered": 0, "Known": 0, "Passed": 1}
    # More than are listed in an answer are in an object.
    world.arrived(GOOD)
    listed = world.done("Get New List", NeededState="NEW", DatasetName="orders", ExecutionName="run:long")
    assert listed["Count"] >= 4 and listed["Files"] == []
    entries = json.loads(world.read("s3://{Bucket}/{Key}".format(**listed["List"])))
    assert len(entries) == listed["Count"] and {file["FileId"] for file in files} <= {one["FileId"] for one in entries}


def test_events_that_repeat_and_come_out_of_order(world):
    older, newer = (world.land("orders/again.csv", orders(count)) for count in (10, 20))
    events = [from_s3(newer), from_s3(older), from_eventbridge(older), from_eventbridge(newer), from_s3(newer)]
    assert [world.register(event)["Registered"] for event in events] == [1, 0, 0, 0, 0]
    assert world.done("Validate", world.of(newer))["Rows"]["read"] == 20
    # Where the bucket keeps versions, each is a file.
    older, newer = (world.land("versioned/again+é 1.csv", orders(count), bucket="versions") for count in (10, 20))
    events = [from_eventbridge(newer), from_s3(older), from_s3(newer), from_eventbridge(older)]
    assert [world.register(event)["Registered"] for event in events] == [1, 1, 0, 0]
    assert [world.done("Validate", world.of(one))["Rows"]["read"] for one in (older, newer)] == [10, 20]


def test_typed_errors(world):
    def check(wanted, state, file=None, **more):
        answer = world.call(state, file, **more)
        assert (answer.error, answer.value) == (wanted, None), answer
        return answer.message

    file = world.arrived(GOOD)
    assert "Get New List" in check("Etl.InvalidJob", "Get Old List")
    check("Etl.InvalidJob", "Validate", {"DatasetName": "orders", "FileId": "0" * 32})
    check("Etl.InvalidJob", "Validate", {**file, "DatasetName": "versioned"})
    check("Etl.InvalidJob", "Publish", file)
    check("Etl.InvalidJob", "Move Invalid File To Failed Bucket", file)
    assert world.state(file) == "NEW"
    jobless = world.arrived(GOOD, "gone")
    world.s3.delete_object(Bucket="config", Key="jobs/gone.yaml")
    check("Etl.InvalidJob", "Validate", jobless)
    vanished = world.arrived(GOOD)
    world.s3.delete_object(Bucket="landing", Key=f"orders/{next(names) - 1}.csv")
    check("Etl.InputUnavailable", "Validate", vanished)


def test_what_may_not_be_read_is_unavailable(world):
    file = world.arrived(GOOD, key="orders/denied.csv")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::landing/orders/denied.csv"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.s3.put_bucket_policy(Bucket="landing", Policy=policy)
    try:
        answer = world.call("Validate", file)
    finally:
        world.s3.delete_bucket_policy(Bucket="landing")
    assert world.done("Validate", file, number=1)["Verdict"] == "VALID"
    assert answer.error == "Etl.InputUnavailable", answer


def test_a_file_too_large_for_the_function(world):
    landed = world.land("versioned/huge.csv", GOOD, bucket="versions")
    assert world.register(from_eventbridge(landed, size=500 << 30))["Registered"] == 1
    file = world.of(landed)
    listed = world.done("Get New List", NeededState="NEW", DatasetName="versioned", ExecutionName="run-1")
    assert [one["Route"] for one in listed["Files"] if one["FileId"] == file["FileId"]] == ["CONTAINER"]
    answer = world.call("Validate", file)
    assert answer.error == "Etl.TooLarge" and world.state(file) == "NEW"


@pytest.fixture(scope="module")
def large():
    return wide(LARGE)


def wide(rows):
    """CSV that Parquet cannot make much smaller."""
    source = random.Random(7)
    return b"id,text\n" + b"".join(b"%d,%s\n" % (n, source.randbytes(500).hex().encode()) for n in range(rows))


def start_of(large):
    return large[: len(large) // 5].rsplit(b"\n", 1)[0] + b"\n"


def unfinished(world):
    return world.s3.list_multipart_uploads(Bucket="lake").get("Uploads", [])


def test_a_deadline_that_is_near_ends_as_retryable_and_leaves_nothing(world):
    for rows in (LARGE, LARGER):
        file, staged = world.arrived(wide(rows), "wide"), world.keys("lake", "wide/")
        uploads = world.emulator.counts()["requests"].get("s3 POST", 0)
        answer = world.call("Validate", file, seconds=DEADLINE)
        if answer.error:
            break
    assert answer.error == "Etl.Retryable", answer
    assert answer.seconds < DEADLINE
    assert world.emulator.counts()["requests"]["s3 POST"] > uploads, "nothing was being uploaded yet"
    assert not unfinished(world) and world.keys("lake", "wide/") == staged
    again = world.done("Validate", file, number=1)
    assert again["Verdict"] == "VALID" and again["Rows"]["accepted"] == rows
    published = world.done("Publish", file)
    assert world.rows(published["Manifest"]) == rows and not unfinished(world)


def test_of_two_owners_one_works(world, large):
    file = world.arrived(start_of(large), "wide")
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda owner: world.call("Validate", file, owner=owner), ("one", "two")))
    assert sorted(answer.error or "" for answer in answers) == ["", "Etl.LeaseHeld"], answers
    owner = ("one", "two")[[answer.error for answer in answers].index(None)]
    other = {"one": "two", "two": "one"}[owner]
    # Nor may the other publish what it did not judge, or put it down as an error.
    assert world.call("Publish", file, owner=other).error == "Etl.LeaseHeld"
    assert world.done("Record Error", file, owner=other, Error={"Error": "x", "Cause": "y"})["State"] == "VALID"
    assert world.done("Publish", file, owner=owner)["State"] == "INGESTED"


def test_a_process_that_dies_leaves_its_file_to_others_when_its_lease_ends(world, large):
    file = world.arrived(start_of(large), "wide")
    answers = []
    worker = threading.Thread(target=lambda: answers.append(world.call("Validate", file, owner="dead")))
    worker.start()
    busy = None
    while busy is None or world.state(file) != "VALIDATING":
        time.sleep(0.02)
        busy = next((instance for instance in world.function.instances if instance.current), None)
    busy.process.kill()
    worker.join()
    assert answers[0].error == "Runtime.ExitError"
    assert world.call("Validate", file, owner="next").error == "Etl.LeaseHeld"
    time.sleep(LEASE)
    assert world.done("Validate", file, owner="next", number=1)["Verdict"] == "VALID"
    assert world.done("Publish", file, owner="next")["State"] == "INGESTED"
