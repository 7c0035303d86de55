"""Rules that count: rows, columns, NULLs, equal keys."""

from __future__ import annotations

import math
import re
from collections import Counter

from .dqdl import Rule
from .judged import ONE, Judged, Metric, by_metric, not_met, nothing
from .table import Table, World


def row_count(rule: Rule, world: World) -> Judged:
    rows = world.scope(rule.where).rows
    return by_metric("Dataset.*.RowCount", Metric(float(len(rows))), rule.condition, whole=True)


def column_count(rule: Rule, world: World) -> Judged:
    return by_metric("Dataset.*.ColumnCount", Metric(float(len(world.primary.names))), rule.condition, whole=True)


def column_exists(rule: Rule, world: World) -> Judged:
    (name,) = rule.params
    exists = name.lower() in (known.lower() for known in world.primary.names)
    return Judged(exists, {f"Dataset.{name}.ColumnExists": [Metric(float(exists))]})


def column_names_match_pattern(rule: Rule, world: World) -> Judged:
    names = world.primary.names
    others = [name for name in names if not re.search(rule.params[0], name, re.ASCII)]
    metric = Metric((len(names) - len(others)) / len(names) if names else math.nan)
    reason = f"Columns that do not match the pattern: {', '.join(others)}" if others else None
    return Judged(not others, {"Dataset.*.ColumnNamesPatternMatchRatio": [metric]}, reason)


def completeness(rule: Rule, world: World) -> Judged:
    (name,) = rule.params
    table = world.scope(rule.where)
    if not table.rows and rule.where:
        return nothing(rule, table, "Completeness")
    return by_metric(f"Column.{name}.Completeness", Metric(share_complete(table, name)), rule.condition or ONE)


def share_complete(table: Table, name: str) -> float:
    values = table.column(name)
    return sum(value is not None for value in values) / len(values) if values else math.nan


def groups(table: Table, names: tuple[str, ...]) -> Counter:
    """The frequency table: rows where at least one of the columns is not NULL, NULLs equal to each other."""
    return Counter(key for key in table.keys(names) if any(value is not None for value in key))


def _key(names: tuple[str, ...], metric: str) -> str:
    return f"{'Column' if len(names) == 1 else 'Multicolumn'}.{','.join(names)}.{metric}"


def _keyed(rule: Rule, world: World, metric: str, ratio) -> Judged:
    table = world.scope(rule.where)
    found = groups(table, rule.params)
    if not found:
        return nothing(rule, table, f"{metric} without keys")
    return by_metric(_key(rule.params, metric), Metric(ratio(found)), rule.condition or ONE)


def _once(found: Counter) -> int:
    return sum(count == 1 for count in found.values())


def uniqueness(rule: Rule, world: World) -> Judged:
    return _keyed(rule, world, "Uniqueness", lambda found: _once(found) / found.total())


def unique_value_ratio(rule: Rule, world: World) -> Judged:
    return _keyed(rule, world, "UniqueValueRatio", lambda found: _once(found) / len(found))


def is_primary_key(rule: Rule, world: World) -> Judged:
    """A unique key, and every column of it complete."""
    table = world.scope(rule.where)
    unique = _keyed(rule, world, "Uniqueness", lambda found: _once(found) / found.total())
    if rule.where and not table.rows:
        return unique
    reasons = [] if unique.passed else [unique.reason]
    metrics = dict(unique.metrics)
    for name in rule.params:
        share = share_complete(table, name)
        metrics[f"Column.{name}.Completeness"] = [Metric(share)]
        if share != 1.0:
            reasons.append(not_met(share))
    # The order of several reasons is not stated.
    return Judged(not reasons, metrics, reasons[0] if len(reasons) == 1 else None, unique.reading)


def distinct_values_count(rule: Rule, world: World) -> Judged:
    """Values as text; NULL is the text `NullValue`, also where a value has that text."""
    (name,) = rule.params
    table = world.scope(rule.where)
    found = {"NullValue" if value is None else str(value) for value in table.column(name)}
    judged = by_metric(_key(rule.params, "DistinctValuesCount"), Metric(float(len(found))), rule.condition, whole=True)
    if not found:
        judged.reading = "DistinctValuesCount of no rows"
    return judged


def duplicate_row_count(rule: Rule, world: World) -> Judged:
    table = world.scope(rule.where)
    found = groups(table, rule.params or table.names)
    count = sum(count for count in found.values() if count > 1)
    key = f"Multicolumn.{','.join(rule.params)}.DuplicateRowCount" if rule.params else "Dataset.*.DuplicateRowCount"
    judged = by_metric(key, Metric(float(count)), rule.condition, whole=True)
    if not found:
        judged.reading = "DuplicateRowCount without keys"
    return judged


def entropy(rule: Rule, world: World) -> Judged:
    """In nats; `where` is accepted and ignored."""
    found = groups(world.primary, rule.params)
    if not found:
        return Judged(False, reading="Entropy without values")
    total = found.total()
    value = -math.fsum(count / total * math.log(count / total) for count in found.values())
    metric = Metric(value, 1e-12 * value) if len(found) > 1 else Metric(0.0)
    return by_metric(_key(rule.params, "Entropy"), metric, rule.condition)


TYPES = {
    "RowCount": row_count,
    "ColumnCount": column_count,
    "ColumnExists": column_exists,
    "ColumnNamesMatchPattern": column_names_match_pattern,
    "Completeness": completeness,
    "IsComplete": completeness,
    "Uniqueness": uniqueness,
    "IsUnique": uniqueness,
    "IsPrimaryKey": is_primary_key,
    "UniqueValueRatio": unique_value_ratio,
    "DistinctValuesCount": distinct_values_count,
    "DuplicateRowCount": duplicate_row_count,
    "Entropy": entropy,
}
