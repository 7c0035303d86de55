"""Bytes that stand for no character are faults of their record: told by place, handed back as they were, and never U+FFFD."""

import base64
import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from test_run import published, read_back

JOB = """
version: 1
source: {location: %s, csv: {header: true%s}}
schema:
  columns: [{name: id, type: int}, {name: name, type: string}, {name: n, type: double}]
  extra_columns: ignore
on_invalid: {rows: quarantine%s}
sink: {location: out}
"""

BAD = {1: b"1,\xff\xfe,1.5,x", 3: b"3,caf\xc3,2,x", 4: b"4,d,\x803,x", 6: b'6,"a,\xed\xa0\x80\nb",4,x', 8: b"8,e,5,\xf8"}
GOOD = {2: "2,café,1,x", 5: "5,€uro,2,x", 7: "7,日本,3,x", 9: "9,z,4,x"}


def text():
    rows = {**{key: value.encode() for key, value in GOOD.items()}, **BAD}
    return b"id,name,n,other\n" + b"".join(rows[key] + b"\n" for key in sorted(rows))


def run(etl, folder, name, content, encoding="", rejects=""):
    (folder / name).write_bytes(content)
    (folder / "job.yaml").write_text(JOB % (name, encoding, rejects))
    return etl("run", folder / "job.yaml", "--json")


def test_csv(etl, tmp_path):
    content = text()
    result = run(etl, tmp_path, "a.csv", content)
    assert result.code == 0, result.err
    assert result.json["rows"] == {"read": 9, "accepted": 4, "rejected": 5, "filtered": 0}
    assert sorted(row["name"] for row in read_back(published(tmp_path / "out"))) == sorted(["café", "€uro", "日本", "z"])
    places = {(fault["reason"], fault["column"]): fault for fault in result.json["faults"]}
    assert set(places) == {("invalid_encoding", "name"), ("invalid_encoding", "n"), ("invalid_encoding", None)}
    first = places["invalid_encoding", "name"]
    assert (first["count"], first["first"]["line"], first["first"]["byte"]) == (3, 2, content.index(b"\xff"))
    assert places["invalid_encoding", "n"]["first"]["byte"] == content.index(b"\x80")
    assert places["invalid_encoding", None]["first"]["byte"] == content.index(b"\xf8")
    rejects = pq.read_table(result.json["commit"]["rejects"], partitioning=None).to_pylist()
    assert [row["raw"] for row in rejects] == list(BAD.values())
    for row in rejects:
        assert content[row["byte_offset"] :].startswith(row["raw"])
    assert [row["faults"][0]["value"] for row in rejects] == ["\\xff\\xfe", "\\xc3", "\\x80", "\\xed\\xa0\\x80", "\\xf8"]
    assert "\ufffd" not in json.dumps(result.json, ensure_ascii=False)


def test_a_byte_order_mark_is_counted_and_no_text(etl, tmp_path):
    content = b"\xef\xbb\xbf" + text()
    result = run(etl, tmp_path, "a.csv", content)
    assert result.json["rows"]["rejected"] == 5
    rejects = pq.read_table(result.json["commit"]["rejects"], partitioning=None).to_pylist()
    assert all(content[row["byte_offset"] :].startswith(row["raw"]) for row in rejects)


def test_ndjson(etl, tmp_path):
    lines = [b'{"id":1,"name":"a","n":1}', b'{"id":2,"name":"b\xff","n":2}', b'{"id":"x","name":"c","n":"\xc3"}', b'{"id":4,"name":"\xc3\xa9","n":4}']
    content = b"\n".join(lines) + b"\n"
    result = run(etl, tmp_path, "a.ndjson", content)
    assert result.code == 0, result.err
    assert result.json["rows"]["accepted"] == 2
    places = {(fault["reason"], fault["column"]): fault["first"]["byte"] for fault in result.json["faults"]}
    assert places["invalid_encoding", "name"] == content.index(b"\xff")
    assert places["invalid_encoding", "n"] == content.index(b'\xc3"')
    assert ("not_an_integer", "id") in places
    rejects = pq.read_table(result.json["commit"]["rejects"], partitioning=None).to_pylist()
    assert [row["raw"] for row in rejects] == lines[1:3]


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_rejects_as_text_keep_every_byte(etl, tmp_path, form):
    result = run(etl, tmp_path, "a.csv", text(), rejects=f", format: {form}")
    content = Path(result.json["commit"]["rejects"]).read_bytes()
    if form == "csv":
        # Latin-1 gives each byte a character, so that Python's own reader can be used.
        rows = list(csv.reader(content.decode("latin-1").splitlines(keepends=True)))
        assert [row[-1].encode("latin-1") for row in rows[1:]] == list(BAD.values())
    else:
        rows = [json.loads(line) for line in content.decode().splitlines()]
        assert [base64.b64decode(row["raw_base64"]) for row in rows] == list(BAD.values())


