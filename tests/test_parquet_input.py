"""Parquet as an input: `validate` decodes only what is asked for, and says what it would say if it decoded everything."""

import json
import re
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import run

ROWS, GROUP = 2500, 1000
COMMENT = [None if i == 2400 else f"comment of order {i}" for i in range(ROWS)]

JOB = """
version: 1
name: orders
source: {location: in.parquet, format: parquet}
schema:
  columns:
    - {name: id, type: bigint, nullable: false}
    - {name: email, type: string}
    - {name: amount, type: "decimal(12,2)"}
    - {name: count, type: int}
    - {name: code, type: varchar(6)}
    - {name: country, type: string}
    - {name: comment, type: string}
    - {name: absent, type: string}
rules: rules.dqdl
on_invalid: {rows: quarantine}
sink: {location: out}
"""

RULES = """Rules = [
    ColumnValues "amount" < 2300,
    IsComplete "comment",
    Completeness "country" > 0.5,
    Completeness "absent" < 0.5,
    RowCount = %d,
    Mean "amount" > 1
]"""


def orders(**changed) -> pa.Table:
    """Orders at fault in the second row group (a NULL, a number too large, a text too long) and by rules in the third."""
    rows = range(ROWS)
    columns = {
        "id": pa.array([None if i == 1500 else i for i in rows], pa.int64()),
        "email": pa.array([f"user{i}@example.com" for i in rows], pa.string()),
        "amount": pa.array([Decimal(i) for i in rows], pa.decimal128(12, 2)),
        "count": pa.array([2**40 if i in (1600, 1601) else i for i in rows], pa.int64()),
        "code": pa.array(["too long a code" if i == 1700 else str(i) for i in rows], pa.string()),
        "country": pa.array(["DE", "FR", "IT", "ES", "PT"] * (ROWS // 5), pa.large_string()),
        "comment": pa.array(COMMENT, pa.string()),
        "extra": pa.array([[i, None] for i in rows], pa.list_(pa.int32())),
    }
    return pa.table({**columns, **changed})


def write(folder, table, fitting=ROWS - 4, **options):
    path = folder / "in.parquet"
    pq.write_table(table, path, **{"row_group_size": GROUP, **options})
    (folder / "job.yaml").write_text(JOB)
    (folder / "rules.dqdl").write_text(RULES % fitting)
    return path


def damage(path, column):
    """Makes nonsense of all pages of a column."""
    metadata = pq.ParquetFile(path).metadata
    content = bytearray(path.read_bytes())
    for group in range(metadata.num_row_groups):
        chunk = next(
            chunk
            for chunk in (metadata.row_group(group).column(i) for i in range(metadata.num_columns))
            if chunk.path_in_schema.split(".")[0] == column
        )
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        content[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    path.write_bytes(content)


def said(report, shown):
    """What a command says of the file: its report, and the faults that it shows to people."""
    assert report.code in (0, 1), report.err
    samples = [block for block in shown.out.split("\n\n") if re.search(r"in\.parquet:\d+, record", block)]
    return {key: report.json[key] for key in ("verdict", "rows", "faults", "rule_outcomes")}, samples


def validate(folder):
    command = ["validate", "in.parquet", "--job", "job.yaml"]
    return said(run(*command, "--json", cwd=folder), run(*command, cwd=folder))


def published(folder):
    # Into places of their own: what is published already is not done again.
    command = ["run", "job.yaml", "--set"]
    return said(run(*command, "sink.location=a", "--json", cwd=folder), run(*command, "sink.location=b", cwd=folder))


WRITERS = {
    "row groups": {},
    "one row group": {"row_group_size": ROWS},
    "no statistics": {"write_statistics": False},
    "version 1, no dictionaries": {"version": "1.0", "use_dictionary": False, "data_page_size": 1000},
    "zstd, pages of version 2": {"compression": "zstd", "data_page_version": "2.0"},
}


@pytest.mark.parametrize("options", WRITERS.values(), ids=WRITERS)
def test_validate_says_of_a_dirty_file_what_run_says(tmp_path, options):
    write(tmp_path, orders(), **options)
    report, samples = validate(tmp_path)
    assert report["rows"] == {"read": ROWS, "accepted": ROWS - 204, "rejected": 204, "filtered": 0}
    faults = {(fault["reason"], fault["column"]): (fault["count"], fault["first"]["record"]) for fault in report["faults"]}
    assert faults == {
        ("null_not_allowed", "id"): (1, 1501),
        ("out_of_range", "count"): (2, 1601),
        ("too_long", "code"): (1, 1701),
        ("rule_failed", "amount"): (200, 2301),
        ("rule_failed", "comment"): (1, 2401),
    }
    assert len(samples) == 5
    assert (report, samples) == published(tmp_path)


def test_samples_are_masked_where_columns_are_marked(tmp_path):
    write(tmp_path, orders())
    plain = validate(tmp_path)[1]
    job = (tmp_path / "job.yaml").read_text()
    (tmp_path / "job.yaml").write_text(job.replace("{name: email, type: string}", "{name: email, type: string, pii: EMAIL}"))
    masked = validate(tmp_path)[1]
    assert '{"id":2300,"email":"user2300@example.com","amount":2300.00,' in plain[-1]
    assert '{"id":2300,"email":"********************","amount":2300.00,' in masked[-1]
    hidden = [re.sub(r'"user\d+@example.com"', lambda found: '"' + "*" * (len(found[0]) - 2) + '"', one) for one in plain]
    # A column that the schema does not name may hold anything.
    assert masked == hidden


def clean() -> pa.Table:
    """The rows of `orders` that are not at fault."""
    return orders().take([i for i in range(2300) if i not in (1500, 1600, 1601, 1700)])


def test_columns_that_nobody_asks_for_are_not_decoded(tmp_path):
    path = write(tmp_path, clean(), fitting=2296)
    whole = validate(tmp_path)
    assert whole[0]["verdict"] == "VALID" and not whole[0]["faults"]
    # Of `country` and `comment` only NULLs are asked for, and the file says that there are none.
    for column in ("email", "country", "comment", "extra"):
        damage(path, column)
    assert validate(tmp_path) == whole
    damaged = run("run", "job.yaml", cwd=tmp_path)
    assert damaged.code == 1 and "the Parquet file is damaged" in damaged.err + damaged.out


def test_what_a_file_does_not_say_is_looked_up(tmp_path):
    path = write(tmp_path, clean(), fitting=2296, write_statistics=False)
    assert validate(tmp_path)[0]["verdict"] == "VALID"
    damage(path, "comment")
    result = run("validate", "in.parquet", "--job", "job.yaml", cwd=tmp_path)
    assert result.code == 1 and "the Parquet file is damaged" in result.err + result.out
    # Of a column that cannot hold NULL nothing has to be said.
    table = clean()
    at = table.schema.get_field_index("comment")
    table = table.set_column(at, pa.field("comment", pa.string(), nullable=False), table["comment"])
    path = write(tmp_path, table, fitting=2296, write_statistics=False)
    damage(path, "comment")
    assert validate(tmp_path)[0]["verdict"] == "VALID"


@pytest.mark.parametrize("column", ["id", "amount", "count", "code", "comment"])
def test_columns_that_rules_or_the_schema_ask_for_are_decoded(tmp_path, column):
    # `count` is cast, `code` is measured; of `id` and `comment` only NULLs are asked for, and there are some.
    path = write(tmp_path, orders())
    damage(path, column)
    result = run("validate", "in.parquet", "--job", "job.yaml", cwd=tmp_path)
    assert result.code == 1 and "the Parquet file is damaged" in result.err + result.out


def test_a_row_that_cannot_be_shown_for_damage_is_damage(tmp_path):
    path = write(tmp_path, orders())
    damage(path, "email")
    result = run("validate", "in.parquet", "--job", "job.yaml", cwd=tmp_path)
    assert result.code == 1 and "the Parquet file is damaged" in result.err + result.out


def test_columns_that_the_schema_does_not_name_are_kept_for_rejects_and_else_left_out(tmp_path):
    write(tmp_path, orders())
    kept = run("run", "job.yaml", "--json", cwd=tmp_path)
    rejects = pq.read_table(kept.json["commit"]["rejects"], partitioning=None).to_pylist()
    assert json.loads(rejects[0]["raw"])["extra"] == [1500, None]
    assert {row["byte_offset"] for row in rejects} == {0}
    # Where rejects are dropped nothing of it is kept: it would be read only to show a row at fault.
    drop = ["--set", "on_invalid.rows=drop", "--set", "sink.location=dropped"]
    damage(write(tmp_path, clean(), fitting=2296), "extra")
    dropped = run("run", "job.yaml", "--json", *drop, cwd=tmp_path)
    assert dropped.code == 0 and dropped.json["rows"]["accepted"] == 2296, dropped.err


FEW = ["returned", "sent", "paid", None, "ünpaid"]


def many(codes: list) -> pa.Table:
    """Rows enough for dictionaries to be taken as they are."""
    rows = range(len(codes))
    return pa.table({
        "id": pa.array(rows, pa.int64()),
        "status": pa.array(codes, pa.string()),
        "note": pa.array([f"note {i % 7}" for i in rows], pa.string()),
    })


STATUS = """
version: 1
name: status
source: {location: in.parquet, format: parquet}
schema:
  columns:
    - {name: id, type: bigint}
    - {name: status, type: string}
    - {name: note, type: string}
rules: rules.dqdl
on_invalid: {rows: quarantine}
sink: {location: out}
"""


@pytest.mark.parametrize("dictionaries", [True, False])
def test_dictionaries_of_few_texts_are_judged_as_texts_are(tmp_path, dictionaries):
    codes = [FEW[(i * 7 + i // 3) % 5] if i != 70_000 else "lost" for i in range(90_000)]
    pq.write_table(many(codes), tmp_path / "in.parquet", row_group_size=45_000, use_dictionary=dictionaries)
    (tmp_path / "job.yaml").write_text(STATUS)
    (tmp_path / "rules.dqdl").write_text("""Rules = [
        ColumnValues "status" in ["returned", "sent", "paid", "ünpaid", NULL],
        ColumnValues "note" matches "note [0-5]" with threshold > 0.5,
        Completeness "status" > 0.7
    ]""")
    report, samples = validate(tmp_path)
    outcomes = [outcome["EvaluatedMetrics"] for outcome in report["rule_outcomes"]]
    matching = sum(i % 7 != 6 for i in range(90_000)) / 90_000
    complete = sum(code is not None for code in codes) / 90_000
    assert outcomes[1:] == [
        {"Column.note.PatternMatch": pytest.approx(matching)},
        {"Column.status.Completeness": pytest.approx(complete)},
    ]
    assert [(fault["count"], fault["first"]["record"]) for fault in report["faults"]] == [(1, 70_001)]
    assert len(samples) == 1 and '{"id":70000,"status":"lost","note":"note 0"}' in samples[0]
    assert (report, samples) == published(tmp_path)
