"""The oracle: what Glue Data Quality says about a rule, written from the reference of DQDL alone.

It is slow and plain on purpose: whole columns in memory, exact fractions, SQL by DuckDB.
"""

from __future__ import annotations

from . import columns, counts, moments, sources
from .dqdl import AnyRule, Composite
from .judged import Judged
from .table import World

TYPES = {**counts.TYPES, **moments.TYPES, **columns.TYPES, **sources.TYPES}


def evaluate(rule: AnyRule, world: World) -> Judged:
    """The outcome of a rule over the primary table."""
    if isinstance(rule, Composite):
        return _composite(rule, world)
    return TYPES[rule.type](rule, world)


def _composite(rule: Composite, world: World) -> Judged:
    """Each part judged on the whole dataset, none left out; reasons of the failing ones, metrics of all."""
    parts = [evaluate(part, world) for part in rule.parts]
    metrics: dict[str, list] = {}
    for part in parts:
        for key, values in part.metrics.items():
            metrics.setdefault(key, []).extend(values)
    reasons = [leaf.reason for part in parts for leaf in _leaves(part) if not leaf.passed]
    return Judged(
        passed=(all if rule.operator == "AND" else any)(part.passed for part in parts),
        metrics=metrics,
        reason="\n".join(reasons) if reasons and all(reasons) else None,
        reading=next((part.reading for part in parts if part.reading), None),
        parts=(rule.operator, parts),
    )


def _leaves(judged: Judged) -> list[Judged]:
    return [leaf for part in judged.parts[1] for leaf in _leaves(part)] if judged.parts else [judged]
