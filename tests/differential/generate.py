"""Random rules over a table: every supported type, operands close to the metric so that both outcomes are met."""

from __future__ import annotations

import datetime
import math
from dataclasses import replace
from random import Random

from . import oracle
from .dqdl import (
    EMPTY, NULL, WHITESPACES_ONLY, AnyRule, Composite, Condition, Duration, Keyword, Now, Number, Operand, Rule,
)  # fmt: skip
from .table import World

ORDERED = (">", ">=", "<", "<=")
NUMBER = (*ORDERED, "=", "!=", "between", "not between", "in", "not in")
NUMERIC = ("tinyint", "int", "bigint", "double", "decimal(12,2)", "decimal(38,10)")
PATTERNS = ("a", "[a-z]+", "[a-z]*", "a|b", "\\d+", "\\w*", ".*", "a.", "(a|b)+", "[0-9]{2,3}", "a?b?c?", "x_y", "[^a]+")
NAMES_PATTERNS = ("^[a-z]+$", "[a-z]", "^(id|txt|small|big)$", "d", "^[A-Z]", "e$", "o|i|a")
TARGETS = ("Integer", "integer", "Long", "Double", "Boolean", "Date", "DECIMAL(5,2)", "DECIMAL(10,0)")
EXPRESSIONS = (Number("1 + 2 * 3", 9.0), Number("(10 - 4) / 3", 2.0), Number("2 * 0.25 + 0.5", 1.0), Number("-3 + 4", 1.0))

MANY = {"ColumnValues": 6, "ColumnLength": 2, "CustomSql": 2}


class Generator:
    """Rules of `types` over one world."""

    def __init__(self, rng: Random, world: World, types: list[str]):
        self.rng, self.world, self.table = rng, world, world.primary
        # Some types are many rules in one.
        self.types = [kind for kind in types for _ in range(MANY.get(kind, 1))]

    def ruleset(self) -> list[AnyRule]:
        return [self.rule() for _ in range(self.rng.randint(1, 12))]

    def rule(self, depth: int = 0) -> AnyRule:
        if depth < 3 and self.rng.random() < (0.12 if depth == 0 else 0.25):
            parts = tuple(self.rule(depth + 1) for _ in range(self.rng.choice((2, 2, 2, 3))))
            return Composite(self.rng.choice(("AND", "OR")), parts)
        while True:
            made = MAKERS[self.rng.choice(self.types)](self)
            if made:
                return made

    # Columns and scopes.

    def column(self, *kinds: str) -> str | None:
        """A column of one of the kinds, which are types or names in lower case; any column when none is named."""
        fits = [
            name
            for name, kind in zip(self.table.names, self.table.types)
            if not kinds or kind in kinds or name.lower() in kinds
        ]
        return self.rng.choice(fits) if fits else None

    def columns(self) -> tuple[str, ...]:
        names = list(self.table.names)
        return tuple(self.rng.sample(names, min(len(names), self.rng.choice((1, 1, 2, 2, 3)))))

    def where(self) -> str | None:
        if self.rng.random() < 0.75:
            return None
        first = self.predicate()
        match self.rng.randrange(5):
            case 0:
                return f"{first} and {self.predicate()}"
            case 1:
                return f"{first} or {self.predicate()}"
            case 2:
                return f"not ({first})"
        return first

    def predicate(self) -> str:
        """SQL that means the same to Spark, DuckDB and DataFusion."""
        rng, name = self.rng, self.column("id", "small", "count", "price", "ratio", "txt", "name", "flag", "day", "big")
        match rng.randrange(4), self.table.type_of(name):
            case 0, _:
                return f"{name} is {rng.choice(('', 'not '))}null"
            case _, "string":
                texts = rng.sample(("a", "b", "A", "Zoë", "", "x,y", "zzz"), 2)
                if rng.random() < 0.3:
                    return f"length({name}) {rng.choice(ORDERED)} {rng.randint(0, 4)}"
                return rng.choice((f"{name} = '{texts[0]}'", f"{name} in ('{texts[0]}', '{texts[1]}')", f"{name} <> '{texts[0]}'"))
            case _, "boolean":
                return rng.choice((name, f"not {name}", f"{name} = true"))
            case _, "date":
                return f"{name} {rng.choice(ORDERED)} date '{rng.randint(1950, 2010)}-06-15'"
            case 1, "int":
                return f"{name} % 2 = 0"
            case 2, "int" | "bigint":
                return f"{name} between {rng.randint(-3, 3)} and {rng.randint(0, 10**rng.randint(0, 6))}"
            case _, "double" | "decimal(12,2)":
                return f"{name} {rng.choice(ORDERED)} {rng.randint(-50, 50)}.5"
        return f"{name} {rng.choice((*ORDERED, '=', '<>'))} {rng.randint(-5, 20)}"

    # Conditions.

    def near(self, *metrics: float) -> Number:
        """A metric, something next to it, or any number."""
        finite = [value for value in metrics if math.isfinite(value)]
        value = self.rng.choice(finite) if finite else 0.5
        step = self.rng.choice((0.0, 0.0, 1.0, -1.0, 0.25, -0.25, value / 3))
        value = value + step if step else value
        if self.rng.random() < 0.1:
            value = self.rng.choice((0.0, 1.0, 0.5, 10.0, -1.0))
        if value == int(value) and self.rng.random() < 0.7:
            return Number.of(int(value))
        return Number.of(value or 0.0)

    def condition(self, *metrics: float) -> Condition:
        operator = self.rng.choice(NUMBER)
        if self.rng.random() < 0.04:
            return Condition(self.rng.choice((*ORDERED, "=", "!=")), (self.rng.choice(EXPRESSIONS),))
        return self.with_operands(operator, lambda: self.near(*metrics))

    def with_operands(self, operator: str, operand) -> Condition:
        if operator.endswith("between"):
            operands = [operand(), operand()]
            # Bounds the wrong way round are legal, and never true.
            if self.rng.random() < 0.85 and all(isinstance(bound, Number) for bound in operands):
                operands.sort(key=lambda bound: bound.value)
            return Condition(operator, tuple(operands))
        count = self.rng.randint(1, 4) if operator in ("in", "not in") else 1
        return Condition(operator, tuple(operand() for _ in range(count)))

    def threshold(self, chance: float) -> Condition | None:
        if self.rng.random() > chance:
            return None
        share = lambda: Number.of(self.rng.choice((0.0, 0.1, 0.3, 0.5, 0.9, 1.0)))  # noqa: E731
        return self.with_operands(self.rng.choice((">", ">=", "<", "between", "=", "!=")), share)

    def close(self, rule: Rule) -> Rule:
        """The rule with a condition close to its metric."""
        probe = oracle.evaluate(replace(rule, condition=Condition(">=", (Number("0", 0.0),))), self.world)
        metrics = [metric.value for values in probe.metrics.values() for metric in values]
        return replace(rule, condition=self.condition(*(metrics or [1.0])))


