"""The binary, asked for the outcomes of rules over a world."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .dqdl import AnyRule, Condition, Duration, Number, Rule, document
from .table import Table, World

FORMATS = (".csv", ".ndjson", ".parquet")


class Refused(Exception):
    """The binary did not judge: what it said."""


@dataclass(frozen=True)
class Layout:
    """How the primary table lies on disk: its format, and in how many files, so that states are merged."""

    format: str = ".csv"
    files: int = 1


@dataclass
class Engine:
    """The binary, and the rule types it knows."""

    binary: str
    sources: bool = True

    def outcomes(self, world: World, rules: list[AnyRule], layout: Layout = Layout()) -> list[dict]:
        """The `rule_outcomes` of one call.

        Raises `Refused` when there are none, also when a row did not fit the schema: all rows of a world fit.
        """
        with tempfile.TemporaryDirectory(prefix="differential-") as folder:
            return self._judge(Path(folder), world, rules, layout)

    def _judge(self, folder: Path, world: World, rules: list[AnyRule], layout: Layout) -> list[dict]:
        inputs = []
        # NDJSON without rows is an empty file, which is no input.
        ending = layout.format if world.primary.rows or layout.format != ".ndjson" else ".csv"
        for number, part in enumerate(_parts(world.primary, layout)):
            inputs.append(folder / f"{number:02}{ending}")
            part.write(inputs[-1])
        (folder / "schema.yaml").write_text(world.primary.schema())
        (folder / "rules.dqdl").write_bytes(document(rules).encode())
        command = [self.binary, "validate", *inputs, "--schema", folder / "schema.yaml", "--rules", folder / "rules.dqdl"]
        if self.sources and world.sources:
            for alias, table in world.sources.items():
                # Parquet says its types itself.
                table.write(folder / f"{alias}.parquet")
                command += ["--source", f"{alias}={folder / alias}.parquet"]
        done = subprocess.run(
            [*map(str, command), "--json"], capture_output=True, timeout=120, env={**os.environ, "NO_COLOR": "1"}
        )
        said = (done.stdout + done.stderr).decode(errors="replace").replace(str(folder), "")
        if done.returncode not in (0, 1):
            raise Refused(f"exit {done.returncode}: {said.strip()}")
        report = json.loads(done.stdout)
        misfits = [fault for fault in report["faults"] if not fault.get("rule")]
        if misfits or report["rows"]["read"] != len(world.primary.rows):
            raise Refused(f"{report['rows']} {json.dumps(misfits)}")
        if len(report["rule_outcomes"]) != len(rules):
            raise Refused(f"{len(report['rule_outcomes'])} outcomes of {len(rules)} rules")
        return report["rule_outcomes"]

    def unsupported(self, types: list[str]) -> dict[str, str]:
        """Of these rule types those that the binary has not, and what it says of them."""
        refused = {}
        self.sources = True
        self.sources = self._refuses(PROBES["RowCount"]) is None
        for kind in types:
            reason = "there is no --source" if kind in OF_SOURCES and not self.sources else self._refuses(PROBES[kind])
            if reason:
                refused[kind] = reason
        return refused

    def _refuses(self, rule: Rule) -> str | None:
        try:
            self.outcomes(PROBED, [rule])
        except Refused as refused:
            known = ("not supported yet", "unexpected argument '--source'")
            if found := next((part for part in known if part in str(refused)), None):
                return found
            raise
        return None


def _parts(table: Table, layout: Layout) -> list[Table]:
    size = max(1, -(-len(table.rows) // layout.files))
    starts = range(0, len(table.rows), size) if table.rows else [0]
    return [table.with_rows(table.rows[start : start + size]) for start in starts]


_ROWS = ((1, 2, "a", datetime.date(2000, 1, 1)), (2, 3, "b", None))
_TABLE = Table(("id", "n", "t", "d"), ("bigint", "int", "string", "date"), _ROWS)
PROBED = World(_TABLE, {"ref": _TABLE})

OF_SOURCES = ("ReferentialIntegrity", "DatasetMatch", "SchemaMatch", "RowCountMatch", "AggregateMatch")
_POSITIVE = Condition(">", (Number("0", 0.0),))
# A rule of each type over `PROBED`.
PROBES = {
    "RowCount": Rule("RowCount", (), _POSITIVE),
    "ColumnCount": Rule("ColumnCount", (), _POSITIVE),
    "ColumnExists": Rule("ColumnExists", ("n",)),
    "ColumnNamesMatchPattern": Rule("ColumnNamesMatchPattern", ("[a-z]",)),
    "ColumnDataType": Rule("ColumnDataType", ("t",), Condition("=", ("Integer",))),
    "DataFreshness": Rule("DataFreshness", ("d",), Condition(">", (Duration(3, "days"),))),
    "IsComplete": Rule("IsComplete", ("n",)),
    "IsUnique": Rule("IsUnique", ("n",)),
    "IsPrimaryKey": Rule("IsPrimaryKey", ("n",)),
    "ColumnLength": Rule("ColumnLength", ("t",), _POSITIVE),
    "ColumnCorrelation": Rule("ColumnCorrelation", ("id", "n"), _POSITIVE),
    "DuplicateRowCount": Rule("DuplicateRowCount", (), _POSITIVE),
    "ReferentialIntegrity": Rule("ReferentialIntegrity", ("id", "ref.id"), _POSITIVE),
    "DatasetMatch": Rule("DatasetMatch", ("ref", "id", "n"), _POSITIVE),
    "SchemaMatch": Rule("SchemaMatch", ("ref",), _POSITIVE),
    "RowCountMatch": Rule("RowCountMatch", ("ref",), _POSITIVE),
    "AggregateMatch": Rule("AggregateMatch", ("sum(n)", "sum(ref.n)"), _POSITIVE),
    "CustomSql": Rule("CustomSql", ("select count(*) from primary",), _POSITIVE),
}
for _kind in (
    "ColumnValues", "Completeness", "Uniqueness", "UniqueValueRatio", "DistinctValuesCount", "Entropy",
    "Mean", "Sum", "StandardDeviation", "Variance",
):  # fmt: skip
    PROBES[_kind] = Rule(_kind, ("n",), _POSITIVE)
