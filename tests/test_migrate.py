"""`migrate`: what Glue and DataBrew hold becomes a job file that loads, and is told of part by part."""

import json

import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from test_run import published

ASSETS = ROOT / "migrate" / "tests" / "assets"
FILES = sorted(ASSETS.glob("*.json"))


def test_there_are_assets():
    assert len(FILES) >= 6


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_job_is_printed_and_each_part_is_told_of(etl, path):
    done = etl("migrate", path)
    assert done.code == 0, done.err
    assert done.out == path.with_suffix(".job.yaml").read_text()
    *table, counts = done.err.splitlines()
    notes = path.with_suffix(".notes.txt").read_text().splitlines()
    assert table[0].split() == ["line", "step", "severity", "what"]
    # A line below the header, then one a note.
    assert len(table) == len(notes) + 2
    told = {word: sum(f": {word}: " in note for note in notes) for word in ("carried", "changed", "not carried")}
    assert counts.endswith(
        f": {told['carried']} carried over, {told['changed']} to be looked at, {told['not carried']} not carried over"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_job_loads(etl, tmp_path, path):
    job = tmp_path / "job.yaml"
    assert etl("migrate", path, "--out", job).code == 0
    # A job is read and checked before its input is looked for: 2 would be a job that does not load.
    done = etl("validate", "--job", job, tmp_path / "nothing.csv")
    assert done.code == 3 and "not found" in done.err, done.err


def test_a_recipe_runs(etl, tmp_path):
    job, games = tmp_path / "chess.yaml", tmp_path / "games.csv"
    assert etl("migrate", ASSETS / "chess-recipe.json", "-o", job).code == 0
    rows = [(1900, "white", "mate"), (1850, "white", "mate"), (1700, "black", "mate"), (2000, "draw", "draw"), (1800, "black", "resign")]
    games.write_text("black_rating,winner,victory_status\n" + "".join(f"{rating},{who},{how}\n" for rating, who, how in rows))
    done = etl("run", job, "--input", games, "--set", f"sink.location={tmp_path}/out", "--json")
    assert done.code == 0, done.err
    [file] = published(tmp_path / "out")
    # By hand: ratings below 1800 and draws are gone, the others are counted by winner and way.
    assert pq.read_table(file, partitioning=None).to_pylist() == [
        {"winner": "black", "victory_status": "resign", "winner_count": 1},
        {"winner": "white", "victory_status": "checkmate", "winner_count": 2},
    ]


def test_a_file_that_is_there_stays(etl, tmp_path):
    job = tmp_path / "job.yaml"
    job.write_text("mine")
    refused = etl("migrate", ASSETS / "chess-recipe.json", "--out", job)
    assert refused.code == 2 and "is there already" in refused.err
    assert job.read_text() == "mine"
    done = etl("migrate", ASSETS / "chess-recipe.json", "--out", job, "--force")
    assert done.code == 0 and "etl-engine validate" in done.out
    assert job.read_text() == (ASSETS / "chess-recipe.job.yaml").read_text()


def test_json_is_one_document(etl):
    done = etl("migrate", ASSETS / "flights-table.json", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["kind"] == "Glue table"
    assert done.json["job"] == (ASSETS / "flights-table.job.yaml").read_text()
    assert {note["severity"] for note in done.json["notes"]} == {"carried", "changed", "not_carried"}
    assert all(note["line"] > 0 and note["what"] for note in done.json["notes"])


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('{\n  "Steps": [,]\n}', 2, 13, "not JSON"),
        ("", 1, 1, "not JSON"),
        ('{"Jobs": []}', 1, 1, "take one"),
        ('{"Command": {"Name": "glueetl"}}', 1, 1, "the job is a script"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(etl, tmp_path, text, line, column, message):
    path = tmp_path / "in.json"
    path.write_text(text)
    told = etl("migrate", path)
    assert told.code == 2 and told.out == ""
    assert message in told.err
    assert f"in.json:{line}:{column}" in told.err or f"line {line}, column {column}" in told.err, told.err
    [problem] = etl("migrate", path, "--json").json["error"]["diagnostics"]
    assert (problem["line"], problem["column"]) == (line, column) and message in problem["message"]


def test_standard_input(etl):
    recipe = (ASSETS / "chess-recipe.json").read_bytes()
    assert etl("migrate", "-", stdin=recipe).out == (ASSETS / "chess-recipe.job.yaml").read_text()
    told = etl("migrate", "-", stdin=json.dumps({"a": 1}).encode())
    assert told.code == 2 and "none of" in told.err