def _metric(kind: str, *column_kinds: str, where: bool = True, count: int = 1):
    def make(generator: Generator) -> Rule | None:
        names = tuple(generator.column(*column_kinds) for _ in range(count))
        if None in names:
            return None
        return generator.close(Rule(kind, names, where=generator.where() if where else None))

    return make


def _plain(kind: str, count: int = 1):
    """A rule without a condition."""

    def make(generator: Generator) -> Rule:
        names = generator.columns() if count > 1 else (generator.column(),)
        return Rule(kind, names, where=generator.where())

    return make


def _multi(kind: str, least: int = 1):
    def make(generator: Generator) -> Rule:
        names = () if least == 0 and generator.rng.random() < 0.3 else generator.columns()
        return generator.close(Rule(kind, names, where=generator.where()))

    return make


def _whole_table(kind: str, where: bool):
    return lambda generator: generator.close(Rule(kind, where=generator.where() if where else None))


def _column_exists(generator: Generator) -> Rule:
    return Rule("ColumnExists", (generator.rng.choice((generator.column(), "nowhere", "idd")),))


def _names_match(generator: Generator) -> Rule:
    return Rule("ColumnNamesMatchPattern", (generator.rng.choice(NAMES_PATTERNS),))


def _column_values(generator: Generator) -> Rule | None:
    rng = generator.rng
    match rng.randrange(10):
        case 0:
            return _null_values(generator)
        case 1 | 2 | 3 | 4:
            return _number_values(generator)
        case 5 | 6 | 7:
            return _text_values(generator)
        case 8:
            return _date_values(generator)
    return _pattern_values(generator)


def _null_values(generator: Generator) -> Rule:
    condition = generator.rng.choice(
        (Condition("=", (NULL,)), Condition("!=", (NULL,)), Condition("in", (NULL,)), Condition("not in", (NULL,)))
    )
    return Rule("ColumnValues", (generator.column(),), condition, generator.where(), generator.threshold(0.3))


