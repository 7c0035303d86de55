"""The orders example: what is published is right by other tools, and nothing of what is marked as personal data is anywhere."""

import base64
import collections
import csv
import datetime
import decimal
import gzip
import hashlib
import hmac
import io
import json
import random
import re
import subprocess
import sys
import unicodedata
import urllib.parse
from pathlib import Path

import duckdb
import numpy
import pyarrow
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import ROOT, run
from test_run import published, read_back

ORDERS = ROOT / "examples" / "orders"
JOB = ORDERS / "orders.yaml"
KEY = bytes.fromhex((ORDERS / "DEMO-KEY-DO-NOT-USE.hex").read_text())
MARKED = ["email", "customer", "phone", "card", "born", "note"]
EMAIL = re.compile(r"\s*[^\s@]+@[^\s@]+\.[a-zA-Z]+")
Line = collections.namedtuple("Line", "number text row")


def lines(path=ORDERS / "orders.csv"):
    """The records of a CSV file by Python: the line each begins on, its text, its fields."""
    text = path.read_bytes().decode()
    physical = text.split("\n")
    reader, before, found = csv.reader(io.StringIO(text, newline="")), 0, []
    header = next(reader)
    before = reader.line_num
    # A quoted CR LF is one line end to the reader and to this.
    for fields in reader:
        record = "\n".join(physical[before : reader.line_num])
        found.append(Line(before + 1, record, dict(zip(header, fields)) if len(fields) == len(header) else fields))
        before = reader.line_num
    return found


def date(text):
    try:
        return datetime.datetime.strptime(text, "%d.%m.%Y").date()
    except ValueError:
        return None


def amount(text):
    try:
        return decimal.Decimal(text.replace(",", ""))
    except decimal.InvalidOperation:
        return None


def fits(row) -> bool:
    """What the schema and the rules say, said again."""
    if isinstance(row, list) or date(row["born"]) is None or amount(row["gross"]) is None or " " in row["placed_at"]:
        return False
    return amount(row["gross"]) >= 0 and EMAIL.fullmatch(row["email"]) is not None


@pytest.fixture(scope="module")
def raw():
    return lines()


@pytest.fixture(scope="module")
def expected(raw):
    """The rows that are to come out, by order."""
    good = {}
    for line in raw:
        if fits(line.row) and line.row["channel"] != "test":
            good.setdefault(int(line.row["order_id"]), line)
    return good


def pseudonym(key: bytes, value: str) -> str:
    derived = hmac.digest(key, b"etl-pii/v1/hmac-sha-256" + b"\0" + b"\1", hashlib.sha256)
    return hmac.new(derived, unicodedata.normalize("NFC", value.strip()).lower().encode(), hashlib.sha256).hexdigest()


# What each run is asked for: one sink is compressed and one is not, and every form of rejects is made.
RUNS = {
    "zstd": ["--set", "on_invalid.format=parquet", "-v"],
    "none": ["--set", "sink.compression=none", "--set", "on_invalid.format=csv", "-vv", "--json"],
    "snappy": ["--set", "sink.compression=snappy", "--set", "on_invalid.format=ndjson", "--json=glue", "-v"],
}


class Run:
    def __init__(self, folder: Path, arguments=(), job=JOB, command="run", code=0):
        self.root, self.temp = folder / "out", folder / "temp"
        self.temp.mkdir(parents=True)
        sink = ["--set", f"sink.location={self.root}", "--set", f"lineage.file={folder}/lineage.ndjson"]
        self.folder = folder
        self.result = run(command, job, *sink, *arguments, env={"TMPDIR": str(self.temp), "RUST_BACKTRACE": "1"})
        assert self.result.code == code, self.result.err

    def rows(self):
        return read_back(published(self.root))

    def rejects(self):
        [path] = [path for path in (self.root / "rejects").rglob("*") if path.is_file()]
        return path

    def texts(self):
        """Everything that the run left, by where it is: names, bytes, and what is within Parquet."""
        found = {"stdout": self.result.out.encode(), "stderr": self.result.err.encode()}
        for path in sorted(self.folder.rglob("*")):
            name = str(path.relative_to(self.folder))
            found[f"name of {name}"] = urllib.parse.unquote(name).encode() + b"\n" + name.encode()
            if path.is_file():
                found[name] = path.read_bytes()
                if path.suffix == ".parquet":
                    found[f"rows of {name}"] = within(path)
        for command in (["commits", "show"], ["commits", "list"], ["audit", "list"], ["history", "list"]):
            said = run(*command, self.root)
            found[" ".join(command)] = (said.out + said.err).encode()
        return found


