"""The report is a function of the bytes and the job: not of threads, memory or compression."""

import gzip
import json
import random

import pytest

KEPT = ("verdict", "rows", "rule_outcomes", "faults", "schema", "reasons")


def hostile(rows):
    """Quoted line ends, long and short fields, rows with mistakes: what makes cutting into blocks hard."""
    chance = random.Random(7)
    lines = ["id,words,amount"]
    for i in range(rows):
        words = '"' + chance.choice(['a\nb', 'x ""y"" z', ",,,", "ü" * chance.randrange(1, 300), ""]) + '"'
        amount = chance.choice(["1.5", "2", "oops" if chance.random() < 0.05 else "3.25", ""])
        lines.append("short" if chance.random() < 0.001 else f"{i},{words},{amount}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def inputs(tmp_path):
    text = hostile(60000).encode()
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "s.yaml").write_text(
        "columns:\n  - {name: id, type: int, nullable: false}\n  - {name: words, type: string}\n  - {name: amount, type: 'decimal(6,2)'}\n"
    )
    (tmp_path / "r.dqdl").write_text(
        'Rules = [ RowCount > 10, IsUnique "id", Mean "amount" > 0, StandardDeviation "amount" >= 0, Sum "amount" > 1,'
        ' Uniqueness "amount" < 0.5, ColumnLength "words" < 290, Completeness "amount" > 0.5 ]'
    )
    return tmp_path


def judged(etl, folder, name, *more):
    result = etl("validate", folder / name, "--schema", folder / "s.yaml", "--rules", folder / "r.dqdl", "--json", *more)
    assert result.code in (0, 1), result.err
    return json.dumps({key: result.json.get(key) for key in KEPT}, sort_keys=True).replace(name, "INPUT")


def test_threads_memory_and_compression_change_nothing(etl, inputs):
    one = judged(etl, inputs, "a.csv", "--threads", 1)
    assert json.loads(one)["rows"]["read"] == 60000
    for more in (["--threads", 2], ["--threads", 3], ["--threads", 8], ["--threads", 2, "--memory", "300MiB"]):
        assert judged(etl, inputs, "a.csv", *more) == one, more
    assert judged(etl, inputs, "a.csv.gz", "--threads", 2) == one


def test_the_same_again_ten_times(etl, inputs):
    assert len({judged(etl, inputs, "a.csv", "--threads", 4) for _ in range(10)}) == 1
