"""Random rows, jobs of steps over them and what came out of these: what the tests of steps share."""

import datetime
import json
import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import run

Row = dict[str, Any]
DATE, STAMP = datetime.date, datetime.datetime

TYPES = {
    "id": "bigint",
    "small": "int",
    "big": "bigint",
    "amount": "decimal(12,2)",
    "ratio": "double",
    "flag": "boolean",
    "city": "string",
    "text": "string",
    "code": "string",
    "day": "date",
    "until": "date",
    "at": "timestamp",
    "end": "timestamp",
}
CITIES = ["Rome", "Oslo", "", "Łódź", "rome", None]
TEXTS = [
    "", " ", "  a  ", "\t tab\u00a0", "\u3000wide\u2003", "Straße  am   See", "ÉCOLE d'été", "日本語", "😀 ok 😀", "e\u0301 ô", 'say "hi"',
    "a,b;c", "line\nbreak", "NULL", "null", "-", "--7-", "O'Neil", "x_y%z", "\\d+", "$1 $0", "a.b.c", "ΟΔΟΣ ΜΟΥ", "ada LOVELACE king",
    "aAbB", "(x) (y)", "((n))", "abcabcabc", "true", " 42 ", "-17.9", "1e3", "9223372036854775808", "2024-02-29", "31/01/2024", "00",
]  # fmt: skip
DAYS = [
    DATE(2024, 2, 29), DATE(2023, 2, 28), DATE(2024, 1, 31), DATE(2024, 12, 31), DATE(2021, 1, 3), DATE(2020, 12, 31), DATE(1970, 1, 1),
    DATE(1969, 12, 31), DATE(1900, 3, 1), DATE(2000, 2, 29), DATE(2024, 3, 31), DATE(2100, 2, 28), DATE(1600, 2, 29),
]  # fmt: skip
TIMES = [
    STAMP(2024, 3, 31, 1, 30), STAMP(2024, 3, 31, 2, 30), STAMP(2024, 10, 27, 0, 30), STAMP(2024, 10, 27, 1, 30), STAMP(2024, 2, 29, 23, 59, 59, 999999),
    STAMP(1969, 12, 31, 23, 59, 59, 500000), STAMP(1970, 1, 1), STAMP(2024, 1, 31, 10), STAMP(2024, 7, 31, 12, 0, 0, 1), STAMP(1999, 12, 31, 12, 0),
]  # fmt: skip
BIG = [0, 1, -1, 7, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63), 10**15, -(10**15), 123456789]
RATIOS = [0.0, 0.1, -0.1, 1.5, -2.5, 1e10, 1e7, 1e-5, 123456.789, 1e300, -1e-300, 2.345, 1.005, 0.5, -0.5, 2147483648.0, 1e20]
AMOUNTS = ["0.00", "0.01", "-0.01", "9999999999.99", "-9999999999.99", "1.50", "2.35", "-7.00", "100.00", "0.50", "-0.50"]


def random_rows(seed: int = 1, count: int = 300) -> list[Row]:
    """Rows of the columns of TYPES; about one value in eight is NULL, but for `id`."""
    chance = random.Random(seed)

    def text() -> str:
        return "".join(chance.choice("abcXYZ 0189-_.;,()éß語") for _ in range(chance.randrange(12)))

    def day() -> datetime.date:
        return DATE(1995, 1, 1) + datetime.timedelta(chance.randrange(15000))

    def at() -> datetime.datetime:
        return STAMP(1995, 1, 1) + datetime.timedelta(
            seconds=chance.randrange(10**9), microseconds=chance.choice([0, 0, 120000, 7])
        )

    makers: dict[str, Callable[[], Any]] = {
        "small": lambda: chance.choice([0, 1, -1, 5, 5, 100, chance.randrange(-1000, 1000)]),
        "big": lambda: chance.choice([*BIG, chance.randrange(-(10**12), 10**12)]),
        "amount": lambda: Decimal(chance.choice([*AMOUNTS, f"{chance.randrange(-(10**6), 10**6)}.{chance.randrange(100):02}"])),
        "ratio": lambda: chance.choice([*RATIOS, chance.uniform(-1000, 1000)]),
        "flag": lambda: chance.random() < 0.5,
        "city": lambda: chance.choice(CITIES),
        "text": lambda: chance.choice([*TEXTS, text()]),
        "code": lambda: (
            f"{chance.choice(['DE', 'it', 'X'])}-{chance.randrange(200)}{chance.choice(['', ' (new)', '-b', '/c-d'])}"
        ),
        "day": lambda: chance.choice([*DAYS, day(), day()]),
        "until": lambda: chance.choice([*DAYS, day(), day()]),
        "at": lambda: chance.choice([*TIMES, at(), at()]),
        "end": lambda: chance.choice([*TIMES, at(), at()]),
    }
    rows, number = [], 0
    for _ in range(count):
        number += chance.choice([1, 1, 2])
        row: Row = {"id": number}
        for name, make in makers.items():
            row[name] = None if chance.random() < 0.12 else make()
        rows.append(row)
    return rows


