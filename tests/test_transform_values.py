"""Steps over numbers and missing values: each on random rows beside what its page says, written in Python."""

import math
from collections import Counter
from decimal import Decimal
from statistics import mean, median, stdev

import pytest
from transforms import DATE, STAMP, cases, job_of, misfit, on, put, random_rows, same_rows, transform

ROWS = random_rows(12)


UNITS = [
    ("km", "mi", lambda x: x / 1.609344),
    ("F", "C", lambda x: (x - 32) * 5 / 9),
    ("C", "K", lambda x: x + 273.15),
    ("lb", "kg", lambda x: x * 0.45359237),
]
UNITS += [
    ("gal", "l", lambda x: x * 3.785411784),
    ("acre", "m2", lambda x: x * 4046.8564224),
    ("kn", "km/h", lambda x: x * 1.852),
    ("GiB", "MB", lambda x: x * 1073.741824),
]
UNITS += [
    ("ft", "m", lambda x: x * 0.3048),
    ("oz", "g", lambda x: x * 28.349523125),
    ("mph", "m/s", lambda x: x * 0.44704),
    ("B", "bit", lambda x: x * 8),
]


def in_range(bounds, labels, value):
    for at, label in enumerate(labels):
        last = at == len(labels) - 1
        if bounds[at] <= value < bounds[at + 1] or (last and value == bounds[at + 1]):
            return label
    return None


def filled(name, value):
    return put(**{name: lambda row: value if row[name] is None else row[name]})


def from_column(name, value):
    return lambda rows: filled(name, value([row[name] for row in rows if row[name] is not None]))(rows)


def most_common(values):
    counts = Counter(values)
    return min(value for value in counts if counts[value] == max(counts.values()))


def half_up(number):
    return math.copysign(math.floor(abs(number) + 0.5), number)


def nearby(name, rows):
    made, last = [], None
    for row in rows:
        last = last if row[name] is None else row[name]
        made.append({**row, name: last})
    return made


def fill(column, **how):
    return [{"fill_missing": {"columns": column, **how}}]


FILLS = {
    "a text": (fill("city", value="none"), filled("city", "none")),
    "empty texts too": (fill("city", value="none", empty=True), put(city=lambda row: row["city"] or "none")),
    "a number": (fill(["small", "id"], value=-1), filled("small", -1)),
    "a decimal": (fill("amount", value=1.5), filled("amount", Decimal("1.50"))),
    "a date": (fill("day", value="2024-02-29"), filled("day", DATE(2024, 2, 29))),
    "a timestamp": (fill("at", value="2024-02-29T01:02:03"), filled("at", STAMP(2024, 2, 29, 1, 2, 3))),
    "false": (fill("flag", value=False), filled("flag", False)),
    "mean of doubles": (fill("ratio", **{"with": "mean"}), from_column("ratio", mean)),
    "mean of whole numbers": (fill("small", **{"with": "mean"}), from_column("small", lambda x: int(half_up(mean(x))))),
    "median of whole numbers": (fill("small", **{"with": "median"}), from_column("small", lambda x: int(half_up(median(x))))),
    "least": (fill("day", **{"with": "min"}), from_column("day", min)),
    "least text": (fill("text", **{"with": "min"}), from_column("text", min)),
    "greatest": (fill("amount", **{"with": "max"}), from_column("amount", max)),
    "sum": (fill("small", **{"with": "sum"}), from_column("small", sum)),
    "sum of decimals": (
        [{"cast": {"columns": {"amount": "decimal(20,2)"}}}, *fill("amount", **{"with": "sum"})],
        from_column("amount", sum),
    ),
    "most common": (fill("city", **{"with": "most_common"}), from_column("city", most_common)),
    "most common number": (fill("small", **{"with": "most_common"}), from_column("small", most_common)),
    "last valid": (fill("text", **{"with": "last_valid"}), lambda rows: nearby("text", rows)),
    "next valid": (fill("amount", **{"with": "next_valid"}), lambda rows: nearby("amount", rows[::-1])[::-1]),
}


