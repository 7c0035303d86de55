"""`compact`: the small files of a table put together; rows stay what they are, whoever reads and whatever is killed."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from conftest import BIN, orders, run, write_job
from test_aws_run import job as aws_job
from test_aws_run import objects
from test_run import published


def rows(root):
    """All rows as readers that go through the manifests see them."""
    sql = run("commits", "show", root, "--sql").out.strip()
    columns = "id, country::varchar, amount, ordered_at, day"
    return duckdb.sql(f"select {columns} from {sql} order by all").fetchall()


def publish(folder, sink, runs, count=400):
    """Some runs into one table, each with a file for every country; the job."""
    inputs = folder / "in"
    inputs.mkdir(exist_ok=True)
    for number in runs:
        text = orders(count).splitlines()
        shifted = [f"{int(line.split(',', 1)[0]) + number * count},{line.split(',', 1)[1]}" for line in text[1:]]
        (inputs / f"{number}.csv").write_text("\n".join([text[0], *shifted]) + "\n")
        job = write_job(folder, inputs / f"{number}.csv", sink)
        assert run("run", job).code == 0
    return job


def test_small_files_become_one_a_partition(tmp_path):
    sink = tmp_path / "lake"
    job = publish(tmp_path, sink, range(6))
    before, old = rows(sink), published(sink)
    assert len(before) == 2400 and len(old) == 24
    dry = run("compact", job, "--dry-run", "--json")
    assert dry.code == 0 and not (sink / "compactions").exists()
    done = run("compact", job, "--json")
    assert done.code == 0, done.err
    wanted = {"partitions": 4, "rows": 2400, "files_before": 24, "files_after": 4}
    assert wanted.items() <= done.json.items() and wanted.items() <= dry.json.items()
    assert done.json["bytes_after"] < done.json["bytes_before"] == dry.json["bytes_before"]
    assert rows(sink) == before
    new = published(sink)
    assert len(new) == 4 and not set(new) & set(old)
    assert all("/data/compaction-000001/" in name for name in new)
    # Rows stand in the order of the runs, and the newer ones of a later compaction behind them.
    for name in new:
        ids = pq.read_table(name, partitioning=None)["id"].to_pylist()
        assert ids == sorted(ids) and len(ids) == 600
    again = run("compact", job, "--json")
    assert again.code == 0 and again.json["partitions"] == 0
    assert "nothing to do" in run("compact", job).out
    # The old files stay until nobody reads them; what no reader looks for goes when it was replaced long enough ago.
    assert run("commits", "gc", sink).code == 0
    assert all(Path(name).exists() for name in old)
    assert run("commits", "gc", sink, "--older-than", "0s").code == 0
    assert not any(Path(name).exists() for name in old)
    assert rows(sink) == before
    # The runs stay committed: their inputs are not read again.
    repeated = run("run", job, "--json")
    assert repeated.code == 0 and repeated.json["commit"]["outcome"] == "already_committed"
    assert len(list((sink / "commits").glob("*.json"))) == 6
    # Runs that come later are put to what is there.
    publish(tmp_path, sink, range(6, 9))
    before = rows(sink)
    later = run("compact", job, "--json").json
    assert (later["files_before"], later["files_after"]) == (16, 4)
    assert later["compactions"] == [str(sink / "compactions/000002.json")]
    assert rows(sink) == before and len(before) == 3600
    assert run("commits", "gc", sink, "--older-than", "0s").code == 0
    assert rows(sink) == before and len(list(sink.glob("data/**/*.parquet"))) == 4


def test_files_become_about_as_large_as_asked(tmp_path):
    sink, some = tmp_path / "lake", random.Random(7)
    for number in range(4):
        lines = [f"{some.getrandbits(62)},DE,{some.randrange(10**9)}.25,2024-01-01T00:00:00,2024-01-01" for _ in range(30_000)]
        (tmp_path / f"{number}.csv").write_text("\n".join([orders(0).strip(), *lines]) + "\n")
        job = write_job(tmp_path, f"{number}.csv", sink)
        assert run("run", job).code == 0
    before = rows(sink)
    assert len(published(sink)) == 4
    sized = ["--set", "sink.file_size=1MiB", "--set", "sink.row_group_size=256KiB"]
    done = run("compact", job, "--json", *sized)
    assert done.code == 0, done.err
    sizes = [Path(name).stat().st_size for name in published(sink)]
    assert 1 < len(sizes) < 4 and max(sizes) < 1.5 * 2**20, sizes
    assert rows(sink) == before
    # Another time they are large enough.
    assert run("compact", job, "--json", *sized).json["partitions"] == 0


def test_columns_that_came_later_are_null_before(tmp_path):
    sink = tmp_path / "lake"
    job = publish(tmp_path, sink, range(2))
    text = job.read_text()
    lines = orders(4).splitlines()
    (tmp_path / "in" / "more.csv").write_text("\n".join([lines[0] + ",Note", *(f"{line},new" for line in lines[1:])]) + "\n")
    wider = text.replace("0.csv", "more.csv").replace("1.csv", "more.csv")
    wider = wider.replace("    - {name: day, type: date}\n", "    - {name: day, type: date}\n    - {name: Note, type: string}\n")
    job.write_text(wider)
    assert run("run", job).code == 0
    # Readers see the new column before, too, though the first file has it not.
    sql = run("commits", "show", sink, "--sql").out.strip()
    assert duckdb.sql(f"select count(*), count(Note) from {sql}").fetchall() == [(804, 4)]
    assert run("compact", job).code == 0
    sql = run("commits", "show", sink, "--sql").out.strip()
    assert duckdb.sql(f"select count(*), count(Note) from {sql}").fetchall() == [(804, 4)]
    assert pq.read_schema(published(sink)[0]).names == ["id", "amount", "ordered_at", "day", "Note"]
    # A column of another type cannot be put together with what was there: it is left, and told.
    job.write_text(wider.replace("name: amount, type: \"decimal(12,2)\"", "name: amount, type: double").replace("more.csv", "0.csv").replace(
        "    - {name: Note, type: string}\n", ""))
    assert run("run", job).code == 0
    count = len(published(sink))
    left = run("compact", job, "--json")
    assert left.code == 0 and left.json["partitions"] == 0
    assert any("`amount` is decimal(12,2) in them and double in newer files" in text for text in left.json["warnings"])
    assert len(published(sink)) == count


def test_a_file_that_is_not_what_was_published_stops_it(tmp_path):
    sink = tmp_path / "lake"
    job = publish(tmp_path, sink, range(3))
    files = published(sink)
    shutil.copy(files[-1], files[0])
    found = run("compact", job)
    assert found.code == 1 and "it is not the file that was published" in found.err and files[0] in found.err
    assert not (sink / "compactions").exists() and published(sink) == files
    Path(files[0]).unlink()
    gone = run("compact", job)
    assert gone.code == 3 and "it was published and cannot be read" in gone.err and files[0] in gone.err
    assert published(sink) == files


def test_killed_anywhere(tmp_path):
    seed = int(os.environ.get("ETL_KILL_SEED", time.time_ns() % 2**32))
    print(f"seed {seed}")
    instants = random.Random(seed)
    sink = tmp_path / "lake"
    job = publish(tmp_path, sink, range(8), count=20_000)
    expected, kept = rows(sink), tmp_path / "kept"
    shutil.copytree(sink, kept)
    began = time.monotonic()
    assert run("compact", job).code == 0
    took, killed = time.monotonic() - began, 0
    for number in range(int(os.environ.get("ETL_KILL_RUNS", "25"))):
        shutil.rmtree(sink)
        shutil.copytree(kept, sink)
        process = subprocess.Popen([BIN, "compact", job], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(instants.uniform(0, took))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        assert rows(sink) == expected, f"seed {seed}, kill {number}"
        assert run("commits", "gc", sink, "--older-than", "0s").code == 0
        assert rows(sink) == expected, f"seed {seed}, kill {number}, after gc"
        assert run("compact", job).code == 0
        assert rows(sink) == expected and len(published(sink)) == 4, f"seed {seed}, kill {number}, again"
    assert killed > 5


def test_two_at_once_do_it_once(tmp_path):
    sink = tmp_path / "lake"
    job = publish(tmp_path, sink, range(8), count=5_000)
    expected = rows(sink)
    running = [subprocess.Popen([BIN, "compact", job, "--json"], stdout=subprocess.PIPE) for _ in range(4)]
    reports = [json.loads(process.communicate()[0]) for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert sum(report["partitions"] for report in reports) == 4
    assert rows(sink) == expected and len(published(sink)) == 4
    assert len(list((sink / "compactions").glob("*.json"))) == 1


def test_what_is_wrong_is_told(tmp_path):
    job = publish(tmp_path, tmp_path / "lake", range(2))
    young = run("compact", job, "--older-than", "1h")
    assert young.code == 0 and "too young" in young.out
    elsewhere = run("compact", job, "--set", f"sink.location={tmp_path}/other")
    assert elsewhere.code == 0 and "nothing is published in" in elsewhere.out
    job.write_text("\n".join(line for line in job.read_text().splitlines() if not line.startswith("sink")))
    without = run("compact", job)
    assert without.code == 2 and "no sink" in without.err


def test_in_a_bucket_with_a_catalog(etl, aws, tmp_path):
    path = aws_job(tmp_path, "packed", "limits: {memory: 160MiB}\n")
    for number in range(3):
        aws.client.put_object(Bucket="landing", Key=f"packed/{number}.csv", Body=orders(200 + number).encode())
        assert etl("run", path, "--input", f"s3://landing/packed/{number}.csv", env=aws.env).code == 0

    def partitions():
        pages = aws.glue.get_paginator("get_partitions").paginate(DatabaseName="sales", TableName="packed")
        return [partition for page in pages for partition in page["Partitions"]]

    def catalogued():
        return sum(int(partition["Parameters"]["numRows"]) for partition in partitions())

    assert len(partitions()) == 12 and catalogued() == 603
    waits = etl("compact", path, env=aws.env)
    assert waits.code == 0 and "too young" in waits.out and len(partitions()) == 12
    done = etl("compact", path, "--older-than", "0s", "--json", env=aws.env)
    assert done.code == 0, done.err
    assert (done.json["files_before"], done.json["files_after"], done.json["rows"]) == (12, 4, 603)
    assert "give --older-than 1h" in done.json["warnings"][0]
    found = partitions()
    assert {partition["Values"][-1] for partition in found} == {"compaction-000001"} and len(found) == 4
    assert catalogued() == 603
    for partition in found:
        folder = partition["StorageDescriptor"]["Location"].removeprefix("s3://lake/") + "/"
        assert len(objects(aws, folder)) == 1
    for key in objects(aws, "packed/"):
        assert aws.client.head_object(Bucket="lake", Key=key)["ServerSideEncryption"] == "aws:kms", key
    # A run that is repeated does not make the old files known again.
    for number in range(3):
        again = etl("run", path, "--input", f"s3://landing/packed/{number}.csv", "--json", env=aws.env)
        assert again.json["commit"]["outcome"] == "already_committed"
    assert len(partitions()) == 4 and catalogued() == 603
    # What a crash left between the commit and the catalog, the next compaction makes good.
    old = {"Values": ["DE", "2024-01", "0" * 32], "StorageDescriptor": found[0]["StorageDescriptor"]}
    document = json.loads(aws.client.get_object(Bucket="lake", Key="packed/compactions/000001.json")["Body"].read())
    replaced = document["tables"][0]["replaces"][0]
    old["Values"] = [*(value or "__HIVE_DEFAULT_PARTITION__" for _, value in replaced["partition"]), replaced["run_id"]]
    aws.glue.create_partition(DatabaseName="sales", TableName="packed", PartitionInput=old)
    aws.glue.delete_partition(DatabaseName="sales", TableName="packed", PartitionValues=found[1]["Values"])
    aws.client.delete_object(Bucket="lake", Key="packed/compactions/000001.known")
    # Until then nothing is deleted that the catalog may name.
    assert etl("commits", "gc", "s3://lake/packed", "--older-than", "0s", env=aws.env).code == 0
    assert len(objects(aws, "packed/data/")) == 16
    assert etl("compact", path, "--older-than", "0s", env=aws.env).code == 0
    assert len(partitions()) == 4 and catalogued() == 603
    assert etl("commits", "gc", "s3://lake/packed", "--older-than", "0s", env=aws.env).code == 0
    assert len(objects(aws, "packed/data/")) == 4


@pytest.mark.parametrize("memory", ["128MiB", "512MiB"])
def test_tables_beside_are_put_together_too(tmp_path, memory):
    (tmp_path / "in").mkdir()
    template = """
