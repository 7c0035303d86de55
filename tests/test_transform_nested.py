"""Steps over JSON texts and tables beside the main one: each on random documents beside Python's reading of them."""

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from transforms import DATE, Row, job_of, misfit, published, random_rows, reconciled, run, same_rows, transform

TYPES = {"id": "bigint", "doc": "string", "note": "string"}
NAMES = ["Ada", "", "Łódź 😀", 'say "hi"', "tab\there", "new\nline", "back\\slash", "\u2028", None]


def document(chance: random.Random) -> dict[str, Any]:
    doc: dict[str, Any] = {"user": {"name": chance.choice(NAMES), "address": {"zip": chance.choice(["00127", "1", None])}}}
    doc["count"] = chance.choice([0, -1, 2**63 - 1, -(2**63), 42, None])
    doc["total"] = Decimal(chance.randrange(-(10**6), 10**6)) / 100
    doc["ratio"] = chance.choice([0.1, 1e300, -2.5, 3, None])
    doc["paid"] = chance.choice([True, False, None])
    doc["day"] = chance.choice(["2024-02-29", "1999-12-31", None])
    doc["a.b"] = chance.choice(["dotted", None])
    doc["tags"] = chance.choice([[], ["x"], ["a", None, "é", "a"], None])
    doc["items"] = [
        {"sku": f"s{n}", "n": chance.randrange(9), "deep": {"x": chance.choice([1.5, None])}}
        for n in range(chance.randrange(4))
    ]
    if chance.random() < 0.2:
        doc["user"] = chance.choice([None, {}])
    for name in list(doc):
        if chance.random() < 0.15:
            del doc[name]
    return doc


def written(doc: Any, chance: random.Random) -> str:
    """JSON in one of the forms that are the same to a reader."""
    numbers: dict[str, str] = {}

    def default(value: Decimal) -> str:
        numbers[f"<<{value}>>"] = str(value)
        return f"<<{value}>>"

    text = json.dumps(doc, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, None, 1]), default=default)
    for mark, number in numbers.items():
        text = text.replace(f'"{mark}"', number)
    return text


def documents(count: int = 250) -> tuple[list[Row], list[Any]]:
    chance = random.Random(41)
    docs = [None if chance.random() < 0.1 else document(chance) for _ in range(count)]
    rows = [
        {"id": at, "doc": None if doc is None else written(doc, chance), "note": chance.choice(["n", None])}
        for at, doc in enumerate(docs)
    ]
    return rows, docs


ROWS, DOCS = documents()


def at(doc: Any, *path: str) -> Any:
    for key in path:
        doc = doc.get(key) if isinstance(doc, dict) else None
    return doc


def date(text: str | None) -> DATE | None:
    return None if text is None else DATE.fromisoformat(text)


def real(number: Any) -> float | None:
    return None if number is None else float(number)


FIELDS = {"user.name": "string", "user.address.zip": "string", "count": "long", "total": "decimal(8,2)", "ratio": "double"}
FIELDS |= {"paid": "boolean", "day": "date", "`a.b`": "string"}


def unboxed(doc: Any, prefix: str = "doc.") -> Row:
    values = [
        at(doc, "user", "name"),
        at(doc, "user", "address", "zip"),
        at(doc, "count"),
        at(doc, "total"),
        real(at(doc, "ratio")),
    ]
    values += [at(doc, "paid"), date(at(doc, "day")), at(doc, "a.b")]
    return dict(zip([prefix + name.strip("`") for name in FIELDS], values))


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def test_unbox(tmp_path):
    out = transform(tmp_path, [{"unbox": {"column": "doc", "fields": FIELDS}}], ROWS, TYPES)
    same_rows(out.rows, [without(row, "doc") | unboxed(doc) for row, doc in zip(ROWS, DOCS)])


def test_unbox_beside_the_text(tmp_path):
    steps = [{"unbox": {"column": "doc", "format": "json", "fields": FIELDS, "prefix": "", "keep": True}}]
    out = transform(tmp_path, steps, ROWS, TYPES)
    same_rows(out.rows, [row | unboxed(doc, "") for row, doc in zip(ROWS, DOCS)])


