"""The whole path: what is published is what was in the file, by independent readers."""

import csv
import datetime
import decimal
import hashlib
import io
import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from conftest import ROOT, orders, run, write_job


def published(root, env=None):
    return run("commits", "show", root, "--files", env=env).out.splitlines()


def read_back(files):
    """Rows by DuckDB, partitions from the paths."""
    if not files:
        return []
    names = ", ".join(f"'{name}'" for name in files)
    query = f"select * from read_parquet([{names}], hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
    relation = duckdb.sql(query)
    return [dict(zip(relation.columns, row)) for row in relation.fetchall()]


def test_example_publishes_what_the_readme_says(etl, tmp_path):
    job = ROOT / "examples" / "flights" / "flights.yaml"
    result = etl("run", job, "--set", f"sink.location={tmp_path}/out", "--json")
    assert result.code == 0, result.err
    assert result.json["rows"] == {"read": 27004, "accepted": 26483, "rejected": 521, "filtered": 0}
    rows = read_back(published(tmp_path / "out"))
    source = list(csv.DictReader((job.parent / "flights.csv").open()))
    flew = [row for row in source if row["dep_time"] != "NA" and row["tailnum"] != "NA"]
    assert len(rows) == len(flew)
    assert sum(row["distance"] for row in rows) == sum(int(row["distance"]) for row in flew)
    assert sum(row["dep_delay"] for row in rows) == sum(int(row["dep_delay"]) for row in flew)
    again = etl("run", job, "--set", f"sink.location={tmp_path}/out", "--json")
    assert again.code == 0
    assert again.json["commit"]["outcome"] == "already_committed"


def test_types_and_hostile_partitions_read_back_equal(etl, tmp_path):
    names = ["DE", "a/b", "../x", "a=b", "%2F", "ü", "", "x y", "C:\\d", '"q"', "__HIVE_DEFAULT_PARTITION__"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "country", "amount", "ordered_at", "day"])
    expected = []
    for i, name in enumerate(names * 3):
        amount = decimal.Decimal(i * 7) / 100 - 1
        at = datetime.datetime(2024, 1, 1, 5, 6, 7, 123456) + datetime.timedelta(hours=i)
        day = datetime.date(1969, 12, 30) + datetime.timedelta(days=i)
        writer.writerow([2**62 + i, name, amount, at.isoformat(), day.isoformat()])
        expected.append((2**62 + i, name or None, amount, at, day))
    (tmp_path / "a.csv").write_text(text.getvalue())
    result = etl("run", write_job(tmp_path, "a.csv", "out"), "--json")
    assert result.code == 0, result.err
    files = [Path(name) for name in published(tmp_path / "out")]
    root = (tmp_path / "out").resolve()
    assert all(root in file.resolve().parents for file in files)
    manifest = json.loads(Path(result.json["commit"]["manifest"]).read_text())
    by_path = {Path(file["path"]).name: file for file in manifest["files"]}
    rows = []
    for file in files:
        entry = by_path[file.name]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256"]
        table = pq.read_table(file, partitioning=None).to_pylist()
        country = dict(entry["partition"])["country"]
        rows += [(row["id"], country, row["amount"], row["ordered_at"], row["day"]) for row in table]
    assert sorted(rows, key=str) == sorted(expected, key=str)
    by_duckdb = read_back([str(file) for file in files])
    assert sum(row["amount"] for row in by_duckdb) == sum(row[2] for row in expected)
    decoded = {row["country"] for row in by_duckdb}
    assert {"DE", "a/b", "../x", "a=b", "%2F", "ü", "x y"} <= decoded


def test_rejects_hand_back_the_original_bytes_and_every_reason(etl, tmp_path):
    text = 'id,country,amount,ordered_at,day\n1,DE,1.5,2024-01-01T00:00:00,2024-01-01\n2,"x ""y""",oops,nope,2024-01-01\nshort\n'
    (tmp_path / "a.csv").write_text(text)
    result = etl("run", write_job(tmp_path, "a.csv", "out"), "--json")
    assert result.code == 0
    assert result.json["rows"] == {"read": 3, "accepted": 1, "rejected": 2, "filtered": 0}
    rejects = pq.read_table(result.json["commit"]["rejects"], partitioning=None).to_pylist()
    assert [row["raw"] for row in rejects] == [b'2,"x ""y""",oops,nope,2024-01-01', b"short"]
    assert [row["line"] for row in rejects] == [3, 4]
    for row in rejects:
        assert text.encode()[row["byte_offset"] :].startswith(row["raw"])
    reasons = [[(fault["reason"], fault["column"], fault["value"]) for fault in row["faults"]] for row in rejects]
    assert reasons[0] == [("not_a_decimal", "amount", "oops"), ("not_a_timestamp", "ordered_at", "nope")]
    assert reasons[1][0][0] == "too_few_fields"