def scaled(name, method, low=0.0, high=1.0):
    def change(rows):
        values = [float(row[name]) for row in rows if row[name] is not None]
        least, most = min(values), max(values)
        base = least if method == "min_max" else mean(values)
        width = stdev(values) if method == "z_score" else most - least
        factor = high - low if method == "min_max" else 1.0
        shift = low if method == "min_max" else 0.0
        return put(scaled=on(name, lambda x: (float(x) - base) / width * factor + shift))(rows)

    return change


def quartiles(values):
    values = sorted(map(float, values))

    def at(share):
        place = share * (len(values) - 1)
        low = math.floor(place)
        high = min(low + 1, len(values) - 1)
        return values[low] + (values[high] - values[low]) * (place - low)

    return at(0.25), at(0.75)


def limits(values, method, threshold):
    if method == "iqr":
        first, third = quartiles(values)
        return first - threshold * (third - first), third + threshold * (third - first)
    values = [float(x) for x in values]
    return mean(values) - threshold * stdev(values), mean(values) + threshold * stdev(values)


def outliers(name, method, threshold, change):
    def expected(rows):
        low, high = limits([row[name] for row in rows if row[name] is not None], method, threshold)
        return change(rows, lambda x: x is not None and not low <= float(x) <= high, low, high)

    return expected


def flagged(name, new):
    return lambda rows, is_far, *_: put(**{new: lambda row: is_far(row[name])})(rows)


VALUES = {
    "map": (
        [{"map_values": {"column": "city", "map": {"Rome": "IT", "Oslo": "NO", "": None}}}],
        put(city=on("city", lambda x: {"Rome": "IT", "Oslo": "NO", "": None}.get(x, x))),
    ),
    "map to numbers": (
        [{"map_values": {"column": "city", "map": {"Rome": 1, "Łódź": 2}, "default": 0, "as": "rank"}}],
        put(rank=on("city", lambda x: {"Rome": 1, "Łódź": 2}.get(x, 0))),
    ),
    "map numbers": (
        [{"map_values": {"column": "small", "map": {"0": "none", "5": "five"}, "default": None, "as": "word"}}],
        put(word=on("small", lambda x: {0: "none", 5: "five"}.get(x))),
    ),
    "one hot": (
        [{"one_hot": {"column": "city", "values": ["Rome", "Oslo", "Paris"], "prefix": "is "}}],
        put(**{f"is {v}": lambda row, v=v: int(row["city"] == v) for v in ("Rome", "Oslo", "Paris")}),
    ),
    "one hot of numbers": (
        [{"one_hot": {"column": "small", "values": [0, 5]}}],
        put(small_0=lambda row: int(row["small"] == 0), small_5=lambda row: int(row["small"] == 5)),
    ),
    "bin by bounds": (
        [{"bin": {"column": "small", "as": "range", "bounds": [-100, 0, 5, 100], "labels": ["low", "mid", "high"]}}],
        put(range=on("small", lambda x: in_range([-100, 0, 5, 100], ["low", "mid", "high"], x))),
    ),
    "bin without ends": (
        [{"bin": {"column": "amount", "as": "range", "bounds": [None, -0.01, 1.5, None], "labels": ["a", "b", "c"]}}],
        put(range=on("amount", lambda x: in_range([-math.inf, -0.01, 1.5, math.inf], ["a", "b", "c"], float(x)))),
    ),
    "bin by count": (
        [{"bin": {"column": "small", "as": "range", "count": 4, "min": -100, "max": 100}}],
        put(
            range=on(
                "small", lambda x: in_range([-100, -50, 0, 50, 100], ["[-100, -50)", "[-50, 0)", "[0, 50)", "[50, 100]"], x)
            )
        ),
    ),
    "scale to a range": (
        [{"scale": {"column": "small", "method": "min_max", "min": -5, "max": 10, "as": "scaled"}}],
        scaled("small", "min_max", -5.0, 10.0),
    ),
    "scale by the mean": ([{"scale": {"column": "amount", "method": "mean", "as": "scaled"}}], scaled("amount", "mean")),
    "scale by deviations": ([{"scale": {"column": "small", "method": "z_score", "as": "scaled"}}], scaled("small", "z_score")),
    "outliers flagged": (
        [{"outliers": {"column": "amount", "method": "iqr"}}],
        outliers("amount", "iqr", 1.5, flagged("amount", "amount_outlier")),
    ),
    "outliers by deviations": (
        [{"outliers": {"column": "small", "method": "z_score", "threshold": 1.5, "as": "far"}}],
        outliers("small", "z_score", 1.5, flagged("small", "far")),
    ),
    "outliers removed": (
        [{"outliers": {"column": "small", "method": "iqr", "threshold": 0.5, "action": "remove"}}],
        outliers("small", "iqr", 0.5, lambda rows, is_far, *_: [row for row in rows if not is_far(row["small"])]),
    ),
    "outliers to NULL": (
        [{"outliers": {"column": "small", "method": "z_score", "threshold": 1, "action": "null", "as": "near"}}],
        outliers(
            "small",
            "z_score",
            1,
            lambda rows, is_far, *_: put(near=lambda row: None if is_far(row["small"]) else row["small"])(rows),
        ),
    ),
    "outliers clipped": (
        [{"outliers": {"column": "ratio", "method": "iqr", "action": "clip"}}],
        outliers(
            "ratio", "iqr", 1.5, lambda rows, _, low, high: put(ratio=on("ratio", lambda x: max(low, min(high, x))))(rows)
        ),
    ),
    **{
        f"{unit} to {to}": (
            [{"convert_units": {"column": "small", "from": unit, "to": to, "as": "made"}}],
            put(made=on("small", lambda x, f=f: float(f(x)))),
        )
        for unit, to, f in UNITS
    },
    "units in place": (
        [{"convert_units": {"column": "amount", "from": "cm", "to": "in"}}],
        put(amount=on("amount", lambda x: float(x) / 2.54)),
    ),
}

