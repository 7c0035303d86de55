"""`rules suggest`: what it prints parses, holds on its file, and catches what is wrong with the next one."""

import csv
import random
import re

import pytest
from conftest import ROOT

FLIGHTS = ROOT / "examples" / "flights" / "flights.csv"


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """The suggested ruleset of the flights, as a file and as a document."""
    from conftest import run

    path = tmp_path_factory.mktemp("suggest") / "flights.dqdl"
    result = run("rules", "suggest", FLIGHTS, "-o", path, "--json")
    assert result.code == 0, result.err
    return path, result.json


def rules_of(etl, path, *options):
    result = etl("rules", "suggest", path, "--json", *options)
    assert result.code == 0, result.err
    return [rule["rule"] for rule in result.json["rules"]]


def failed(etl, path, rules):
    result = etl("validate", path, "--rules", rules, "--json")
    return {outcome["Rule"] for outcome in result.json["rule_outcomes"] if outcome["Outcome"] == "Failed"}


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def perturbed(tmp_path, change):
    with open(FLIGHTS, newline="") as file:
        header, *rows = csv.reader(file)
    row = dict(zip(header, rows[100]))
    change(row)
    rows[100] = [row[name] for name in header]
    return write(tmp_path / "flights.csv", header, rows)


def test_what_is_printed_parses_and_is_the_same_everywhere(etl, flights):
    path, document = flights
    assert path.read_text() == document["dqdl"] == etl("rules", "suggest", FLIGHTS).out
    parsed = etl("rules", "parse", path, "--json")
    assert parsed.code == 0 and parsed.json["valid"]
    assert len(parsed.json["rules"]) == len(document["rules"]) > 30
    for rule in document["rules"]:
        assert f"    # {rule['evidence']}\n    {rule['rule']}" in document["dqdl"]


def test_it_does_not_depend_on_threads_or_memory(etl, flights):
    few = etl("rules", "suggest", FLIGHTS, "--json", "--threads", "1", "--memory", "256MiB")
    assert few.json["rules"] == flights[1]["rules"]


def test_every_rule_holds_on_its_file(etl, flights):
    result = etl("validate", FLIGHTS, "--rules", flights[0], "--json")
    assert result.code == 0, result.json["reasons"]
    assert result.json["rows"]["rejected"] == 0


def test_evidence_is_that_of_a_count_by_hand(flights):
    """27,004 rows and 7,950 flights from LGA: by Python's csv module, as examples/flights/README.md says of the rows."""
    with open(FLIGHTS, newline="") as file:
        rows = list(csv.DictReader(file))
    origins = [row["origin"] for row in rows]
    rarest = min(origins.count(origin) for origin in set(origins))
    evidence = {rule["rule"]: rule["evidence"] for rule in flights[1]["rules"]}
    assert evidence['IsComplete "origin"'] == f"0 of {len(rows):,} values are NULL"
    assert evidence['ColumnValues "origin" in ["EWR", "JFK", "LGA"]'] == (
        f"3 different among {len(rows):,} values, the rarest {rarest:,} times"
    )
    cancelled = sum(row["dep_time"] == "NA" for row in rows)
    completeness = [rule for rule in evidence if rule.startswith('Completeness "dep_time" >= ')]
    assert len(completeness) == 1
    assert evidence[completeness[0]] == f"{cancelled} of {len(rows):,} values are NULL"
    bound = float(completeness[0].rsplit(" ", 1)[1])
    assert bound < 1 - cancelled / len(rows) < bound + 0.03


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("sched_dep_time", "", 'IsComplete "sched_dep_time"'),
        ("origin", "XXX", 'ColumnValues "origin" in ["EWR","JFK","LGA"]'),
        ("carrier", "ZZZ", 'ColumnLength "carrier" = 2'),
        ("distance", "-5", 'ColumnValues "distance" > 0'),
        ("dest", "ia1", 'ColumnValues "dest" matches "[A-Z]+"'),
    ],
)
def test_a_mistake_fails_its_rule(etl, flights, tmp_path, column, value, rule):
    path = perturbed(tmp_path, lambda row: row.update({column: value}))
    found = failed(etl, path, flights[0])
    assert rule in {re.sub(r", ", ",", text) for text in found}, found
    assert all(f'"{column}"' in text for text in found), found


