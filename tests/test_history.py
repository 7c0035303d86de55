"""Metrics of published runs: appended once, repaired, read back."""

import csv
import io
import json
import shutil

from conftest import orders, write_job

RULES = 'Rules = [ RowCount > 0, Mean "amount" >= 0, Completeness "country" > 0.5, Mean "amount" > 0 where "id > 5" ]'


def job(tmp_path, **files):
    for name, rows in files.items():
        (tmp_path / f"{name}.csv").write_text(orders(rows))
    (tmp_path / "r.dqdl").write_text(RULES)
    return write_job(tmp_path, "a.csv", "out", "rules: r.dqdl")


def entries(tmp_path):
    return sorted(tmp_path.glob("out/history/orders/*.json"))


def values(etl, tmp_path, metric):
    return [p["value"] for p in etl("history", "list", tmp_path / "out", "--metric", metric, "--json").json["metrics"]]


def test_each_committed_run_appends_once(etl, tmp_path):
    path = job(tmp_path, a=100, b=200)
    assert etl("run", path).code == 0
    assert etl("run", path, "--input", tmp_path / "b.csv").code == 0
    assert values(etl, tmp_path, "Dataset.*.RowCount") == [200.0, 100.0]
    assert len(entries(tmp_path)) == 2
    before = {entry: entry.read_bytes() for entry in entries(tmp_path)}
    again = etl("run", path, "--json")
    assert again.json["commit"]["outcome"] == "already_committed"
    assert {entry: entry.read_bytes() for entry in entries(tmp_path)} == before


def test_metrics_are_those_of_the_report(etl, tmp_path):
    path = job(tmp_path, a=100)
    report = etl("run", path, "--json").json
    [entry] = [json.loads(entry.read_text()) for entry in entries(tmp_path)]
    assert entry["run_id"] == report["run_id"]
    found = {(metric["metric"], metric.get("where")): metric["value"] for metric in entry["metrics"]}
    amounts = [float(row["amount"]) for row in csv.DictReader(io.StringIO(orders(100)))]
    assert found[("Dataset.*.RowCount", None)] == 100
    assert found[("Column.country.Completeness", None)] == 0.75
    assert abs(found[("Column.amount.Mean", None)] - sum(amounts) / 100) < 1e-9
    # ids 6 to 99
    assert abs(found[("Column.amount.Mean", "id > 5")] - sum(amounts[6:]) / 94) < 1e-9
    assert len(found) == 4


def test_a_kill_between_commit_and_append_is_repaired(etl, tmp_path):
    path = job(tmp_path, a=100, b=200, c=300)
    assert etl("run", path).code == 0
    [entry] = entries(tmp_path)
    text = entry.read_bytes()
    # By the next run of the dataset, ...
    entry.unlink()
    assert etl("run", path, "--input", tmp_path / "b.csv").code == 0
    assert entry.read_bytes() == text
    assert values(etl, tmp_path, "Dataset.*.RowCount") == [200.0, 100.0]
    # ... or by the same run again, ...
    entry.unlink()
    assert etl("run", path, "--json").json["commit"]["outcome"] == "already_committed"
    assert entry.read_bytes() == text
    # ... and all of it from the commits alone; until then they are looked at.
    shutil.rmtree(tmp_path / "out" / "history")
    assert values(etl, tmp_path, "Dataset.*.RowCount") == [200.0, 100.0]
    assert etl("run", path, "--input", tmp_path / "c.csv").code == 0
    assert len(entries(tmp_path)) == 3


def test_what_is_not_published_leaves_no_metrics(etl, tmp_path):
    path = job(tmp_path, a=100)
    assert etl("run", path, "--dry-run").code == 0
    assert etl("validate", "--job", path).code == 0
    assert not (tmp_path / "out").exists()
    (tmp_path / "r.dqdl").write_text("Rules = [ RowCount > 1000 ]")
    assert etl("run", path).code == 1
    assert not (tmp_path / "out" / "history").exists()