WRONG: dict[str, str] = {}
CASES = cases({"fill": FILLS, "values": VALUES}, WRONG)


@pytest.mark.parametrize(("steps", "expected"), CASES.values())
def test_step(tmp_path, steps, expected):
    same_rows(transform(tmp_path, steps, ROWS).rows, expected(ROWS))


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("bigint", [2**53 + 1], 2**53 + 1),
        ("decimal(38,2)", ["12345678901234567890.01", "0.01"], Decimal("6172839450617283945.01")),
    ],
)
def test_medians_of_many_digits(tmp_path, kind, values, expected):
    text = "id,x\n" + "".join(f"{at},{value}\n" for at, value in enumerate([*values, ""]))
    out = transform(tmp_path, fill("x", **{"with": "median"}), text, {"id": "int", "x": kind})
    assert out.rows[-1]["x"] == expected


@pytest.mark.parametrize("with_", ["mean", "median"])
def test_many_columns_at_once(tmp_path, with_):
    names = [f"x{at}" for at in range(40)]
    rows = [dict.fromkeys(names, value) for value in (1, None, 2**53 + 1, 3)]
    out = transform(tmp_path, fill(names, **{"with": with_}), rows, dict.fromkeys(names, "bigint"))
    assert out.rows[1] == dict.fromkeys(names, 3 if with_ == "median" else (2**53 + 5 + 1) // 3)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("int", 2**31 - 1), ("bigint", 2**63 - 1), ("decimal(4,2)", "99.99"), ("decimal(38,0)", "9" * 38)],
)
def test_a_sum_that_does_not_fit_is_refused(tmp_path, kind, value):
    text = f"id,x\n1,{value}\n2,{value}\n3,\n"
    job = job_of(tmp_path, fill("x", **{"with": "sum"}), text, {"id": "int", "x": kind})
    [reason] = misfit(tmp_path, job)
    assert f"`x`: the sum of its values does not fit {kind}" in reason and "step: 1 (`fill_missing`)" in reason, reason
    # It is wanted where a value is missing, and there alone.
    transform(tmp_path, fill("x", **{"with": "sum"}), text.rsplit("3,", 1)[0], {"id": "int", "x": kind}, sink={"location": "full"})
