"""Rules through the binary: other data sets, queries, row outcomes, Glue's shapes and options. Expected values by hand."""

import json

import pyarrow.parquet as pq
import pytest

ROWS = """id,name,price,state
1,Ann,2.5,CA
2,Bob,3.5,TX
2,,4.5,ZZ
4,Dan,10.0,NY
"""
STATES = "code\nCA\nTX\nNY\n"


@pytest.fixture
def judge(etl, tmp_path):
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "states.csv").write_text(STATES)

    def run(rules, *options, rest=""):
        (tmp_path / "rules.dqdl").write_text(f"Rules = [ {rules} ] {rest}")
        source = ["--source", f"states={tmp_path / 'states.csv'}"]
        return etl("validate", tmp_path / "rows.csv", "--rules", tmp_path / "rules.dqdl", *source, *options)

    return run


def outcomes(result):
    return [(rule["Outcome"], rule["EvaluatedMetrics"]) for rule in result.json["rule_outcomes"]]


def test_other_data_sets_and_queries(judge):
    result = judge(
        'ReferentialIntegrity "state" "states.code" >= 0.7, RowCountMatch "states" > 1, '
        'CustomSql "select count(*) from primary p join states s on p.state = s.code" = 3, '
        'CustomSql "select id, name from primary where price / 2 > 1.5" with threshold > 0.7',
        "--json",
    )
    assert outcomes(result) == [
        ("Passed", {"Column.states.ReferentialIntegrity": 0.75}),
        ("Passed", {"Dataset.states.RowCountMatch": 4 / 3}),
        ("Passed", {"Dataset.*.CustomSQL": 3.0}),
        ("Passed", {"Dataset.*.CustomSQL.Compliance": 0.75}),
    ]
    assert result.json["engine"]["read_again"] is False


def test_a_missing_alias_says_what_to_do(judge):
    result = judge('ReferentialIntegrity "state" "nowhere.code" > 0.5', "--json")
    assert result.json["rule_outcomes"][0]["FailureReason"] == "nowhere not found in additional sources"


def test_row_outcomes_are_glues_columns(judge, tmp_path):
    rows = tmp_path / "rows.parquet"
    result = judge('IsComplete "name", RowCount > 1', "--row-outcomes", rows, "--json")
    # Known while rows stream by: nothing is read again.
    assert result.json["engine"]["read_again"] is False
    table = pq.read_table(rows).to_pylist()
    assert [row["DataQualityEvaluationResult"] for row in table] == ["Passed", "Passed", "Failed", "Passed"]
    assert table[2]["DataQualityRulesFail"] == ['IsComplete "name"']
    assert table[0]["DataQualityRulesPass"] == ['IsComplete "name"']
    assert all(row["DataQualityRulesSkip"] == ["RowCount > 1"] for row in table)
    assert [row["id"] for row in table] == [1, 2, 2, 4]


def test_row_outcomes_of_keys_and_queries_read_again_and_say_so(judge, tmp_path):
    rows = tmp_path / "rows.ndjson"
    sql = "select id, name from primary where price > 3"
    result = judge(f'IsUnique "id", CustomSql "{sql}"', "--row-outcomes", rows, "--json")
    assert result.json["engine"]["read_again"] is True
    table = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [row["DataQualityRulesFail"] for row in table] == [
        [f'CustomSql "{sql}"'],
        ['IsUnique "id"'],
        ['IsUnique "id"'],
        [],
    ]


def test_row_outcomes_that_need_two_readings_refuse_standard_input(etl, tmp_path):
    (tmp_path / "rules.dqdl").write_text('Rules = [ IsUnique "id" ]')
    options = ["--rules", tmp_path / "rules.dqdl", "--row-outcomes", tmp_path / "o.ndjson", "--format", "csv"]
    result = etl("validate", "-", *options, stdin=ROWS.encode())
    assert result.code == 2 and "twice" in result.err
    assert not (tmp_path / "o.ndjson").exists()


def test_composites_by_row(judge):
    # Each side fails on some row, so both fail by column; every row passes one side.
    rule = '(IsComplete "name") or (ColumnValues "state" in ["ZZ"])'
    assert outcomes(judge(rule, "--json"))[0][0] == "Failed"
    by_row = judge(rule, "--rule-option", "compositeRuleEvaluation.method=ROW", "--json")
    assert outcomes(by_row)[0][0] == "Passed"
    refused = judge('(RowCount > 1) or (IsComplete "name")', "--rule-option", "compositeRuleEvaluation.method=ROW")
    assert refused.code == 2 and "row by row" in refused.err


def test_filtered_rows_can_be_skipped(judge, tmp_path):
    rows = tmp_path / "rows.ndjson"
    option = ["--rule-option", "rowLevelConfiguration.filteredRowLabel=SKIPPED"]
    judge("IsComplete \"name\" where \"state = 'ZZ'\"", "--row-outcomes", rows, *option)
    labels = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [len(row["DataQualityRulesSkip"]) for row in labels] == [1, 1, 0, 1]
    assert [len(row["DataQualityRulesFail"]) for row in labels] == [0, 0, 1, 0]


def test_an_unknown_option_is_refused(judge):
    result = judge("RowCount > 1", "--rule-option", "compositeRuleEvaluation.methd=ROW")
    assert result.code == 2 and "is not known" in result.err


def test_analyzers_are_reported(judge):
    result = judge("RowCount > 1", "--json", rest='Analyzers = [ Mean "price", AllStatistics "state" ]')
    mean, every = result.json["analyzer_results"]
    assert mean == {
        "Analyzer": 'Mean "price"',
        "EvaluationMessage": None,
        "EvaluatedMetrics": {"Column.price.Mean": 5.125},
    }
    assert every["EvaluatedMetrics"]["Column.state.Uniqueness"] == 1.0
    assert every["EvaluatedMetrics"]["Column.state.MaximumLength"] == 2.0


def test_glues_shape(judge):
    result = judge('RowCount > last(2), IsUnique "id" labels=["team"="sales"]', "--json=glue")
    assert result.code == 1
    document = json.loads(result.out)
    assert document["Score"] == 0.5
    first, second = document["RuleResults"]
    assert (first["Name"], first["Result"], first["EvaluatedRule"]) == ("Rule_1", "PASS", "RowCount > 0.0")
    assert (second["Result"], second["Labels"]) == ("FAIL", {"team": "sales"})
    assert document["AggregatedMetrics"]["TotalRulesFailed"] == 1


def test_a_reference_that_does_not_fit_its_columns_is_an_error(etl, tmp_path):
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "states.csv").write_text("code\nCA\nx\n")
    (tmp_path / "job.yaml").write_text(
        "version: 1\nsource: {location: rows.csv}\n"
        "sources: {states: {location: states.csv, schema: {columns: [{name: code, type: int}]}}}\n"
        'rules_text: \'Rules = [ RowCountMatch "states" > 0 ]\'\n'
    )
    result = etl("validate", "--job", tmp_path / "job.yaml")
    assert result.code == 3
    assert "states" in result.err and "line 2" in result.err


def test_two_hundred_rules_share_their_parts(judge):
    rules = ", ".join(f'Completeness "name" > 0.{n:03}, ColumnLength "state" <= {n}' for n in range(2, 102))
    result = judge(rules, "--json")
    assert len(result.json["rule_outcomes"]) == 200
    assert all(outcome == "Passed" for outcome, _ in outcomes(result))
