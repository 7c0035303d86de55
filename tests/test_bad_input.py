"""Each kind of bad input: one clear message, the right exit code, nothing half-written."""

import gzip
import os
import shutil
import subprocess

import pyarrow as pa
import pytest
from conftest import BIN, ROOT, orders, write_job
from test_run import published, read_back


def message_of(result, *parts):
    text = result.err + result.out
    for part in parts:
        assert part in text, f"{part!r} is missing in:\n{text}"


def test_missing_file_names_the_nearest(etl, tmp_path):
    (tmp_path / "orders.csv").write_text(orders(3))
    result = etl("validate", tmp_path / "order.csv")
    assert result.code == 3
    message_of(result, "not found", "order.csv", "did you mean")
    far = etl("validate", tmp_path / "invoices.csv")
    assert far.code == 3 and "did you mean" not in far.err
    job = etl("run", tmp_path / "order.yaml")
    assert job.code == 3
    message_of(job, "not found", "order.yaml")


@pytest.mark.skipif(os.geteuid() != 0, reason="to become another user takes root")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text(orders(3))
    path.chmod(0o600)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.geteuid() and str(folder) not in ("/", "/tmp"):
            folder.chmod(0o755)
    # The other user may not be able to look into the folder of the binary.
    binary = tmp_path / "etl-engine"
    shutil.copy(BIN, binary)
    binary.chmod(0o755)
    done = subprocess.run([binary, "validate", path], capture_output=True, text=True, user=65534, group=65534)
    assert done.returncode == 3
    assert "access denied" in done.stderr and "secret.csv" in done.stderr


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
    assert result.code == 3
    message_of(result, str(tmp_path), "is a directory")
    (tmp_path / "a.csv").write_text(orders(3))
    for option in ("--schema", "--rules", "--job"):
        result = etl("validate", tmp_path / "a.csv", option, tmp_path)
        assert result.code == 3
        message_of(result, "is a directory")


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


def test_damaged_gzip(etl, tmp_path):
    whole = bytearray(gzip.compress(orders(20000).encode()))
    whole[len(whole) // 2] ^= 0xFF
    (tmp_path / "odd.csv.gz").write_bytes(whole)
    result = etl("run", write_job(tmp_path, "odd.csv.gz", "out"), "--json")
    assert result.code == 1
    assert "damaged" in " ".join(result.json["reasons"]) and "odd.csv.gz" in result.json["inputs"][0]["uri"]
    assert not list(tmp_path.glob("out/data/**/*.parquet"))
    assert not list(tmp_path.glob("out/commits/*"))


def test_a_bomb_is_refused(etl, tmp_path):
    with pa.CompressedOutputStream(str(tmp_path / "bomb.csv.zst"), "zstd") as out:
        out.write(b"id\n")
        for _ in range(400):
            out.write((b"0" * 1023 + b"\n") * 1024)
    result = etl("validate", tmp_path / "bomb.csv.zst", "--json")
    assert result.code == 1
    message_of(result, "bomb.csv.zst", "expand to", "decompression bomb")


def test_records_beyond_the_limit(etl, tmp_path):
    # One that fits into what is held is set aside; one that does not ends the reading, for nothing else would be bounded.
    (tmp_path / "long.csv").write_text("id,name\n1,a\n2," + "x" * 1_500_000 + "\n3,c\n")
    result = etl("validate", tmp_path / "long.csv", "--json")
    assert result.code == 1
    (fault,) = result.json["faults"]
    assert (fault["reason"], fault["first"]["line"], fault["first"]["byte"]) == ("record_too_long", 3, 12)
    assert result.json["rows"] == {"read": 3, "accepted": 2, "rejected": 1, "filtered": 0}
    (tmp_path / "endless.csv").write_text("id,name\n1,a\n2," + "x" * 9_000_000 + "\n3,c\n")
    result = etl("validate", tmp_path / "endless.csv", "--json")
    assert result.code == 1
    message_of(result, "endless.csv", "longer than 1048576 bytes", "byte: 12", "max_record_bytes")
    job = write_job(tmp_path, "endless.csv", "out")
    job.write_text(job.read_text().replace("header: true", "header: true, max_record_bytes: 16MiB"))
    assert etl("run", job, "--set", 'schema.columns=[{"name": id, "type": int}, {"name": name, "type": string}]', "--set", "sink.partition_by=[]").code == 0


def test_ndjson_without_line_ends(etl, tmp_path):
    (tmp_path / "a.ndjson").write_text('{"id":1}\n{"id":2,"name":"' + "x" * 9_000_000 + '"}')
    result = etl("validate", tmp_path / "a.ndjson", "--json")
    assert result.code == 1
    message_of(result, "a.ndjson", "longer than 1048576 bytes", "byte: 9")


def test_line_ends_of_windows_and_a_byte_order_mark(etl, tmp_path):
    content = b'\xef\xbb\xbf' + orders(50).encode().replace(b"\n", b"\r\n")
    (tmp_path / "a.csv").write_bytes(content)
    result = etl("run", write_job(tmp_path, "a.csv", "out"), "--json")
    assert result.code == 0, result.err
    rows = read_back(published(tmp_path / "out"))
    assert sorted(row["id"] for row in rows) == list(range(50))
    assert {row["country"] for row in rows} == {"DE", "FR", "IT", None}


def test_repeated_and_missing_names_in_the_header(etl, tmp_path):
    (tmp_path / "a.csv").write_text("id,ID,name,\n1,2,a,z\n3,4,b,y\n")
    result = etl("validate", tmp_path / "a.csv", "--json")
    assert result.code == 0
    assert [column["name"] for column in result.json["schema"]] == ["id", "ID_2", "name", "column_4"]
    assert [found["value"] for found in result.json["detected"] if found["what"] == "repeated name"] == ["ID"]
    (tmp_path / "s.yaml").write_text("columns: [{name: id, type: int}, {name: name, type: string}]")
    result = etl("validate", tmp_path / "a.csv", "--schema", tmp_path / "s.yaml")
    assert result.code == 1
    message_of(result, "a.csv line 1", "names `ID` twice")


def test_ragged_rows(etl, tmp_path):
    (tmp_path / "a.csv").write_text('id,name\n1,a\n2\n3,c,d\n\n4,"x\n5,e\n6,"f"g\n7,h\n')
    result = etl("validate", tmp_path / "a.csv", "--json")
    assert result.code == 1
    found = [(fault["reason"], fault["first"]["line"]) for fault in result.json["faults"]]
    assert found == [("too_few_fields", 3), ("too_many_fields", 4), ("unclosed_quote", 6), ("text_after_quote", 8)]
    assert result.json["rows"] == {"read": 7, "accepted": 3, "rejected": 4, "filtered": 0}


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


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version: 1", "version: one", "a whole number is expected"),
        ("{rows: quarantine}", "{rows: [1]}", "a text is expected"),
        ("{rows: quarantine}", "{max_rejected: {}}", "a number, or a text such as 1%"),
    ],
)
def test_a_value_of_another_kind(etl, tmp_path, old, new, words):
    job = write_job(tmp_path, "a.csv", "out")
    job.write_text(job.read_text().replace(old, new))
    result = etl("run", job)
    assert result.code == 2
    message_of(result, words, "job.yaml", new.strip("{}").split(":")[0])


