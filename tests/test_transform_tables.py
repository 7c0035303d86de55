"""Steps over many rows and other data sets: each on random rows beside DuckDB or Python."""

from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from transforms import TYPES, arrow, cases, query, random_rows, same_rows, transform

ROWS = random_rows(37)
NAMES = list(TYPES)


def first_null(value):
    return (value is not None, value)


def sort_key(*names):
    return lambda row: [first_null(row[name]) for name in names]


def by_value(key):
    """A key in Python: equal numbers are equal whatever their type, and NULL equals nothing."""
    return None if None in key else key


# Rows.


def kept(names, last=False):
    def expected(rows):
        seen, out = set(), []
        for row in rows[::-1] if last else rows:
            key = tuple(row[name] for name in names)
            if key not in seen:
                out.append(row)
            seen.add(key)
        return out[::-1] if last else out

    return expected


def ordered(*by):
    """Sorts by (name, descending, NULLs first), the most important first."""

    def expected(rows):
        for name, descending, nulls_first in reversed(by):
            groups = {}
            for row in rows:
                if row[name] is not None:
                    groups.setdefault(row[name], []).append(row)
            present = [row for value in sorted(groups, reverse=descending) for row in groups[value]]
            nulls = [row for row in rows if row[name] is None]
            rows = nulls + present if nulls_first else present + nulls
        return rows

    return expected


def unpivoted(names, keep=False, text=None):
    def expected(rows):
        rest = [name for name in NAMES if name not in names]
        return [
            {
                **{other: row[other] for other in rest},
                "name": name,
                "value": text(row[name]) if text and row[name] is not None else row[name],
            }
            for row in rows
            for name in names
            if keep or row[name] is not None
        ]

    return expected


ROW_STEPS = {
    "duplicates": ([{"drop_duplicates": {"columns": ["city", "flag"]}}], kept(["city", "flag"])),
    "duplicates, the last": ([{"drop_duplicates": {"columns": "small", "keep": "last"}}], kept(["small"], last=True)),
    "duplicates of whole rows": (
        [{"select_fields": ["city", "flag"]}, {"drop_duplicates": {}}],
        lambda rows: kept(["city", "flag"])([{"city": r["city"], "flag": r["flag"]} for r in rows]),
    ),
    "sort": ([{"sort": {"by": ["city", "small desc"]}}], ordered(("city", False, True), ("small", True, False))),
    "sort: NULLs where told": (
        [{"sort": {"by": ["flag desc nulls first", "text nulls last", "day"]}}],
        ordered(("flag", True, True), ("text", False, False), ("day", False, True)),
    ),
    "sort by decimals and doubles": (
        [{"sort": {"by": ["amount desc", "ratio"]}}],
        ordered(("amount", True, False), ("ratio", False, True)),
    ),
    "unpivot": ([{"unpivot": {"columns": ["day", "until"], "name": "name", "value": "value"}}], unpivoted(["day", "until"])),
    "unpivot with NULLs": (
        [{"unpivot": {"columns": ["until", "day"], "name": "name", "value": "value", "keep_nulls": True}}],
        unpivoted(["until", "day"], True),
    ),
    "unpivot to text": (
        [{"unpivot": {"columns": ["small", "text"], "name": "name", "value": "value", "type": "string"}}],
        unpivoted(["small", "text"], text=str),
    ),
    "numbers": ([{"surrogate_key": {"as": "key"}}], lambda rows: [{**row, "key": at} for at, row in enumerate(rows, 1)]),
    "numbers of what is left": (
        [{"filter": "flag"}, {"surrogate_key": {"as": "key", "start": -3}}],
        lambda rows: [{**row, "key": at - 3} for at, row in enumerate(r for r in rows if r["flag"])],
    ),
}

# Groups and windows: DuckDB says what is expected. Its `n` is the order of the rows.

