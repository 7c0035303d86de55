"""`rules parse`: canonical texts, tree, diagnostics."""


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
