"""Steps over fields and types: each on random rows beside what its page says, written in Python."""

import math
from decimal import Decimal, InvalidOperation

import pytest
from transforms import DATE, STAMP, TYPES, cases, each, on, pick, put, random_rows, rounded, same_rows, spark_text, transform

ROWS = random_rows(11)
NAMES = list(TYPES)


# Casts, as Spark does them with ANSI mode off.


def wrapped(number, bits):
    half = 1 << (bits - 1)
    return (number + half) % (1 << bits) - half


def text_to_long(text, bits=64):
    text = text.strip(" \t\n")
    whole, _, fraction = text.partition(".")
    if not (whole.lstrip("+-").isdecimal() and whole.isascii()) or (fraction and not fraction.isdecimal()):
        return None
    return int(whole) if wrapped(int(whole), bits) == int(whole) else None


def text_to_decimal(text):
    try:
        return rounded(Decimal(text.strip()))
    except InvalidOperation:
        return None


def text_to_double(text):
    try:
        return float(text.strip(" \t\n"))
    except ValueError:
        return None


def text_to_boolean(text):
    return {"true": True, "00": None, "1": True, "0": False}.get(text.strip())


def double_to_whole(number, bits):
    half = 1 << (bits - 1)
    return max(-half, min(half - 1, math.trunc(number)))


def cast(kind, **values):
    return [{"cast": {"columns": dict.fromkeys(values, kind)}}], put(
        **{name: on(name, value) for name, value in values.items()}
    )


CASTS = {
    "to bigint": cast(
        "bigint",
        small=int,
        amount=int,
        ratio=lambda x: double_to_whole(x, 64),
        flag=int,
        text=text_to_long,
        at=lambda x: math.floor((x - STAMP(1970, 1, 1)).total_seconds()),
    ),
    "to int": cast(
        "int",
        big=lambda x: wrapped(x, 32),
        ratio=lambda x: double_to_whole(x, 32),
        text=lambda x: text_to_long(x, 32),
        flag=int,
    ),
    "to double": cast("double", small=float, big=float, amount=float, text=text_to_double, flag=float),
    "to decimal": cast(
        "decimal(12,2)",
        small=rounded,
        big=lambda x: rounded(x) if abs(x) < 10**10 else None,
        text=text_to_decimal,
    ),
    "decimals beyond int": cast("int", amount=lambda x: wrapped(int(x), 32)),
    "doubles to decimal": cast("decimal(12,2)", ratio=lambda x: rounded(repr(x)) if abs(x) < 10**10 else None),
    "to a narrower decimal": cast("decimal(8,1)", amount=lambda x: rounded(x, "0.1", 9)),
    "to boolean": cast("boolean", small=bool, big=bool, amount=bool, ratio=bool, text=text_to_boolean),
    "to string": cast("string", small=str, big=str, amount=str, ratio=spark_text, flag=spark_text, day=str, at=spark_text),
    "to timestamp": cast("timestamp", day=lambda x: STAMP(x.year, x.month, x.day)),
    "to date": cast("date", at=lambda x: x.date(), text=lambda x: DATE(2024, 2, 29) if x == "2024-02-29" else None),
}

# Fields.

FIELDS = {
    "select": ([{"select_fields": ["text", "id", "day"]}], pick("text", "id", "day")),
    "select one": ([{"select_fields": "amount"}], pick("amount")),
    "drop": ([{"drop_fields": ["id", "at"]}], pick(*(name for name in NAMES if name not in ("id", "at")))),
    "rename": (
        [{"rename_fields": {"small": "große Zahl", "id": "small"}}],
        each(lambda row: {{"small": "große Zahl", "id": "small"}.get(k, k): v for k, v in row.items()}),
    ),
    "duplicate": ([{"duplicate_field": {"column": "text", "as": "copy"}}], put(copy=lambda row: row["text"])),
    "move to start": (
        [{"move_fields": {"columns": ["day", "big"], "to": "start"}}],
        pick("day", "big", *(n for n in NAMES if n not in ("day", "big"))),
    ),
    "move to end": ([{"move_fields": {"columns": "id", "to": "end"}}], pick(*NAMES[1:], "id")),
    "move before": ([{"move_fields": {"columns": ["end", "id"], "before": "big"}}], pick("small", "end", "id", *NAMES[2:-1])),
    "move after": ([{"move_fields": {"columns": ["id"], "after": "end"}}], pick(*NAMES[1:], "id")),
    "apply mapping": (
        [{"apply_mapping": [{"from": "text", "to": "n", "type": "long"}, ["small", "int", "s", "string"], {"from": "id"}]}],
        each(lambda row: {"n": on("text", text_to_long)(row), "s": on("small", str)(row), "id": row["id"]}),
    ),
    "resolve choice": (
        [
            {
                "resolve_choice": {
                    "specs": {
                        "code": "project:string",
                        "text": {"make_cols": ["long", "double", "string"]},
                        "city": "match_catalog",
                    },
                    "catalog": {"city": "int"},
                }
            }
        ],
        lambda rows: [made_columns(row) for row in rows],
    ),
    "derive": (
        [{"derive": {"sum": "small + id", "small": "coalesce(small, -1)", "low": "lower(city)", "kept": "nullif(city, '')"}}],
        put(
            sum=lambda row: None if row["small"] is None else row["small"] + row["id"],
            small=lambda row: -1 if row["small"] is None else row["small"],
            low=on("city", str.lower),
            kept=lambda row: row["city"] or None,
        ),
    ),
    "filter": (
        [{"filter": "small > 0 and city <> 'Rome'"}],
        lambda rows: [row for row in rows if (row["small"] or 0) > 0 and row["city"] not in (None, "Rome")],
    ),
    "filter: NULLs and unicode": (
        [{"filter": "city is null or city = 'Łódź' or text like '%é%'"}],
        lambda rows: [r for r in rows if r["city"] in (None, "Łódź") or "é" in (r["text"] or "")],
    ),
    "release": ([{"release": {"columns": "id", "because": "a number names nobody"}}], lambda rows: rows),
    "sql of a batch": (
        [{"sql": "SELECT id, small * 2 AS twice FROM input WHERE flag"}],
        lambda rows: [{"id": r["id"], "twice": on("small", lambda x: x * 2)(r)} for r in rows if r["flag"]],
    ),
}


def made_columns(row):
    made = {}
    for name, value in row.items():
        if name == "text":
            long = None if value is None or "." in value else text_to_long(value)
            double = None if value is None or long is not None else text_to_double(value)
            made |= {
                "text_long": long,
                "text_double": double,
                "text_string": None if long is not None or double is not None else value,
            }
        else:
            made[name] = None if name == "city" else value
    return made


WRONG: dict[str, str] = {}
CASES = cases({"cast": CASTS, "fields": FIELDS}, WRONG)


@pytest.mark.parametrize(("steps", "expected"), CASES.values())
def test_step(tmp_path, steps, expected):
    same_rows(transform(tmp_path, steps, ROWS).rows, expected(ROWS))