def test_unbox_parts_as_json(tmp_path):
    out = transform(
        tmp_path,
        [{"unbox": {"column": "doc", "fields": {"items": "string", "user": "string", "total": "string"}}}],
        ROWS,
        TYPES,
    )
    for row, doc in zip(out.rows, DOCS, strict=True):
        for name in ("items", "user"):
            value = at(doc, name)
            assert (row[f"doc.{name}"] is None) == (value is None), row
            assert value is None or json.loads(row[f"doc.{name}"]) == value
        total = at(doc, "total")
        assert row["doc.total"] == (None if total is None else str(total))


# Values that do not fit: (JSON, type).
MISFITS = [
    ("1.5", "long"),
    ("9223372036854775808", "long"),
    ("1.505", "decimal(8,2)"),
    ("1234567.5", "decimal(8,2)"),
    ('"x"', "long"),
    ('"maybe"', "boolean"),
]
MISFITS += [("[1]", "long"), ('{"a": 1}', "double"), ('"2023-02-29"', "date"), ("2147483648", "int"), ("1e400", "double")]
FITS = [
    ('"12"', "long", 12),
    ('"true"', "boolean", True),
    ('"1.50"', "decimal(8,2)", Decimal("1.50")),
    ("7", "double", 7.0),
    ("12345", "string", "12345"),
    ("1.50", "string", "1.50"),
]
FITS += [
    ("true", "string", "true"),
    ("100", "decimal(8,2)", Decimal("100.00")),
    ("null", "long", None),
    ('"\\u00e9\\ud83d\\ude00"', "string", "é😀"),
]


def one_value(value: str, name: str = "v") -> list[Row]:
    return [{"id": 1, "doc": f'{{"{name}": {value}}}', "note": None}]


def test_values_that_fit(tmp_path):
    fields = {f"v{n}": kind for n, (_, kind, _) in enumerate(FITS)}
    text = "{" + ", ".join(f'"v{n}": {value}' for n, (value, _, _) in enumerate(FITS)) + "}"
    out = transform(
        tmp_path, [{"unbox": {"column": "doc", "fields": fields, "prefix": ""}}], [{"id": 1, "doc": text, "note": None}], TYPES
    )
    same_rows(out.rows, [{"id": 1, "note": None} | {f"v{n}": value for n, (_, _, value) in enumerate(FITS)}])


def test_values_that_do_not_fit_become_null_where_told(tmp_path):
    fields = {f"v{n}": kind for n, (_, kind) in enumerate(MISFITS)}
    text = "{" + ", ".join(f'"v{n}": {value}' for n, (value, _) in enumerate(MISFITS)) + "}"
    rows = [{"id": 1, "doc": text, "note": None}, {"id": 2, "doc": "{not JSON", "note": None}]
    out = transform(tmp_path, [{"unbox": {"column": "doc", "fields": fields, "prefix": "", "on_error": "null"}}], rows, TYPES)
    same_rows(out.rows, [{"id": number, "note": None} | dict.fromkeys(fields) for number in (1, 2)])


@pytest.mark.parametrize(("value", "kind"), [*MISFITS[:4], MISFITS[8]])
def test_values_that_do_not_fit_fail(tmp_path, value, kind):
    job = job_of(tmp_path, [{"filter": "id > 0"}, {"unbox": {"column": "doc", "fields": {"v": kind}}}], one_value(value), TYPES)
    type_ = {"long": "bigint"}.get(kind, kind)
    [reason] = misfit(tmp_path, job)
    assert reason.startswith(f"`doc`: a value for `doc.v` does not fit {type_};") and "step: 2 (`unbox`)" in reason, reason
    assert value.strip('"') not in reason


def exploded(value, index=None, outer=False, name="doc"):
    def expected(rows, docs):
        out = []
        for row, doc in zip(rows, docs):
            elements = list(enumerate(doc or []))
            if not elements and outer:
                elements = [(None, None)]
            for place, element in elements:
                made = {
                    (name if key == "doc" else key): (
                        value(element) if key == "doc" and element is not None else None if key == "doc" else old
                    )
                    for key, old in row.items()
                }
                out.append(made | ({index: place} if index else {}))
        return out

    return expected


