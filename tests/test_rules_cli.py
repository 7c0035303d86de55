"""`rules parse`: canonical texts, tree, diagnostics."""

import json


def test_canonical_text_and_tree(etl, tmp_path):
    (tmp_path / "r.dqdl").write_text('Rules = [ (RowCount > 1) and IsComplete "a", ColumnValues "b" in ["x", "y"] ]')
    result = etl("rules", "parse", tmp_path / "r.dqdl", "--json")
    assert result.code == 0
    assert result.json["valid"] is True
    assert result.json["rules"] == ['(RowCount > 1) AND (IsComplete "a")', 'ColumnValues "b" in ["x","y"]']
    assert result.json["ast"][0]["operator"] == "AND"


def test_all_mistakes_at_once_with_line_and_column(etl, tmp_path):
    (tmp_path / "r.dqdl").write_text('Rules = [\n  IsComplte "a",\n  RowCount >,\n  IsUnique "b"\n]')
    result = etl("rules", "parse", tmp_path / "r.dqdl", "--json")
    assert result.code == 2
    assert result.json["valid"] is False
    places = [(found["line"], found["column"]) for found in result.json["diagnostics"]]
    assert places == [(2, 3), (3, 13)]


def test_explain_tells_of_a_rule_type_in_any_case(etl):
    shown = etl("explain", "columnlength")
    assert shown.code == 0
    assert shown.out.startswith("ColumnLength\n") and "\x1b" not in shown.out
    for part in ["ColumnLength <column> <number condition>", "NULL counts as length 0", "Column.<column>.MinimumLength"]:
        assert part in shown.out
    told = etl("explain", "COLUMNLENGTH", "--json").json
    assert (told["name"], told["where"], told["threshold"], told["analyzer"]) == ("ColumnLength", True, False, True)


def test_explain_lists_all_rule_types(etl):
    names = [rule["name"] for rule in etl("explain", "--json").json["rules"]]
    assert len(names) == 34  # rule types of the reference parser, AllStatistics included
    listed = etl("explain").out
    assert all(f"\n {name} " in listed for name in names)


def test_explain_helps_with_a_wrong_name(etl):
    wrong = etl("explain", "ColumnLenght")
    assert (wrong.code, wrong.out) == (2, "")
    assert "did you mean `ColumnLength`?" in wrong.err
    told = etl("explain", "ColumnLenght", "--json")
    assert told.code == 2 and "ColumnLenght" in json.dumps(told.json)
    assert "lists them all" in etl("explain", "Foo").err


def test_colours_can_be_asked_for(etl):
    shown = etl("explain", "RowCount", "--color", "always")
    assert (shown.code, shown.err) == (0, "")
    assert "\x1b[1mRowCount" in shown.out
