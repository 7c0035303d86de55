"""`infer` marks columns that seem to hold personal data, and a run does not write them unprotected."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

NAMES = ["id", "email", "country", "ordered_at", "date_of_birth"]
ROWS = [(i, f"ada.{i}@example.org", ["IT", "NO"][i % 2], f"2024-01-{i % 28 + 1:02}", f"1980-02-{i % 28 + 1:02}") for i in range(60)]


@pytest.fixture(params=["csv", "ndjson", "parquet", "stdin"])
def customers(request, tmp_path):
    """A file of each format, and what goes to standard input."""
    columns = dict(zip(NAMES, map(list, zip(*ROWS))))
    text = "\n".join([",".join(NAMES), *(",".join(map(str, row)) for row in ROWS)]) + "\n"
    if request.param == "stdin":
        return "-", text.encode()
    path = tmp_path / f"customers.{request.param}"
    if request.param == "csv":
        path.write_text(text)
    elif request.param == "ndjson":
        lines = ['{"id": %d, "email": "%s", "country": "%s", "ordered_at": "%s", "date_of_birth": "%s"}' % row for row in ROWS]
        path.write_text("\n".join(lines) + "\n")
    else:
        pq.write_table(pa.table(columns), path)
    return path, None


def test_suspects_are_marked_with_their_reason(etl, customers):
    path, stdin = customers
    done = etl("infer", path, "--json", stdin=stdin)
    assert done.code == 0, done.err
    marked = {column["name"]: column["pii"] for column in done.json["columns"] if "pii" in column}
    assert marked == {"email": "EMAIL", "date_of_birth": "DATE"}
    found = {one["value"]: one["because"] for one in done.json["detected"] if one["what"] == "personal data"}
    assert set(found) == {"email: EMAIL", "date_of_birth: DATE"}
    assert found["email: EMAIL"] == "60 of 60 values have its form, and the column's name speaks for it"
    assert "ada." not in done.out


def test_nobody_looks_when_told_so(etl, customers):
    path, stdin = customers
    done = etl("infer", path, "--no-pii", "--json", stdin=stdin)
    assert all("pii" not in column for column in done.json["columns"])
    assert all(one["what"] != "personal data" for one in done.json["detected"])


def test_the_end_of_a_large_file_is_not_needed(etl, tmp_path):
    path = tmp_path / "large.csv"
    path.write_text("id,mail\n" + "".join(f"{i},user{i}@example.org\n" for i in range(100_000)))
    assert "{name: mail, type: string, pii: EMAIL}" in etl("infer", path).out


def test_what_is_marked_is_not_written_as_it_is(etl, tmp_path):
    text = "\n".join([",".join(NAMES), *(",".join(map(str, row)) for row in ROWS)]) + "\n"
    (tmp_path / "customers.csv").write_text(text)
    schema = etl("infer", tmp_path / "customers.csv").out
    assert "{name: email, type: string, pii: EMAIL}" in schema
    columns = schema[schema.index("columns:") :].replace("\n", "\n  ")
    job = tmp_path / "job.yaml"
    head = f"version: 1\nsource: {{location: customers.csv}}\nsink: {{location: out}}\nschema:\n  {columns}\n"
    job.write_text(head)
    refused = etl("run", job)
    assert refused.code == 2 and "`email`" in refused.err and "`date_of_birth`" in refused.err
    job.write_text(head + "transform:\n  - drop_fields: [email]\n  - derive: {born: year(date_of_birth)}\n"
                   "  - drop_fields: date_of_birth\n  - release: {columns: born, because: a year names nobody}\n")
    done = etl("run", job, "--json")
    assert done.code == 0, done.err
    assert done.json["rows"]["accepted"] == 60