def within(path: Path) -> bytes:
    """Values and statistics of a Parquet file as text."""
    file, found = pq.ParquetFile(path), []
    for group in range(file.metadata.num_row_groups):
        for column in range(file.metadata.num_columns):
            statistics = file.metadata.row_group(group).column(column).statistics
            if statistics is not None and statistics.has_min_max:
                found += [statistics.min, statistics.max]
    found += [file.metadata.metadata or {}, file.schema_arrow.metadata or {}]
    for column in file.read().columns:
        found += column.to_pylist()
    return b"\n".join(spelled(value) for value in found)


def spelled(value) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict):
        return b"\n".join(spelled(part) for pair in value.items() for part in pair)
    if isinstance(value, (list, tuple)):
        return b"\n".join(spelled(part) for part in value)
    return str(value).encode()


def canaries(raw):
    """Every text of a marked column, and the parts of it that say as much."""
    found = set()
    for line in raw:
        if isinstance(line.row, list):
            # The names without their quotes, and all else that is long enough to be told from chance.
            found |= {field.strip() for field in line.row[3:8] if len(field.strip()) >= 8}
            continue
        row = line.row
        email = row["email"].strip()
        found |= {email, email.lower(), row["customer"], row["phone"], row["card"], row["born"], row["note"]}
        found |= {row["card"].replace(" ", ""), row["phone"].replace(" ", ""), row["phone"][1:]}
        found |= {part for part in row["customer"].replace(",", "").split() if len(part.encode()) >= 10}
        found |= {part for part in row["note"].splitlines()}
        born = date(row["born"])
        # The first of January is what a masked birth date looks like.
        if born and (born.month, born.day) != (1, 1):
            found |= {born.isoformat(), born.strftime("%d/%m/%Y"), born.strftime("%Y%m%d")}
    found -= {"", "gift"}
    assert all(len(canary.encode()) >= 8 for canary in found), sorted(found, key=len)[:5]
    return {canary: canary.encode() for canary in found}