def test_half_a_file_is_too_short(etl, flights, tmp_path):
    lines = FLIGHTS.read_text().splitlines(keepends=True)
    (tmp_path / "short.csv").write_text("".join(lines[:5000]))
    assert "RowCount >= 10000" in failed(etl, tmp_path / "short.csv", flights[0])


def test_rare_categories_make_no_list(flights):
    """One flight of OO: other carriers are still to come."""
    assert not any(rule["rule"].startswith('ColumnValues "carrier" in') for rule in flights[1]["rules"])


def test_categories_that_come_late_make_no_list(etl, tmp_path):
    chance = random.Random(1)
    rows = [[i, chance.choice("AB"), chance.choice("AB") if i < 1600 else "C"] for i in range(2000)]
    found = rules_of(etl, write(tmp_path / "late.csv", ["id", "settled", "growing"], rows))
    assert 'ColumnValues "settled" in ["A", "B"]' in found
    assert not any('"growing" in' in rule for rule in found)
    assert 'IsPrimaryKey "id"' in found


def test_a_repeated_key_fails(etl, tmp_path):
    rows = [[f"k{i:05}", i % 7] for i in range(2000)]
    path = write(tmp_path / "keys.csv", ["key", "n"], rows)
    assert etl("rules", "suggest", path, "-o", tmp_path / "keys.dqdl").code == 0
    assert failed(etl, path, tmp_path / "keys.dqdl") == set()
    rows[1500][0] = rows[3][0]
    assert failed(etl, write(path, ["key", "n"], rows), tmp_path / "keys.dqdl") == {'IsPrimaryKey "key"'}


def test_null_and_odd_names(etl, tmp_path):
    chance = random.Random(2)
    names = ["Order Date", "a.b", "ü # é", 'quote"d', "order", "x,y]"]
    rows = [[chance.choice(["", 5, 6, 7]) for _ in names] for _ in range(1000)]
    path = write(tmp_path / "odd.csv", names, rows)
    result = etl("rules", "suggest", path, "-o", tmp_path / "odd.dqdl", "--json")
    assert result.code == 0, result.err
    found = [rule["rule"] for rule in result.json["rules"]]
    for name in names:
        rule = f'ColumnValues "{name}" > 0 where "`{name}` is not null"'
        assert (rule in found) == ('"' not in name), found
    assert len(result.json["notes"]) == 1 and "quote" in result.json["notes"][0]
    assert etl("validate", path, "--rules", tmp_path / "odd.dqdl").code == 0


def test_a_late_misfit_makes_a_column_text(etl, tmp_path):
    """Beyond the first mebibyte, which types are inferred from."""
    rows = [[i % 100, "x" * 50] for i in range(40_000)]
    rows[39_000][0] = "none"
    path = write(tmp_path / "late.csv", ["n", "t"], rows)
    assert etl("rules", "suggest", path, "-o", tmp_path / "late.dqdl").code == 0
    assert failed(etl, path, tmp_path / "late.dqdl") == set()


def test_rows_that_do_not_fit_teach_nothing(etl, tmp_path):
    (tmp_path / "schema.yaml").write_text("columns:\n  - {name: n, type: int}\n")
    path = write(tmp_path / "n.csv", ["n"], [[i % 50 + 1] for i in range(500)] + [["x"]])
    result = etl("rules", "suggest", path, "--schema", tmp_path / "schema.yaml", "--json")
    assert result.code == 0, result.err
    assert result.json["notes"] == ["1 of 501 rows do not fit the schema: nothing was learned from them."]
    assert 'ColumnValues "n" > 0' in [rule["rule"] for rule in result.json["rules"]]


def test_no_rows_suggest_no_values(etl, tmp_path):
    (tmp_path / "none.csv").write_text("a,b\n")
    assert rules_of(etl, tmp_path / "none.csv") == ["ColumnCount = 2"]


def test_wrong_usage(etl, tmp_path):
    assert etl("rules", "suggest", FLIGHTS, "--holdout", "80%").code == 2
    assert etl("rules", "suggest").code == 2
    assert etl("rules", "suggest", tmp_path / "absent.csv").code == 3
    result = etl("rules", "suggest", "-", "--json", stdin=b"a\n1\n")
    assert result.code == 2 and "standard input" in result.err
