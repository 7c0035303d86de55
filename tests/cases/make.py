"""Writes the cases beside this file: tables, rules over them, and what DuckDB or pandas says they come to.

    python tests/cases/make.py

Each case is a metric in SQL (over the table `t`) or in pandas (over the frame `df`), and the condition in SQL over that
metric, `m`. Neither is DQDL: what a rule means is written down here by hand, what it comes to is computed.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import duckdb
import pandas

FOLDER = Path(__file__).resolve().parent

# Columns with their types, and the lines of a CSV file; NULL is nothing at all, "" the empty text.
TABLES = {
    "readings": (
        {"id": "int", "g": "string", "x": "double", "y": "int", "c": "double", "void": "double", "p": "decimal(12,2)"},
        """1,a,1.5,2,7.0,,19.99
           2,a,2.5,4,7.0,,0.01
           3,a,2.5,4,7.0,,-5.00
           4,b,3.25,6,7.0,,
           5,b,,5,7.0,,100.00
           6,b,10.0,,7.0,,19.99
           7,,-4.75,1,7.0,,0.00""",
    ),
    # Numbers whose sum of seven, as a double, is not seven times the number; one whose squares lose their last digits; one
    # with two shortest texts.
    "constant": (
        {"id": "int", "r": "double", "p": "decimal(12,2)", "big": "bigint", "far": "double", "tie": "double"},
        "\n".join(f"{id},21.7,12345678.91,9007199254740989,{1e9 + id},666200714486576.25" for id in range(1, 8)),
    ),
    "keys": (
        {"id": "int", "k": "string", "l": "string", "n": "int", "void": "string"},
        """1,a,x,1,
           2,a,x,2,
           3,b,,3,
           4,,x,,
           5,,,5,
           6,,,5,
           7,c,x,1,
           8,"",x,1,
           9,c,y,2,""",
    ),
    # NULL is counted as the text `NullValue`.
    "labels": (
        {"id": "int", "label": "string", "other": "string", "n": "int", "flag": "boolean"},
        """1,NullValue,a,1,true
           2,,a,,false
           3,a,,2,true
           4,b,,2,
           5,b,"",10,true
           6, b,"",10,true""",
    ),
    "twins": (
        {"a": "string", "b": "int"},
        """x,1
           x,1
           x,2
           ,1
           ,1
           ,
           ,
           y,
           z,3""",
    ),
    "lines": (
        {"x": "double", "up": "double", "down": "double", "bent": "int", "flat": "int", "g": "string"},
        """1,2,-1,4,5,a
           2,4,-2,1,5,a
           3,6,-3,0,5,b
           4,8,-4,1,5,b
           ,10,-5,9,5,b
           6,,,4,5,c""",
    ),
    "events": (
        {"id": "int", "day": "date", "at": "timestamp", "n": "int", "name": "string"},
        """1,2020-02-29,2020-02-29T23:59:59,1,ann
           2,2020-03-01,2020-03-01T00:00:00,2,bob
           3,2020-03-01,2020-03-01T12:00:00,3,Bob
           4,,,4,
           5,2021-12-31,2021-12-31T00:00:01,5,""",
    ),
}
DUCKDB = {"int": "INTEGER", "bigint": "BIGINT", "string": "VARCHAR", "double": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE"}


def lines(table: str) -> list[str]:
    columns, text = TABLES[table]
    return [",".join(columns), *(line.strip() for line in text.splitlines())]


class Case:
    """A rule, its metrics and its outcome. `by` computes the metrics, `passes` is SQL over the only one, `m`."""

    def __init__(self, table, rule, metrics, passes, tolerance=0.0, reason=None):
        self.table, self.rule, self.metrics, self.passes = table, rule, metrics, passes
        self.tolerance, self.reason = tolerance, reason

    def computed(self, connection, frame) -> dict:
        found = {}
        for key, by in self.metrics.items():
            if by.startswith("pandas: "):
                value = eval(by.removeprefix("pandas: "), {"df": frame, "math": math, "pandas": pandas})  # noqa: S307
            else:
                ((value,),) = connection.execute(by).fetchall()
            found[key] = float(value)
        passes = re.sub(r"\bm\b", repr(next(iter(found.values()), 0.0)), self.passes)
        ((passed,),) = connection.execute(f"select {passes}").fetchall()
        return {
            "rule": self.rule,
            "outcome": "Passed" if passed else "Failed",
            "metrics": found,
            "tolerance": self.tolerance,
            "reason_contains": self.reason,
            "by": [by if by.startswith("pandas") else f"duckdb: {by}" for by in self.metrics.values()]
            + [f"duckdb: select {self.passes}"],
        }


EXACT, ROUNDED = 0.0, 1e-12
EMPTY = "all input values were NULL"


def spread(metric: str, sql: str, frame: str) -> list[Case]:
    """Variance and deviation are those of the population."""
    key = lambda name: f"Column.{name}.{metric}"  # noqa: E731
    return [
        Case("readings", f'{metric} "x" > 3', {key("x"): f"select {sql}(x) from t"}, "m > 3", ROUNDED),
        Case("readings", f'{metric} "y" < 1', {key("y"): f"pandas: df.y.{frame}(ddof=0)"}, "m < 1", ROUNDED),
        Case("readings", f'{metric} "p" between 30 and 50', {key("p"): f"select {sql}(p) from t"}, "m > 30 and m < 50", ROUNDED),
        Case("readings", f'{metric} "c" = 0', {key("c"): f"select {sql}(c) from t"}, "m = 0"),
        Case(
            "readings",
            f"{metric} \"x\" <= 0.5 where \"g = 'a'\"",
            {key("x"): f"select {sql}(x) from t where g = 'a'"},
            "m <= 0.5",
            ROUNDED,
        ),
        Case("readings", f'{metric} "x" = 0 where "id = 4"', {key("x"): f"select {sql}(x) from t where id = 4"}, "m = 0"),
        Case("readings", f'{metric} "void" >= 0', {}, "false", reason=EMPTY),
        Case("readings", f'{metric} "x" > 0 where "id > 99"', {}, "true"),
        Case("constant", f'{metric} "r" = 0', {key("r"): "pandas: df.r.max() - df.r.min()"}, "m = 0"),
        Case("constant", f'{metric} "p" = 0', {key("p"): "pandas: float(df.p.max() - df.p.min())"}, "m = 0"),
        Case("constant", f'{metric} "big" = 0', {key("big"): "pandas: df.big.max() - df.big.min()"}, "m = 0"),
        Case("constant", f'{metric} "far" between 1.9 and 4.1', {key("far"): f"pandas: (df.far - 1e9).{frame}(ddof=0)"}, "m > 1.9 and m < 4.1", 1e-7),
    ]  # fmt: skip


def once(columns: str, of: str, table="keys", where="true") -> str:
    """Of the groups of some columns, NULLs equal, rows with none of them left out, those of one row as a share `of`."""
    some = " or ".join(f"{column} is not null" for column in columns.split(","))
    return (
        f"select (count(*) filter (c = 1)) / {of} from"
        f" (select count(*) as c from t where ({some}) and ({where}) group by {columns})"
    )


UNIQUENESS = [
    Case("keys", 'Uniqueness "k" = 0.3333333333333333', {"Column.k.Uniqueness": once("k", "sum(c)")}, "m = 0.3333333333333333"),
    Case("keys", 'Uniqueness "k" > 0.3333333333333333', {"Column.k.Uniqueness": once("k", "sum(c)")}, "m > 0.3333333333333333"),
    Case("keys", 'Uniqueness "n" < 0.2', {"Column.n.Uniqueness": once("n", "sum(c)")}, "m < 0.2"),
    Case("keys", 'Uniqueness "id" = 1.0', {"Column.id.Uniqueness": once("id", "sum(c)")}, "m = 1.0"),
    Case("keys", 'Uniqueness "k" "l" >= 0.7', {"Multicolumn.k,l.Uniqueness": once("k,l", "sum(c)")}, "m >= 0.7"),
    Case("keys", 'Uniqueness "k" "l" "n" = 1', {"Multicolumn.k,l,n.Uniqueness": once("k,l,n", "sum(c)")}, "m = 1"),
    Case(
        "keys",
        "Uniqueness \"k\" \"l\" = 1 where \"l = 'x' and id > 1\"",
        {"Multicolumn.k,l.Uniqueness": once("k,l", "sum(c)", where="l = 'x' and id > 1")},
        "m = 1",
    ),
    Case("keys", 'IsUnique "id"', {"Column.id.Uniqueness": once("id", "sum(c)")}, "m = 1"),
    Case("keys", 'IsUnique "k"', {"Column.k.Uniqueness": once("k", "sum(c)")}, "m = 1"),
    Case("keys", 'IsUnique "k" where "id between 2 and 7"', {"Column.k.Uniqueness": once("k", "sum(c)", where="id between 2 and 7")}, "m = 1"),
    Case(
        "keys",
        'IsPrimaryKey "id" "k"',
        {
            "Multicolumn.id,k.Uniqueness": once("id,k", "sum(c)"),
            "Column.id.Completeness": "select count(id) / count(*) from t",
            "Column.k.Completeness": "select count(k) / count(*) from t",
        },
        "false",
        reason="Value: 0.6666666666666666 does not meet the constraint requirement!",
    ),
    Case("keys", 'UniqueValueRatio "k" = 0.5', {"Column.k.UniqueValueRatio": once("k", "count(*)")}, "m = 0.5"),
    Case("keys", 'UniqueValueRatio "n" in [0.25,1]', {"Column.n.UniqueValueRatio": once("n", "count(*)")}, "m in (0.25, 1)"),
    Case("keys", 'UniqueValueRatio "l" not between 0 and 0.5', {"Column.l.UniqueValueRatio": once("l", "count(*)")}, "m <= 0 or m >= 0.5"),
    Case(
        "keys",
        'UniqueValueRatio "n" = 1 where "id < 5"',
        {"Column.n.UniqueValueRatio": once("n", "count(*)", where="id < 5")},
        "m = 1",
    ),
    Case("keys", 'Uniqueness "void" = 1', {}, "false", reason=EMPTY),
    Case("keys", 'UniqueValueRatio "void" >= 0', {}, "false", reason=EMPTY),
]  # fmt: skip

DISTINCT = "select count(distinct coalesce({0}::varchar, 'NullValue')) from t"
VALUES = [
    Case("labels", 'DistinctValuesCount "label" = 4', {"Column.label.DistinctValuesCount": DISTINCT.format("label")}, "m = 4"),
    Case("labels", 'DistinctValuesCount "label" = 5', {"Column.label.DistinctValuesCount": DISTINCT.format("label")}, "m = 5",
         reason="Value: 4 does not meet the constraint requirement!"),
    Case("labels", 'DistinctValuesCount "other" = 3', {"Column.other.DistinctValuesCount": DISTINCT.format("other")}, "m = 3"),
    Case("labels", 'DistinctValuesCount "n" between 3 and 5', {"Column.n.DistinctValuesCount": DISTINCT.format("n")}, "m > 3 and m < 5"),
    Case("labels", 'DistinctValuesCount "flag" > 2', {"Column.flag.DistinctValuesCount": DISTINCT.format("flag")}, "m > 2"),
    Case("labels", 'DistinctValuesCount "label" <= 2 where "n = 2"',
         {"Column.label.DistinctValuesCount": DISTINCT.format("label") + " where n = 2"}, "m <= 2"),
    # Natural logarithms; DuckDB's `entropy` is in bits.
    Case("labels", 'Entropy "label" > 1.3', {"Column.label.Entropy": "select entropy(label) * ln(2) from t"}, "m > 1.3", ROUNDED),
    Case("labels", 'Entropy "n" < 1.1',
         {"Column.n.Entropy": "pandas: -sum(p * math.log(p) for p in df.n.dropna().value_counts(normalize=True))"},
         "m < 1.1", ROUNDED),
    Case("labels", 'Entropy "flag" between 0.5 and 0.51', {"Column.flag.Entropy": "select entropy(flag) * ln(2) from t"},
         "m > 0.5 and m < 0.51", ROUNDED),
    Case("readings", 'Entropy "c" = 0', {"Column.c.Entropy": "select entropy(c) * ln(2) from t"}, "m = 0"),
    # `where` is accepted and ignored.
    Case("labels", 'Entropy "n" > 0.5 where "n = 2"', {"Column.n.Entropy": "select entropy(n) * ln(2) from t"}, "m > 0.5", ROUNDED),
    Case("readings", 'Entropy "void" >= 0', {}, "false", reason=EMPTY),
]  # fmt: skip

DUPLICATES = "select coalesce(sum(c) filter (c > 1), 0) from (select count(*) as c from t where ({some}) group by {by})"
TWINS = [
    Case("twins", "DuplicateRowCount = 4",
         {"Dataset.*.DuplicateRowCount": DUPLICATES.format(some="a is not null or b is not null", by="a, b")}, "m = 4"),
    Case("twins", "DuplicateRowCount < 4",
         {"Dataset.*.DuplicateRowCount": DUPLICATES.format(some="a is not null or b is not null", by="a, b")}, "m < 4",
         reason="Value: 4 does not meet the constraint requirement!"),
    Case("twins", 'DuplicateRowCount "a" = 3', {"Multicolumn.a.DuplicateRowCount": DUPLICATES.format(some="a is not null", by="a")}, "m = 3"),
    Case("twins", 'DuplicateRowCount "b" "a" in [2,4]',
         {"Multicolumn.b,a.DuplicateRowCount": DUPLICATES.format(some="a is not null or b is not null", by="a, b")}, "m in (2, 4)"),
    Case("twins", 'DuplicateRowCount = 0 where "b > 1"',
         {"Dataset.*.DuplicateRowCount": DUPLICATES.format(some="b > 1", by="a, b")}, "m = 0"),
]  # fmt: skip


def correlation(first: str, second: str, rule: str, passes: str, where="", tolerance=ROUNDED) -> Case:
    key = f"Multicolumn.{first},{second}.ColumnCorrelation"
    within = f" where {where}" if where else ""
    text = f'ColumnCorrelation "{first}" "{second}" {rule}' + (f' where "{where}"' if where else "")
    return Case("lines", text, {key: f"select corr({first}, {second}) from t{within}"}, passes, tolerance)


CORRELATION = [
    correlation("x", "up", "> 0.999999", "m > 0.999999"),
    correlation("x", "down", "< -0.999999", "m < -0.999999"),
    correlation("x", "bent", "between -0.5 and 0.5", "m > -0.5 and m < 0.5"),
    correlation("up", "bent", ">= 0.5", "m >= 0.5"),
    correlation("x", "bent", "< -0.9", "m < -0.9", where="g <> 'c'"),
    # One side does not vary: NaN, which fails every comparison but `!=`.
    Case("lines", 'ColumnCorrelation "x" "flat" > -2', {"Multicolumn.x,flat.ColumnCorrelation": "select 'nan'::double"}, "false"),
]

MANY = {
    "Dataset.*.RowCount": "select count(*) from t",
    "Column.day.Completeness": "select count(day) / count(*) from t",
    "Column.n.Mean": "select avg(n) from t",
}
COMPOSITES = [
    Case("events", '(RowCount = 5) AND (Completeness "day" = 0.8)', dict(list(MANY.items())[:2]), "true"),
    Case("events", '(RowCount = 4) OR (Completeness "day" = 0.8)', dict(list(MANY.items())[:2]), "true",
         reason="Value: 5 does not meet the constraint requirement!"),
    Case("events", '(RowCount = 4) OR (IsComplete "day")', dict(list(MANY.items())[:2]), "false",
         reason="Value: 5 does not meet the constraint requirement!\nValue: 0.8 does not meet the constraint requirement!"),
    Case("events", '((RowCount = 4) OR (Mean "n" = 3)) AND (Completeness "day" > 0.5)', MANY, "true"),
    Case("events", '(RowCount = 4) OR ((Mean "n" = 3) AND (Completeness "day" > 0.9))', MANY, "false"),
    # AND before OR.
    Case("events", '(RowCount = 5) OR (Mean "n" = 3) AND (Completeness "day" > 0.9)', MANY, "true"),
]  # fmt: skip

DAY, NAME = "Column.day.ColumnValues.Compliance", "Column.name.ColumnValues.Compliance"
SHARE = "select count(*) filter ({0}) / count(*) from t"
CONDITIONS = [
    # NULL fails what is ordered and `in`; it passes what is negated.
    Case("events", 'ColumnValues "day" > "2020-01-01"', {DAY: SHARE.format("day > date '2020-01-01'")}, "m = 1"),
    Case("events", 'ColumnValues "day" > "2020-01-01" with threshold >= 0.8', {DAY: SHARE.format("day > date '2020-01-01'")}, "m >= 0.8"),
    Case("events", 'ColumnValues "day" between "2020-02-29" and "2021-12-31" with threshold = 0.4',
         {DAY: SHARE.format("day > date '2020-02-29' and day < date '2021-12-31'")}, "m = 0.4"),
    Case("events", 'ColumnValues "day" not between "2020-02-29" and "2021-12-31" with threshold = 0.6',
         {DAY: SHARE.format("day <= date '2020-02-29' or day >= date '2021-12-31' or day is null")}, "m = 0.6"),
    Case("events", 'ColumnValues "day" = "2020-03-01" with threshold between 0.3 and 0.5', {DAY: SHARE.format("day = date '2020-03-01'")}, "m > 0.3 and m < 0.5"),
    Case("events", 'ColumnValues "day" != "2020-03-01" with threshold = 0.6',
         {DAY: SHARE.format("day is null or day <> date '2020-03-01'")}, "m = 0.6"),
    Case("events", 'ColumnValues "day" in ["2020-02-29","2020-03-01",NULL] with threshold > 0.7',
         {DAY: SHARE.format("day is null or day in (date '2020-02-29', date '2020-03-01')")}, "m > 0.7"),
    Case("events", 'ColumnValues "day" not in ["2020-02-29",NULL] with threshold > 0.7',
         {DAY: SHARE.format("day is not null and day <> date '2020-02-29'")}, "m > 0.7"),
    Case("events", 'ColumnValues "day" < now() where "day is not null"', {DAY: "select count(*) filter (day < current_date) / count(*) from t where day is not null"}, "m = 1"),
    Case("events", 'ColumnValues "day" > (now() - 10 days) with threshold = 0', {DAY: SHARE.format("day > current_date - 10")}, "m = 0"),
    # A timestamp is judged by its day.
    Case("events", 'ColumnValues "at" = "2020-03-01" with threshold = 0.4',
         {"Column.at.ColumnValues.Compliance": SHARE.format("cast(\"at\" as date) = date '2020-03-01'")}, "m = 0.4"),
    Case("events", 'ColumnValues "name" in ["bob"] with threshold = 0.2', {NAME: SHARE.format("name = 'bob'")}, "m = 0.2"),
    Case("events", 'ColumnValues "name" in ["BOB"] with threshold = 0.4 with ignoreCase = "true"', {NAME: SHARE.format("lower(name) = 'bob'")}, "m = 0.4"),
    Case("events", 'ColumnValues "name" != "bob" with threshold > 0.5', {NAME: SHARE.format("name is null or name <> 'bob'")}, "m > 0.5"),
    # No text is a match: `^(?:p)$` must find something, and NULL is nothing.
    Case("events", 'ColumnValues "name" matches "[a-z]*" with threshold >= 0.5', {"Column.name.PatternMatch": SHARE.format("regexp_full_match(name, '[a-z]+')")}, "m >= 0.5"),
    # By the extremes, so a threshold says nothing; NULL fails.
    Case("labels", 'ColumnValues "n" >= 1 with threshold > 0.5', {"Column.n.Minimum": "select min(n) from t"}, "false",
         reason="Value: NULL does not meet the constraint requirement!"),
    Case("labels", 'ColumnValues "n" >= 1 where "n is not null"', {"Column.n.Minimum": "select min(n) from t"}, "m >= 1"),
    Case("labels", 'ColumnValues "n" between 0 and 10 where "n is not null"',
         {"Column.n.Minimum": "select min(n) from t", "Column.n.Maximum": "select max(n) from t"}, "false",
         reason="Value: 10.0 does not meet the constraint requirement!"),
    Case("labels", 'ColumnValues "n" not in [1,2] with threshold = 0.5', {"Column.n.ColumnValues.Compliance": SHARE.format("n is null or n not in (1, 2)")}, "m = 0.5"),
    Case("labels", 'ColumnValues "label" in ["a","b",NULL] with threshold >= 0.6', {"Column.label.ColumnValues.Compliance": SHARE.format("label is null or label in ('a', 'b')")}, "m >= 0.6"),
    Case("labels", 'ColumnValues "other" = EMPTY with threshold between 0.3 and 0.4', {"Column.other.ColumnValues.Compliance": SHARE.format("other = ''")}, "m > 0.3 and m < 0.4"),
    Case("labels", 'Completeness "other" > 0.6', {"Column.other.Completeness": "select count(other) / count(*) from t"}, "m > 0.6"),
    Case("labels", 'Completeness "label" = 1 where "flag"', {"Column.label.Completeness": "select count(label) / count(*) from t where flag"}, "m = 1"),
    # Rows for which the predicate is NULL are out of scope, too.
    Case("labels", 'RowCount = 4 where "flag"', {"Dataset.*.RowCount": "select count(*) from t where flag"}, "m = 4"),
    Case("labels", 'RowCount = 1 where "not flag"', {"Dataset.*.RowCount": "select count(*) from t where not flag"}, "m = 1"),
    Case("labels", 'RowCount = 0 where "id > 99"', {"Dataset.*.RowCount": "select count(*) from t where id > 99"}, "m = 0"),
    Case("labels", 'ColumnLength "label" between 0 and 10', {
        "Column.label.MinimumLength": "select min(coalesce(length(label), 0)) from t",
        "Column.label.MaximumLength": "select max(coalesce(length(label), 0)) from t"}, "false",
         reason="Value: 0.0 does not meet the constraint requirement!"),
    # By OpenJDK 17, `System.out.println`: of two shortest texts the one whose last digit is even.
    Case("constant", 'ColumnValues "tie" < 0', {"Column.tie.Maximum": "select max(tie) from t"}, "m < 0",
         reason="Value: 6.662007144865762E14 does not meet the constraint requirement!"),
    Case("labels", 'ColumnLength "label" <= 9', {"Column.label.MaximumLength": "select max(coalesce(length(label), 0)) from t"}, "m <= 9"),
]  # fmt: skip

CASES = {
    "variance": spread("Variance", "var_pop", "var"),
    "standard_deviation": spread("StandardDeviation", "stddev_pop", "std"),
    "uniqueness": UNIQUENESS,
    "values": VALUES,
    "duplicates": TWINS,
    "correlation": CORRELATION,
    "composites": COMPOSITES,
    "conditions": CONDITIONS,
}


def main() -> None:
    for name, cases in CASES.items():
        written = []
        for table in dict.fromkeys(case.table for case in cases):
            columns, _ = TABLES[table]
            connection = duckdb.connect(":memory:")
            source = FOLDER / "table.csv"
            source.write_text("\n".join(lines(table)) + "\n")
            kinds = {column: DUCKDB.get(kind, kind.upper()) for column, kind in columns.items()}
            connection.execute(
                f"create table t as select * from read_csv('{source}', header = true, allow_quoted_nulls = false, columns = {kinds})"
            )
            source.unlink()
            frame = connection.execute("select * from t").df()
            written.append({
                "table": table,
                "columns": columns,
                "csv": lines(table),
                "cases": [case.computed(connection, frame) for case in cases if case.table == table],
            })  # fmt: skip
        # NaN is not JSON.
        text = json.dumps(written, indent=1, ensure_ascii=False).replace("NaN", "null")
        (FOLDER / f"{name}.json").write_text(text + "\n")
        print(f"{name}: {sum(len(one['cases']) for one in written)} cases")


if __name__ == "__main__":
    main()