@pytest.mark.parametrize(
    ("encoding", "good", "bad"),
    [
        ("utf-16le", "ä😀", b"x\0\x00\xd8y\0"),
        ("utf-16be", "ä😀", b"\0x\xdc\x00\0y"),
        ("shift_jis", "日本", b"\x83\xff"),
        ("windows-1253", "Ωμέγα", b"\xaa"),
        ("gb18030", "中文", b"\x81"),
    ],
)
def test_transcoded_inputs(etl, tmp_path, encoding, good, bad):
    rows = [f"1,{good},1,x", "BAD", f"3,{good},3,x"]
    wide = lambda text: text.encode(encoding.replace("windows-", "cp"))
    content = wide("id,name,n,other\n") + b"".join(
        (wide("2,") + bad + wide(",2,x\n")) if row == "BAD" else wide(row + "\n") for row in rows
    )
    result = run(etl, tmp_path, "a.csv", content, encoding=f", encoding: {encoding}")
    assert result.code == 0, result.err
    assert result.json["rows"]["accepted"] == 2
    assert {row["name"] for row in read_back(published(tmp_path / "out"))} == {good}
    (fault,) = result.json["faults"]
    assert (fault["reason"], fault["column"], fault["first"]["line"]) == ("invalid_encoding", "name", 3)
    # What stands for no character is one byte that no text holds.
    (reject,) = pq.read_table(result.json["commit"]["rejects"], partitioning=None).to_pylist()
    assert reject["raw"].startswith(b"2,") and b"\xff" in reject["raw"]


def test_a_declared_encoding_holds_and_a_guess_needs_evidence(etl, tmp_path):
    latin = "id,name\n1,Müller\n2,x\n3,y\n".encode("latin-1")
    (tmp_path / "one.csv").write_bytes(latin)
    refused = etl("validate", tmp_path / "one.csv", "--json")
    assert refused.code == 1 and refused.json["faults"][0]["reason"] == "invalid_encoding"
    assert etl("validate", tmp_path / "one.csv", "--encoding", "windows-1252").code == 0
    (tmp_path / "many.csv").write_bytes(latin + "4,Zoë\n5,Jürgen\n".encode("latin-1"))
    guessed = etl("validate", tmp_path / "many.csv", "--json")
    assert guessed.code == 0
    assert [found["value"] for found in guessed.json["detected"] if found["what"] == "encoding"] == ["windows-1252"]
    declared = etl("validate", tmp_path / "many.csv", "--encoding", "utf-8", "--json")
    assert declared.code == 1 and declared.json["rows"]["rejected"] == 3


@pytest.mark.parametrize("command", ["validate", "infer"])
def test_a_header_that_is_no_text(etl, tmp_path, command):
    (tmp_path / "a.csv").write_bytes(b"id,n\xffme\n1,a\n")
    result = etl(command, tmp_path / "a.csv")
    assert result.code == 1
    assert "byte 4" in result.out + result.err and "encoding" in result.out + result.err


def test_the_type_of_a_column_is_that_of_its_sound_cells(etl, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"id,n\n1,5\n2,\xff\n3,7\n")
    result = etl("validate", tmp_path / "a.csv", "--json")
    assert [column["type"] for column in result.json["schema"]] == ["bigint", "bigint"]
    assert result.json["rows"]["rejected"] == 1
