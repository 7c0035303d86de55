"""Mean, sum, spread and correlation, in exact fractions of the column's doubles."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

from .dqdl import Rule
from .judged import Judged, Metric, by_metric, nothing
from .table import World

EPSILON = 2.0**-52


def _of_values(rule: Rule, world: World, metric: str, compute) -> Judged:
    (name,) = rule.params
    table = world.scope(rule.where)
    values = [value for value in table.column(name) if value is not None]
    if not values:
        return nothing(rule, table, f"{metric} of NULLs alone", stated=True)
    return by_metric(f"Column.{name}.{metric}", compute(values), rule.condition)


def _sum(values: list) -> Metric:
    """Exact, then the nearest double. Doubles that cancel, or that are beyond 2^53, may be off by their own rounding."""
    total = sum(map(Fraction, values))
    size = sum(abs(Fraction(value)) for value in values)
    # Sums of whole numbers that a double holds are exact; so is every partial sum.
    whole = all(Fraction(value).denominator == 1 for value in values)
    return Metric(float(total), 0.0 if whole and size <= 2**53 else 1e-12 * float(size))


def _mean(values: list) -> Metric:
    total = _sum(values)
    return Metric(total.value / len(values), total.slack / len(values))


def _variance(values: list) -> Metric:
    """Of the population. The slack is that of a sound one-pass formula: it grows with mean / deviation."""
    exact = [Fraction(float(value)) for value in values]
    mean = sum(exact) / len(exact)
    variance = float(sum((value - mean) ** 2 for value in exact) / len(exact))
    largest = max(abs(float(value)) for value in values)
    return Metric(variance, 1e-12 * variance + 16 * EPSILON * largest * math.sqrt(variance))


def _deviation(values: list) -> Metric:
    variance = _variance(values)
    deviation = math.sqrt(variance.value)
    return Metric(deviation, variance.slack / (2 * deviation) + EPSILON * deviation if deviation else 0.0)


def column_correlation(rule: Rule, world: World) -> Judged:
    """Pearson, over rows where both are not NULL; NaN when one does not vary."""
    table = world.scope(rule.where)
    pairs = [pair for pair in table.keys(rule.params) if None not in pair]
    if not pairs:
        return nothing(rule, table, "ColumnCorrelation without pairs")
    metric = _correlation(*([Fraction(float(value)) for value in side] for side in zip(*pairs)))
    return by_metric(f"Multicolumn.{','.join(rule.params)}.ColumnCorrelation", metric, rule.condition)


def _correlation(xs: list[Fraction], ys: list[Fraction]) -> Metric:
    count = len(xs)
    dx, dy = _centred(xs), _centred(ys)
    xx, yy, xy = sum(x * x for x in dx), sum(y * y for y in dy), sum(x * y for x, y in zip(dx, dy))
    if not xx or not yy:
        return Metric(math.nan)
    with localcontext() as context:
        context.prec = 60
        square = xy * xy / (xx * yy)
        root = (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()
    spread = [max(map(abs, side)) / math.sqrt(float(total / count)) for side, total in ((xs, xx), (ys, yy))]
    slack = 1e-12 + 16 * EPSILON * float(sum(map(float, spread)))
    return Metric(math.copysign(float(root), xy), slack)


def _centred(values: list[Fraction]) -> list[Fraction]:
    mean = sum(values) / len(values)
    return [value - mean for value in values]


TYPES = {
    "Mean": lambda rule, world: _of_values(rule, world, "Mean", _mean),
    "Sum": lambda rule, world: _of_values(rule, world, "Sum", _sum),
    "StandardDeviation": lambda rule, world: _of_values(rule, world, "StandardDeviation", _deviation),
    "Variance": lambda rule, world: _of_values(rule, world, "Variance", _variance),
    "ColumnCorrelation": column_correlation,
}
