"""Random tables: every type, NULLs, edges of the types, few and many distinct values."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from .table import Table, World

# Texts with everything a CSV has to quote, and the one text that NULL is counted as.
TEXTS = (
    "", " ", "   ", "\t", "a", "A", "b", "it's", 'say "hi"', "x,y", "two\nlines", "cr\r\nlf", "Zoë", "ZOË", "日本", "😀",
    "NullValue", "null", "a b ", "back\\slash",
)  # fmt: skip
# ASCII alone, for regular expressions: what `\b` and `\w` say of other characters depends on Java's version.
WORDS = ("", " ", "a", "ab", "abc", "ABC", "a1", "12", "123", "a-b", "a b", "b\n", "x_y", "aa", "zzz")
# Texts whose casts are beyond dispute; see `spark.casts`.
CODES = (
    "1", "-5", " 7 ", "11.5", "abc", "", "2147483647", "2147483648", "-2147483648", "9223372036854775808", "1e3", "-0.25",
    "true", "F", "yes", "2", "2024-01-05", "2024-02-30", "2024-1-5", " 2024-01-05 ", "12:30", "0.005", "99999.99",
)  # fmt: skip

FIRST_DAY = datetime.date(1900, 1, 1).toordinal()


def _day(rng: Random) -> datetime.date:
    """Past or far ahead, never near today."""
    if rng.random() < 0.8:
        return datetime.date.fromordinal(FIRST_DAY + rng.randrange(365 * 115))
    return datetime.date(rng.randint(2200, 2900), rng.randint(1, 12), rng.randint(1, 28))


def _instant(rng: Random) -> datetime.datetime:
    time = datetime.time(rng.randrange(24), rng.randrange(60), rng.randrange(60), rng.choice((0, 1, 999_999)))
    return datetime.datetime.combine(_day(rng), rng.choice((datetime.time(), time)))


def _big(rng: Random) -> int:
    centre, width = rng.choice(((2**53, 3), (-(2**53), 3), (2**63 - 4, 3), (-(2**63) + 3, 3), (0, 10**6)))
    return centre + rng.randint(-width, width)


def _double(rng: Random) -> float:
    value = rng.choice((float(rng.randint(-9, 9)), rng.uniform(-100, 100), rng.uniform(0, 1e9), round(rng.random(), 2)))
    return value or 0.0


def _decimal(scale: int, digits: int) -> Callable[[Random], Decimal]:
    return lambda rng: Decimal(rng.randint(-(10 ** rng.randint(0, digits)), 10**digits)).scaleb(-scale)


@dataclass(frozen=True)
class Kind:
    """A kind of column: its type, its values, and how many of them are distinct at most (0: any number)."""

    type: str
    value: Callable[[Random], object]
    distinct: tuple[int, ...] = (0, 1, 3, 12)


KINDS = {
    "small": Kind("int", lambda rng: rng.randint(-3, 9)),
    "count": Kind("int", lambda rng: rng.randint(0, 10**6)),
    "tiny": Kind("tinyint", lambda rng: rng.randint(-128, 127)),
    "big": Kind("bigint", _big),
    "price": Kind("decimal(12,2)", _decimal(2, 9)),
    "wide": Kind("decimal(38,10)", _decimal(10, 25)),
    "ratio": Kind("double", _double),
    "txt": Kind("string", lambda rng: rng.choice(TEXTS)),
    "name": Kind("string", lambda rng: f"{rng.choice(('ann', 'bob', 'Zoë'))} {rng.randrange(400)}"),
    "word": Kind("string", lambda rng: rng.choice(WORDS)),
    "code": Kind("string", lambda rng: rng.choice(CODES)),
    "flag": Kind("boolean", lambda rng: rng.random() < 0.5, (0,)),
    "day": Kind("date", _day),
    "seen": Kind("timestamp", _instant),
}


def _size(rng: Random, most: int) -> int:
    return min(most, rng.choice((0, 1, 2, 3, rng.randint(4, 20), rng.randint(4, 60), rng.randint(20, 200), rng.randint(0, 500))))


def _column(rng: Random, kind: Kind, rows: int) -> list:
    distinct = rng.choice(kind.distinct)
    if distinct:
        pool = [kind.value(rng) for _ in range(distinct)]
        values = [rng.choice(pool) for _ in range(rows)]
    else:
        values = [kind.value(rng) for _ in range(rows)]
    missing = rng.choice((0.0, 0.0, 0.02, 0.3, 1.0 if rng.random() < 0.3 else 0.5))
    return [None if rng.random() < missing else value for value in values]


def primary(rng: Random, most: int = 500) -> Table:
    """A table whose first column, `id`, is a key; the others are called after their kind."""
    rows = _size(rng, most)
    kinds = rng.sample(sorted(KINDS), rng.randint(3, 9))
    if rng.random() < 0.7 and "small" in kinds and "count" not in kinds:
        kinds.append("count")
    names = [kind.capitalize() if rng.random() < 0.1 else kind for kind in kinds]
    ids = rng.sample(range(-5, 3 * rows + 5), rows)
    columns = [ids, *(_column(rng, KINDS[kind], rows) for kind in kinds)]
    return Table(("id", *names), ("bigint", *(KINDS[kind].type for kind in kinds)), tuple(zip(*columns)))


def world(rng: Random, most: int = 500) -> World:
    """A table; `ref`, which has some of its rows, some twice, and others; `twin`, the same but for some cells."""
    table = primary(rng, most)
    other = [tuple(KINDS[name.lower()].value(rng) for name in table.names[1:]) for _ in range(rng.choice((0, 0, 1, 20)))]
    strangers = [(10**6 + at, *values) for at, values in enumerate(other)]
    kept = [row for row in table.rows if rng.random() < rng.choice((0.2, 0.9))] if rng.random() < 0.6 else list(table.rows)
    doubled = rng.sample(kept, min(len(kept), 3)) if rng.random() < 0.3 else []
    ref = table.with_rows(kept + doubled + strangers)
    return World(table, {"ref": ref, "twin": _twin(rng, table)})


def _twin(rng: Random, table: Table) -> Table:
    rows = [list(row) for row in table.rows]
    for row in rows:
        if rng.random() < rng.choice((0.0, 0.05)):
            at = rng.randrange(1, len(row))
            row[at] = rng.choice((None, KINDS[table.names[at].lower()].value(rng)))
    rng.shuffle(rows)
    twin = table.with_rows(map(tuple, rows[: len(rows) if rng.random() < 0.7 else len(rows) // 2]))
    last = len(table.names) - 1
    match rng.randrange(5):
        case 0:
            return twin.only(set(table.names[:last]))
        case 1:
            return Table((*twin.names[:last], "renamed"), twin.types, twin.rows)
    return twin
