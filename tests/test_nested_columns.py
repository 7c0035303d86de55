"""JSON text that is published as struct, array and map columns, and read back by others."""

import json
import random

import duckdb
import pyarrow.parquet as pq
import pytest

from conftest import run
from test_run import published

TYPE = "struct<name:string,age:int,tags:array<string>,scores:map<string,decimal(8,2)>,at:timestamp,inner:struct<ok:boolean,list:array<bigint>>>"

JOB = """
version: 1
name: docs
source: {location: %s}
schema: {columns: [{name: id, type: bigint}, {name: day, type: string}, {name: doc, type: string}]}
transform: %s
sink: {location: lake, partition_by: [day]}
"""


def document(some):
    """A random document of TYPE, with members missing, NULL and beyond it."""
    text = lambda: "".join(some.choices("aé\"\\ \n{}[]:,z", k=some.randrange(8)))  # noqa: E731
    made = {
        "name": text(),
        "age": some.randrange(-(2**31), 2**31),
        "tags": [some.choice([text(), None]) for _ in range(some.randrange(4))],
        "scores": {f"k{n}": some.randrange(10**8) / 100 for n in range(some.randrange(3))},
        "at": f"2024-0{some.randrange(1, 10)}-11T10:20:30.{some.randrange(10**6):06}",
        "inner": {"ok": some.random() < 0.5, "list": [some.getrandbits(62) for _ in range(some.randrange(3))]},
        "unknown": {"a": [1]},
    }
    kept = {key: value for key, value in made.items() if some.random() < 0.8}
    return {key: None if some.random() < 0.1 else value for key, value in kept.items()}


def wanted(made):
    """What is read back of a document."""
    if made is None:
        return None
    inner = made.get("inner")
    scores = made.get("scores")
    return {
        "name": made.get("name"),
        "age": made.get("age"),
        "tags": made.get("tags"),
        "scores": None if scores is None else {key: f"{value:.2f}" for key, value in scores.items()},
        "at": made.get("at"),
        "inner": None if inner is None else {"ok": inner["ok"], "list": inner["list"]},
    }


def of_arrow(found):
    if found is None:
        return None
    return {
        **found,
        "scores": None if found["scores"] is None else {key: str(value) for key, value in found["scores"]},
        "at": None if found["at"] is None else found["at"].isoformat(timespec="microseconds"),
    }


def publish(folder, documents, steps, name="in.ndjson"):
    lines = [json.dumps({"id": n, "day": f"d{n % 2}", "doc": made}) for n, made in enumerate(documents)]
    (folder / name).write_text("\n".join(lines) + "\n")
    job = folder / "job.yaml"
    job.write_text(JOB % (name, json.dumps(steps)))
    return job, run("run", job, "--json")


CAST = [{"cast": {"columns": {"doc": TYPE}}}]


def test_random_documents_come_back(tmp_path):
    some = random.Random(11)
    documents = [None if some.random() < 0.1 else document(some) for _ in range(20_000)]
    job, done = publish(tmp_path, documents, CAST)
    assert done.code == 0, done.err
    found = {}
    for name in published(tmp_path / "lake"):
        table = pq.read_table(name, partitioning=None)
        found |= {row["id"]: row["doc"] for row in table.to_pylist()}
    assert len(found) == 20_000
    for number, made in enumerate(documents):
        assert of_arrow(found[number]) == wanted(made), number
    # DuckDB sees the same.
    sql = run("commits", "show", tmp_path / "lake", "--sql").out.strip()
    names = duckdb.sql(f"select id, doc.name, doc.inner.list[1], doc.scores['k0'] from {sql} order by id").fetchall()
    for number, name, first, score in names:
        made = wanted(documents[number]) or {}
        assert name == made.get("name")
        assert first == ((made.get("inner") or {}).get("list") or [None])[0]
        assert (None if score is None else str(score)) == (made.get("scores") or {}).get("k0")
    manifest = json.loads(next((tmp_path / "lake" / "commits").glob("*.json")).read_text())
    assert {"name": "doc", "type": TYPE} in manifest["table"]["columns"]


def test_they_are_compacted(tmp_path):
    some = random.Random(12)
    for number in range(3):
        job, done = publish(tmp_path, [document(some) for _ in range(500)], CAST, f"{number}.ndjson")
        assert done.code == 0, done.err
    lake = tmp_path / "lake"
    read = lambda: sorted(  # noqa: E731
        (json.dumps(row, default=str, sort_keys=True) for name in published(lake) for row in pq.read_table(name, partitioning=None).to_pylist())
    )
    before = read()
    packed = run("compact", job, "--json")
    assert packed.code == 0, packed.err
    assert (packed.json["files_before"], packed.json["files_after"]) == (6, 2)
    assert read() == before and len(before) == 1500


