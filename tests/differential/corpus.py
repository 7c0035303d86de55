"""The oracle held against the published cases of Deequ, so that it is not only right where the binary is.

Their rules are text, and the binary's parser makes values of them: this is a check of the oracle alone.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb

from . import oracle
from .dqdl import EMPTY, NULL, WHITESPACES_ONLY, AnyRule, Composite, Condition, Duration, Number, Rule
from .judged import Judged
from .table import ARROW, Table, World

OPERATORS = {
    "GREATER_THAN": ">",
    "GREATER_THAN_EQUAL_TO": ">=",
    "LESS_THAN": "<",
    "LESS_THAN_EQUAL_TO": "<=",
    "EQUALS": "=",
    "NOT_EQUALS": "!=",
    "BETWEEN": "between",
    "NOT_BETWEEN": "not between",
    "IN": "in",
    "NOT_IN": "not in",
    "MATCHES": "matches",
    "NOT_MATCHES": "not matches",
}
KEYWORDS = {"NULL": NULL, "EMPTY": EMPTY, "WHITESPACES_ONLY": WHITESPACES_ONLY}


class Outside(Exception):
    """The oracle has nothing to say about a case: why."""


def cases(corpus: Path, binary: str) -> Iterator[tuple[str, str, dict, Judged | None]]:
    """For each expectation: the case's id, the rule's text, what is expected, and the oracle's judgement if it has one."""
    for case in json.loads((corpus / "eval_cases.json").read_text()):
        if case["kind"] != "dataset" or case.get("clock_relative") or case.get("throws"):
            continue
        trees = _parse(case["ruleset"], binary)
        by_text = {tree["text"]: tree for tree in trees}
        for expected in case["expected"]:
            tree = by_text.get(expected.get("rule")) or (trees[0] if len(trees) == 1 else None)
            if not tree or "outcome" not in expected:
                continue
            try:
                judged = oracle.evaluate(_rule(tree), _world(case))
            except (Outside, KeyError, ValueError, TypeError, AttributeError, duckdb.Error):
                # A missing source, a type, a dialect of SQL or a form of rule beyond the oracle.
                judged = None
            yield case["id"], tree["text"], expected, judged


def _parse(text: str, binary: str) -> list[dict]:
    with tempfile.NamedTemporaryFile("w", suffix=".dqdl") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([binary, "rules", "parse", file.name, "--json"], capture_output=True, timeout=60)
    return json.loads(done.stdout)["ast"] if done.returncode == 0 else []


def _rule(tree: dict) -> AnyRule:
    if tree["type"] == "Composite":
        return Composite(tree["operator"], tuple(_rule(part) for part in tree["nested"]))
    tags = tree.get("tags") or {}
    if tags.keys() - {"threshold", "ignoreCase"}:
        raise Outside(f"tags {tags}")
    return Rule(
        tree["type"],
        tuple(param["value"] for param in tree.get("params", [])),
        _condition(tree.get("condition")),
        tree.get("where"),
        _condition(tree.get("threshold")),
        "ignoreCase" in tags,
    )


def _condition(tree: dict | None) -> Condition | None:
    if not tree:
        return None
    return Condition(OPERATORS[tree["op"]], tuple(_operand(operand) for operand in tree["operands"]))


def _operand(operand):
    match operand:
        case {"num": text}:
            return Number(text, float(text))
        case {"str": text}:
            return text
        case {"keyword": name}:
            return KEYWORDS[name]
        case str() if found := re.fullmatch(r"(\d+) (days|hours|minutes)", operand):
            return Duration(int(found[1]), found[2])
        case str() if re.fullmatch(r'"?\d{4}-\d\d-\d\d"?', operand):
            return datetime.date.fromisoformat(operand.strip('"'))
    raise Outside(f"operand {operand}")


def _world(case: dict) -> World:
    more = {alias: _table(data) for alias, data in (case.get("additional_data") or {}).items()}
    return World(_table(case["data"]), more)


def _table(data: dict) -> Table:
    types = [column["type"] for column in data["columns"]]
    if any("`" in column["name"] or "." in column["name"] for column in data["columns"]):
        raise Outside("quoted names")
    if any(kind not in ARROW and not kind.startswith("decimal") for kind in types):
        raise Outside(f"types {types}")
    rows = tuple(tuple(_value(value, kind) for value, kind in zip(row, types)) for row in data["rows"])
    return Table(tuple(column["name"] for column in data["columns"]), tuple(types), rows)


def _value(value, kind: str):
    if value is None or kind in ("string", "boolean"):
        return value
    if kind == "date":
        return datetime.date.fromisoformat(value)
    if kind == "timestamp":
        return datetime.datetime.fromisoformat(value)
    return float(value) if kind in ("double", "float") else Decimal(value) if kind.startswith("decimal") else int(value)
