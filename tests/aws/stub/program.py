#!/usr/bin/env python3
"""Answers as a test plans it: `bootstrap` of every function, and the program of the container.

The plan is the name of the data set (or of the crawler): JSON that says for each SFNState what to answer, one answer a call, the
last one again and again. A text with a dot is the error of that name; "exit" ends the process; "silence" (container) says
nothing; null is the good answer; anything else is the answer. Calls are counted in files, for processes come and go.
"""

import json
import os
import sys
import time
import urllib.request
from pathlib import Path

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
FOLDER = Path(os.environ["ETL_STUB"])


class Planned(Exception):
    pass


def good(request):
    file = {name: request.get(name) for name in ("DatasetName", "FileId")}
    match request["SFNState"]:
        case "Get New List":
            files = [{"DatasetName": request["DatasetName"], "FileId": "f1", "Route": "LAMBDA"}]
            return {"Count": 1, "Files": files, "List": None}
        case "Validate" | "Validate In Container":
            return {**file, "Verdict": "VALID", "Rows": {}, "Reasons": [], "Report": "s3://none"}
        case "Publish":
            return {**file, "State": "INGESTED", "Manifest": "s3://none", "Table": None}
        case "Move Invalid File To Failed Bucket":
            return {**file, "MovedTo": "s3://none"}
        case "Record Error":
            return {**file, "State": "ERROR"}
        case "Run Crawler State":
            ready = request["Phase"] == "POLL"
            return {"CrawlerName": "c", "State": "READY" if ready else "RUNNING", "LastCrawl": "SUCCEEDED" if ready else None}
        case "Notify":
            return {"MessageId": "m"}
    raise Planned("Etl.InvalidJob")


def answer(request):
    if "Records" in request:
        with (FOLDER / "registered").open("a") as file:
            file.writelines(record["body"] + "\n" for record in request["Records"])
        return {"batchItemFailures": []}
    state = request["SFNState"]
    run = request.get("ExecutionName") or request.get("Attempt", {}).get("Owner", "")
    text = request.get("DatasetName") or request.get("CrawlerName")
    # A notice of a run's failure names the run only.
    kept = FOLDER / f"{run}.plan"
    if text and state == "Get New List":
        kept.write_text(text)
    plan = json.loads(text or kept.read_text())
    key = f"{state} {request['Phase']}" if "Phase" in request else state
    calls = FOLDER / f"{plan['id']}.{key.replace(' ', '_')}"
    with calls.open("a") as file:
        file.write(json.dumps(request) + "\n")
    planned = plan.get(key, [None])
    said = planned[min(len(calls.read_text().splitlines()), len(planned)) - 1]
    if said == "exit":
        os._exit(1)
    if said == "silence" or (isinstance(said, str) and "." in said):
        raise Planned(said)
    return good(request) if said is None else said


def call(url, body, headers=None):
    request = urllib.request.Request(url, json.dumps(body).encode(), headers or {})
    return urllib.request.urlopen(request).read()


def serve():
    api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
    while True:
        with urllib.request.urlopen(f"{api}/next") as invocation:
            name, event = invocation.headers["Lambda-Runtime-Aws-Request-Id"], json.load(invocation)
        try:
            call(f"{api}/{name}/response", answer(event))
        except Planned as error:
            call(f"{api}/{name}/error", {"errorType": str(error), "errorMessage": "planned"})


def contain():
    token = os.environ["ETL_TASK_TOKEN"]

    def states(operation, **body):
        headers = {
            "X-Amz-Target": f"AWSStepFunctions.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/{os.environ['AWS_REGION']}/states/aws4_request",
        }
        call(ENDPOINT, {"taskToken": token, **body}, headers)

    states("SendTaskHeartbeat")
    try:
        states("SendTaskSuccess", output=json.dumps(answer(json.loads(os.environ["ETL_REQUEST"]))))
    except Planned as error:
        if str(error) == "silence":
            time.sleep(1)
            sys.exit(3)
        states("SendTaskFailure", error=str(error), cause="planned")
        sys.exit(3)


if __name__ == "__main__":
    serve() if "AWS_LAMBDA_RUNTIME_API" in os.environ else contain()