def test_a_history_that_cannot_be_written_is_a_warning(etl, tmp_path):
    path = job(tmp_path, a=100)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "history").write_text("a file where a folder should be")
    result = etl("run", path, "--json")
    assert result.code == 0 and result.json["commit"]["outcome"] == "committed"
    assert any("history" in warning for warning in result.json["warnings"]), result.json["warnings"]
    (tmp_path / "out" / "history").unlink()
    assert etl("run", path).code == 0
    assert len(entries(tmp_path)) == 1


def test_formats_of_export_agree(etl, tmp_path):
    path = job(tmp_path, a=100, b=200)
    etl("run", path)
    etl("run", path, "--input", tmp_path / "b.csv")
    root = tmp_path / "out"
    document = etl("history", "export", root, "--json").json["metrics"]
    assert len(document) == 8 and document[0]["dataset"] == "orders"
    lines = etl("history", "export", root, "--format", "ndjson").out.splitlines()
    assert [json.loads(line) for line in lines] == document
    rows = list(csv.DictReader(io.StringIO(etl("history", "export", root).out)))
    assert [{**row, "value": float(row["value"]), "where": row["where"] or None} for row in rows] == document
    listed = etl("history", "list", root)
    assert listed.code == 0 and listed.out.count("Column.country.Completeness") == 2 and "id > 5" in listed.out
    assert etl("history", "list", root, "--dataset", "other").out == "no metrics\n"


def test_two_datasets_at_one_root_are_kept_apart(etl, tmp_path):
    path = job(tmp_path, a=100)
    etl("run", path)
    etl("run", path, "--set", "name=of/ten ../x")
    root = tmp_path / "out"
    datasets = {point["dataset"] for point in etl("history", "list", root, "--json").json["metrics"]}
    assert datasets == {"orders", "of/ten ../x"}
    one = etl("history", "list", root, "--dataset", "of/ten ../x", "--json").json["metrics"]
    assert len(one) == 4
    assert {file.parent.parent for file in root.glob("history/*/*.json")} == {root / "history"}


def test_on_s3(etl, s3, tmp_path):
    path = job(tmp_path, a=100, b=200)
    root = "s3://lake/history-test"
    for name in ("a", "b", "a"):
        result = etl("run", path, "--set", f"sink.location={root}", "--input", tmp_path / f"{name}.csv", env=s3.env)
        assert result.code == 0, result.err
    found = etl("history", "list", root, "--metric", "Dataset.*.RowCount", "--json", env=s3.env).json["metrics"]
    assert [point["value"] for point in found] == [200.0, 100.0]


def outcome(result):
    return result.json["rule_outcomes"][0]


def test_a_rule_looks_back_at_published_runs(etl, tmp_path):
    path = job(tmp_path, a=100, b=200, c=80)
    (tmp_path / "r.dqdl").write_text("Rules = [ RowCount > avg(last(2)) * 0.6 ]")
    first = etl("run", path, "--json")
    assert first.code == 0 and outcome(first)["EvaluatedRule"] == "RowCount > 0.0"
    second = etl("run", path, "--input", tmp_path / "b.csv", "--json")
    assert second.code == 0 and outcome(second)["EvaluatedRule"] == "RowCount > 60.0"
    # (100 + 200) / 2 * 0.6 = 90, and the third file has 80 rows; every way of asking says so.
    third = ["run", path, "--input", tmp_path / "c.csv"]
    named = ["validate", tmp_path / "c.csv", "--rules", tmp_path / "r.dqdl", "--history", tmp_path / "out"]
    for arguments in (third, [*third, "--dry-run"], ["validate", "--job", path, tmp_path / "c.csv"], named):
        result = etl(*arguments, "--json")
        assert result.code == 1, (arguments, result.out)
        assert outcome(result)["EvaluatedRule"] == "RowCount > 90.0"
    # A history without its entries is read from the commits.
    shutil.rmtree(tmp_path / "out" / "history")
    assert outcome(etl(*third, "--json"))["EvaluatedRule"] == "RowCount > 90.0"
    assert values(etl, tmp_path, "Dataset.*.RowCount") == [200.0, 100.0]