def as_csv(rows: list[Row], names: Iterable[str]) -> str:
    """Texts are quoted, so an empty one is not NULL."""

    def cell(value: Any) -> str:
        match value:
            case None:
                return ""
            case bool():
                return "true" if value else "false"
            case str():
                return '"' + value.replace('"', '""') + '"'
            case datetime.datetime():
                return value.isoformat()
        return str(value)

    names = list(names)
    return "\n".join([",".join(names), *(",".join(cell(row[name]) for name in names) for row in rows)]) + "\n"


@dataclass
class Out:
    """What a run published."""

    report: dict[str, Any]
    rows: list[Row]
    columns: list[str]
    tables: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def modes(self) -> list[str]:
        return [step["mode"] for step in self.report.get("steps", [])]


def read_table(files: list[str]) -> pa.Table:
    """Files in their order as one table, where rows of Python would take long."""
    return pa.concat_tables(pq.ParquetFile(file).read() for file in files)


def read_files(files: list[str]) -> tuple[list[Row], list[str]]:
    tables = [pq.ParquetFile(file).read() for file in files]
    return [row for table in tables for row in table.to_pylist()], tables[0].column_names if tables else []


def write_source(folder: Path, name: str, rows: list[Row], types: dict[str, str]) -> dict[str, Any]:
    """A data set for `source` or an entry of `sources`."""
    (folder / f"{name}.csv").write_text(as_csv(rows, types), newline="")
    return {"location": f"{name}.csv", "csv": {"header": True}}


def job_of(folder: Path, steps: list[Any], rows: list[Row] | str, types=TYPES, sources=None, **parts) -> Path:
    """A job over `rows`, or over CSV as it stands; `sources` has rows by alias."""
    job: dict[str, Any] = {
        "version": 1,
        "name": "steps",
        "source": {"location": "input.csv", "csv": {"header": True}},
        "schema": {"columns": [{"name": name, "type": kind} for name, kind in types.items()]},
        "transform": steps,
        "sink": {"location": "out"},
        **parts,
    }
    text = rows if isinstance(rows, str) else as_csv(rows, types)
    (folder / "input.csv").write_text(text, newline="")
    if sources:
        job["sources"] = {}
        for alias, table in sources.items():
            pq.write_table(table, folder / f"{alias}.parquet")
            job["sources"][alias] = {"location": f"{alias}.parquet"}
    path = folder / "job.yaml"
    path.write_text(json.dumps(job))
    return path


def transform(folder: Path, steps: list[Any], rows: list[Row] | str, types=TYPES, sources=None, sets=(), **parts) -> Out:
    """Runs a job of steps, checks that its counts add up, and reads back what it published."""
    job = job_of(folder, steps, rows, types, sources, **parts)
    result = run("run", job, "--json", *(word for each in sets for word in ("--set", each)))
    assert result.code == 0, result.err
    out = published(result.json)
    reconciled(out)
    return out


def misfit(folder: Path, job: Path, **more) -> list[str]:
    """Why a run is INVALID since a value does not fit a step; nothing was published."""
    def data() -> set[Path]:
        return {path for path in folder.glob("out/**/*") if path.is_file() and "audit" not in path.parts}

    before = data()
    result = run("run", job, "--json", **more)
    assert (result.code, result.json["verdict"], result.json["commit"]["outcome"]) == (1, "INVALID", "not_committed"), result.out
    assert data() == before
    return result.json["reasons"]


def published(report: dict[str, Any]) -> Out:
    """The rows of the job's table and those beside it, in the order of the files."""
    rows, columns = read_files(report["commit"]["files"])
    tables = {table["name"]: read_files(table["files"])[0] for table in report["commit"].get("tables", [])}
    for table in report["commit"].get("tables", []):
        assert table["rows"] == len(tables[table["name"]])
    return Out(report, rows, columns, tables)


