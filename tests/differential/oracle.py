"""The oracle: what Glue Data Quality says about a rule, written from the reference of DQDL alone.

It is slow and plain on purpose: whole columns in memory, exact fractions, SQL by DuckDB.
"""

from __future__ import annotations

from . import columns, counts, moments, sources
from .dqdl import AnyRule, Composite
from .judged import Judged
from .table import World

# Those whose parameters are columns, each of which has to be there.
OF_COLUMNS = (counts.TYPES | moments.TYPES | columns.TYPES).keys() - {"ColumnExists", "ColumnNamesMatchPattern"}
TYPES = {**counts.TYPES, **moments.TYPES, **columns.TYPES, **sources.TYPES}


def evaluate(rule: AnyRule, world: World) -> Judged:
    """The outcome of a rule over the primary table."""
    if isinstance(rule, Composite):
        return _composite(rule, world)
    missing = [name for name in rule.params if name not in world.primary.names]
    if missing and rule.type in OF_COLUMNS:
        return Judged(False, reason=_missing(rule.type, missing[0]) if len(missing) == 1 else None)
    return TYPES[rule.type](rule, world)


def _missing(kind: str, name: str) -> str:
    if kind in ("DataFreshness", "ColumnDataType"):
        return f"Column {name} does not exist in the dataset"
    return f"Input data does not include column {name}!"


def _composite(rule: Composite, world: World) -> Judged:
    """Each part judged on the whole dataset, none left out; reasons of the failing ones, metrics of all."""
    parts = [evaluate(part, world) for part in rule.parts]
    metrics: dict[str, list] = {}
    for part in parts:
        for key, values in part.metrics.items():
            metrics.setdefault(key, []).extend(values)
    leaves = [leaf for part in parts for leaf in _leaves(part)]
    # Not stated: whether what is said of a part that passed is repeated. Not exact: which parts failed, by a last digit.
    unsure = any(leaf.depends or (leaf.passed and leaf.reason) for leaf in leaves)
    reasons = [leaf.reason for leaf in leaves if not leaf.passed]
    return Judged(
        passed=(all if rule.operator == "AND" else any)(part.passed for part in parts),
        metrics=metrics,
        reason="\n".join(reasons) if reasons and all(reasons) and not unsure else None,
        reading=next((part.reading for part in parts if part.reading), None),
        parts=(rule.operator, parts),
    )


def _leaves(judged: Judged) -> list[Judged]:
    return [leaf for part in judged.parts[1] for leaf in _leaves(part)] if judged.parts else [judged]
