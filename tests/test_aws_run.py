"""One run with all its edges on AWS: catalog, audit table, encryption, pinned versions; logs, metrics and spans."""

import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from conftest import BIN, orders

KEY = "arn:aws:kms:us-east-1:123456789012:key/0b1c"

JOB = """
version: 1
name: %(name)s
source: {location: "s3://landing/%(name)s/", csv: {header: true}}
schema:
  columns:
    - {name: id, type: bigint, nullable: false}
    - {name: Country, type: string}
    - {name: amount, type: "decimal(12,2)"}
    - {name: ordered_at, type: timestamp}
    - {name: day, type: date}
on_invalid: {rows: quarantine}
sink: {location: "s3://lake/%(name)s", partition_by: [Country, "month(ordered_at)"]}
catalog: {glue: {database: sales, table: %(name)s}}
audit: {dynamodb: {table: etl-audit}}
storage: {kms_key: "%(key)s", bucket_owner: "123456789012"}
"""


def job(tmp_path, name, more=""):
    path = tmp_path / f"{name}.yaml"
    path.write_text(JOB % {"name": name, "key": KEY} + more)
    return path


def objects(aws, prefix):
    pages = aws.client.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def test_a_run_is_catalogued_audited_and_encrypted(etl, aws, tmp_path):
    aws.client.put_object(Bucket="landing", Key="sold/a b+é.csv", Body=orders(2000, bad_every=100).encode())
    path = job(tmp_path, "sold")
    done = etl("run", path, "--json", env=aws.env)
    assert done.code == 0, done.err
    table = aws.glue.get_table(DatabaseName="sales", Name="sold")["Table"]
    columns = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    assert columns == {"id": "bigint", "amount": "decimal(12,2)", "ordered_at": "timestamp", "day": "date"}
    assert [key["Name"] for key in table["PartitionKeys"]] == ["country", "ordered_at_month", "etl_run"]
    pages = aws.glue.get_paginator("get_partitions").paginate(DatabaseName="sales", TableName="sold")
    partitions = [partition for page in pages for partition in page["Partitions"]]
    assert {tuple(partition["Values"][:2]) for partition in partitions} == {
        (country, "2024-01") for country in ("DE", "FR", "IT", "__HIVE_DEFAULT_PARTITION__")
    }
    for partition in partitions:
        prefix = partition["StorageDescriptor"]["Location"].removeprefix("s3://lake/") + "/"
        assert any(key.startswith(prefix) for key in objects(aws, "sold/data/")), prefix
    assert sum(int(partition["Parameters"]["numRows"]) for partition in partitions) == 1980
    everything = objects(aws, "sold/")
    assert {key.split("/")[1] for key in everything} == {"commits", "data", "history", "rejects"}
    for key in everything:
        head = aws.client.head_object(Bucket="lake", Key=key)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KEY), key
    files = json.loads(etl("audit", "list", "dynamodb:etl-audit", "--json", env=aws.env).out)["files"]
    assert [(file["state"], file["uri"]) for file in files] == [("INGESTED", "s3://landing/sold/a b+é.csv")]
    again = etl("run", path, "--json", env=aws.env)
    assert again.json["commit"]["outcome"] == "already_committed"


def test_what_a_catalog_lost_the_next_run_makes_good(etl, aws, tmp_path):
    aws.client.put_object(Bucket="landing", Key="again/a.csv", Body=orders(100).encode())
    path = job(tmp_path, "again")
    assert etl("run", path, env=aws.env).code == 0
    aws.glue.delete_table(DatabaseName="sales", Name="again")
    assert etl("run", path, env=aws.env).code == 0
    found = aws.glue.get_partitions(DatabaseName="sales", TableName="again")["Partitions"]
    assert len(found) == 4


def test_a_database_that_is_missing_is_named(etl, aws, tmp_path):
    aws.client.put_object(Bucket="landing", Key="lost/a.csv", Body=orders(10).encode())
    path = job(tmp_path, "lost")
    path.write_text(path.read_text().replace("database: sales", "database: nowhere"))
    done = etl("run", path, env=aws.env)
    assert done.code == 2 and "nowhere" in done.err


def test_one_version_of_an_object_is_read(etl, aws, tmp_path):
    aws.client.create_bucket(Bucket="versions")
    aws.client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    ids = [
        aws.client.put_object(Bucket="versions", Key="a[1]*?.csv", Body=f"id\n{number}\n".encode())["VersionId"]
        for number in (1, 2)
    ]
    name = "s3://versions/a[[]1][*][?].csv"
    for version, number in zip(ids, (1, 2), strict=True):
        out = tmp_path / "out.ndjson"
        done = etl("convert", f"{name}?versionId={version}", "-o", out, env=aws.env)
        assert done.code == 0, done.err
        assert json.loads(out.read_text())["id"] in (number, str(number))
    etag = aws.client.head_object(Bucket="versions", Key="a[1]*?.csv")["ETag"]
    assert etl("validate", f"{name}?etag={etag}", env=aws.env).code == 0
    stale = etl("validate", f'{name}?etag="0"', env=aws.env)
    assert stale.code == 3 and "overwritten" in stale.err
    gone = etl("validate", "s3://versions/none.csv?versionId=x", env=aws.env)
    assert gone.code == 3


class Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.seen.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        body = b"{}"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_logs_metrics_and_spans_tell_of_a_run_and_hold_no_values(tmp_path):
    server = HTTPServer(("127.0.0.1", 0), Collector)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "a.csv").write_text("id,name\nTOP-SECRET,TOP-SECRET\n")
    (tmp_path / "job.yaml").write_text(
        "version: 1\nsource: {location: a.csv}\n"
        "schema: {columns: [{name: id, type: bigint}, {name: name, type: string}]}\nsink: {location: lake}\n"
        "on_invalid: {rows: fail}\n"
    )
    env = {
        **os.environ,
        "RUST_LOG": "info",
        "ETL_METRICS": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
    }
    batch = str(Path(BIN).with_name("etl-batch"))
    done = subprocess.run([batch, "job.yaml"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    logged = [json.loads(line) for line in done.stderr.splitlines()]
    assert any(line["fields"]["message"] == "done" and line["span"]["step"] == "Event" for line in logged)
    assert "TOP-SECRET" not in done.stderr
    spans = [
        span
        for path, body in server.seen
        if path == "/v1/traces"
        for resource in body["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    server.shutdown()
    assert "etl.step" in {span["name"] for span in spans}
    assert "TOP-SECRET" not in json.dumps(server.seen)
    # A request that cannot be understood is counted.
    failed = subprocess.run([batch], cwd=tmp_path, env={**env, "ETL_REQUEST": '{"SFNState": "Validate", "DatasetName": "d", "FileId": "f", "Attempt": {"Owner": "o"}}'}, capture_output=True, text=True)
    assert failed.returncode == 2
    metric = json.loads(failed.stdout.splitlines()[0])
    assert metric["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] == "Failures"
    assert (metric["ErrorType"], metric["DataSet"]) == ("Etl.InvalidJob", "d")
