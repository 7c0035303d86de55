"""Against a real S3-compatible server: one commit whoever races for it, nothing visible when something fails."""

import gzip
import io
import json
import os
import subprocess

import pyarrow.parquet as pq
import pytest
from conftest import BIN, orders, write_job
from test_run import published


def keys(s3, prefix):
    pages = s3.client.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def tables(s3, root):
    for name in published(root, env=s3.env):
        body = s3.client.get_object(Bucket="lake", Key=name.removeprefix("s3://lake/"))["Body"].read()
        yield pq.read_table(io.BytesIO(body))


def ids(s3, root):
    return sorted(value for table in tables(s3, root) for value in table["id"].to_pylist())


def test_a_prefix_with_several_files_and_gzip(etl, s3, tmp_path):
    text = orders(3000)
    header, rows = text.split("\n", 1)
    rows = rows.splitlines()
    for name, part in (("1.csv", rows[:1000]), ("2.csv", rows[1000:])):
        s3.client.put_object(Bucket="landing", Key=f"several/{name}", Body="\n".join([header, *part, ""]).encode())
    s3.client.put_object(Bucket="landing", Key="zipped/a.csv.gz", Body=gzip.compress(text.encode()))
    for prefix in ("several", "zipped"):
        job = write_job(tmp_path, f"s3://landing/{prefix}/", f"s3://lake/{prefix}")
        result = etl("run", job, "--json", env=s3.env)
        assert result.code == 0, result.err
        assert ids(s3, f"s3://lake/{prefix}") == list(range(3000))


def test_two_at_once_commit_once(s3, tmp_path):
    s3.client.put_object(Bucket="landing", Key="race/a.csv", Body=orders(20000, bad_every=100).encode())
    job = write_job(tmp_path, "s3://landing/race/", "s3://lake/race")
    env = {**os.environ, **s3.env, "NO_COLOR": "1"}
    racers = [
        subprocess.Popen([BIN, "run", job, "--json"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)
    ]
    reports = []
    for racer in racers:
        out, err = racer.communicate(timeout=120)
        assert racer.returncode == 0, err.decode()
        reports.append(json.loads(out))
    outcomes = sorted(report["commit"]["outcome"] for report in reports)
    assert outcomes == ["already_committed", "already_committed", "committed"]
    assert len(keys(s3, "race/commits/")) == 1
    found = ids(s3, "s3://lake/race")
    assert len(found) == len(set(found)) == 19800


def test_an_invalid_file_publishes_nothing(etl, s3, tmp_path):
    s3.client.put_object(Bucket="landing", Key="bad/a.csv", Body=orders(100, bad_every=2).encode())
    job = write_job(tmp_path, "s3://landing/bad/", "s3://lake/bad")
    result = etl("run", job, "--set", "on_invalid.max_rejected=5%", "--json", env=s3.env)
    assert result.code == 1
    assert result.json["commit"]["outcome"] == "not_committed"
    assert not keys(s3, "bad/commits/") and not keys(s3, "bad/data/")


@pytest.mark.parametrize(
    ("source", "sink"), [("s3://landing/nothing-here/", "s3://lake/x"), ("s3://landing/sound/", "s3://no-such-bucket/x")]
)
def test_what_cannot_be_reached_is_an_error_not_a_verdict(etl, s3, tmp_path, source, sink):
    s3.client.put_object(Bucket="landing", Key="sound/a.csv", Body=orders(10).encode())
    result = etl("run", write_job(tmp_path, source, sink), env=s3.env)
    assert result.code == 3, result.out + result.err


def test_wrong_credentials_or_no_server_is_an_error(etl, s3, tmp_path):
    from conftest import free_port

    env = {**s3.env, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    result = etl("validate", "s3://landing/orders/a.csv", env=env)
    assert result.code == 3


def test_hostile_partition_values_stay_below_the_root(etl, s3, tmp_path):
    text = 'id,country,amount,ordered_at,day\n1,../../up,1,,\n2,a/b,1,,\n3,a=b,1,,\n4,ü %2F,1,,\n5,,1,,\n'
    s3.client.put_object(Bucket="landing", Key="hostile/a.csv", Body=text.encode())
    result = etl("run", write_job(tmp_path, "s3://landing/hostile/", "s3://lake/hostile"), "--json", env=s3.env)
    assert result.code == 0, result.err
    assert ids(s3, "s3://lake/hostile") == [1, 2, 3, 4, 5]
    data = keys(s3, "hostile/data/")
    assert len(data) == 5
    assert all(len(key.split("/")) == 6 and ".." not in key.split("/") for key in data), data


def test_gc_removes_what_no_commit_names_and_nothing_else(etl, s3, tmp_path):
    s3.client.put_object(Bucket="landing", Key="gc/a.csv", Body=orders(100).encode())
    assert etl("run", write_job(tmp_path, "s3://landing/gc/", "s3://lake/gc"), env=s3.env).code == 0
    named = set(keys(s3, "gc/data/"))
    orphan = f"gc/data/{'0' * 32}/{'1' * 32}/country=DE/00000000-0000-4000-8000-000000000000.parquet"
    s3.client.put_object(Bucket="lake", Key=orphan, Body=b"half")
    assert etl("commits", "gc", "s3://lake/gc", env=s3.env).code == 0
    assert orphan in keys(s3, "gc/data/"), "younger than the default age"
    assert etl("commits", "gc", "s3://lake/gc", "--older-than", "0s", env=s3.env).code == 0
    assert set(keys(s3, "gc/data/")) == named
    assert ids(s3, "s3://lake/gc") == list(range(100))