def test_too_many_rejects_publish_nothing(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(1000, bad_every=10))
    result = etl("run", write_job(tmp_path, "a.csv", "out"), "--set", "on_invalid.max_rejected=5%", "--json")
    assert result.code == 1
    assert result.json["commit"]["outcome"] == "not_committed"
    assert not list(tmp_path.glob("out/commits/*")) and not list(tmp_path.glob("out/data/**/*.parquet"))
    assert Path(result.json["commit"]["rejects"]).exists()
    states = etl("audit", "list", tmp_path / "out", "--json").json
    assert "INVALID" in json.dumps(states)


def test_dry_run_writes_nothing(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(100))
    result = etl("run", write_job(tmp_path, "a.csv", "out"), "--dry-run", "--json")
    assert result.code == 0 and result.json["commit"]["outcome"] == "dry_run"
    assert not (tmp_path / "out").exists()


def test_same_answer_at_any_thread_count(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(60000, bad_every=97))
    (tmp_path / "r.dqdl").write_text('Rules = [ RowCount > 10, Mean "amount" > 0, IsUnique "id", ColumnValues "amount" < 990 ]')
    seen = []
    for threads in (1, 2, 5):
        sink = f"out{threads}"
        job = write_job(tmp_path, "a.csv", sink, "rules: r.dqdl")
        result = etl("run", job, "--set", f"limits.threads={threads}", "--json")
        assert result.code == 0, result.err
        files = sorted(hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in published(tmp_path / sink))
        rejects = hashlib.sha256(Path(result.json["commit"]["rejects"]).read_bytes()).hexdigest()
        report = {key: result.json[key] for key in ("verdict", "rows", "rule_outcomes", "faults")}
        seen.append((files, rejects, json.dumps(report)))
    assert seen[0] == seen[1] == seen[2]


def test_on_s3(etl, s3, tmp_path):
    text = orders(30000, bad_every=100)
    s3.client.put_object(Bucket="landing", Key="orders/a.csv", Body=text.encode())
    job = write_job(tmp_path, "s3://landing/orders/", "s3://lake/orders")
    result = etl("run", job, "--json", env=s3.env)
    assert result.code == 0, result.err
    assert result.json["rows"]["accepted"] == 29700
    files = published("s3://lake/orders", env=s3.env)
    total = 0
    for name in files:
        body = s3.client.get_object(Bucket="lake", Key=name.removeprefix("s3://lake/"))["Body"].read()
        total += pq.read_table(io.BytesIO(body)).num_rows
    assert total == 29700
    assert result.json["inputs"][0]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    again = etl("run", job, "--json", env=s3.env)
    assert again.json["commit"]["outcome"] == "already_committed"


def test_formats_agree(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(5000))
    for name in ("a.parquet", "a.ndjson"):
        assert etl("convert", tmp_path / "a.csv", "-o", tmp_path / name).code == 0
    outcomes = []
    (tmp_path / "r.dqdl").write_text('Rules = [ RowCount = 5000, Sum "amount" > 0, IsUnique "id", Completeness "country" > 0.7 ]')
    for name in ("a.csv", "a.parquet", "a.ndjson"):
        result = etl("run", write_job(tmp_path, name, "out-" + name, "rules: r.dqdl"), "--json")
        assert result.code == 0, (name, result.err, result.out)
        outcomes.append(json.dumps(result.json["rule_outcomes"]))
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_convert_keeps_every_value_as_text(etl, tmp_path):
    (tmp_path / "a.csv").write_text("id,code\n007,1.50\n1e5,\n")
    assert etl("convert", tmp_path / "a.csv", "-o", tmp_path / "a.parquet").code == 0
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"id": "007", "code": "1.50"}, {"id": "1e5", "code": None}]


def test_stdin_and_encodings(etl):
    assert etl("validate", "-", "--json", stdin=b"a,b\n1,2\n").json["rows"]["read"] == 1
    utf16 = "name;größe\nmüller;1\n".encode("utf-16")
    result = etl("validate", "-", "--json", stdin=utf16)
    assert result.code == 0 and [c["name"] for c in result.json["schema"]] == ["name", "größe"]
