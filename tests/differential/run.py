"""Random rulesets over random tables, judged by the binary and by the oracle.

    python tests/differential/run.py --rulesets 1000 --seed 7

Prints how often the two agree on each rule type, and the first disagreements made as small as they get. Ends with 1 when
there is one that the reference decides; those on which it is silent are shown apart.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from differential import data
from differential.compare import Disagreement, check, minimise
from differential.dqdl import Rule
from differential.engine import FORMATS, Engine, Layout
from differential.generate import MAKERS, Generator

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Summary:
    """What came of a comparison."""

    rulesets: int = 0
    agreed: Counter = field(default_factory=Counter)
    judged: Counter = field(default_factory=Counter)
    passed: Counter = field(default_factory=Counter)
    readings: Counter = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)
    unsupported: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> list[Disagreement]:
        """Disagreements on what the reference states."""
        return [case for case in self.disagreements if not case.expected.reading]

    @property
    def questions(self) -> list[Disagreement]:
        """Disagreements on what it leaves open."""
        return [case for case in self.disagreements if case.expected.reading]

    def table(self) -> str:
        lines = [f"{'rule type':<26}{'judged':>8}{'passed':>8}{'agreed':>8}{'differ':>8}"]
        for kind in sorted(self.judged):
            differ = self.judged[kind] - self.agreed[kind]
            lines.append(
                f"{kind:<26}{self.judged[kind]:>8}{self.passed[kind]:>8}{self.agreed[kind]:>8}{differ or '':>8}"
            )
        total = self.judged.total()
        lines.append(f"{'all':<26}{total:>8}{self.passed.total():>8}{self.agreed.total():>8}{total - self.agreed.total() or '':>8}")
        lines += [f"{kind:<26}  skipped: {reason}" for kind, reason in sorted(self.unsupported.items())]
        lines.append(
            f"{self.rulesets} rulesets; {len(self.judged)} kinds of rules compared, {len(self.unsupported)} rule types"
            f" skipped; {len(self.faults)} disagreements, {len(self.questions)} where the reference is silent"
        )
        return "\n".join(lines)


def compare(
    engine: Engine, rulesets: int, seed: int, only: list[str] | None = None, most_rows: int = 500, a_table: int = 25
) -> Summary:
    """Judges `rulesets` random rulesets, `a_table` over each table in one call.

    The same seed makes the same ones, given the same rule types.
    """
    wanted = only or sorted(MAKERS)
    summary = Summary(unsupported=engine.unsupported(wanted))
    types = [kind for kind in wanted if kind not in summary.unsupported]
    number = 0
    while summary.rulesets < rulesets:
        rng = Random(f"{seed}/{number}")
        number += 1
        world = data.world(rng, most_rows)
        layout = Layout(rng.choice((FORMATS[0], *FORMATS)), rng.choice((1, 1, 2, 5)))
        generator = Generator(rng, world, types)
        many = [generator.ruleset() for _ in range(min(a_table, rulesets - summary.rulesets))]
        rules = [rule for ruleset in many for rule in ruleset]
        expected, differing = check(engine, world, rules, layout)
        wrong = {id(case.rule) for case in differing}
        for rule, judged in zip(rules, expected):
            kind = rule.type if isinstance(rule, Rule) else "(composite)"
            summary.judged[kind] += 1
            summary.passed[kind] += judged.passed
            summary.agreed[kind] += id(rule) not in wrong
            if judged.reading:
                summary.readings[judged.reading] += 1
        summary.rulesets += len(many)
        summary.disagreements += differing
    return summary


def first_of_each(cases: list[Disagreement], limit: int) -> list[Disagreement]:
    """Those that seem to be different: by what differs and the rule's type, leaves before composites."""
    cases = sorted(cases, key=lambda case: (not isinstance(case.rule, Rule), len(case.world.primary.rows)))
    seen: dict[tuple, Disagreement] = {}
    for case in cases:
        if isinstance(case.rule, Rule):
            form = (case.rule.type, case.rule.condition and case.rule.condition.operator, bool(case.rule.where))
        else:
            form = ("composite", None, None)
        seen.setdefault((case.about, case.expected.reading, *form), case)
    return list(seen.values())[:limit]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rulesets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--types", help="only these rule types, separated by commas")
    parser.add_argument("--rows", type=int, default=500, help="rows of a table at most")
    parser.add_argument("--show", type=int, default=10, help="disagreements shown")
    parser.add_argument("--binary", default=os.environ.get("ETL_ENGINE_BIN", ROOT / "target" / "debug" / "etl-engine"))
    options = parser.parse_args()
    began = time.monotonic()
    engine = Engine(str(options.binary))
    only = options.types.split(",") if options.types else None
    summary = compare(engine, options.rulesets, options.seed, only, options.rows)
    for title, cases in (("DISAGREEMENTS", summary.faults), ("OPEN IN THE REFERENCE", summary.questions)):
        if cases:
            print(f"\n{title}")
        for case in first_of_each(cases, options.show):
            print(minimise(engine, case).show())
    print(f"\n{summary.table()}\nseed {options.seed}, {time.monotonic() - began:.0f} s")
    return 1 if summary.faults else 0


if __name__ == "__main__":
    sys.exit(main())