def reconciled(out: Out) -> None:
    """Every row that was read went somewhere, and each step took what the one before it left."""
    rows, steps = out.report["rows"], out.report.get("steps", [])
    assert rows["read"] == rows["accepted"] + rows["rejected"] + rows["filtered"], rows
    left = rows["read"] - rows["rejected"]
    for step in steps:
        if "table" in step:
            continue
        assert step["rows_in"] == left, steps
        left = step["rows_out"]
    assert left == len(out.rows), steps
    for name, table in out.tables.items():
        way = [step for step in steps if step.get("table") == name]
        assert way[-1]["rows_out"] == len(table), steps
        assert all(before["rows_out"] == after["rows_in"] for before, after in zip(way, way[1:])), steps


def same_value(found: Any, expected: Any) -> bool:
    if isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(found) and math.isnan(expected))
    return type(found) is type(expected) and found == expected


def same_rows(found: list[Row], expected: list[Row]) -> None:
    """Equal rows in equal order, with equal columns in equal order; a difference is shown by its row."""
    for at, (one, other) in enumerate(zip(found, expected)):
        assert list(one) == list(other), at
        wrong = {name: (one[name], other[name]) for name in one if not same_value(one[name], other[name])}
        assert not wrong, f"row {at}: (found, expected) {wrong} in {one}"
    assert len(found) == len(expected)


def query(sql: str, rows: list[Row], types=TYPES, **tables: pa.Table) -> list[Row]:
    """The answer of DuckDB over `input`, whose order is that of `n`."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("input", arrow(rows, types))
        for name, table in tables.items():
            connection.register(name, table)
        relation = connection.execute(sql)
        names = [column[0] for column in relation.description]
        return [dict(zip(names, row)) for row in relation.fetchall()]


ARROW = {
    "bigint": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


def arrow(rows: list[Row], types: dict[str, str], number: str | None = "n") -> pa.Table:
    """Rows as a table; the column `number` has their places."""

    def kind(written: str) -> pa.DataType:
        if written.startswith("decimal"):
            precision, scale = written[8:-1].split(",")
            return pa.decimal128(int(precision), int(scale))
        return ARROW[written]

    columns = {name: pa.array([row[name] for row in rows], kind(written)) for name, written in types.items()}
    if number and number not in columns:
        columns[number] = pa.array(range(len(rows)), pa.int64())
    return pa.table(columns)


# What steps do to rows, in Python.


def each(change):
    """A row at a time."""
    return lambda rows: [change(dict(row)) for row in rows]


def put(**values):
    """Values of the row in their columns, new ones last."""

    def change(row):
        made = {name: value(row) for name, value in values.items()}
        return {**row, **made}

    return each(change)


def on(name, value):
    """`value` of what is not NULL."""
    return lambda row: None if row[name] is None else value(row[name])


def pick(*names):
    return each(lambda row: {name: row[name] for name in names})


def java_double(number):
    """As Java writes it."""
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return f"{Decimal(repr(number)):f}" if "." in f"{Decimal(repr(number)):f}" else f"{Decimal(repr(number)):f}.0"
    digits, exponent = f"{Decimal(repr(number)):e}".split("e")
    whole, _, fraction = digits.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}E{int(exponent)}"


def spark_text(value):
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return java_double(value)
        case STAMP():
            seconds = f"{value:%Y-%m-%d %H:%M:%S}"
            return seconds + f".{value.microsecond:06}".rstrip("0") if value.microsecond else seconds
    return str(value)


def rounded(number, places="0.01", digits=12):
    number = Decimal(number).quantize(Decimal(places), ROUND_HALF_UP)
    return number if abs(number).scaleb(2) < 10**digits else None


def step(name, **parameters):
    return [
        {name: {("with" if key == "with_" else "from" if key == "from_" else key): value for key, value in parameters.items()}}
    ]


def cases(groups: dict[str, dict[str, Any]], wrong: dict[str, str]) -> dict[str, Any]:
    """Parameters of a test: a name and its case; those of `wrong` fail for a reason."""
    named = {f"{group}: {name}": case for group, members in groups.items() for name, case in members.items()}
    assert wrong.keys() <= named.keys()
    marks = {name: pytest.mark.xfail(strict=True, reason=reason) for name, reason in wrong.items()}
    return {name: pytest.param(*case, id=name, marks=marks.get(name, ())) for name, case in named.items()}