GROUP_STEPS = {
    "aggregate": (
        [
            {
                "aggregate": {
                    "by": ["city", "flag"],
                    "columns": {
                        "rows": "count(*)",
                        "known": "count(small)",
                        "total": "sum(small)",
                        "money": "sum(amount)",
                        "mean": "avg(small)",
                    },
                }
            }
        ],
        "select city, flag, count(*) as rows, count(small) known, sum(small)::bigint total, sum(amount) money, avg(small) mean from input group by all order by city nulls first, flag nulls first",
    ),
    "aggregate of all": (
        [
            {
                "aggregate": {
                    "columns": {
                        "least": "min(day)",
                        "most": "max(text)",
                        "chosen": "sum(id) FILTER (WHERE flag)",
                        "kinds": "count(distinct city)",
                        "width": "max(small) - min(small)",
                    }
                }
            }
        ],
        "select min(day) least, max(text) most, sum(id) filter (where flag)::bigint chosen, count(distinct city) kinds, max(small) - min(small) width from input",
    ),
    "aggregate of nothing": (
        [{"filter": "id < 0"}, {"aggregate": {"by": "city", "columns": {"rows": "count(*)"}}}],
        "select city, count(*) as rows from input where id < 0 group by city",
    ),
    "aggregate by a day": (
        [{"aggregate": {"by": "day", "columns": {"rows": "count(*)", "spread": "stddev(small)"}}}],
        "select day, count(*) as rows, stddev_samp(small) spread from input group by day order by day nulls first",
    ),
    "pivot": (
        [
            {
                "pivot": {
                    "column": "city",
                    "values": ["Rome", "", "Paris", None],
                    "by": "flag",
                    "aggregate": "sum(id)",
                    "prefix": "of ",
                }
            }
        ],
        """select flag, sum(id) filter (where city = 'Rome')::bigint "of Rome", sum(id) filter (where city = '')::bigint "of ",
        sum(id) filter (where city = 'Paris')::bigint "of Paris", sum(id) filter (where city is null)::bigint "of null"
        from input group by flag order by flag nulls first""",
    ),
    "pivot counts": (
        [{"pivot": {"column": "flag", "values": [True, False], "by": ["city"], "aggregate": "count(*)"}}],
        """select city, count(*) filter (where flag) "true", count(*) filter (where not flag) "false" from input group by city order by city nulls first""",
    ),
    "pivot of all": (
        [{"pivot": {"column": "small", "values": [0, 5], "aggregate": "max(day)", "prefix": "d"}}],
        "select max(day) filter (where small = 0) d0, max(day) filter (where small = 5) d5 from input",
    ),
    "window": (
        [
            {
                "window": {
                    "columns": {
                        "before": "lag(small) OVER (PARTITION BY city ORDER BY __row)",
                        "after": "lead(id, 2) OVER (ORDER BY __row)",
                        "running": "sum(amount) OVER (PARTITION BY flag ORDER BY __row)",
                        "rolling": "max(small) OVER (ORDER BY __row ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)",
                        "place": "row_number() OVER (PARTITION BY city ORDER BY small DESC, __row)",
                        "share": "dense_rank() OVER (ORDER BY city)",
                    }
                }
            }
        ],
        """select * exclude (n), lag(small) over (partition by city order by n) "before", lead(id, 2) over (order by n) "after",
        sum(amount) over (partition by flag order by n) running, max(small) over (order by n rows 3 preceding) rolling,
        row_number() over (partition by city order by small desc nulls last, n) place, dense_rank() over (order by city nulls first) share
        from input order by n""",
    ),
    "sql of all rows": (
        [
            {
                "sql": "SELECT city, max(amount) AS most, count(*) AS rows FROM input WHERE flag GROUP BY city HAVING count(*) > 1 ORDER BY rows DESC, city"
            }
        ],
        "select city, max(amount) most, count(*) as rows from input where flag group by city having count(*) > 1 order by rows desc, city nulls first",
    ),
    "sql with a data set": (
        [
            {
                "sql": "SELECT i.id, c.name FROM input i JOIN cities c ON i.city = c.code WHERE i.id IN (SELECT max(id) FROM input GROUP BY flag) OR c.level = 1 ORDER BY i.id, c.name"
            }
        ],
        "select i.id, c.name from input i, cities c where i.city = c.code and (c.level = 1 or i.id in (select max(id) from input group by flag)) order by 1, 2 nulls first",
    ),
    "two whole steps": (
        [
            {"aggregate": {"by": ["city", "small"], "columns": {"rows": "count(*)"}}},
            {"filter": "rows > 1"},
            {"aggregate": {"by": "city", "columns": {"kinds": "count(*)", "rows": "sum(rows)"}}},
        ],
        "select city, count(*) kinds, sum(r)::bigint as rows from (select city, small, count(*) r from input group by all having r > 1) group by city order by city nulls first",
    ),
}

