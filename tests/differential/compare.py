"""What the oracle and the binary say about the same rule, side by side, and smaller cases of a disagreement."""

from __future__ import annotations

from dataclasses import dataclass

from . import oracle
from .dqdl import AnyRule, Rule
from .engine import Engine, Layout, Refused
from .judged import Judged
from .table import World


@dataclass
class Disagreement:
    """One rule on which the two differ. `about`: outcome, metrics, reason, text or refused."""

    about: str
    rule: AnyRule
    world: World
    layout: Layout
    expected: Judged
    found: dict | str

    def show(self) -> str:
        table = self.world.primary
        lines = [f"--- {self.about}: {self.rule.text()}"]
        if self.expected.reading:
            lines.append(f"    the reference leaves open: {self.expected.reading}")
        lines += [f"    oracle: {_shown(self.expected)}", f"    binary: {self.found}"]
        lines.append(f"    {self.layout}, columns {dict(zip(table.names, table.types))}, {len(table.rows)} rows:")
        lines += [f"      {row!r}" for row in table.rows[:12]]
        used = {alias for alias in self.world.sources if alias in self.rule.text()}
        for alias in sorted(used):
            lines.append(f"    {alias}: {len(self.world.sources[alias].rows)} rows")
            lines += [f"      {row!r}" for row in self.world.sources[alias].rows[:12]]
        return "\n".join(lines)


def _shown(judged: Judged) -> str:
    metrics = {key: [metric.value for metric in values] for key, values in judged.metrics.items()}
    return f"{'Passed' if judged.passed else 'Failed'} {metrics} {judged.reason!r}"


def difference(rule: AnyRule, expected: Judged, found: dict) -> str | None:
    """What the two differ on, if they do."""
    metrics = found["EvaluatedMetrics"]
    if expected.passes_with(metrics) != (found["Outcome"] == "Passed"):
        return "outcome"
    if not _metrics_agree(expected, metrics):
        return "metrics"
    if expected.reason is not None and expected.reason != found["FailureReason"]:
        return "reason"
    # How a list shows what it escaped is the parser's affair.
    if isinstance(rule, Rule) and "\\" not in rule.text() and rule.text() != found["Rule"]:
        return "text"
    return None


def _metrics_agree(expected: Judged, found: dict) -> bool:
    # A metric that is no number may as well be left out.
    finite = {key for key, values in expected.metrics.items() if any(abs(metric.value) < float("inf") for metric in values)}
    return finite <= found.keys() <= expected.metrics.keys() and all(
        any(metric.agrees(value) for metric in expected.metrics[key]) for key, value in found.items()
    )


def check(engine: Engine, world: World, rules: list[AnyRule], layout: Layout) -> tuple[list[Judged], list[Disagreement]]:
    """Judges each rule twice."""
    expected = [oracle.evaluate(rule, world) for rule in rules]
    try:
        outcomes = engine.outcomes(world, rules, layout)
    except Refused as refused:
        if len(rules) == 1:
            return expected, [Disagreement("refused", rules[0], world, layout, expected[0], str(refused))]
        # Which one was it? The others are judged still.
        middle = len(rules) // 2
        halves = [check(engine, world, half, layout)[1] for half in (rules[:middle], rules[middle:])]
        return expected, halves[0] + halves[1]
    differing = []
    for rule, judged, found in zip(rules, expected, outcomes):
        if about := difference(rule, judged, found):
            differing.append(Disagreement(about, rule, world, layout, judged, found))
    return expected, differing


def minimise(engine: Engine, case: Disagreement, calls: int = 80) -> Disagreement:
    """A smaller rule, then fewer rows, that the two still differ on in the same way."""

    def still(rule: AnyRule, world: World, layout: Layout) -> Disagreement | None:
        nonlocal calls
        if calls <= 0:
            return None
        calls -= 1
        found = check(engine, world, [rule], layout)[1]
        return found[0] if found and found[0].about == case.about else None

    smaller = True
    while smaller:
        candidates = [(rule, case.world, case.layout) for rule in case.rule.smaller()]
        candidates += [(case.rule, case.world, Layout())] if case.layout != Layout() else []
        smaller = next(filter(None, (still(*candidate) for candidate in candidates)), None)
        case = smaller or case
    chunk = len(case.world.primary.rows)
    while chunk:
        at = 0
        while at < len(case.world.primary.rows):
            rows = case.world.primary.rows
            world = World(case.world.primary.with_rows(rows[:at] + rows[at + chunk :]), case.world.sources)
            if smaller := still(case.rule, world, case.layout):
                case = smaller
            else:
                at += chunk
        chunk //= 2
    return case
