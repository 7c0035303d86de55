"""Steps in a run: chains of them, where rows came from, threads and memory, jobs that are wrong."""

import datetime
import hashlib
import json
import random
import re
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import test_transform_columns as columns
import test_transform_dates as dates
import test_transform_tables as tables
import test_transform_texts as texts
import test_transform_values as values
from transforms import TYPES, as_csv, job_of, published, random_rows, read_files, read_table, reconciled, run, same_rows, transform

# Chains: steps that leave the columns of others as they are.

ALL = columns.CASES | values.CASES | texts.CASES | dates.CASES | tables.CASES
LINKS = [
    "fill: a text",
    "fill: last valid",
    "fill: next valid",
    "fill: median of whole numbers",
    "fill: least",
    "values: map",
    "values: one hot",
    "fields: filter",
    "fields: duplicate",
    "values: outliers removed",
    "values: outliers flagged",
    "values: bin by bounds",
    "text: trim",
    "text: pad",
    "text: replace",
    "text: extract between",
    "text: split by a pattern",
    "date: a month",
    "date: parts of a date",
    "rows: duplicates",
    "rows: duplicates, the last",
    "rows: sort",
    "rows: sort by decimals and doubles",
    "joins: lookup of chosen columns",
]


@pytest.mark.parametrize("seed", range(8))
def test_chains(tmp_path, seed):
    chance = random.Random(seed)
    rows = random_rows(100 + seed, 250)
    names = chance.sample(LINKS, 7)
    names += ["rows: sort"] if seed % 2 else []
    steps, expected = [], rows
    for name in dict.fromkeys(names):
        step, change = ALL[name].values
        steps += step
        expected = change(expected)
    out = transform(tmp_path, steps, rows, sources={"cities": tables.TABLE})
    same_rows(out.rows, expected)
    # A second operation of a step works on what the first one took from all rows.
    numbers = [step["step"] for step in out.report["steps"]]
    kinds = [
        "all_rows" if step["step"] not in numbers[:at] and (step["name"] in WHOLE or step["step"] in whole_fills(steps)) else "per_batch"
        for at, step in enumerate(out.report["steps"])
    ]
    assert out.modes == kinds


WHOLE = ("sort", "drop_duplicates", "outliers")


def whole_fills(steps):
    return [number for number, step in enumerate(steps, 1) if "with" in step.get("fill_missing", {})]


def test_modes(tmp_path):
    steps = [
        {"derive": {"twice": "id * 2"}},
        {"sql": "SELECT id, small, city FROM input WHERE small IS NOT NULL"},
        {"sql": "SELECT city, sum(small) AS total FROM input GROUP BY city ORDER BY city"},
        {"sql": "SELECT city, total + 1 AS more FROM input"},
        {"sort": {"by": "more"}},
    ]
    out = transform(tmp_path, steps, random_rows(5))
    assert out.modes == ["per_batch", "per_batch", "all_rows", "per_batch", "all_rows"]
    # Rows that an `sql` leaves out are no filter's; those of `filter` are counted.
    assert out.report["rows"]["read"] == 300


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(tmp_path, rows):
    steps = [
        {"fill_missing": {"columns": "small", "with": "mean"}},
        {"scale": {"column": "ratio", "method": "min_max", "as": "scaled"}},
    ]
    steps += [{"sort": {"by": "id"}}, {"aggregate": {"columns": {"rows": "count(*)", "total": "sum(small)"}}}]
    out = transform(tmp_path, steps, random_rows(3, rows))
    assert [row["rows"] for row in out.rows] == [rows]


@pytest.mark.parametrize("name", ["a.parquet", "a.ndjson"])
def test_inputs_of_other_formats(tmp_path, name):
    rows = random_rows(9)
    (tmp_path / "a.csv").write_text(as_csv(rows, TYPES), newline="")
    job = job_of(tmp_path, [], rows)
    whole = run("run", job, "--json")
    assert whole.code == 0, whole.err
    [file] = whole.json["commit"]["files"]
    source = file if name == "a.parquet" else tmp_path / name
    assert name == "a.parquet" or run("convert", file, "-o", source).code == 0
    steps, expected = tables.CASES["rows: sort"].values
    out = transform(tmp_path, steps, rows, source={"location": str(source)}, sink={"location": "sorted"})
    same_rows(out.rows, expected(rows))


