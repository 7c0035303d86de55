"""Each kind of bad input: one clear message, the right exit code, nothing half-written."""

import gzip

import pytest
from conftest import ROOT, orders, write_job


def message_of(result, *parts):
    text = result.err + result.out
    for part in parts:
        assert part in text, f"{part!r} is missing in:\n{text}"


def test_missing_file_names_the_nearest(etl, tmp_path):
    (tmp_path / "orders.csv").write_text(orders(3))
    result = etl("validate", tmp_path / "order.csv")
    assert result.code == 3
    message_of(result, "not found", "order.csv", "did you mean")


def test_unreadable_bucket(etl, s3):
    result = etl("validate", "s3://no-such-bucket/a.csv", env=s3.env)
    assert result.code == 3
    message_of(result, "s3://no-such-bucket/a.csv")


@pytest.mark.parametrize("command", ["validate", "run"])
def test_empty_file(etl, tmp_path, command):
    (tmp_path / "empty.csv").write_text("")
    job = write_job(tmp_path, "empty.csv", "out")
    result = etl("validate", tmp_path / "empty.csv") if command == "validate" else etl("run", job)
    assert result.code == 1
    message_of(result, "is empty")
    assert not list(tmp_path.glob("out/data/**/*.parquet"))
    assert not list(tmp_path.glob("out/commits/*"))


def test_header_only_is_valid_and_has_no_rows(etl, tmp_path):
    (tmp_path / "header.csv").write_text("id,name\n")
    result = etl("validate", tmp_path / "header.csv", "--json")
    assert result.code == 0
    assert result.json["rows"] == {"read": 0, "accepted": 0, "rejected": 0, "filtered": 0}


def test_directory_without_files(etl, tmp_path):
    (tmp_path / "in").mkdir()
    job = write_job(tmp_path, "in", "out")
    result = etl("run", job)
    assert result.code == 3
    message_of(result, "no input files")
    assert not (tmp_path / "out").exists()


def test_directory_in_place_of_a_job(etl, tmp_path):
    result = etl("run", tmp_path)
    assert result.code in (2, 3)
    message_of(result, str(tmp_path))


def test_truncated_gzip(etl, tmp_path):
    whole = gzip.compress(orders(20000).encode())
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) * 2 // 3])
    job = write_job(tmp_path, "cut.csv.gz", "out")
    result = etl("run", job, "--json")
    assert result.code == 1
    assert result.json["verdict"] == "INVALID"
    assert "truncated" in " ".join(result.json["reasons"])
    assert not list(tmp_path.glob("out/data/**/*.parquet"))
    assert not list(tmp_path.glob("out/commits/*"))


def test_binary_named_csv(etl, tmp_path):
    (tmp_path / "photo.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    result = etl("validate", tmp_path / "photo.csv")
    assert result.code == 1
    message_of(result, "photo.csv", "png")


def test_unknown_key_names_the_nearest(etl, tmp_path):
    job = write_job(tmp_path, "a.csv", "out")
    job.write_text(job.read_text().replace("on_invalid:", "on_invlid:"))
    result = etl("run", job)
    assert result.code == 2
    message_of(result, "on_invlid", "did you mean `on_invalid`")


def test_wrong_type(etl, tmp_path):
    job = write_job(tmp_path, "a.csv", "out")
    job.write_text(job.read_text().replace("type: bigint", "type: bigit"))
    result = etl("run", job)
    assert result.code == 2
    message_of(result, "bigit", "did you mean `bigint`")


def test_limits_on_the_command_line(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(10))
    job = write_job(tmp_path, "a.csv", "out")
    result = etl("run", job, "--memory", "300MiB", "--threads", "3", "--dry-run", "--json")
    assert result.code == 0
    assert (result.json["engine"]["memory_limit_bytes"], result.json["engine"]["threads"]) == (300 << 20, 3)
    assert etl("run", job, "--json").json["run_id"] == result.json["run_id"]
    result = etl("run", job, "--memory", "1MiB")
    assert result.code == 2
    message_of(result, "less than 64MiB")


def test_rule_naming_an_absent_column(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(3))
    (tmp_path / "r.dqdl").write_text('Rules = [ IsComplete "amuont" ]')
    job = write_job(tmp_path, "a.csv", "out", "rules: r.dqdl")
    result = etl("run", job)
    assert result.code == 2
    message_of(result, "amuont", "amount")
    assert not list(tmp_path.glob("out/data/**/*.parquet"))


def test_rule_type_not_built_yet_is_never_a_silent_pass(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(3))
    (tmp_path / "r.dqdl").write_text('Rules = [ Entropy "id" > 1 ]')
    result = etl("validate", tmp_path / "a.csv", "--rules", tmp_path / "r.dqdl")
    assert result.code == 2
    message_of(result, "Entropy", "not supported yet")


def test_every_mistake_has_its_line_and_reason(etl):
    folder = ROOT / "examples" / "flights"
    result = etl("validate", folder / "flights-bad.csv", "--job", folder / "flights.yaml", "--json")
    assert result.code == 1
    found = {(fault["reason"], fault["column"], fault["first"]["line"]) for fault in result.json["faults"]}
    assert {
        ("too_few_fields", None, 5),
        ("not_an_integer", "dep_delay", 6),
        ("not_a_timestamp", "time_hour", 7),
        ("unclosed_quote", None, 8),
    } <= found
    assert result.json["rows"]["read"] == 11


def test_usage_error(etl):
    assert etl("validate").code == 2
    assert etl("frobnicate").code == 2
