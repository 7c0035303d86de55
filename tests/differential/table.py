"""Typed rows in memory, and as the files the binary reads."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

ARROW = {
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Table:
    """Columns with their Glue type names, and rows of Python values; NULL is `None`."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple, ...]

    def index(self, name: str) -> int:
        return self.names.index(name)

    def type_of(self, name: str) -> str:
        return self.types[self.index(name)]

    def column(self, name: str) -> list:
        at = self.index(name)
        return [row[at] for row in self.rows]

    def keys(self, names: tuple[str, ...]) -> list[tuple]:
        places = [self.index(name) for name in names]
        return [tuple(row[at] for at in places) for row in self.rows]

    def with_rows(self, rows) -> Table:
        return replace(self, rows=tuple(rows))

    def only(self, names: set[str]) -> Table:
        """The columns of these names."""
        places = [at for at, name in enumerate(self.names) if name in names]
        pick = lambda values: tuple(values[at] for at in places)  # noqa: E731
        return Table(pick(self.names), pick(self.types), tuple(pick(row) for row in self.rows))

    @cached_property
    def arrow(self) -> pa.Table:
        fields = [pa.field(name, arrow_type(kind)) for name, kind in zip(self.names, self.types)]
        arrays = [pa.array([row[at] for row in self.rows], field.type) for at, field in enumerate(fields)]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def schema(self) -> str:
        """The file of `--schema`, in YAML (of which JSON is a part)."""
        columns = [{"name": name, "type": kind} for name, kind in zip(self.names, self.types)]
        return json.dumps({"columns": columns}, indent=1)

    def write(self, path: Path) -> None:
        """Writes the rows in the format that the name's ending says."""
        match path.suffix:
            case ".parquet":
                pq.write_table(self.arrow, path)
            case ".csv":
                lines = [",".join(_field(name) for name in self.names)]
                lines += [",".join(_field(value) for value in row) for row in self.rows]
                path.write_bytes(("\n".join(lines) + "\n").encode())
            case ".ndjson":
                lines = [
                    "{" + ",".join(f"{json.dumps(name)}:{_json(value)}" for name, value in zip(self.names, row)) + "}\n"
                    for row in self.rows
                ]
                path.write_bytes("".join(lines).encode())


def arrow_type(kind: str) -> pa.DataType:
    if kind.startswith("decimal"):
        precision, scale = kind.removeprefix("decimal(").removesuffix(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return ARROW[kind]


def _plain(value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case Decimal():
            return format(value, "f")
        case datetime.datetime():
            return value.isoformat(timespec="microseconds")
        case datetime.date():
            return value.isoformat()
    return str(value)


def _field(value) -> str:
    """A CSV field: NULL is nothing at all, the empty text is quoted."""
    if value is None:
        return ""
    text = _plain(value)
    if isinstance(value, str) and (not text or text != text.strip() or any(mark in text for mark in ',"\r\n')):
        return '"' + text.replace('"', '""') + '"'
    return text


def _json(value) -> str:
    match value:
        case None | str() | bool():
            return json.dumps(value, ensure_ascii=False)
        case int() | float() | Decimal():
            return _plain(value)
    return json.dumps(_plain(value))


class World:
    """A primary table and the sources beside it; SQL over them is DuckDB's."""

    def __init__(self, primary: Table, sources: dict[str, Table] | None = None):
        self.primary = primary
        self.sources = sources or {}
        self._masks: dict[str, list[bool]] = {}

    @cached_property
    def _sql(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:", config={"threads": 1})
        for name, table in {**self.sources, "primary": self.primary}.items():
            connection.register(name, table.arrow)
        return connection

    def query(self, sql: str) -> list[tuple]:
        """The rows of a query in which `primary` stands for the primary table; DuckDB keeps that word for itself."""
        return self._sql.execute(sql.replace(" primary", ' "primary"')).fetchall()

    def mask(self, predicate: str) -> list[bool]:
        """For each row whether it is in scope: false and NULL are not."""
        if predicate not in self._masks:
            rows = self.query(f"select coalesce(({predicate}), false) from primary")
            self._masks[predicate] = [row[0] for row in rows]
        return self._masks[predicate]

    def scope(self, predicate: str | None) -> Table:
        """The rows of the primary table that a rule is about."""
        if predicate is None:
            return self.primary
        return self.primary.with_rows(row for row, kept in zip(self.primary.rows, self.mask(predicate)) if kept)