def test_partitions_of_a_derived_column(tmp_path):
    rows = random_rows(13)
    out = transform(
        tmp_path,
        [{"derive": {"year": "year(day)"}}, {"sort": {"by": "id desc"}}],
        rows,
        sink={"location": "out", "partition_by": ["year"]},
    )
    years = {}
    for file in out.report["commit"]["files"]:
        [year] = re.findall("year=([^/]+)/", file)
        years.setdefault(year, []).extend(read_files([file])[0])
    expected = {}
    for row in rows[::-1]:
        year = str(row["day"].year) if row["day"] else "__HIVE_DEFAULT_PARTITION__"
        expected.setdefault(year, []).append(row)
    assert years.keys() == expected.keys()
    for year, found in years.items():
        same_rows(found, expected[year])


HOSTILE = ["select", "a.b", "a`b", 'q"q', "ünï cödé", "input", "A B", "it's", "$1"]


def test_names_that_sql_would_trip_over(tmp_path):
    rows = [{name: chance for name in HOSTILE} for chance in ("x", None, "y", "x")]
    steps = [
        step
        for name in HOSTILE
        for step in (
            {"pad": {"columns": name, "length": 2, "with": "'"}},
            {"fill_missing": {"columns": name, "with": "most_common"}},
        )
    ]
    steps += [
        {"drop_duplicates": {"columns": HOSTILE}},
        {"sort": {"by": [f"`{name.replace('`', '``')}` desc" for name in HOSTILE]}},
    ]
    out = transform(tmp_path, steps, rows, dict.fromkeys(HOSTILE, "string"))
    same_rows(out.rows, [dict.fromkeys(HOSTILE, "'y"), dict.fromkeys(HOSTILE, "'x")])


@pytest.mark.parametrize("name", ["codes.csv", "codes.ndjson"])
def test_data_sets_of_other_formats(tmp_path, name):
    (tmp_path / "codes.csv").write_text("small,label\n5,five\n0,zero\n5,\n")
    (tmp_path / "codes.ndjson").write_text('{"small": 5, "label": "five"}\n{"small": 0, "label": "zero"}\n{"small": 5}\n')
    rows = random_rows(15)
    steps = [{"lookup": {"source": "codes", "on": "small", "kind": "inner"}}]
    job = job_of(tmp_path, steps, rows)
    job.write_text(json.dumps(json.loads(job.read_text()) | {"sources": {"codes": {"location": name}}}))
    result = run("run", job, "--json")
    assert result.code == 0, result.err
    out = published(result.json)
    labels = {5: ["five", None], 0: ["zero"]}
    same_rows(out.rows, [{**row, "label": label} for row in rows for label in labels.get(row["small"], [])])


LOOKUP = [{"lookup": {"source": "other", "on": "city"}}]


def test_a_run_is_another_when_steps_or_data_sets_are(tmp_path):
    rows, types = [{"id": 1, "city": "Rome"}], {"id": "bigint", "city": "string"}
    text = as_csv(rows, types)
    tables_of = {name: pa.table({"city": ["Rome"], "name": [name]}) for name in ("a", "b")}
    outcomes = []
    for steps, other in [([], "a"), ([], "a"), (LOOKUP, "a"), (LOOKUP, "b"), ([{"filter": "id > 0"}], "b")]:
        job = job_of(tmp_path, steps, text, types)
        # The input stays as it is: a file that is written again is another.
        spec = json.loads(job.read_text()) | {
            "source": {"location": "kept.csv"},
            "sources": {"other": {"location": f"{other}.parquet"}},
        }
        job.write_text(json.dumps(spec))
        for name, table in tables_of.items():
            if not (tmp_path / f"{name}.parquet").exists():
                pq.write_table(table, tmp_path / f"{name}.parquet")
        if not (tmp_path / "kept.csv").exists():
            (tmp_path / "kept.csv").write_text(text)
        outcomes.append(run("run", job, "--json").json["commit"]["outcome"])
    assert outcomes == ["committed", "already_committed", "committed", "committed", "committed"]