def _with_null(generator: Generator, condition: Condition, *keywords: Keyword) -> Condition:
    """A list may name NULL and the keywords, too."""
    if condition.operator in ("in", "not in") and generator.rng.random() < 0.35:
        return Condition(condition.operator, (*condition.operands, generator.rng.choice((NULL, *keywords))))
    return condition


def _number_values(generator: Generator) -> Rule | None:
    name = generator.column(*NUMERIC)
    values = [float(value) for value in generator.table.column(name) if value is not None] if name else []
    if not name:
        return None
    ends = [min(values), max(values), generator.rng.choice(values)] if values else [0.0]
    condition = _with_null(generator, generator.with_operands(generator.rng.choice(NUMBER), lambda: generator.near(*ends)))
    return Rule("ColumnValues", (name,), condition, generator.where(), generator.threshold(0.25))


def _text_values(generator: Generator) -> Rule | None:
    rng, name = generator.rng, generator.column("txt", "word", "name")
    if not name:
        return None
    operator = rng.choice(("=", "!=", "in", "not in"))
    listed = operator in ("in", "not in")
    known = [value for value in set(generator.table.column(name)) | {"a", "zzz"} if value and _writable(value, listed)]
    operand = lambda: rng.choice((*sorted(known)[:30], EMPTY, WHITESPACES_ONLY) if rng.random() < 0.4 else sorted(known))  # noqa: E731
    condition = generator.with_operands(operator, operand)
    if listed and rng.random() < 0.4 and len(known) > 3:
        condition = Condition(operator, tuple(sorted(known)))
    condition = _with_null(generator, condition, EMPTY, WHITESPACES_ONLY)
    if not listed and rng.random() < 0.15:
        condition = Condition(operator, (rng.choice((EMPTY, WHITESPACES_ONLY)),))
    return Rule(
        "ColumnValues", (name,), condition, generator.where(), generator.threshold(0.35), rng.random() < 0.25
    )


def _writable(text: str, listed: bool) -> bool:
    """What a string may hold: no carriage return; quotes and backslashes only where there are escapes, in lists."""
    return "\r" not in text and (listed or not any(mark in text for mark in '"\\'))


def _date_values(generator: Generator) -> Rule | None:
    rng, name = generator.rng, generator.column("date", "timestamp")
    if not name:
        return None
    known = [value for value in generator.table.column(name) if value is not None] or [datetime.date(2000, 1, 1)]

    def operand() -> Operand:
        day = rng.choice(known)
        day = datetime.date(day.year, day.month, day.day)
        return rng.choice((day, day + datetime.timedelta(rng.randint(-400, 400)), Now(), Now(rng.randint(-300, 300))))

    condition = _with_null(generator, generator.with_operands(rng.choice(NUMBER), operand))
    return Rule("ColumnValues", (name,), condition, generator.where(), generator.threshold(0.4))


def _pattern_values(generator: Generator) -> Rule | None:
    rng, name = generator.rng, generator.column("word")
    if not name:
        return None
    condition = Condition(rng.choice(("matches", "matches", "not matches")), (rng.choice(PATTERNS),))
    return Rule("ColumnValues", (name,), condition, generator.where(), generator.threshold(0.4))


def _column_length(generator: Generator) -> Rule | None:
    rng, name = generator.rng, generator.column("string")
    if not name:
        return None
    lengths = [float(len(value or "")) for value in generator.table.column(name)] or [0.0]
    size = lambda: Number.of(int(rng.choice((min(lengths), max(lengths), rng.choice(lengths), rng.randint(0, 6)))))  # noqa: E731
    condition = generator.with_operands(rng.choice(NUMBER), size)
    return Rule("ColumnLength", (name,), condition, generator.where())


def _column_data_type(generator: Generator) -> Rule | None:
    name = generator.column("code")
    if not name:
        return None
    condition = Condition(generator.rng.choice(("=", "=", "!=")), (generator.rng.choice(TARGETS),))
    return Rule("ColumnDataType", (name,), condition, generator.where(), generator.threshold(0.6))


def _data_freshness(generator: Generator) -> Rule | None:
    rng, name = generator.rng, generator.column("date", "timestamp")
    if not name:
        return None
    age = lambda: Duration(rng.randint(1, 900), rng.choice(("days", "hours")))  # noqa: E731
    return Rule("DataFreshness", (name,), generator.with_operands(rng.choice(NUMBER), age), generator.where())