def arrays(element, count=150):
    chance = random.Random(43)
    docs = [None if chance.random() < 0.1 else [element(chance) for _ in range(chance.randrange(4))] for _ in range(count)]
    return [
        {"id": at, "doc": None if doc is None else written(doc, chance), "note": chance.choice(["n", None])}
        for at, doc in enumerate(docs)
    ], docs


def test_flatten(tmp_path):
    rows, docs = arrays(lambda chance: chance.choice(["a", "é", "", None, 'q"']))
    out = transform(tmp_path, [{"flatten": {"column": "doc"}}], rows, TYPES)
    same_rows(out.rows, exploded(str)(rows, docs))


def test_flatten_numbers_with_their_places(tmp_path):
    rows, docs = arrays(lambda chance: chance.choice([1, -(2**63), None, 0]))
    steps = [{"flatten": {"column": "doc", "as": "number", "type": "long", "index": "place", "outer": True}}]
    out = transform(tmp_path, steps, rows, TYPES)
    same_rows(out.rows, exploded(int, "place", True, "number")(rows, docs))


def test_flatten_objects_and_unbox_them(tmp_path):
    rows, docs = arrays(lambda chance: {"x": {"y": chance.choice([1, None])}, "z": chance.choice(["z", None])})
    steps = [
        {"flatten": {"column": "doc", "as": "item", "index": "place"}},
        {"unbox": {"column": "item", "fields": {"x.y": "int", "z": "string"}}},
    ]
    out = transform(tmp_path, steps, rows, TYPES)
    expected = exploded(lambda x: x, "place", name="item")(rows, docs)
    same_rows(
        out.rows, [without(row, "item") | {"item.x.y": row["item"]["x"]["y"], "item.z": row["item"]["z"]} for row in expected]
    )


def test_flatten_what_is_no_array(tmp_path):
    rows = [{"id": at, "doc": text, "note": None} for at, text in enumerate(['{"a": 1}', "[1", "7", '["x", 2]', "", "[3]"])]
    steps = [{"flatten": {"column": "doc", "type": "int", "outer": True, "on_error": "null"}}]
    out = transform(tmp_path, steps, rows, TYPES)
    found = [(row["id"], row["doc"]) for row in out.rows]
    assert found == [(0, None), (1, None), (2, None), (3, None), (3, 2), (4, None), (5, 3)]
    job = job_of(tmp_path, [{"flatten": {"column": "doc"}}], rows, TYPES)
    [reason] = misfit(tmp_path, job)
    assert "`doc` holds JSON that is not an array" in reason and "step: 1 (`flatten`)" in reason


def test_relationalize(tmp_path):
    children = {
        "items": {"path": "items", "key": "id", "fields": {"sku": "string", "n": "int", "deep.x": "double"}},
        "tags": {"path": "tags", "key": ["id", "note"], "type": "string"},
    }
    steps = [
        {"filter": "id % 7 <> 0"},
        {
            "relationalize": {
                "column": "doc",
                "fields": {"user.name": "string", "total": "decimal(8,2)"},
                "prefix": "d_",
                "children": children,
            }
        },
    ]
    out = transform(tmp_path, steps, ROWS, TYPES)
    pairs = [(row, doc) for row, doc in zip(ROWS, DOCS) if row["id"] % 7]
    same_rows(
        out.rows,
        [without(row, "doc") | {"d_user.name": at(doc, "user", "name"), "d_total": at(doc, "total")} for row, doc in pairs],
    )
    items = [
        {"id": row["id"], "index": place, "sku": item["sku"], "n": item["n"], "deep.x": item["deep"]["x"]}
        for row, doc in pairs
        for place, item in enumerate(at(doc, "items") or [])
    ]
    same_rows(out.tables["items"], items)
    tags = [
        {"id": row["id"], "note": row["note"], "value": tag, "index": place}
        for row, doc in pairs
        for place, tag in enumerate(at(doc, "tags") or [])
    ]
    same_rows(out.tables["tags"], tags)


def test_relationalize_arrays(tmp_path):
    rows, docs = arrays(lambda chance: chance.choice([1, 2, None]))
    steps = [{"relationalize": {"column": "doc", "children": {"numbers": {"key": "id", "type": "long"}}}}]
    out = transform(tmp_path, steps, rows, TYPES)
    same_rows(out.rows, [without(row, "doc") for row in rows])
    same_rows(
        out.tables["numbers"],
        [
            {"id": row["id"], "value": value, "index": place}
            for row, doc in zip(rows, docs)
            for place, value in enumerate(doc or [])
        ],
    )