# Another data set, with keys that are there twice and keys that are NULL.

CITIES = [
    {"code": "Rome", "level": 1, "whole": 5, "exact": Decimal("5.00"), "name": "Roma"},
    {"code": "Oslo", "level": 2, "whole": 0, "exact": Decimal("-1.00"), "name": None},
    {"code": "Rome", "level": 3, "whole": -1, "exact": Decimal("0.50"), "name": "Rom"},
    {"code": None, "level": 4, "whole": None, "exact": None, "name": "nowhere"},
    {"code": "Paris", "level": 5, "whole": 100, "exact": Decimal("100.00"), "name": "Paris"},
    {"code": "", "level": 6, "whole": 5, "exact": Decimal("5.00"), "name": "empty"},
    {"code": "Bonn", "level": 7, "whole": 2**40, "exact": Decimal("0.00"), "name": "Bonn"},
    {"code": "ROME", "level": 8, "whole": 1, "exact": Decimal("1.00"), "name": "capital"},
]
CITY_TYPES = {"code": "string", "level": "int", "whole": "bigint", "exact": "decimal(10,2)", "name": "string"}
TABLE = arrow(CITIES, CITY_TYPES, number=None)


def joined(keys, kind, columns):
    """Nested loops: rows in the order of the input, matches in the order of the data set, what is left over by its keys."""

    def expected(rows):
        out, used = [], set()
        for row in rows:
            key = by_value([row[name] for name in keys])
            matches = [
                at
                for at, other in enumerate(CITIES)
                if key is not None and by_value([other[name] for name in keys.values()]) == key
            ]
            used.update(matches)
            if kind in ("semi", "anti"):
                out += [row] if bool(matches) == (kind == "semi") else []
                continue
            out += [{**row, **{new: CITIES[at][name] for name, new in columns.items()}} for at in matches]
            if not matches and kind in ("left", "full"):
                out.append({**row, **dict.fromkeys(columns.values())})
        if kind in ("right", "full"):
            alone = [other for at, other in enumerate(CITIES) if at not in used]
            for other in sorted(alone, key=sort_key(*keys.values())):
                row = {**dict.fromkeys(NAMES), **{mine: other[theirs] for mine, theirs in keys.items()}}
                out.append({**row, **{new: other[name] for name, new in columns.items()}})
        return out

    return expected


def join(step, kind, on, columns=None):
    names = columns or {name: name for name in CITY_TYPES if name not in on.values()}
    parameters = {"source": "cities", "on": on, "kind": kind} | ({"columns": columns} if columns else {})
    return [{step: parameters}], joined(on, kind, names if kind not in ("semi", "anti") else {})


JOINS = {
    **{f"lookup {kind}": join("lookup", kind, {"city": "code"}) for kind in ("left", "inner", "semi", "anti")},
    **{f"join {kind}": join("join", kind, {"city": "code"}) for kind in ("inner", "left", "right", "full", "semi", "anti")},
    "lookup of chosen columns": join("lookup", "left", {"city": "code"}, {"name": "local name", "level": "rank"}),
    "lookup by int and bigint": join("lookup", "left", {"small": "whole"}, {"name": "name", "code": "their code"}),
    "lookup by bigint and int": join("lookup", "inner", {"big": "level"}, {"name": "name", "code": "their code"}),
    "lookup by decimal and bigint": join("lookup", "left", {"amount": "whole"}, {"name": "name", "code": "their code"}),
    "lookup by int and decimal": join("lookup", "inner", {"small": "exact"}, {"name": "name", "code": "their code"}),
    "lookup by two keys": join("lookup", "left", {"city": "code", "small": "whole"}),
    "join by two keys": join("join", "inner", {"city": "code", "small": "exact"}),
    "join full by two keys": join("join", "full", {"city": "code", "amount": "exact"}, {"name": "name"}),
}

MORE = [
    {"small": 7, "id": 2**40, "name": "x", "city": "Rome"},
    {"small": None, "id": None, "name": None, "city": None},
    {"small": 2**40, "id": 1, "name": "y", "city": ""},
    {"small": 7, "id": 2**40, "name": "x", "city": "Rome"},
]
MORE_TYPES = {"small": "bigint", "id": "bigint", "name": "string", "city": "string"}


