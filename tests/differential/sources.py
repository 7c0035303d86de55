"""Rules about the primary table and another, and rules that are SQL."""

from __future__ import annotations

import math
import re
from collections import Counter
from fractions import Fraction

from .dqdl import Rule
from .judged import ONE, Judged, Metric, by_metric
from .table import World


def referential_integrity(rule: Rule, world: World) -> Judged:
    """The share of primary rows whose key is among the reference's; a key with a NULL is not."""
    own, theirs = rule.params
    alias, names = theirs.rsplit(".", 1) if "{" not in theirs else theirs[:-1].split(".{", 1)
    if not world.primary.rows:
        return Judged(False, reason="Primary data frame contains no data.")
    known = set(world.sources[alias].keys(_names(names)))
    fits = [key in known and None not in key for key in world.primary.keys(_names(own))]
    return by_metric(
        f"Column.{alias}.ReferentialIntegrity", Metric(sum(fits) / len(fits)), rule.condition, full_stop=True
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _pairs(text: str) -> list[tuple[str, str]]:
    """`a->b,c` as (a, b), (c, c)."""
    return [(first, second or first) for first, _, second in (part.partition("->") for part in _names(text))]


def dataset_match(rule: Rule, world: World) -> Judged:
    """The share of primary rows whose key and matched columns stand in the reference; keys are unique on both sides."""
    alias, keys, *matched = rule.params
    primary, reference = world.primary, world.sources[alias]
    keys = _pairs(keys)
    others = [name for name in primary.names if name not in dict(keys)]
    compared = _pairs(matched[0]) if matched else [(name, name) for name in others]
    sides = []
    for side, table in enumerate((primary, reference)):
        own = table.keys(tuple(pair[side] for pair in keys))
        if len(set(own)) < len(own):
            return Judged(False)
        sides.append(dict(zip(own, table.keys(tuple(pair[side] for pair in compared)))))
    if not primary.rows:
        return Judged(False, reading="DatasetMatch of no rows")
    fits = [key in sides[1] and sides[1][key] == values for key, values in sides[0].items()]
    judged = by_metric(f"Dataset.{alias}.DatasetMatch", Metric(sum(fits) / len(fits)), rule.condition, full_stop=True)
    judged.reading = None if matched else "DatasetMatch without columns to match"
    return judged


def schema_match(rule: Rule, world: World) -> Judged:
    (alias,) = rule.params
    own, other = (dict(zip(table.names, table.types)) for table in (world.primary, world.sources[alias]))
    if len(own) != len(other):
        judged = by_metric(f"Dataset.{alias}.SchemaMatch", Metric(0.0), rule.condition)
        judged.reason = None if judged.passed else "Column counts do not match"
        return judged
    share = sum(other.get(name) == kind for name, kind in own.items()) / len(own)
    judged = by_metric(f"Dataset.{alias}.SchemaMatch", Metric(share), rule.condition)
    judged.reason = None if judged.passed else f"{share * 100:.2f}% of columns passed the threshold"
    return judged


def row_count_match(rule: Rule, world: World) -> Judged:
    (alias,) = rule.params
    own, other = len(world.primary.rows), len(world.sources[alias].rows)
    ratio = own / other if other else (math.inf if own else math.nan)
    return by_metric(f"Dataset.{alias}.RowCountMatch", Metric(ratio), rule.condition, full_stop=True)


def aggregate_match(rule: Rule, world: World) -> Judged:
    """First aggregate by the second; 0 / 0 is 1, x / 0 is 0, and an aggregate of nothing is 0."""
    (first, name), (second, other) = (_aggregate(text, world) for text in rule.params)
    ratio = first / second if second else float(first == 0)
    names = name if name == other else f"{name},{other}"
    metric = Metric(float(ratio), 1e-12 * abs(float(ratio)))
    return by_metric(f"Column.{names}.AggregateMatch", metric, rule.condition, full_stop=True)


def _aggregate(text: str, world: World) -> tuple[Fraction, str]:
    function, alias, name = re.fullmatch(r"(\w+)\((?:(\w+)\.)?(\w+)\)", text).groups()
    table = world.sources[alias] if alias else world.primary
    values = [Fraction(value) for value in table.column(name) if value is not None]
    total = sum(values, Fraction(0))
    if function.lower() == "avg" and values:
        total /= len(values)
    return total, name


def custom_sql(rule: Rule, world: World) -> Judged:
    (sql,) = rule.params
    if rule.condition:
        ((value,),) = world.query(sql)
        metric = Metric(float(value), 0.0 if isinstance(value, int) else 1e-12 * abs(float(value)))
        return by_metric("Dataset.*.CustomSQL", metric, rule.condition)
    if not world.primary.rows:
        return Judged(False, reason="Custom SQL rule could not be evaluated due to data frame being empty")
    return _returned_rows(rule, sql, world)


def _returned_rows(rule: Rule, sql: str, world: World) -> Judged:
    """Returned rows, joined to the primary table on every returned column: a key that stands twice counts twice."""
    names = _names(re.match(r"select (.*?) from ", sql)[1])
    returned = Counter(world.query(sql))
    keys = world.query(f"select {', '.join(names)} from primary")
    hits = sum(returned[key] for key in keys)
    metric = Metric(hits / len(keys))
    judged = by_metric("Dataset.*.CustomSQL.Compliance", metric, rule.threshold or ONE)
    judged.reason = None if judged.passed else "Custom SQL response failed to satisfy the threshold"
    if len(set(keys)) < len(keys):
        judged.reading = "CustomSql whose returned rows are no key"
    return judged


TYPES = {
    "ReferentialIntegrity": referential_integrity,
    "DatasetMatch": dataset_match,
    "SchemaMatch": schema_match,
    "RowCountMatch": row_count_match,
    "AggregateMatch": aggregate_match,
    "CustomSql": custom_sql,
}