@pytest.mark.parametrize(
    "wrong", [{"age": "old"}, {"age": 2**31}, {"tags": "a"}, {"scores": {"k": 10**9}}, [1], {"inner": 7}, {"at": "noon"}]
)
def test_a_document_that_does_not_fit_makes_the_run_invalid(tmp_path, wrong):
    documents = [{"age": n} for n in range(300)]
    documents[77] = wrong
    _, done = publish(tmp_path, documents, CAST)
    assert done.code == 1, done.err
    assert "doc" in json.dumps(done.json["reasons"]) and done.json["rows"]["read"] == 300
    assert not (tmp_path / "lake" / "commits").exists()


@pytest.mark.parametrize(
    ("steps", "sink", "words"),
    [
        ([{"cast": {"columns": {"doc": "struct<a:nope>"}}}], "", ["step 1", "cast", "nope"]),
        ([{"cast": {"columns": {"doc": "array<int"}}}], "", ["step 1", "cast"]),
        ([{"cast": {"columns": {"id": "array<int>"}}}], "", ["step 1", "cast", "id"]),
        (CAST, "partition_by: [doc]", ["doc", "partition"]),
        (CAST, "columns: {doc: {bloom_filter: true}}", ["sink.columns", "doc", "nested"]),
    ],
)
def test_mistakes_are_told_before_the_first_row(tmp_path, steps, sink, words):
    job, _ = publish(tmp_path, [{"age": 1}], CAST)
    text = JOB % ("in.ndjson", json.dumps(steps))
    job.write_text(text.replace("partition_by: [day]", sink).replace("lake", "other"))
    found = run("run", job)
    assert found.code == 2, found.out + found.err
    assert all(word in found.err for word in words), found.err


def test_an_input_has_no_nested_columns(tmp_path):
    job, _ = publish(tmp_path, [{"age": 1}], CAST)
    job.write_text((JOB % ("in.ndjson", "[]")).replace("name: doc, type: string", "name: doc, type: 'array<int>'"))
    found = run("run", job)
    assert found.code == 2 and "read it as `string`" in found.err and "cast" in found.err


def test_steps_behind_pass_them_on(tmp_path):
    documents = [{"age": n, "tags": ["a", None]} if n % 3 else None for n in range(3000)]
    steps = [
        *CAST,
        {"rename_fields": {"doc": "Person"}},
        {"derive": {"twice": "id * 2"}},
        {"filter": "id >= 10"},
        {"sort": {"by": "id desc"}},
        {"duplicate_field": {"column": "Person", "as": "copy"}},
        {"drop_null_fields": {}},
    ]
    _, done = publish(tmp_path, documents, steps)
    assert done.code == 0, done.err
    found = []
    for name in published(tmp_path / "lake"):
        rows = pq.read_table(name, partitioning=None).to_pylist()
        assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
        found += rows
    assert len(found) == 2990
    for row in found:
        assert row["twice"] == 2 * row["id"] and row["copy"] == row["Person"]
        assert of_arrow(row["Person"]) == wanted(documents[row["id"]])


def test_a_marked_text_stays_marked(tmp_path):
    job, _ = publish(tmp_path, [{"age": 1}], CAST)
    job.write_text((JOB % ("in.ndjson", json.dumps(CAST))).replace("{name: doc, type: string}", "{name: doc, type: string, pii: NOTES}"))
    found = run("run", job)
    assert found.code == 2 and "personal data would be written as it is: `doc`" in found.err


def test_a_struct_of_choices(tmp_path):
    lines = ["id,day,doc", "1,x,12", "2,x,twelve", "3,x,", "4,x,1.5"]
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    job = tmp_path / "job.yaml"
    job.write_text(JOB % ("in.csv", json.dumps([{"resolve_choice": {"specs": {"doc": {"make_struct": ["long", "string"]}}}}])))
    assert run("run", job).code == 0
    rows = pq.read_table(published(tmp_path / "lake")[0], partitioning=None).to_pylist()
    assert [row["doc"] for row in rows] == [
        {"long": 12, "string": None},
        {"long": None, "string": "twelve"},
        None,
        {"long": None, "string": "1.5"},
    ]


def test_glue_knows_their_types(etl, aws, tmp_path):
    body = "".join(json.dumps({"id": n, "day": "x", "doc": {"age": n}}) + "\n" for n in range(5))
    aws.client.put_object(Bucket="landing", Key="nested/a.ndjson", Body=body.encode())
    job = tmp_path / "job.yaml"
    text = (JOB % ("s3://landing/nested/", json.dumps(CAST))).replace("location: lake", "location: s3://lake/nested")
    job.write_text(text + "catalog: {glue: {database: sales, table: nested}}\n")
    done = etl("run", job, env=aws.env)
    assert done.code == 0, done.err
    table = aws.glue.get_table(DatabaseName="sales", Name="nested")["Table"]
    assert {"Name": "doc", "Type": TYPE} in table["StorageDescriptor"]["Columns"]
