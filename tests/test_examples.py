"""The example and the README: what they say is what happens."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pandas
import pyarrow.parquet as pq
import pytest
from conftest import BIN, ROOT, orders
from test_run import published, read_back

FLIGHTS = ROOT / "examples" / "flights"


@pytest.fixture(scope="module")
def source():
    return pandas.read_csv(FLIGHTS / "flights.csv", na_values=["NA"], keep_default_na=False)


def test_partitions_and_sums_are_those_of_pandas(etl, source, tmp_path):
    result = etl("run", FLIGHTS / "flights.yaml", "--set", f"sink.location={tmp_path}/out", "--json")
    assert result.code == 0, result.err
    flew = source[source.dep_time.notna() & source.tailnum.notna()]
    expected = flew.groupby("origin").agg(rows=("flight", "size"), distance=("distance", "sum"), delay=("dep_delay", "sum"))
    files = published(tmp_path / "out")
    names = ", ".join(f"'{name}'" for name in files)
    found = duckdb.sql(
        "select origin, count(*), sum(distance), sum(dep_delay), count(distinct time_hour_day)"
        f" from read_parquet([{names}], hive_partitioning = true) group by origin order by origin"
    ).fetchall()
    assert [(origin, rows, distance, delay) for origin, rows, distance, delay, _ in found] == [
        (origin, row.rows, row.distance, int(row.delay)) for origin, row in expected.iterrows()
    ]
    days = flew.time_hour.str[:10]
    assert len(files) == flew.groupby([flew.origin, days]).ngroups == 96
    assert {row["time_hour_day"] for row in read_back(files)} == set(days)


def test_cancelled_flights_are_set_aside_with_every_rule_they_fail(etl, source, tmp_path):
    result = etl("run", FLIGHTS / "flights.yaml", "--set", f"sink.location={tmp_path}/out", "--json")
    rejects = pq.read_table(result.json["commit"]["rejects"], partitioning=None).to_pylist()
    bad = source[source.dep_time.isna() | source.tailnum.isna()]
    assert [row["line"] for row in rejects] == [index + 2 for index in bad.index]
    raw = (FLIGHTS / "flights.csv").read_bytes()
    for row in rejects:
        assert raw[row["byte_offset"] :].startswith(row["raw"] + b"\n")
    counts = {fault["rule"]: fault["count"] for fault in result.json["faults"]}
    assert counts == {
        'IsComplete "dep_time"': int(source.dep_time.isna().sum()),
        'IsComplete "tailnum"': int(source.tailnum.isna().sum()),
    }


def test_metrics_are_those_of_pandas(etl, source):
    result = etl("validate", "--job", FLIGHTS / "flights.yaml", "--json")
    metrics = {}
    for outcome in result.json["rule_outcomes"]:
        metrics |= outcome["EvaluatedMetrics"]
    assert metrics["Dataset.*.RowCount"] == len(source)
    assert metrics["Column.air_time.Completeness"] == pytest.approx(source.air_time.notna().mean(), rel=1e-12)
    assert metrics["Column.dep_delay.Mean"] == pytest.approx(source.dep_delay.mean(), rel=1e-12)
    assert metrics["Column.distance.StandardDeviation"] == pytest.approx(source.distance.std(ddof=0), rel=1e-9)


def readme_commands():
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        for line in block.splitlines():
            command = re.split(r"\s{2,}#|\s#\s", line)[0].strip()
            # Without a bucket of that name, and without a DuckDB on the path.
            if command.startswith("etl-engine ") and "s3://" not in command:
                yield command


def test_the_readme_s_commands_work_in_its_order(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "etl-engine").symlink_to(Path(BIN).resolve())
    (tmp_path / "orders.csv").write_text(orders(100))
    (tmp_path / "in.csv").write_text(orders(100))
    shutil.copy(ROOT / "migrate" / "tests" / "assets" / "chess-recipe.json", tmp_path / "recipe.json")
    (tmp_path / "orders.dqdl").write_text('Rules = [ RowCount = 100, IsUnique "id" ]')
    env = {**os.environ, "NO_COLOR": "1", "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}

    def shell(command):
        return subprocess.run(command, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    # What scripts/quickstart does before the commands begin.
    assert shell("etl-engine run examples/flights/flights.yaml").returncode == 0
    commands = list(readme_commands())
    assert len(commands) >= 9, commands
    for command in commands:
        done = shell(command)
        assert done.returncode == (1 if "flights-bad" in command else 0), f"{command}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "out.parquet").exists()
    again = shell("etl-engine run examples/flights/flights.yaml")
    assert "already committed" in again.stdout + again.stderr


def test_the_readme_s_job_runs_and_without_its_hash_is_refused(etl, tmp_path):
    [job] = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "customers.csv").write_text(
        "id,email,country,spent\n1,ada@example.org,IT,5.00\n2,ADA@example.org,IT,1.50\n3,bob@example.org,XX,2.00\n4,eve@example.org,IT,0.00\n"
    )
    (tmp_path / "countries.csv").write_text("code,name\nIT,Italy\n")
    path = tmp_path / "job.yaml"
    path.write_text("".join(line for line in job.splitlines(True) if "hash:" not in line))
    refused = etl("run", path, env={"CUSTOMER_KEY": "5a" * 31 + "c3"})
    assert refused.code == 2 and "`email`" in refused.err, refused.err
    path.write_text(job)
    done = etl("run", path, "--json", env={"CUSTOMER_KEY": "5a" * 31 + "c3"})
    assert done.code == 0, done.err
    # One spent nothing; one is of a country that nobody knows, and goes to the table beside.
    assert done.json["rows"] == {"read": 4, "accepted": 3, "rejected": 0, "filtered": 1}
    assert [(table["name"], table["rows"]) for table in done.json["commit"]["tables"]] == [("unknown_country", 1)]
    rows = read_back(published(tmp_path / "lake" / "customers"))
    assert [row["country_name"] for row in rows] == ["Italy", "Italy"]
    assert len({row["email"] for row in rows}) == 1 and "@" not in rows[0]["email"]


def test_the_readme_s_sql_answers(etl, tmp_path):
    etl("run", FLIGHTS / "flights.yaml", "--set", f"sink.location={tmp_path}/out")
    table = etl("commits", "show", tmp_path / "out", "--sql").out.strip()
    assert duckdb.sql(f"select count(*) from {table}").fetchall() == [(26483,)]


def test_quickstart_runs_in_a_fresh_clone_and_again(tmp_path):
    (tmp_path / "clone" / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "quickstart", tmp_path / "clone" / "scripts")
    shutil.copytree(ROOT / "examples", tmp_path / "clone" / "examples")
    # What cargo would build is there already.
    (tmp_path / "target" / "debug").mkdir(parents=True)
    (tmp_path / "target" / "debug" / "etl-engine").symlink_to(Path(BIN).resolve())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cargo").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "cargo").chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "CARGO_TARGET_DIR": f"{tmp_path}/target"}
    for again in [False, True]:
        done = subprocess.run([tmp_path / "clone" / "scripts" / "quickstart"], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "What next?" in done.stdout and ("Nothing to do" in done.stdout) == again
    assert published(tmp_path / "clone" / "out" / "flights")


@pytest.mark.parametrize("script", ["scripts/quickstart", "scripts/test", "scripts/make-example-data", ".ci/run"])
def test_scripts_can_be_run(script):
    assert os.access(ROOT / script, os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / script]).returncode == 0