def test_a_dry_run_says_that_no_row_goes_through_the_steps(tmp_path):
    job = job_of(tmp_path, [{"filter": "small > 0"}, {"derive": {"twice": "small * 2"}}], random_rows(17, 20))
    dry = run("run", job, "--json", "--dry-run")
    assert dry.code == 0 and dry.json["commit"]["outcome"] == "dry_run" and not (tmp_path / "out").exists()
    assert (dry.json["rows"]["accepted"], dry.json["rows"]["filtered"], "steps" in dry.json) == (20, 0, False)
    [warning] = dry.json["warnings"]
    assert "the steps were checked" in warning and "no row went through them" in warning
    assert f"warning: {warning}" in run("run", job, "--dry-run").out
    # A run through the steps, or a dry run without any, has nothing to warn of.
    assert run("run", job, "--json").json["warnings"] == []
    assert run("run", job_of(tmp_path, [], random_rows(17, 20)), "--json", "--dry-run").json["warnings"] == []


# Where rows came from.


def origin_file(folder: Path, name: str, seed: int):
    """CSV with quoted line ends and records that are rejected; the line, the number and the id of each that is not."""
    chance = random.Random(seed)
    text, line, rows = "id,words\n", 2, []
    for record in range(1, 400):
        words = chance.choice(["plain", "two\nlines", 'a "quoted"\n\nend', "", "ü"])
        bad = chance.random() < 0.1
        written = f'{"x" if bad else record},"{words.replace(chr(34), chr(34) * 2)}"\n'
        if not bad:
            rows.append((record, line, record, words))
        text += written
        line += written.count("\n")
    (folder / name).write_text(text, newline="")
    return rows


def test_origin_of_rows(tmp_path):
    (tmp_path / "in").mkdir()
    expected = {name: origin_file(tmp_path / "in", name, seed) for seed, name in enumerate(["a.csv", "b.csv"])}
    types = {"id": "bigint", "words": "string"}
    job = job_of(
        tmp_path,
        [{"filter": "id % 3 <> 0"}, {"audit_columns": {}}],
        "",
        types,
        source={"location": "in", "csv": {"header": True}},
        on_invalid={"rows": "quarantine"},
    )
    result = run("run", job, "--json")
    assert result.code == 0, result.err
    out = published(result.json)
    reconciled(out)
    assert result.json["rows"]["rejected"] > 20
    uris = [entry["uri"] for entry in result.json["inputs"]]
    rows = [
        {"id": ident, "words": words, "_source": uri, "_line": line, "_record": record, "_run_id": result.json["run_id"]}
        for uri, name in zip(uris, expected, strict=True)
        for record, line, ident, words in expected[name]
        if ident % 3
    ]
    started = {row.pop("_loaded_at") for row in out.rows}
    same_rows(out.rows, rows)
    [at] = started
    assert abs(at - datetime.datetime.fromisoformat(result.json["timing"]["started"][:26])) < datetime.timedelta(seconds=1)


def test_numbers_continue_over_inputs(tmp_path):
    (tmp_path / "in").mkdir()
    rows = [row for seed, name in enumerate(["a.csv", "b.csv"]) for row in origin_file(tmp_path / "in", name, seed)]
    source = {"location": "in", "csv": {"header": True}}
    parts = {"source": source, "on_invalid": {"rows": "quarantine"}}
    steps = [{"surrogate_key": {"as": "key", "start": 10}}]
    job = job_of(tmp_path, steps, "", {"id": "bigint", "words": "string"}, **parts)
    out = published(run("run", job, "--json").json)
    reconciled(out)
    same_rows(out.rows, [{"id": ident, "words": words, "key": key} for key, (_, _, ident, words) in enumerate(rows, 10)])


# Threads and memory.