def test_union(tmp_path):
    rows = [{"id": row["id"], "small": row["small"], "city": row["city"]} for row in ROWS]
    types = {name: TYPES[name] for name in rows[0]}
    out = transform(tmp_path, [{"union": {"source": "more"}}], rows, types, {"more": arrow(MORE, MORE_TYPES, None)})
    same_rows(
        out.rows,
        [{**row, "name": None} for row in rows]
        + [{name: row[name] for name in ("id", "small", "city", "name")} for row in MORE],
    )


def test_union_distinct(tmp_path):
    rows = [{"city": row["city"], "small": row["small"]} for row in ROWS]
    types = {"city": "string", "small": "int"}
    steps = [{"union": {"source": "more", "distinct": True}}]
    out = transform(tmp_path, steps, rows, types, {"more": arrow(MORE, {"small": "bigint", "city": "string"}, None)})
    same_rows(out.rows, kept(["city", "small"])(rows + [{"city": row["city"], "small": row["small"]} for row in MORE]))


def test_union_of_decimals(tmp_path):
    other = pa.table(
        {"amount": pa.array([Decimal("1.125"), None], pa.decimal128(10, 3)), "ratio": pa.array([1, 2], pa.int32())}
    )
    rows = [{"amount": row["amount"], "ratio": row["ratio"]} for row in ROWS]
    out = transform(
        tmp_path, [{"union": {"source": "more"}}], rows, {"amount": "decimal(12,2)", "ratio": "double"}, {"more": other}
    )
    same_rows(out.rows, rows + [{"amount": Decimal("1.125"), "ratio": 1.0}, {"amount": None, "ratio": 2.0}])


CASES = cases({"rows": ROW_STEPS, "groups": GROUP_STEPS, "joins": JOINS}, {})


@pytest.mark.parametrize(("steps", "expected"), CASES.values())
def test_step(tmp_path, steps, expected):
    rows = query(expected, ROWS, cities=TABLE) if isinstance(expected, str) else expected(ROWS)
    same_rows(transform(tmp_path, steps, ROWS, sources={"cities": TABLE}).rows, rows)


def test_numbers_of_rows_are_bigint(tmp_path):
    """Wherever they are made, and in what is reckoned with them."""
    numbers = {"row_number()": 1, "rank()": 1, "dense_rank()": 1, "ntile(3)": 1}
    columns = {f"{name[:4]}{minus}": f"{name} OVER (ORDER BY id) - {minus}" for name in numbers for minus in (0, 5)}
    steps = [{"filter": "id > 0"}, {"window": {"columns": columns}}]
    steps += [{"sql": "SELECT *, ntile(2) OVER (ORDER BY id) + 1 AS half FROM input"}, {"surrogate_key": {"as": "key", "start": -1}}]
    out = transform(tmp_path, steps, ROWS[:1])
    same_rows(out.rows, [ROWS[0] | {name: 1 - int(name[-1]) for name in columns} | {"half": 2, "key": -1}])
    types = pq.ParquetFile(out.report["commit"]["files"][0]).schema_arrow
    assert {types.field(name).type for name in [*columns, "half", "key"]} == {pa.int64()}


def test_bins_of_equal_size(tmp_path):
    steps = [
        {"bin": {"column": "id", "as": "third", "quantiles": 3}},
        {"bin": {"column": "small", "as": "part", "quantiles": 4, "labels": list("abcd")}},
    ]
    out = transform(tmp_path, steps, ROWS)
    thirds = [row["third"] for row in out.rows]
    assert thirds == sorted(thirds) and {thirds.count(third) for third in set(thirds)} == {100}
    parts = {}
    for row in sorted((row for row in out.rows if row["small"] is not None), key=lambda row: row["small"]):
        parts.setdefault(row["small"], set()).add(row["part"])
    assert all(len(labels) == 1 for labels in parts.values()), "equal numbers are in one range"
    labels = [next(iter(labels)) for labels in parts.values()]
    assert labels == sorted(labels) and set(labels) <= set("abcd")
    assert {row["part"] for row in out.rows if row["small"] is None} == {None}
    same_rows([{name: row[name] for name in NAMES} for row in out.rows], ROWS)