version: 1
name: nested
source: {location: %s, csv: {header: true, delimiter: ","}}
schema: {columns: [{name: id, type: bigint}, {name: lot, type: bigint}]}
transform: [{split_rows: {where: "id %% 2 = 1", into: odd}}]
sink: {location: lake}
"""
    for number in range(3):
        lines = "".join(f"{number * 10 + i},{number}\n" for i in range(10))
        (tmp_path / "in" / f"{number}.csv").write_text("id,lot\n" + lines)
        job = tmp_path / "job.yaml"
        job.write_text(template % f"in/{number}.csv")
        found = run("run", job)
        assert found.code == 0, found.err
    done = run("compact", job, "--json", "--memory", memory)
    assert done.code == 0, done.err
    assert (done.json["partitions"], done.json["files_before"], done.json["files_after"]) == (2, 6, 2)
    assert run("commits", "gc", tmp_path / "lake", "--older-than", "0s").code == 0
    beside = list((tmp_path / "lake" / "tables").glob("**/*.parquet"))
    assert len(beside) == 1 and pq.read_table(beside[0])["id"].to_pylist() == list(range(1, 30, 2))


def test_null_and_empty_text_are_one_partition(tmp_path):
    sink = tmp_path / "lake"
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text(
            "id,country,amount,ordered_at,day\n" + f'{number},,1,,\n1{number},"",1,,\n2{number},DE,1,,\n'
        )
        job = write_job(tmp_path, f"{number}.csv", sink)
        assert run("run", job).code == 0
    before = sorted(row[0] for row in rows(sink))
    done = run("compact", job, "--json")
    assert done.code == 0, done.err
    assert (done.json["partitions"], done.json["rows"]) == (2, 9)
    assert sorted(row[0] for row in rows(sink)) == before and len(published(sink)) == 2
    assert run("commits", "gc", sink, "--older-than", "0s").code == 0
    assert sorted(row[0] for row in rows(sink)) == before


def test_a_gap_among_compactions_is_told(tmp_path):
    sink = tmp_path / "lake"
    for number in range(2):
        job = publish(tmp_path, sink, range(2 * number, 2 * number + 2))
        assert run("compact", job).code == 0
    (sink / "compactions" / "000001.json").unlink()
    for found in (run("compact", job), run("commits", "show", sink, "--files"), run("commits", "gc", sink)):
        assert found.code == 3 and "the compaction 1 is not there" in found.err
    assert list(sink.glob("data/**/*.parquet"))


def test_rows_of_files_keep_their_order_through_compactions(tmp_path):
    sink = tmp_path / "lake"
    job = publish(tmp_path, sink, range(2), count=8)
    for commit in sink.glob("commits/*.json"):
        manifest = json.loads(commit.read_text())
        day, rest = manifest["committed_at"].split("T")
        commit.write_text(json.dumps({**manifest, "committed_at": f"2020-01-01T{rest}"}))
    publish(tmp_path, sink, range(2, 4), count=8)
    # The young ones are left, though they were committed before the compaction; their rows come behind all the same.
    assert run("compact", job, "--older-than", "1h", "--json").json["files_before"] == 8
    assert run("compact", job).code == 0
    for name in published(sink):
        ids = pq.read_table(name, partitioning=None)["id"].to_pylist()
        assert ids == sorted(ids) and len(ids) == 8


def test_an_age_beyond_all_times_is_an_age(tmp_path):
    job = publish(tmp_path, tmp_path / "lake", range(2), count=8)
    found = run("compact", job, "--older-than", "99999999d")
    assert found.code == 0 and "too young" in found.out
