"""Rules that look at each value: ColumnValues, ColumnLength, ColumnDataType, DataFreshness."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from . import spark
from .dqdl import EMPTY, NULL, WHITESPACES_ONLY, Condition, Number, Now, Rule
from .judged import Judged, Metric, by_compliance, holds, not_met, nothing
from .table import World

NULL_REASON = not_met("NULL")
# Said of a rule that passed.
NO_ROWS = "No rows matched the filter"


def column_values(rule: Rule, world: World) -> Judged:
    (name,) = rule.params
    condition, table = rule.condition, world.scope(rule.where)
    values = table.column(name)
    if not values and rule.where:
        return nothing(rule, table, "ColumnValues")
    operands = [operand for operand in condition.operands if operand != NULL]
    key = f"Column.{name}.ColumnValues.Compliance"
    if condition.operator in ("matches", "not matches"):
        fits = [_matches(condition, value) for value in values]
        return by_compliance(f"Column.{name}.PatternMatch", fits, rule.threshold)
    if all(isinstance(operand, Number) for operand in operands):
        if condition.operator in (">", ">=", "<", "<=", "=", "between") and operands:
            return _by_extremes(rule, name, values)
        fits = [_number_fits(condition, value) for value in values]
    elif all(isinstance(operand, datetime.date | Now) for operand in operands):
        fits = [_date_fits(condition, value) for value in values]
    else:
        fits = [_text_fits(condition, value, rule.ignore_case) for value in values]
    judged = by_compliance(key, fits, rule.threshold)
    if None in values:
        # NULLs that fail may have a text of their own.
        judged.reason = None
    return judged


def _by_extremes(rule: Rule, name: str, values: list) -> Judged:
    """By the least and the greatest value, as doubles; NULL fails. A threshold is ignored."""
    condition = rule.condition
    numbers = [float(value) for value in values if value is not None]
    if not numbers:
        return Judged(False, reading=f"ColumnValues of {'NULLs alone' if values else 'no rows'}")
    wanted = {">": ["Minimum"], ">=": ["Minimum"], "<": ["Maximum"], "<=": ["Maximum"]}
    extremes = {"Minimum": min(numbers), "Maximum": max(numbers)}
    metrics = {which: extremes[which] for which in wanted.get(condition.operator, extremes)}
    reasons = [not_met(value) for value in metrics.values() if not holds(condition, value)]
    if len(numbers) < len(values):
        reasons.append(NULL_REASON)
    return Judged(
        passed=not reasons,
        metrics={f"Column.{name}.{which}": [Metric(value)] for which, value in metrics.items()},
        # The order of several reasons is not stated.
        reason=reasons[0] if len(reasons) == 1 else None,
    )


def _number_fits(condition: Condition, value) -> bool:
    if value is None:
        return _null_fits(condition, ordered=("not between",))
    if all(operand == NULL for operand in condition.operands):
        return condition.operator in ("!=", "not in")
    return holds(condition, float(value))


def _null_fits(condition: Condition, ordered: tuple[str, ...] = ()) -> bool:
    """NULL fits `NULL`, and every negated condition that does not name it, but for those `ordered`."""
    named = NULL in condition.operands
    if condition.operator.startswith(("not", "!")):
        return not named and condition.operator not in ordered
    return named


def _text_fits(condition: Condition, value: str | None, ignore_case: bool) -> bool:
    negated = condition.operator in ("!=", "not in")
    if value is None:
        return _null_fits(condition)
    fold = str.lower if ignore_case else str
    hit = False
    for operand in condition.operands:
        if operand == EMPTY:
            hit |= value == ""
        elif operand == WHITESPACES_ONLY:
            hit |= value != "" and value.strip(" ") == ""
        elif operand != NULL:
            hit |= fold(value) == fold(operand)
    return hit != negated


def _matches(condition: Condition, value: str | None) -> bool:
    """As `regexp_extract(value, '^p$', 0) != ''`: no match of an empty text, no match of NULL."""
    (pattern,) = condition.operands
    wrapped = f"^{pattern}$" if condition.operator == "matches" else rf"^(?!\b{pattern}\b).*$"
    found = re.search(wrapped.replace(".", r"[^\n\r\x85\u2028\u2029]"), value, re.ASCII) if value else None
    return bool(found and found.group())


def _date_fits(condition: Condition, value: datetime.date | None) -> bool:
    if value is None:
        return _null_fits(condition)
    days = _day(value).toordinal()
    operands = [Number("", float(_operand_day(operand))) for operand in condition.operands if operand != NULL]
    return holds(Condition(condition.operator, tuple(operands)), float(days))


def _day(value: datetime.date) -> datetime.date:
    return value.date() if isinstance(value, datetime.datetime) else value


def _operand_day(operand: datetime.date | Now) -> int:
    if isinstance(operand, Now):
        today = datetime.datetime.now(datetime.UTC).date()
        return today.toordinal() + operand.days
    return operand.toordinal()


def column_length(rule: Rule, world: World) -> Judged:
    """NULL has length 0; characters are counted, not bytes. `!=` is about the shortest and the longest text alone."""
    (name,) = rule.params
    condition, table = rule.condition, world.scope(rule.where)
    lengths = [len(value or "") for value in table.column(name)]
    listed = condition.operator in ("in", "not in", "not between")
    if not lengths and (rule.where or not listed):
        return nothing(rule, table, "ColumnLength of no rows")
    if listed:
        return by_compliance(f"Column.{name}.LengthCompliance", [holds(condition, float(size)) for size in lengths], None)
    wanted = {">": ["MinimumLength"], ">=": ["MinimumLength"], "<": ["MaximumLength"], "<=": ["MaximumLength"]}
    extremes = {"MinimumLength": float(min(lengths)), "MaximumLength": float(max(lengths))}
    metrics = {which: extremes[which] for which in wanted.get(condition.operator, extremes)}
    reasons = [not_met(value) for value in metrics.values() if not holds(condition, value)]
    return Judged(
        passed=not reasons,
        metrics={f"Column.{name}.{which}": [Metric(value)] for which, value in metrics.items()},
        reason=reasons[0] if len(reasons) == 1 else None,
        reading="ColumnLength != by extremes, or row by row" if condition.operator == "!=" else None,
    )


def column_data_type(rule: Rule, world: World) -> Judged:
    """The share of rows whose text Spark can cast; NULL is no value of any type."""
    (name,) = rule.params
    table = world.scope(rule.where)
    if not table.rows:
        return Judged(True, reason=NO_ROWS)
    (target,) = rule.condition.operands
    wanted = rule.condition.operator == "="
    fits = [(value is not None and spark.casts(value, target)) == wanted for value in table.column(name)]
    judged = by_compliance(f"Column.{name}.ColumnDataType.Compliance", fits, rule.threshold)
    judged.reason = None
    return judged


def data_freshness(rule: Rule, world: World) -> Judged:
    """Hours from the value to now, for values so far away that the clock does not matter; NULL fails."""
    (name,) = rule.params
    table = world.scope(rule.where)
    if not table.rows:
        return Judged(True, reason=NO_ROWS)
    condition = rule.condition
    limits = Condition(condition.operator, tuple(Number("", operand.hours) for operand in condition.operands))
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    fits = []
    for value in table.column(name):
        age = None if value is None else (now - _midnight(value)).total_seconds() / 3600
        fits.append(age is not None and holds(limits, age))
    judged = by_compliance(f"Column.{name}.DataFreshness.Compliance", fits, None)
    if not judged.passed:
        judged.reason = f"{sum(fits) / len(fits) * 100:.2f} % of rows passed the threshold"
    return judged


def _midnight(value: datetime.date) -> datetime.datetime:
    return value if isinstance(value, datetime.datetime) else datetime.datetime.combine(value, datetime.time())


TYPES: dict[str, Callable[[Rule, World], Judged]] = {
    "ColumnValues": column_values,
    "ColumnLength": column_length,
    "ColumnDataType": column_data_type,
    "DataFreshness": data_freshness,
}
