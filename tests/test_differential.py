"""Random rulesets judged by the binary and by the oracle; `differential/run.py` does the same for as long as one likes."""

import math
import os
import re
from pathlib import Path

import pytest
from conftest import BIN, ROOT

from differential import corpus, data, oracle
from differential.compare import Disagreement, difference, minimise
from differential.dqdl import Composite, Condition, Number, Rule
from differential.engine import PROBED, Engine
from differential.generate import MAKERS
from differential.judged import java_double
from differential.run import compare, first_of_each

CORPUS = Path(os.environ.get("ETL_CONFORMANCE_DIR", ROOT.parent / "shared" / "conformance" / "dqdl"))
NUMBER = re.compile(r"Value: (\S+) ")


def known(case: Disagreement) -> str | None:
    """What the engine is known not to do yet."""
    if case.about == "refused":
        return None
    texts = (case.expected.reason or "", case.found["FailureReason"] or "")
    said = [[float(value) for value in NUMBER.findall(text)] for text in texts]
    if case.about == "reason" and said[0] and said[0] == said[1]:
        return "of two shortest texts of a double Java takes the even one"
    return None


@pytest.mark.parametrize("seed", [1, 2])
def test_the_binary_agrees_with_the_oracle(seed, capsys):
    engine = Engine(BIN)
    summary = compare(engine, rulesets=30, seed=seed, a_table=5)
    with capsys.disabled():
        skipped = ", ".join(sorted(summary.unsupported)) or "none"
        print(f"\n{summary.judged.total()} rules of {len(summary.judged)} kinds; {len(summary.unsupported)} types skipped: {skipped}")
    assert summary.judged.total() > 100
    assert len(summary.judged) > 10
    # A generator whose rules all fail, or all pass, would say little.
    assert 0.2 < summary.passed.total() / summary.judged.total() < 0.8
    # What is known of a composite shows only when it is made small.
    unknown = [case for case in summary.faults if isinstance(case.rule, Composite) or not known(case)]
    small = [minimise(engine, case) for case in first_of_each(unknown, limit=30)]
    wrong = [case.show() for case in small if not known(case)]
    assert not wrong, "\n".join(wrong)
    if summary.faults:
        pytest.xfail("; ".join(sorted({known(case) or "" for case in [*small, *summary.faults]} - {""})))


def test_a_wrong_answer_is_noticed():
    rule = Rule("Completeness", ("d",), Condition(">", (Number("0.4", 0.4),)))
    world = data.World(PROBED.primary)
    expected = oracle.evaluate(rule, world)
    (found,) = Engine(BIN).outcomes(world, [rule])
    assert difference(rule, expected, found) is None
    assert difference(rule, expected, found | {"Outcome": "Failed"}) == "outcome"
    assert difference(rule, expected, found | {"EvaluatedMetrics": {"Column.d.Completeness": 0.5000000000000001}}) == "metrics"
    assert difference(rule, expected, found | {"EvaluatedMetrics": {}}) == "metrics"
    assert difference(rule, expected, found | {"Rule": 'Completeness "d" > 0.5'}) == "text"


def test_disagreements_are_made_small():
    class Wrong(Engine):
        """An engine that takes the empty text for NULL."""

        def outcomes(self, world, rules, layout=None):
            found = []
            for rule in rules:
                at = world.primary.index("txt")
                rows = ([(value if column != at else value or None) for column, value in enumerate(row)] for row in world.primary.rows)
                judged = oracle.evaluate(rule, type(world)(world.primary.with_rows(map(tuple, rows))))
                metrics = {key: values[0].value for key, values in judged.metrics.items()}
                outcome = "Passed" if judged.passed else "Failed"
                found.append({"Rule": rule.text(), "Outcome": outcome, "FailureReason": judged.reason, "EvaluatedMetrics": metrics})
            return found

    rows = tuple((number, "" if number == 77 else "x") for number in range(200))
    world = data.World(data.Table(("id", "txt"), ("bigint", "string"), rows))
    rule = Rule("IsComplete", ("txt",), where="id > 5")
    engine = Wrong("")
    (found,) = engine.outcomes(world, [rule])
    expected = oracle.evaluate(rule, world)
    case = Disagreement("outcome", rule, world, None, expected, found)
    small = minimise(engine, case, calls=200)
    assert small.rule == Rule("IsComplete", ("txt",))
    assert small.world.primary.rows == ((77, ""),)


def test_every_rule_type_can_be_generated():
    assert MAKERS.keys() == oracle.TYPES.keys()


def test_doubles_as_java_prints_them():
    # By OpenJDK 17: `System.out.println(d)`.
    texts = {666200714486576.25: "6.662007144865762E14", 4.0: "4.0", 2 / 3: "0.6666666666666666", 1e7: "1.0E7", 1e-4: "1.0E-4"}
    assert {value: java_double(value) for value in texts} == texts


def test_the_oracle_agrees_with_the_published_cases():
    if not (CORPUS / "eval_cases.json").exists():
        pytest.skip(f"no published cases in {CORPUS}: set ETL_CONFORMANCE_DIR")
    judged = 0
    for name, text, expected, found in corpus.cases(CORPUS, BIN):
        if found is None:
            continue
        judged += 1
        assert found.passed == (expected["outcome"] == "Passed"), (name, text, expected, found)
        for key, value in (expected.get("metrics") or {}).items():
            value = float(value)
            agrees = [metric.agrees(None if math.isnan(value) else value) for metric in found.metrics[key]]
            assert any(agrees), (name, text, expected, found)
    assert judged > 250
