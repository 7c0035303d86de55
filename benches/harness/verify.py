"""Row for row: what etl-engine and the peers find and write, held against DuckDB's reading of the same rows."""

import math
import re
import tempfile

from peers.duckdb_sql import relation
from peers.lineitem import ALL_RULES

from . import engine
from .model import OURS, Failed
from .runner import require_agreement, run_once

# What metrics of etl-engine's report mean, as SQL; the others are of a rule, not of a column.
METRICS = {
    "Completeness": "avg(({column} is not null)::int)",
    "Mean": "avg({column})",
    "Sum": "sum({column})",
    "StandardDeviation": "stddev_pop({column})",
    "Minimum": "min({column})",
    "Maximum": "max({column})",
    "MinimumLength": "min(length({column}))",
    "MaximumLength": "max(length({column}))",
}


def columns_of(job):
    """Names and types in a job file of this folder, which lists one column a line."""
    return dict(re.findall(r'\{name: (\w+), type: "?([^"}]+)"?\}', job.read_text()))


def verify(workload, setting, seen):
    """Runs every contender once and compares; a line for the reader. Raises Failed at the first difference.

    `seen` holds the inputs whose rows were compared: those of V are those of U.
    """
    contenders = [contender for contender in workload.contenders(setting) if not contender.reference]
    ours = contenders[0]
    # All of the CSV's kin hold its rows; shapes hold rows of their own, all of which are accepted.
    source, where = (setting.inputs.csv, ALL_RULES) if ours.job == engine.JOB else (ours.data, "true")
    expected = relation(source, "csv", columns_of(ours.job))
    with tempfile.TemporaryDirectory(dir=setting.inputs.csv.parent) as out:
        found = {contender.name: run_once(contender, out)[1] for contender in contenders}
        require_agreement(found)
        metrics = compare_metrics(found[OURS]["metrics"], expected)
        writers = [contender for contender in contenders if contender.written]
        if ours.publish and ours.publish.command not in seen:
            seen.append(ours.publish.command)
            run_once(ours.publish, out)
            writers.append(ours.publish)
        for writer in writers:
            compare_rows(writer.name, f"{out}/{writer.written}", f"select * from {expected} where {where}")
    words = found[OURS]
    says = [contender.name for contender in contenders if contender.found]
    text = f"{' + '.join(says)}: {words['rows']} rows, {words['accepted']} accepted, "
    text += f"{sum(words['failing'])} failures of row rules; {metrics} metrics"
    return text + "".join(f", rows of {writer.name}" for writer in writers) + " as DuckDB reads them"


def compare_rows(name, files, expected):
    """As multisets of whole rows, with their types."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"create view expected as {expected}")
    listed = connection.sql("select * from expected limit 0")
    stored = f"read_parquet('{files}', hive_partitioning = true, hive_types_autocast = false)"
    # A partition column stands in the path, so columns may come in another order.
    connection.execute(f"create view stored as select {', '.join(listed.columns)} from {stored}")
    types = connection.sql("select * from stored limit 0").types
    if types != listed.types:
        pairs = [pair for pair in zip(listed.columns, listed.types, types, strict=True) if pair[1] != pair[2]]
        raise Failed(f"{name} stores other types (column, expected, stored): {pairs}")
    for left, right, what in (("stored", "expected", "stores rows that"), ("expected", "stored", "lacks rows that")):
        rows = connection.execute(f"select * from {left} except all select * from {right} limit 3").fetchall()
        if rows:
            raise Failed(f"{name} {what} {'the input does not hold' if left == 'stored' else 'it should hold'}, such as {rows}")


def compare_metrics(metrics, expected):
    """How many metrics of the report have a meaning in SQL, and that value."""
    import duckdb

    wanted = {}
    for metric in metrics:
        match metric.split("."):
            case ["Column", column, what] if what in METRICS:
                wanted[metric] = METRICS[what].format(column=column)
            case ["Dataset", "*", "RowCount"]:
                wanted[metric] = "count(*)"
    items = ", ".join(f"({value})::double" for value in wanted.values())
    row = duckdb.execute(f"select {items} from {expected}").fetchone()
    for metric, theirs in zip(wanted, row, strict=True):
        if not math.isclose(metrics[metric], theirs, rel_tol=1e-9):
            raise Failed(f"{metric} is {metrics[metric]}, and {theirs} by DuckDB")
    return len(wanted)
