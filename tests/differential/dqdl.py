"""Rules as values, and their text.

The oracle judges the values, the binary reads the text: no parser is shared. Texts are in the canonical form that rule
outcomes repeat.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True)
class Number:
    """A number: its text, which may be an expression, and what it comes to."""

    text: str
    value: float

    @staticmethod
    def of(value: float | int) -> Number:
        """Plain digits: DQDL has no exponents."""
        text = str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")
        return Number(text, float(text))


@dataclass(frozen=True)
class Keyword:
    """`NULL`, `EMPTY` or `WHITESPACES_ONLY`."""

    name: str


@dataclass(frozen=True)
class Now:
    """`now()`, or so many days before or after it."""

    days: int = 0


@dataclass(frozen=True)
class Duration:
    """An amount of `days`, `hours` or `minutes`."""

    amount: int
    unit: str

    @property
    def hours(self) -> float:
        return self.amount * {"days": 24, "hours": 1, "minutes": 1 / 60}[self.unit]


NULL, EMPTY, WHITESPACES_ONLY = Keyword("NULL"), Keyword("EMPTY"), Keyword("WHITESPACES_ONLY")

# What may stand after an operator; a `str` is a string, a `datetime.date` a date.
Operand = Number | Keyword | Now | Duration | str | datetime.date


@dataclass(frozen=True)
class Condition:
    """An operator, such as `>=` or `not in`, and its operands."""

    operator: str
    operands: tuple[Operand, ...]

    def text(self) -> str:
        listed = self.operator in ("in", "not in")
        texts = [_operand(operand, listed) for operand in self.operands]
        if listed:
            return f"{self.operator} [{','.join(texts)}]"
        return f"{self.operator} {' and '.join(texts)}"


@dataclass(frozen=True)
class Rule:
    """One rule."""

    type: str
    params: tuple[str, ...] = ()
    condition: Condition | None = None
    where: str | None = None
    threshold: Condition | None = None
    ignore_case: bool = False

    def text(self) -> str:
        parts = [self.type, *(f'"{param}"' for param in self.params)]
        if self.condition:
            parts.append(self.condition.text())
        if self.where:
            parts.append(f'where "{self.where}"')
        if self.threshold:
            parts.append(f"with threshold {self.threshold.text()}")
        if self.ignore_case:
            parts.append('with ignoreCase = "true"')
        return " ".join(parts)

    def leaves(self) -> list[Rule]:
        return [self]

    def smaller(self) -> list[Rule]:
        """The same rule with one thing less to it."""
        found = [replace(self, where=None)] if self.where else []
        found += [replace(self, threshold=None)] if self.threshold else []
        found += [replace(self, ignore_case=False)] if self.ignore_case else []
        if self.condition and self.condition.operator in ("in", "not in") and len(self.condition.operands) > 1:
            operands = self.condition.operands
            for at in range(len(operands)):
                fewer = Condition(self.condition.operator, operands[:at] + operands[at + 1 :])
                found.append(replace(self, condition=fewer))
        return found


@dataclass(frozen=True)
class Composite:
    """Rules joined by `AND` or `OR`."""

    operator: str
    parts: tuple[Rule | Composite, ...]

    def text(self) -> str:
        return f" {self.operator} ".join(f"({part.text()})" for part in self.parts)

    def leaves(self) -> list[Rule]:
        return [leaf for part in self.parts for leaf in part.leaves()]

    def smaller(self) -> list[Rule | Composite]:
        """Its parts alone, and itself without one of them or with a smaller one."""
        found: list[Rule | Composite] = list(self.parts)
        for at, part in enumerate(self.parts):
            before, after = self.parts[:at], self.parts[at + 1 :]
            if len(self.parts) > 2:
                found.append(replace(self, parts=before + after))
            found += [replace(self, parts=(*before, less, *after)) for less in part.smaller()]
        return found


AnyRule = Rule | Composite


def document(rules: list[AnyRule]) -> str:
    """A whole ruleset."""
    return "Rules = [\n  " + ",\n  ".join(rule.text() for rule in rules) + "\n]\n"


def _operand(operand: Operand, listed: bool) -> str:
    match operand:
        case Number():
            return operand.text
        case Keyword():
            return operand.name
        case Now(0):
            return "now()"
        case Now(days):
            return f"(now() {'-' if days < 0 else '+'} {abs(days)} days)"
        case Duration():
            return f"{operand.amount} {operand.unit}"
        case datetime.date():
            return f'"{operand:%Y-%m-%d}"' if operand.year > 999 else f'"{operand.year:04}{operand:-%m-%d}"'
        case str() if listed:
            return '"' + operand.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case str():
            assert '"' not in operand, "only lists have escapes"
            return f'"{operand}"'
    raise TypeError(operand)
