"""The steps of the workflow one by one, each a process, with something happening in between."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import BIN

JOB = """
version: 1
name: steps
source: {location: "s3://%(landing)s/in/"}
schema: {columns: [{name: id, type: bigint}, {name: country, type: string}]}
on_invalid: {rows: fail}
sink: {location: "s3://lake/%(landing)s"}
"""
BAD, GOOD = b"id,country\nx,DE\n", b"id,country\n1,DE\n"


class Steps:
    """A data set whose files land in a bucket of their own."""

    def __init__(self, aws, bucket, versioned):
        self.aws, self.bucket = aws, bucket
        aws.client.create_bucket(Bucket=bucket)
        if versioned:
            aws.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        text = JOB % {"landing": bucket}
        aws.client.put_object(Bucket=bucket, Key=f"jobs/{bucket}.yaml", Body=text.encode())

    def land(self, body, key="in/a b.csv"):
        put = self.aws.client.put_object(Bucket=self.bucket, Key=key, Body=body)
        detail = {"key": key, "size": len(body), "etag": put["ETag"].strip('"')}
        if "VersionId" in put:
            detail["version-id"] = put["VersionId"]
        return {"detail-type": "Object Created", "detail": {"bucket": {"name": self.bucket}, "object": detail}}

    def ask(self, request, code=0):
        env = {
            **os.environ,
            **self.aws.env,
            "ETL_REQUEST": json.dumps(request),
            "ETL_JOBS": f"s3://{self.bucket}/jobs/",
            "ETL_AUDIT_TABLE": "etl-audit",
            "ETL_FAILED": f"s3://lake/failed-{self.bucket}/",
        }
        batch = str(Path(BIN).with_name("etl-batch"))
        done = subprocess.run([batch], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def step(self, state, file, owner="o", number=0, code=0):
        attempt = {"Owner": owner, "Number": number}
        return self.ask({"SFNState": state, "DatasetName": self.bucket, "FileId": file, "Attempt": attempt}, code)

    def files(self):
        return [file["FileId"] for file in self.ask({"SFNState": "Get New List", "DatasetName": self.bucket})["Files"]]

    def body(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.aws.client.get_object(Bucket=bucket, Key=key)["Body"].read()


@pytest.mark.parametrize("versioned", [False, True])
def test_an_upload_between_verdict_and_move_is_not_lost(aws, versioned):
    steps = Steps(aws, f"over-{versioned}".lower(), versioned)
    assert steps.ask(steps.land(BAD)) == {"Registered": 1, "Known": 0, "Passed": 0}
    [file] = steps.files()
    judged = steps.step("Validate", file, code=1)
    assert (judged["Verdict"], judged["Rows"]["rejected"]) == ("INVALID", 1)
    later = steps.land(GOOD)
    moved = steps.step("Move Invalid File To Failed Bucket", file)["MovedTo"]
    if versioned:
        # The version that was judged is moved, whatever came after it.
        assert steps.body(moved) == BAD
    else:
        # The bytes that were judged are gone.
        assert moved is None
    assert steps.files() == []
    assert steps.body(f"s3://{steps.bucket}/in/a b.csv") == GOOD
    assert steps.ask(later)["Registered"] == 1
    [new] = steps.files()
    assert steps.step("Validate", new)["Verdict"] == "VALID"
    assert steps.step("Publish", new)["State"] == "INGESTED"


@pytest.mark.parametrize("versioned", [False, True])
def test_a_moved_file_is_gone_where_it_landed(aws, versioned):
    steps = Steps(aws, f"moved-{versioned}".lower(), versioned)
    steps.ask(steps.land(BAD))
    [file] = steps.files()
    steps.step("Validate", file, code=1)
    for number in range(2):
        moved = steps.step("Move Invalid File To Failed Bucket", file, number=number)["MovedTo"]
        assert steps.body(moved) == BAD
    listed = aws.client.list_objects_v2(Bucket=steps.bucket, Prefix="in/")
    assert listed["KeyCount"] == 0
    assert steps.files() == []


def test_another_owner_leaves_a_held_file_alone(aws):
    steps = Steps(aws, "held", True)
    steps.ask(steps.land(GOOD))
    [file] = steps.files()
    assert steps.step("Validate", file, owner="first")["Verdict"] == "VALID"
    # It waits for its own Publish.
    assert steps.files() == []
    refused = steps.step("Publish", file, owner="second", code=3)
    assert refused["error"]["kind"] == "Etl.LeaseHeld"
    again = steps.step("Validate", file, owner="first", number=1)
    assert (again["Verdict"], again["Rows"]["accepted"]) == ("VALID", 1)
    for number in range(2):
        assert steps.step("Publish", file, owner="first", number=number)["State"] == "INGESTED"


def test_an_error_is_recorded_and_a_settled_file_stays_settled(aws):
    steps = Steps(aws, "errors", True)
    steps.ask(steps.land(GOOD))
    [file] = steps.files()
    caught = {"Error": "Etl.Retryable", "Cause": json.dumps({"errorMessage": "the store failed"})}
    request = {"SFNState": "Record Error", "DatasetName": "errors", "FileId": file, "Attempt": {"Owner": "o"}, "Error": caught}
    assert steps.ask(request)["State"] == "ERROR"
    assert steps.files() == [file]
    assert steps.step("Validate", file, owner="p")["Verdict"] == "VALID"
    assert steps.step("Publish", file, owner="p")["State"] == "INGESTED"
    assert steps.ask(request)["State"] == "INGESTED"
    unknown = steps.step("Validate", "0" * 32, code=2)
    assert unknown["error"]["kind"] == "Etl.InvalidJob"
