"""What the oracle says about a rule, and how a condition judges a metric."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal

from .dqdl import NULL, Condition, Number, Rule
from .table import Table

ONE = Condition("=", (Number("1.0", 1.0),))


@dataclass(frozen=True)
class Metric:
    """A metric, and by how much a sound computation in doubles may differ from it."""

    value: float
    slack: float = 0.0

    def agrees(self, found: float | None) -> bool:
        """JSON has neither NaN nor infinities, so those are found as `None`."""
        if not math.isfinite(self.value):
            return found is None or found == self.value
        return found is not None and abs(found - self.value) <= self.slack


@dataclass
class Judged:
    """A rule's outcome.

    `reason` is the failure reason where the reference states its text, else `None`. `reading` names the gap in the
    reference that the outcome rests on: a disagreement there is a question, not a fault.
    """

    passed: bool
    metrics: dict[str, list[Metric]] = field(default_factory=dict)
    reason: str | None = None
    reading: str | None = None
    # The condition and the metric's key, for a metric that may differ in its last digits.
    depends: tuple[Condition, str] | None = None
    parts: tuple[str, list[Judged]] | None = None

    def passes_with(self, found: dict[str, float | None]) -> bool:
        """The outcome when metrics that may differ are those that were found."""
        if self.parts:
            operator, parts = self.parts
            return (all if operator == "AND" else any)(part.passes_with(found) for part in parts)
        if self.depends and found.get(self.depends[1]) is not None:
            condition, key = self.depends
            if self.metrics[key][0].agrees(found[key]):
                return holds(condition, found[key])
        return self.passed


def holds(condition: Condition, metric: float) -> bool:
    """Section 3: equality is that of Java's `Double.equals`, `between` leaves out both ends, NaN fails every ordering."""
    first, *more = [operand.value for operand in condition.operands if operand != NULL] or [math.nan]
    match condition.operator:
        case ">":
            return metric > first
        case ">=":
            return metric >= first
        case "<":
            return metric < first
        case "<=":
            return metric <= first
        case "=":
            return same(metric, first)
        case "!=":
            return not same(metric, first)
        case "between":
            return first < metric < more[0]
        case "not between":
            return metric <= first or metric >= more[0]
        case "in":
            return any(same(metric, listed) for listed in [first, *more])
        case "not in":
            return not any(same(metric, listed) for listed in [first, *more])
    raise ValueError(condition.operator)


def same(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b and math.copysign(1, a) == math.copysign(1, b)


def by_metric(key: str, metric: Metric, condition: Condition, *, whole=False, full_stop=False) -> Judged:
    """A rule that is one metric and a condition on it. `whole`: the reason shows an integer."""
    passed = holds(condition, metric.value)
    reason = None
    if not passed and metric.slack == 0:
        reason = not_met(int(metric.value) if whole else metric.value, "." if full_stop else "!")
    return Judged(passed, {key: [metric]}, reason, depends=(condition, key) if metric.slack else None)


def by_compliance(key: str, fits: list[bool], threshold: Condition | None) -> Judged:
    """A share of rows against a threshold. Of no rows it is NaN, as completeness is."""
    judged = by_metric(key, Metric(sum(fits) / len(fits) if fits else math.nan), threshold or ONE)
    if not fits:
        judged.reading = f"{key.rsplit('.', 1)[-1]} of no rows"
    return judged


def nothing(rule: Rule, table: Table, what: str, *, stated: bool = False) -> Judged:
    """Nothing to compute a metric of: Passed when `where` left no row, else Failed. `stated`: the reference says so."""
    if rule.where and not table.rows:
        return Judged(True)
    return Judged(False, reading=None if stated else what)


def not_met(value: float | int | str, end: str = "!") -> str:
    shown = java_double(value) if isinstance(value, float) else str(value)
    return f"Value: {shown} does not meet the constraint requirement{end}"


def java_double(value: float) -> str:
    """`Double.toString`: plain from 1e-3 up to 1e7, else with an exponent; at least one digit after the point."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = format(Decimal(repr(value)), "f")
        return text if "." in text else text + ".0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    power = exponent + len(digits) - 1
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:] or '0'}E{power}"