def test_an_override_of_an_unknown_key(etl, tmp_path):
    (tmp_path / "job.yaml").write_text(
        "source: {location: a.csv}\nschema: {columns: [{name: n, type: int}]}\nsink: {location: out}\n"
    )
    result = etl("run", tmp_path / "job.yaml", "--set", "sink.locatoin=x")
    assert result.code == 2
    message_of(result, "--set", "unknown key `locatoin`", "did you mean `location`")
    (tmp_path / "a.csv").write_text("n\n1\n")
    # In YAML 1.1 the name of this column is false.
    assert etl("run", tmp_path / "job.yaml", "--set", "sink.location=" + str(tmp_path / "out")).code == 0


def test_limits_on_the_command_line(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(10))
    job = write_job(tmp_path, "a.csv", "out")
    result = etl("run", job, "--memory", "300MiB", "--threads", "3", "--dry-run", "--json")
    assert result.code == 0
    assert (result.json["engine"]["memory_limit_bytes"], result.json["engine"]["threads"]) == (300 << 20, 3)
    assert etl("run", job, "--json").json["run_id"] == result.json["run_id"]
    result = etl("run", job, "--memory", "1MiB")
    assert result.code == 2
    message_of(result, "less than 128MiB")


def test_rule_naming_an_absent_column(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(3))
    (tmp_path / "r.dqdl").write_text('Rules = [ IsComplete "amuont" ]')
    job = write_job(tmp_path, "a.csv", "out", "rules: r.dqdl")
    result = etl("run", job)
    assert result.code == 2
    message_of(result, "amuont", "amount")
    assert not list(tmp_path.glob("out/data/**/*.parquet"))


def test_an_unknown_rule_type_is_never_a_silent_pass(etl, tmp_path):
    (tmp_path / "a.csv").write_text(orders(3))
    (tmp_path / "r.dqdl").write_text('Rules = [ Entropi "id" > 1 ]')
    result = etl("validate", tmp_path / "a.csv", "--rules", tmp_path / "r.dqdl")
    assert result.code == 2
    message_of(result, "Entropi", "Entropy")


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