# Columns put together.

COLUMNS = ["text", "amount", "small", "big", "ratio", "flag", "day", "at"]


def json_value(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def test_nest(tmp_path):
    rows = random_rows(47)
    steps = [
        {"nest": {"columns": COLUMNS, "as": "object", "keep": True}},
        {"nest": {"columns": ["text", "amount", "flag"], "as": "array", "to": "array"}},
    ]
    out = transform(tmp_path, steps, rows)
    for found, row in zip(out.rows, rows, strict=True):
        numbers = json.loads(found["object"], parse_float=Decimal)
        assert list(numbers) == COLUMNS
        for name in ("text", "small", "big", "flag", "day"):
            assert numbers[name] == json_value(row[name]), name
        for name in ("amount", "ratio"):
            assert (None if numbers[name] is None else float(numbers[name])) == (
                None if row[name] is None else float(row[name])
            ), name
        if row["amount"] is not None:
            assert f'"amount":{row["amount"]},' in found["object"]
        if row["at"] is not None:
            assert type(row["at"]).fromisoformat(numbers["at"].removesuffix("Z")) == row["at"]
        assert json.loads(found["array"], parse_float=Decimal) == [row["text"], row["amount"], row["flag"]]
    assert [name for name in out.columns if name not in ("object", "array")] == [
        name for name in rows[0] if name not in ("text", "amount", "flag")
    ]


def test_nest_and_unbox_are_inverse(tmp_path):
    rows = random_rows(53)
    kinds = {
        "text": "string",
        "amount": "decimal(12,2)",
        "small": "int",
        "big": "long",
        "ratio": "double",
        "flag": "boolean",
        "day": "date",
        "at": "timestamp",
    }
    steps = [{"nest": {"columns": COLUMNS, "as": "all"}}, {"unbox": {"column": "all", "fields": kinds, "prefix": ""}}]
    out = transform(tmp_path, steps, rows)
    rest = [name for name in rows[0] if name not in COLUMNS]
    same_rows(out.rows, [{name: row[name] for name in [*rest, *kinds]} for row in rows])


# Tables beside the main one.


def test_split_rows(tmp_path):
    rows = random_rows(59)
    steps = [
        {"split_rows": {"where": "small > 0 or city = 'Rome'", "into": "large"}},
        {"split_rows": {"where": "flag", "into": "flagged"}},
        {"derive": {"kept": "id"}},
    ]
    out = transform(tmp_path, steps, rows)
    goes = [row for row in rows if (row["small"] is not None and row["small"] > 0) or row["city"] == "Rome"]
    stays = [row for row in rows if row not in goes]
    same_rows(out.tables["large"], goes)
    same_rows(out.tables["flagged"], [row for row in stays if row["flag"]])
    same_rows(out.rows, [{**row, "kept": row["id"]} for row in stays if not row["flag"]])
    assert out.report["rows"]["filtered"] == len(rows) - len(out.rows)


def test_split_fields(tmp_path):
    rows = random_rows(61)
    steps = [
        {"split_fields": {"columns": ["text", "day"], "into": "texts", "key": "id"}},
        {"filter": "flag"},
        {"split_fields": {"columns": "at", "into": "times"}},
    ]
    out = transform(tmp_path, steps, rows)
    flagged = [row for row in rows if row["flag"]]
    same_rows(out.tables["texts"], [{name: row[name] for name in ("id", "text", "day")} for row in rows])
    same_rows(out.tables["times"], [{"at": row["at"]} for row in flagged])
    same_rows(out.rows, [without(row, "text", "day", "at") for row in flagged])


def test_an_empty_table_is_published_too(tmp_path):
    job = job_of(tmp_path, [{"split_rows": {"where": "id < 0", "into": "none"}}], ROWS[:5], TYPES)
    result = run("run", job, "--json")
    assert result.code == 0, result.err
    out = published(result.json)
    reconciled(out)
    assert out.tables == {"none": []} and len(out.rows) == 5