def _referential_integrity(generator: Generator) -> Rule:
    names = ",".join(generator.columns())
    braced = "," in names or generator.rng.random() < 0.3
    return generator.close(Rule("ReferentialIntegrity", (names, f"ref.{{{names}}}" if braced else f"ref.{names}")))


def _dataset_match(generator: Generator) -> Rule | None:
    rng, twin = generator.rng, generator.world.sources["twin"]
    shared = [name for name in generator.table.names[1:] if name in twin.names]
    if not shared:
        return None
    keys = ("id", "id->id") if rng.random() < 0.9 else (generator.column(),)
    matched = ",".join(rng.sample(shared, rng.randint(1, len(shared))))
    if keys[0] not in twin.names or keys[0] in matched.split(","):
        return None
    alias = rng.choice(("ref", "twin", "twin"))
    return generator.close(Rule("DatasetMatch", (alias, rng.choice(keys), matched)))


def _of_alias(kind: str):
    return lambda generator: generator.close(Rule(kind, (generator.rng.choice(("ref", "twin")),)))


def _aggregate_match(generator: Generator) -> Rule | None:
    rng, first = generator.rng, generator.column(*NUMERIC)
    second = first if rng.random() < 0.7 else generator.column(*NUMERIC)
    alias = rng.choice(("ref", "ref", "twin"))
    if second not in generator.world.sources[alias].names:
        return None
    functions = rng.choices(("sum", "avg", "SUM", "AVG"), k=2)
    return generator.close(Rule("AggregateMatch", (f"{functions[0]}({first})", f"{functions[1]}({alias}.{second})")))


def _custom_sql(generator: Generator) -> Rule:
    rng = generator.rng
    if rng.random() < 0.5:
        names = rng.choice(("id", "id", ", ".join(("id", generator.column("int", "string", "boolean") or "id"))))
        names = "id" if names == "id, id" else names
        return Rule("CustomSql", (f"select {names} from primary where {generator.predicate()}",), threshold=generator.threshold(0.5))
    name, whole = generator.column(), generator.column("int")
    what = ["count(*)", f"count({name})", f"count(distinct {name})", f"sum(case when {generator.predicate()} then 1 else 0 end)"]
    what += [f"max({whole})", f"sum({whole}) * 2", f"avg({whole})"] if whole else []
    what = [f"coalesce({aggregate}, 0)" for aggregate in what]
    source = rng.choice(("primary", "primary", "ref"))
    filtered = f" where {generator.predicate()}" if rng.random() < 0.5 else ""
    return generator.close(Rule("CustomSql", (f"select {rng.choice(what)} from {source}{filtered}",)))


MAKERS = {
    "RowCount": _whole_table("RowCount", where=True),
    "ColumnCount": _whole_table("ColumnCount", where=False),
    "ColumnExists": _column_exists,
    "ColumnNamesMatchPattern": _names_match,
    "ColumnDataType": _column_data_type,
    "ColumnLength": _column_length,
    "ColumnValues": _column_values,
    "Completeness": _metric("Completeness"),
    "IsComplete": _plain("IsComplete"),
    "Uniqueness": _multi("Uniqueness"),
    "IsUnique": _plain("IsUnique", 3),
    "IsPrimaryKey": _plain("IsPrimaryKey", 3),
    "UniqueValueRatio": _metric("UniqueValueRatio"),
    "DistinctValuesCount": _metric("DistinctValuesCount"),
    "Entropy": _metric("Entropy"),
    "Mean": _metric("Mean", *NUMERIC),
    "Sum": _metric("Sum", *NUMERIC),
    "StandardDeviation": _metric("StandardDeviation", *NUMERIC),
    "Variance": _metric("Variance", *NUMERIC),
    "ColumnCorrelation": _metric("ColumnCorrelation", *NUMERIC, count=2),
    "DuplicateRowCount": _multi("DuplicateRowCount", least=0),
    "DataFreshness": _data_freshness,
    "ReferentialIntegrity": _referential_integrity,
    "DatasetMatch": _dataset_match,
    "SchemaMatch": _of_alias("SchemaMatch"),
    "RowCountMatch": _of_alias("RowCountMatch"),
    "AggregateMatch": _aggregate_match,
    "CustomSql": _custom_sql,
}
