"""Jobs whose steps are wrong: nothing is read, nothing is written, and the message helps."""

import pytest
from test_transform_tables import TABLE
from transforms import TYPES, cases, job_of, random_rows, run

WRONG = {
    "misspelt step": ([{"filtr": "id > 1"}], ["filtr", "filter"]),
    "misspelt parameter": ([{"trim": {"column": "text"}}], ["trim", "columns"]),
    "missing parameter": ([{"pad": {"columns": "text"}}], ["pad", "length"]),
    "misspelt choice": ([{"change_case": {"columns": "text", "to": "uper"}}], ["uper", "upper"]),
    "missing column": ([{"drop_fields": ["amout"]}], ["step 1", "drop_fields", "amout", "amount"]),
    "column that went": ([{"drop_fields": "text"}, {"trim": {"columns": "text"}}], ["step 2", "trim", "text"]),
    "column twice": ([{"rename_fields": {"id": "big"}}], ["step 1", "big"]),
    "new column that is there": ([{"duplicate_field": {"column": "text", "as": "id"}}], ["duplicate_field", "id"]),
    "text step on numbers": ([{"trim": {"columns": "small"}}], ["trim", "small"]),
    "number step on texts": ([{"scale": {"column": "text", "method": "z_score"}}], ["scale", "text"]),
    "date step on texts": ([{"date_parts": {"column": "text", "parts": ["year"]}}], ["date_parts", "text"]),
    "hours of a date": ([{"date_add": {"column": "day", "amount": 1, "unit": "hours"}}], ["date_add", "day"]),
    "misspelt unit": ([{"convert_units": {"column": "ratio", "from": "kmm", "to": "mi"}}], ["kmm", "km"]),
    "units of two quantities": ([{"convert_units": {"column": "ratio", "from": "km", "to": "kg"}}], ["km", "kg"]),
    "misspelt zone": ([{"convert_timezone": {"columns": "at", "to": "Europe/Pari"}}], ["convert_timezone", "Europe/Pari"]),
    "type that is none": ([{"cast": {"columns": {"id": "lng"}}}], ["cast", "lng"]),
    "condition that is none": ([{"filter": "id + 1"}], ["step 1", "filter"]),
    "SQL that does not parse": ([{"derive": {"x": "id +"}}], ["step 1", "derive"]),
    "misspelt column in SQL": ([{"derive": {"x": "smal + 1"}}], ["derive", "smal", "small"]),
    "misspelt function": ([{"derive": {"x": "uper(text)"}}], ["derive", "uper"]),
    "misspelt table": ([{"sql": "SELECT * FROM inptu"}], ["sql", "inptu"]),
    "unknown source": ([{"lookup": {"source": "towns", "on": "city"}}], ["lookup", "towns", "sources:"]),
    "missing key": ([{"join": {"source": "cities", "on": {"city": "cod"}}}], ["join", "cod", "code"]),
    "keys of two kinds": ([{"lookup": {"source": "cities", "on": {"city": "level"}}}], ["lookup", "city", "level"]),
    "floating point as a key": ([{"lookup": {"source": "cities", "on": {"ratio": "level"}}}], ["lookup", "ratio"]),
    "union of two kinds": ([{"rename_fields": {"text": "level"}}, {"union": {"source": "cities"}}], ["union", "level"]),
    "value of another type": ([{"fill_missing": {"columns": "small", "value": "many"}}], ["fill_missing", "many", "int"]),
    "bounds that fall": ([{"bin": {"column": "small", "as": "b", "bounds": [3, 1]}}], ["bin", "bounds"]),
    "pattern that is none": ([{"replace": {"columns": "text", "pattern": "(a"}}], ["replace"]),
    "group that is none": ([{"replace": {"columns": "text", "pattern": "a", "with": "$2"}}], ["step 1", "replace", "0 groups"]),
    "part that is none": (
        [{"extract": {"column": "text", "as": "part", "pattern": "(a)", "group": 2}}],
        ["step 1", "extract", "1 groups"],
    ),
    "two names for one": ([{"derive": {"Sum": "id", "sum": "small"}}], ["step 1", "derive", "two columns", "sum"]),
    "two names of a window": ([{"window": {"columns": {"Sum": "id", "sum": "small"}}}], ["step 1", "window", "two columns", "sum"]),
    "two names of a query": ([{"sql": "SELECT id AS A, small AS a FROM input"}], ["step 1", "sql", "two columns"]),
    "two ways at once": ([{"replace": {"columns": "text", "find": "a", "pattern": "b"}}], ["replace", "find", "pattern"]),
    "table named twice": (
        [{"split_rows": {"where": "flag", "into": "t"}}, {"split_rows": {"where": "id > 1", "into": "t"}}],
        ["split_rows", "t"],
    ),
    "no name for a table": ([{"split_rows": {"where": "flag", "into": "../t"}}], ["split_rows", "../t"]),
    "origin behind a sort": ([{"sort": {"by": "id"}}, {"audit_columns": {}}], ["step 2", "audit_columns"]),
    "aggregate without one": ([{"aggregate": {"by": "city", "columns": {"x": "small"}}}], ["aggregate", "small"]),
    "values of two types": ([{"unpivot": {"columns": ["day", "small"], "name": "k", "value": "v"}}], ["unpivot", "type"]),
    "no columns left": ([{"drop_fields": list(TYPES)}], ["drop_fields"]),
    "two steps in one": ([{"trim": {"columns": "text"}, "filter": "id > 1"}], ["step 1", "a map of its name"]),
}
UNHELPFUL: dict[str, str] = {}


@pytest.mark.parametrize(
    ("steps", "words"), cases({"job": WRONG}, {f"job: {name}": reason for name, reason in UNHELPFUL.items()}).values()
)
def test_wrong_jobs(tmp_path, steps, words):
    job = job_of(tmp_path, steps, random_rows(1, 5), sources={"cities": TABLE})
    result = run("run", job)
    assert result.code == 2, (result.code, result.err)
    missing = [word for word in words if word not in result.err]
    assert not missing, (missing, result.err)
    # The attempt is in the log of files, and nothing else is there.
    assert not (tmp_path / "out").exists() or [path.name for path in (tmp_path / "out").iterdir()] == ["audit"]