def disguised(chosen):
    """Other writings of some canaries."""
    found = {}
    for canary in chosen:
        plain = canary.encode()
        forms = {
            "hex": plain.hex().encode(),
            "HEX": plain.hex().upper().encode(),
            "reversed": canary[::-1].encode(),
            "reversed bytes": plain[::-1],
            "percent": urllib.parse.quote(canary).encode(),
            "json": json.dumps(canary)[1:-1].encode(),
            "utf-16": canary.encode("utf-16-le"),
            "sha256": hashlib.sha256(plain).hexdigest().encode(),
            "md5": hashlib.md5(plain).hexdigest().encode(),
        }
        for shift in range(3):
            # What is the same in base64 whatever stands before and behind.
            whole = base64.b64encode(b"\0" * shift + plain)
            inner = whole[(0, 2, 3)[shift] : len(whole) // 4 * 4 - 4]
            forms[f"base64 at {shift}"] = inner
            forms[f"base64url at {shift}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
        found |= {f"{form} of {canary}": text for form, text in forms.items() if len(text) >= 8}
    return found


def search(texts, wanted):
    """Where each text is found. Only what begins with eight bytes that occur is looked for."""
    hits = []
    by_start = collections.defaultdict(list)
    for name, text in wanted.items():
        by_start[text[:8]].append((name, text))
    # Of most places four bytes tell that no text begins there.
    fours = numpy.unique(numpy.array([int.from_bytes(start[:4], "little") for start in by_start], numpy.uint32))
    for where, data in texts.items():
        array = numpy.frombuffer(data, numpy.uint8).astype(numpy.uint32)
        places = array[:-3] | array[1:-2] << 8 | array[2:-1] << 16 | array[3:] << 24
        found = numpy.searchsorted(fours, places).clip(max=len(fours) - 1)
        for start in {data[at : at + 8] for at in numpy.flatnonzero(fours[found] == places)} & by_start.keys():
            hits += [(where, name) for name, text in by_start[start] if text in data]
    return hits


@pytest.fixture(scope="module")
def wanted(raw):
    """What must not be found."""
    plain = canaries(raw)
    assert len(plain) > 4000
    lot = random.Random(7)
    names = sorted({line.row["customer"] for line in raw if isinstance(line.row, dict) and not line.row["customer"].isascii()})
    chosen = lot.sample(sorted(plain), 40) + lot.sample(names, 10)
    key = {"the key": KEY, "the key in hex": KEY.hex().encode(), "the key in base64": base64.b64encode(KEY)}
    return plain | disguised(chosen) | key


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return {name: Run(tmp_path_factory.mktemp(name), arguments) for name, arguments in RUNS.items()}


def test_the_script_makes_the_data(tmp_path):
    subprocess.run([sys.executable, ORDERS / "make.py", tmp_path / "orders.csv"], check=True)
    assert (tmp_path / "orders.csv").read_bytes() == (ORDERS / "orders.csv").read_bytes()


def test_counts_add_up(runs, raw, expected):
    rows = runs["none"].result.json["rows"]
    assert rows["read"] == len(raw) == rows["accepted"] + rows["rejected"] + rows["filtered"]
    assert rows["rejected"] == sum(not fits(line.row) for line in raw)
    tests = sum(fits(line.row) and line.row["channel"] == "test" for line in raw)
    assert rows["filtered"] >= tests
    for name in RUNS:
        found = runs[name].rows()
        assert len(found) == len(expected)
        assert {row["order_id"] for row in found} == set(expected)


def test_the_readme_says_what_happens(runs, raw, expected):
    text = (ORDERS / "README.md").read_text()
    rows = runs["none"].result.json["rows"]
    tests = sum(fits(line.row) and line.row["channel"] == "test" for line in raw)
    twice = rows["read"] - rows["rejected"] - tests - len(expected)
    for words in (
        f"reads {rows['read']:,} rows, sets {rows['rejected']} aside",
        f"leaves out {tests} test orders and {twice} that were sent twice",
        f"publishes {len(expected):,}",
    ):
        assert words in " ".join(text.split()), words
    reasons = collections.Counter(fault.get("rule") or fault["reason"] for fault in runs["none"].result.json["faults"] for _ in
                                  range(fault["count"]))
    for count, why in re.findall(r"^\| (\d+) \| .*`(\w+)` \|$", text, re.MULTILINE):
        assert reasons.get(why) == int(count), why
    shown = re.findall(r"^(?:\d{6}|\*{6}),.*$", text, re.MULTILINE)
    assert len(shown) == 2 and set(shown) <= {raw_ for _, raw_, _ in rejected(runs["zstd"].rejects())}
    assert re.search(r"`(#### #### #### \d{4})`", text)[1] in {row["card"] for row in runs["zstd"].rows()}


def test_what_is_not_masked_is_right_by_duckdb(runs):
    """Lookup, amounts, dates and months by a join over the raw files; unreadable records are left out by DuckDB itself."""
    database = duckdb.connect()
    database.execute("set timezone = 'UTC'")
    database.execute(
        f"create table orders as select * from read_csv('{ORDERS}/orders.csv', all_varchar = true, ignore_errors = true,"
        " strict_mode = true, parallel = false, header = true, quote = '\"', delim = ',', new_line = '\\n')"
    )
    database.execute(f"create table countries as select * from read_csv('{ORDERS}/countries.csv', all_varchar = true)")
    wanted = database.sql(
        """
        with typed as (
            select order_id::bigint as order_id, try_cast(placed_at as timestamptz) at time zone 'UTC' as placed_at, channel, email,
                try_strptime(born, '%d.%m.%Y') as born, country, try_cast(replace(gross, ',', '') as decimal(12, 2)) as gross, note
            from orders
        )
        select distinct order_id, placed_at, channel, country, name as country_name, gross, vat::decimal(4, 3) as vat,
            placed_at::date as order_date, strftime(placed_at, '%Y-%m') as order_date_month,
            note is not null as has_note
        from typed left join countries on country = code
        where placed_at is not null and born is not null and gross >= 0 and channel <> 'test'
            and regexp_full_match(email, '\\s*[^\\s@]+@[^\\s@]+\\.[a-zA-Z]+')
        order by order_id
        """
    )
    names, wanted = wanted.columns, wanted.fetchall()
    for one in runs.values():
        found = sorted(one.rows(), key=lambda row: row["order_id"])
        assert [tuple(row[name] for name in names) for row in found] == wanted
        for row in found:
            if row["vat"] is None:
                assert row["net"] is None and row["country"] == "XK"
            else:
                exact = row["gross"] / (1 + row["vat"])
                assert row["net"] == exact.quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP)


def test_masked_columns_are_what_python_makes_of_the_raw_ones(runs, expected):
    for one in runs.values():
        for row in one.rows():
            line = expected[row["order_id"]]
            assert row["email"] == pseudonym(KEY, line.row["email"])[:32]
            card = line.row["card"]
            assert row["card"] == re.sub(r"\S", "#", card[:-4]) + card[-4:]
            assert row["born"] == date(line.row["born"]).replace(month=1, day=1)
            assert row["source_line"] == line.number
            assert set(row).isdisjoint({"customer", "phone", "note"})
    # One person is one pseudonym, in whatever writing the address comes.
    writings = collections.defaultdict(set)
    for line in expected.values():
        writings[line.row["email"].strip().lower()].add(line.row["email"])
    assert sum(len(several) > 1 for several in writings.values()) > 100
    assert len({row["email"] for row in runs["zstd"].rows()}) == len(writings)


def test_partitions_are_country_and_month(runs, expected):
    files = published(runs["zstd"].root)
    found = set()
    for name in files:
        country, month = re.search(r"country=([^/]+)/order_date_month=([^/]+)/", name).groups()
        table = pq.ParquetFile(name).read()
        assert {day.strftime("%Y-%m") for day in table["order_date"].to_pylist()} == {month}
        assert {expected[order].row["country"] for order in table["order_id"].to_pylist()} == {country}
        found.add((country, month))
    assert len(files) == len(found)


def rejected(path: Path):
    """Rejects of any form: line, raw text, faults."""
    if path.suffix == ".parquet":
        return [
            (row["line"], row["raw"].decode(), [(fault["column"], fault["value"]) for fault in row["faults"]])
            for row in pq.read_table(path, partitioning=None).to_pylist()
        ]
    text = path.read_text()
    rows = list(csv.DictReader(io.StringIO(text))) if path.suffix == ".csv" else list(map(json.loads, text.splitlines()))
    return [(int(row["line"]), row["raw"], row.get("faults")) for row in rows]


def test_rejects_are_masked_where_columns_are_marked(runs, raw):
    bad = [line for line in raw if not fits(line.row)]
    for one in runs.values():
        found = rejected(one.rejects())
        assert len(found) == len(bad)
        for (_, text, _), line in zip(found, bad):
            masked = next(csv.reader(io.StringIO(text, newline="")))
            if isinstance(line.row, list):
                # Nobody can tell which field is which.
                assert set(text) <= {"*", ","}
                continue
            for name, before, after in zip(line.row, line.row.values(), masked, strict=True):
                if name in MARKED:
                    # Line ends stay, so that those behind them have their numbers.
                    assert re.sub(r"[^\r\n]", "", before) == re.sub(r"\*", "", after) and bool(after) == bool(before), name
                else:
                    assert after == before, name


@pytest.mark.parametrize("name", RUNS)
def test_rejects_have_the_line_of_the_original(name, runs, raw):
    assert [line for line, _, _ in rejected(runs[name].rejects())] == [line.number for line in raw if not fits(line.row)]


@pytest.mark.parametrize("name", RUNS)
def test_no_canary_is_anywhere(name, runs, wanted):
    texts = runs[name].texts()
    assert any(where.endswith(".parquet") for where in texts) and "commits list" in texts
    assert search(texts, wanted) == []


@pytest.mark.parametrize("name", RUNS)
def test_nothing_stays_in_the_temporary_folder(name, runs):
    assert list(runs[name].temp.rglob("*")) == []


def test_the_search_finds_what_is_there(tmp_path, raw, expected, wanted):
    """The same search where all is written as it is: without it, that nothing is found would say nothing."""
    job = changed(tmp_path, lambda job: job.update(
        transform=[{"filter": "channel <> 'test'"}, {"release": {"columns": MARKED, "because": "a test"}}],
        sink={"location": "out", "partition_by": ["country"], "compression": "zstd"},
        on_invalid={"rows": "quarantine", "mask": False},
    ))
    hits = {name for _, name in search(Run(tmp_path / "run", job=job).texts(), wanted)}
    for line in list(expected.values()) + [line for line in raw if isinstance(line.row, dict) and not fits(line.row)]:
        for column in ["email", "customer", "phone", "card", "note"]:
            value = line.row[column].strip() if column == "email" else line.row[column]
            # In rejects, quotes are as they stand in the file.
            if value not in ("", "gift") and (fits(line.row) or '"' not in value):
                assert value in hits, (column, value)
        born = date(line.row["born"])
        if born is None:
            assert line.row["born"] in hits
        elif (born.month, born.day) != (1, 1) and fits(line.row):
            assert born.isoformat() in hits


def test_other_commands_show_nothing_either(tmp_path, wanted):
    """A verdict INVALID, a dry run, and judging alone."""
    Run(tmp_path / "invalid", ["--set", "on_invalid.max_rejected=0", "-v"], code=1)
    Run(tmp_path / "fail", ["--set", "on_invalid.rows=fail", "--json"], code=1)
    Run(tmp_path / "dry", ["--dry-run", "-vv"])
    texts = {}
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        texts[str(path)] = path.read_bytes() + (within(path) if path.suffix == ".parquet" else b"")
    for arguments in (["-v"], ["--json"], ["--json=glue"]):
        said = run("validate", "--job", JOB, *arguments)
        texts[f"validate {arguments}"] = (said.out + said.err).encode()
    for verdict, limit in (("good", "3%"), ("bad", "0")):
        landing, temp = tmp_path / f"landing-{verdict}", tmp_path / verdict / "temp"
        landing.mkdir()
        temp.mkdir(parents=True)
        (landing / "orders.csv").write_bytes((ORDERS / "orders.csv").read_bytes())
        job = changed(landing, lambda job: job["on_invalid"].update(max_rejected=limit))
        job = job.rename(tmp_path / verdict / "job.yaml")
        said = run("pipeline", job, "--watch", landing, "--once", "-vv", env={"TMPDIR": str(temp)})
        assert any(landing.rglob("_failed/**/orders.csv")) == (verdict == "bad"), said.err
        texts[f"pipeline {verdict}"] = (said.out + said.err).encode()
        for path in (path for path in (*landing.rglob("*"), *(tmp_path / verdict).rglob("*")) if path.is_file()):
            if path.name != "orders.csv":
                texts[str(path)] = path.read_bytes() + (within(path) if path.suffix == ".parquet" else b"")
    for folder in ("invalid", "fail", "dry", "good", "bad"):
        assert list((tmp_path / folder / "temp").rglob("*")) == []
    assert search(texts, wanted) == []


def other_forms(raw):
    """The same feed in other writings; what CSV has a field too much of is an object cut short, or left out."""
    rows = [line.row if isinstance(line.row, dict) else None for line in raw]
    whole = {name: value or None for name, value in next(row for row in rows if row).items()}
    text = (ORDERS / "orders.csv").read_bytes().decode()

    def ndjson(ascii_only):
        for line, row in zip(raw, rows):
            if row is None:
                yield json.dumps(dict(zip(whole, line.row)), ensure_ascii=ascii_only)[:-40] + "\n"
            else:
                yield json.dumps({name: value or None for name, value in row.items()}, ensure_ascii=ascii_only) + "\n"

    table = pyarrow.table({name: [row[name] or None for row in rows if row] for name in whole})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return {
        "orders.ndjson": "".join(ndjson(False)).encode(),
        "escaped.ndjson": "".join(ndjson(True)).encode(),
        "orders.csv.gz": gzip.compress(text.encode()),
        "utf-16.csv": text.encode("utf-16"),
        "crlf.csv": text.replace("\r\n", "\n").replace("\n", "\r\n").encode(),
        "tabs.tsv": text.replace(",", "\t").encode(),
        "unquoted.csv": text.replace('"', "").encode(),
        "orders.parquet": sink.getvalue(),
    }


@pytest.mark.parametrize(
    "form",
    ["orders.ndjson", "escaped.ndjson", "orders.csv.gz", "utf-16.csv", "crlf.csv", "tabs.tsv", "unquoted.csv", "orders.parquet"],
)
def test_no_canary_is_anywhere_for_other_forms_of_the_feed(form, tmp_path, raw, wanted):
    """Many of these records are at fault in ways that the CSV's are not: what is shown of them is masked all the same."""
    (tmp_path / form).write_bytes(other_forms(raw)[form])

    def change(job):
        job["source"] = {"location": form}
        job["on_invalid"]["max_rejected"] = "100%"
        job["rules_text"] = 'Rules = [ IsComplete "email", ColumnValues "gross" >= 0, ColumnLength "customer" < 19 ]'
        del job["rules"]

    job = changed(tmp_path, change)
    out = Run(tmp_path / "run", ["--set", "on_invalid.format=ndjson", "-vv"], job=job)
    counts = run("validate", "--job", job, "--json").json["rows"]
    assert counts["rejected"] > 500
    assert search(out.texts(), wanted) == []
    assert list(out.temp.rglob("*")) == []


def changed(folder: Path, change) -> Path:
    """The job with a change, in a folder of its own."""
    job = yaml.safe_load(JOB.read_text().replace(" on: {", ' "on": {'))  # YAML 1.1 takes `on` for true
    job["source"]["location"] = str(ORDERS / "orders.csv")
    job["sources"]["countries"]["location"] = str(ORDERS / "countries.csv")
    job["rules"] = str(ORDERS / "orders.dqdl")
    job["keys"]["customers"]["file"] = str(ORDERS / "DEMO-KEY-DO-NOT-USE.hex")
    job["sink"]["location"] = "out"
    change(job)
    path = folder / "job.yaml"
    path.write_text(json.dumps(job))
    return path


def without(step: str):
    def change(job):
        before = len(job["transform"])
        job["transform"] = [item for item in job["transform"] if step not in item]
        assert len(job["transform"]) < before

    return change


def with_step(step: dict, at=1, gone=()):
    """Another step, after which the columns `gone` are no longer there to be dropped."""

    def change(job):
        for item in job["transform"]:
            if "drop_fields" in item:
                item["drop_fields"] = [name for name in item["drop_fields"] if name not in gone]
        job["transform"].insert(at, step)

    return change


def put(**values):
    def change(job):
        job["transform"] = values.get("transform", job["transform"])
        job["sink"] |= values.get("sink", {})

    return change


EXPOSED = {
    "hash": (without("hash"), ["email"]),
    "mask_range": (without("mask_range"), ["card"]),
    "mask_date": (without("mask_date"), ["born"]),
    "drop_fields": (without("drop_fields"), ["customer", "phone", "note"]),
    "release": (without("release"), ["has_note"]),
    "no steps": (put(transform=[]), MARKED),
    # Under another name, or as a part of something else.
    "renamed": (with_step({"rename_fields": {"customer": "c2"}}, gone=["customer"]), ["c2"]),
    "derived": (with_step({"derive": {"initial": "substr(customer, 1, 1)"}}), ["initial"]),
    "derived twice": (with_step({"derive": {"a": "upper(note)", "b": "length(phone)"}}), ["a", "b"]),
    "duplicated": (with_step({"duplicate_field": {"column": "card", "as": "again"}}), ["again"]),
    "merged": (with_step({"merge_columns": {"columns": ["channel", "phone"], "as": "both"}}), ["both"]),
    "nested": (with_step({"nest": {"columns": ["channel", "phone"], "as": "both"}}, gone=["phone"]), ["both"]),
    "split": (with_step({"split_string": {"column": "email", "into": ["user", "host"], "delimiter": "@"}}), ["user", "host"]),
    "extracted": (with_step({"extract": {"column": "email", "as": "host", "pattern": "@(.*)", "group": 1}}), ["host"]),
    "by a window": (with_step({"window": {"columns": {"next_phone": "lead(phone) over (order by order_id)"}}}, at=2), ["next_phone"]),
    "by SQL": (
        put(transform=[{"sql": "SELECT order_id, country, to_date(placed_at) AS order_date, max(t) AS top FROM"
                               " (SELECT *, concat(email, phone) AS t FROM input) GROUP BY order_id, country, to_date(placed_at)"}]),
        ["top"],
    ),
    "by a group": (
        put(transform=[{"aggregate": {"by": ["country"], "columns": {"top": "max(customer)"}}}],
            sink={"partition_by": ["country"]}),
        ["top"],
    ),
    "as a key": (
        put(transform=[{"aggregate": {"by": ["born"], "columns": {"n": "count(*)"}}}], sink={"partition_by": []}),
        ["born"],
    ),
    "in another table": (with_step({"split_fields": {"columns": ["phone"], "into": "phones"}}), ["phone"]),
    "as rows": (
        with_step({"unpivot": {"columns": ["phone", "customer"], "name": "what", "value": "told"}}, at=2, gone=["phone", "customer"]),
        ["told"],
    ),
    "by a condition": (with_step({"derive": {"old": "if(born < '1960-01-01', 1, 0)", "there": "email is null"}}), ["old", "there"]),
    "over a column": (with_step({"derive": {"country": "coalesce(country, phone)"}}), ["country"]),
    "by an order": (with_step({"window": {"columns": {"place": "rank() over (order by born)"}}}, at=2), ["place"]),
    "as a part of a date": (with_step({"date_parts": {"column": "born", "parts": ["month"]}}), ["born_month"]),
    "as names": (with_step({"one_hot": {"column": "phone", "values": ["+1"], "prefix": "is"}}), ["is+1"]),
    "in a column of another name": (
        put(transform=[{"sql": "SELECT order_id AS email, email AS order_id FROM input"}], sink={"partition_by": []}),
        ["order_id"],
    ),
    "behind other rows": (
        put(transform=[{"sql": "SELECT country AS c FROM input UNION ALL SELECT note FROM input"}], sink={"partition_by": []}),
        ["c"],
    ),
    "by a query in a query": (
        put(transform=[{"sql": "WITH a AS (SELECT max(phone) AS p FROM input) SELECT order_id, (SELECT p FROM a) AS p FROM input"}],
            sink={"partition_by": []}),
        ["p"],
    ),
    "in a partition": (put(sink={"partition_by": ["email"]}, transform=[]), ["email"]),
}


@pytest.mark.parametrize("case", EXPOSED)
def test_a_job_that_would_write_personal_data_does_not_start(case, tmp_path, wanted):
    change, columns = EXPOSED[case]
    job = changed(tmp_path, change)
    result = run("run", job, env={"TMPDIR": str(tmp_path)})
    assert result.code == 2, (result.code, result.out, result.err)
    assert "personal data would be written as it is" in result.err, result.err
    for column in columns:
        assert f"`{column}`" in result.err, result.err
    assert_nothing_written(tmp_path)
    texts = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert search(texts | {"stdout": result.out.encode(), "stderr": result.err.encode()}, wanted) == []


def assert_nothing_written(folder: Path):
    """Nothing but that the file was seen and the job was wrong."""
    files = {path.relative_to(folder).parts[:2] for path in folder.rglob("*") if path.is_file()}
    assert files <= {("job.yaml",), ("out", "audit")}


def test_row_outcomes_of_marked_columns_are_refused(tmp_path):
    job = changed(tmp_path, lambda job: None)
    result = run("run", job, "--row-outcomes", tmp_path / "rows.ndjson")
    assert result.code == 2 and "personal data" in result.err
    assert_nothing_written(tmp_path)


def test_without_the_mask_rejects_are_the_original_bytes(tmp_path, raw):
    run_ = Run(tmp_path, ["--set", "on_invalid.mask=false"])
    found = rejected(run_.rejects())
    bad = [line for line in raw if not fits(line.row)]
    assert [(line, text) for line, text, _ in found] == [(line.number, line.text) for line in bad]
    values = {value for _, _, faults in found for column, value in faults if column == "born"}
    assert values == {line.row["born"] for line in bad if isinstance(line.row, dict) and date(line.row["born"]) is None}


def test_another_key_gives_other_pseudonyms(tmp_path, expected):
    other = bytes(range(100, 132))
    job = changed(tmp_path, lambda job: job.update(keys={"customers": {"env": "ORDERS_KEY"}}))
    result = run("run", job, env={"ORDERS_KEY": base64.b64encode(other).decode()})
    assert result.code == 0, result.err
    for row in read_back(published(tmp_path / "out")):
        assert row["email"] == pseudonym(other, expected[row["order_id"]].row["email"])[:32]
    absent = run("run", job, "--set", f"sink.location={tmp_path}/none")
    assert absent.code == 2 and "ORDERS_KEY" in absent.err and not (tmp_path / "none").exists()