LONG = [
    {"audit_columns": {"line": "line"}},
    {"filter": "id % 20 = 3"},
    {"change_case": {"columns": "word", "to": "upper"}},
    {"split_rows": {"where": "n < 50", "into": "small"}},
    {"drop_duplicates": {"columns": ["n", "word"]}},
    {"window": {"columns": {"running": "sum(price) OVER (PARTITION BY word ORDER BY __row)"}}},
    {"sort": {"by": ["word", "n desc"]}},
]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """150,000 rows."""
    path = tmp_path_factory.mktemp("many") / "many.csv"
    duckdb.sql(
        f"""copy (select i as id, i * 7919 % 100003 as n, chr((97 + i % 26)::int) as word, (i * 31 % 1000 / 8.0)::decimal(8,3) as price
        from range(150000) t(i)) to '{path}' (header)"""
    )
    return path


MANY = {"id": "bigint", "n": "bigint", "word": "string", "price": "decimal(8,3)"}


def run_many(folder: Path, many: Path, name: str, steps, sets):
    source = {"location": str(many), "csv": {"header": True}}
    job = job_of(folder, steps, "", MANY, source=source, sink={"location": name})
    result = run("run", job, "--json", *(word for each in sets for word in ("--set", each)))
    assert result.code == 0, result.err
    return result.json


def contents(report):
    files = [*report["commit"]["files"], *(file for table in report["commit"].get("tables", []) for file in table["files"])]
    return [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files]


def read_many(many):
    return f"read_csv('{many}', types = {{'price': 'decimal(8,3)'}})"


def same_table(report, sql):
    found = read_table(report["commit"]["files"])
    expected = duckdb.sql(sql).to_arrow_table().cast(found.schema)
    assert found.num_rows == report["steps"][-1]["rows_out"] > 0
    wrong = [at for at in range(0, found.num_rows, 10000) if not found.slice(at, 10000).equals(expected.slice(at, 10000))]
    assert not wrong and expected.num_rows == found.num_rows, wrong


def test_threads_and_memory_change_nothing(tmp_path, many):
    seen = []
    for threads, memory in ((1, "1GiB"), (2, "128MiB"), (4, "1GiB")):
        sets = [f"limits.threads={threads}", f"limits.memory={memory}"]
        report = run_many(tmp_path, many, f"out{threads}", LONG, sets)
        seen.append((contents(report), report["rows"], report["steps"]))
    assert all(each == seen[0] for each in seen[1:])
    out = published(report)
    reconciled(out)
    assert out.report["rows"]["filtered"] == 142_500 + len(out.tables["small"]) and len(out.tables["small"]) > 0


def test_all_rows_on_disk(tmp_path, many):
    report = run_many(tmp_path, many, "out", [{"sort": {"by": ["word desc", "n"]}}], ["limits.memory=128MiB"])
    assert report["engine"]["spilled_bytes"] > 1 << 20
    same_table(report, f"select * from {read_many(many)} order by word desc, n, id")


def test_groups_on_disk(tmp_path, many):
    steps = [{"aggregate": {"by": "n", "columns": {"rows": "count(*)", "total": "sum(price)", "last": "max(id)"}}}]
    report = run_many(tmp_path, many, "out", steps, ["limits.memory=128MiB"])
    assert report["engine"]["spilled_bytes"] > 1 << 20
    same_table(report, f"select n, count(*) as rows, sum(price) as total, max(id) as last from {read_many(many)} group by n order by n")


def test_bad_rows_never_reach_a_step(tmp_path):
    rows = random_rows(71)
    text = as_csv(rows, TYPES).splitlines()
    text[5:5] = ["1,2,3", "x" + "," * (len(TYPES) - 1)]
    out = transform(tmp_path, [{"derive": {"n": "id"}}], "\n".join(text) + "\n", on_invalid={"rows": "quarantine"})
    assert out.report["rows"]["rejected"] == 2
    same_rows(out.rows, [{**row, "n": row["id"]} for row in rows])
    assert len(read_files([out.report["commit"]["rejects"]])[0]) == 2
