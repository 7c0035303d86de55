"""Values at the edges of their types, read back by pyarrow and DuckDB: equal, and of the types the schema names."""

import csv
import datetime
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_run import published, read_back

COLUMNS = {
    "tiny": "tinyint",
    "small": "smallint",
    "whole": "int",
    "big": "bigint",
    "ratio": "double",
    "money": "decimal(12,2)",
    "wide": "decimal(38,10)",
    "flag": "boolean",
    "day": "date",
    "at": "timestamp",
    "words": "string",
}
ARROW = {
    "tiny": pa.int8(),
    "small": pa.int16(),
    "whole": pa.int32(),
    "big": pa.int64(),
    "ratio": pa.float64(),
    "money": pa.decimal128(12, 2),
    "wide": pa.decimal128(38, 10),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "at": pa.timestamp("us"),
}
ROWS = [
    {
        "tiny": 127, "small": 32767, "whole": 2**31 - 1, "big": 2**63 - 1, "ratio": 0.1, "money": Decimal("9999999999.99"),
        "wide": Decimal("9" * 28 + "." + "9" * 10), "flag": True, "day": datetime.date(9999, 12, 31),
        "at": datetime.datetime(2024, 2, 29, 23, 59, 59, 999999), "words": 'quote " comma , ü',
    },
    {
        "tiny": -128, "small": -32768, "whole": -(2**31), "big": -(2**63), "ratio": -1.7976931348623157e308,
        "money": Decimal("-9999999999.99"), "wide": Decimal("-" + "9" * 28 + "." + "9" * 10), "flag": False,
        "day": datetime.date(1, 1, 1), "at": datetime.datetime(1969, 12, 31, 23, 59, 59, 1), "words": "two\nlines",
    },
    {
        "tiny": 0, "small": 0, "whole": 0, "big": 0, "ratio": 5e-324, "money": Decimal("0.01"), "wide": Decimal("0.0000000001"),
        "flag": True, "day": datetime.date(1970, 1, 1), "at": datetime.datetime(1970, 1, 1), "words": "007",
    },
    dict.fromkeys(COLUMNS),
]


def text_of(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if hasattr(value, "isoformat") else (repr(value) if isinstance(value, float) else str(value))


def job(folder: Path, columns, partition_by=()):
    text = {
        "version": 1,
        "name": "edges",
        "source": {"location": "a.csv", "csv": {"header": True}},
        "schema": {"columns": [{"name": name, "type": kind} for name, kind in columns.items()]},
        "on_invalid": {"rows": "fail"},
        "sink": {"location": "out", "partition_by": list(partition_by)},
    }
    (folder / "job.yaml").write_text(json.dumps(text))
    return folder / "job.yaml"


def write(folder: Path, names, rows):
    with (folder / "a.csv").open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([text_of(row[name]) for name in names] for row in rows)


def test_edges_of_every_type(etl, tmp_path):
    write(tmp_path, COLUMNS, ROWS)
    result = etl("run", job(tmp_path, COLUMNS), "--json")
    assert result.code == 0, result.err
    (file,) = published(tmp_path / "out")
    table = pq.read_table(file, partitioning=None)
    for name, kind in ARROW.items():
        assert table.schema.field(name).type == kind, name
    assert table.to_pylist() == ROWS
    relation = duckdb.sql(f"select * from read_parquet('{file}')")
    assert [dict(zip(relation.columns, row)) for row in relation.fetchall()] == ROWS
    types = dict(zip(relation.columns, map(str, relation.types)))
    assert types["money"] == "DECIMAL(12,2)" and types["wide"] == "DECIMAL(38,10)" and types["at"] == "TIMESTAMP"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("tiny", "128", "out_of_range"),
        ("big", "9223372036854775808", "out_of_range"),
        ("whole", "1.0", "not_an_integer"),
        ("money", "1.005", "too_many_decimals"),
        ("money", "10000000000.00", "out_of_range"),
        ("money", "1e", "not_a_decimal"),
        ("ratio", "one", "not_a_number"),
        ("flag", "perhaps", "not_a_boolean"),
        ("day", "2023-02-29", "not_a_date"),
        ("at", "2024-01-01T25:00:00", "not_a_timestamp"),
    ],
)
def test_one_step_beyond_is_a_fault_never_a_null(etl, tmp_path, column, value, reason):
    (tmp_path / "a.csv").write_text(f"words,{column}\nx,{value}\n")
    result = etl("run", job(tmp_path, {"words": "string", column: COLUMNS[column]}), "--json")
    assert result.code == 1
    assert [(fault["reason"], fault["column"], fault["count"]) for fault in result.json["faults"]] == [(reason, column, 1)]
    assert not list(tmp_path.glob("out/commits/*"))


def test_partition_transforms_and_null_partitions(etl, tmp_path):
    columns = {"id": "int", "at": "timestamp", "words": "string"}
    start = datetime.datetime(2023, 12, 31, 22)
    rows = [
        {"id": i, "at": None if i % 7 == 0 else start + datetime.timedelta(hours=i), "words": None if i % 5 == 0 else f"w{i % 3}ö"}
        for i in range(200)
    ]
    write(tmp_path, columns, rows)
    result = etl("run", job(tmp_path, columns, ["year(at)", "month(at)", "words"]), "--json")
    assert result.code == 0, result.err
    found = read_back(published(tmp_path / "out"))
    assert {(row["id"], row["at"]) for row in found} == {(row["id"], row["at"]) for row in rows}
    by_id = {row["id"]: row for row in rows}
    for row in found:
        wanted = by_id[row["id"]]
        assert row["words"] == wanted["words"]
        assert (row["at_year"] and int(row["at_year"])) == (wanted["at"] and wanted["at"].year)
        assert (row["at_month"] is None) == (wanted["at"] is None)


def test_offsets_become_utc(etl, tmp_path):
    (tmp_path / "a.csv").write_text("at\n2024-03-10T01:30:00+02:00\n2024-03-09T23:30:00Z\n2024-03-09T18:30:00-05:00\n")
    assert etl("run", job(tmp_path, {"at": "timestamp"})).code == 0
    (file,) = published(tmp_path / "out")
    assert set(pq.read_table(file, partitioning=None)["at"].to_pylist()) == {datetime.datetime(2024, 3, 9, 23, 30)}
