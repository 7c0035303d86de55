"""Steps that protect personal data: each on random rows beside Python, keyed ones with ciphers of another library."""

import base64
import collections
import datetime
import hashlib
import hmac
import json
import random
import re
import unicodedata
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from transforms import DATE, DAYS, STAMP, TYPES, as_csv, job_of, misfit, published, query, random_rows, reconciled, run, same_rows, transform

KEY, OTHER = (random.Random(seed).randbytes(32) for seed in (1, 2))
ENV = {"ETL_TEST_KEY": KEY.hex(), "ETL_OTHER_KEY": base64.b64encode(OTHER).decode()}
KEYS = {"k": {"env": "ETL_TEST_KEY"}, "other": {"env": "ETL_OTHER_KEY"}}
ROWS = random_rows(83)
BECAUSE = "a test"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)


def derived(label, *context, key=KEY):
    """What pii/src/protect/key.rs says of derived keys."""
    return hmac.digest(key, f"etl-pii/v1/{label}".encode() + b"\0" + b"".join(context) + b"\1", hashlib.sha256)


def hashed(canonical="none", digits=64, domain=None, key=KEY):
    def nfc(text):
        return unicodedata.normalize("NFC", text)

    forms = {
        "none": str,
        "text": lambda text: nfc(text.strip()),
        "email": lambda text: nfc(nfc(text.strip()).lower()),
        "digits": lambda text: re.sub("[^0-9]", "", text),
    }
    prefix = "" if domain is None else f"{domain}\x1f"

    def change(value):
        message = prefix + forms[canonical](str(value))
        return hmac.digest(derived("hmac-sha-256", key=key), message.encode(), hashlib.sha256).hex()[:digits]

    return change


def shown(character, symbol="#", keep=""):
    if character.isspace():
        return character if "w" in keep else symbol
    return character if "s" in keep and not character.isalnum() else symbol


def ranged(start=None, stop=None, ends=True, **how):
    """Masks a slice; all where nothing would be hidden since the value is no longer than the ends that stay."""

    def change(value):
        text = str(value)
        first, last, _ = slice(start, stop).indices(len(text))
        if ends and first >= last:
            first, last = 0, len(text)
        return "".join(shown(c, **how) if first <= at < last else c for at, c in enumerate(text))

    return change


def between(pattern, **how):
    """Masks group 1 of the pattern, or all where it is not found."""

    def change(value):
        found = re.search(pattern, value, re.DOTALL)
        first, last = found.span(1) if found else (0, len(value))
        return value[:first] + "".join(shown(c, **how) for c in value[first:last]) + value[last:]

    return change


def first_of(**parts):
    def change(value):
        clock = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0} if isinstance(value, STAMP) else {}
        return value.replace(**parts, **clock)

    return change


def masked(step, columns, change, **parameters):
    columns = columns.split()
    return {step: {"columns": columns, **parameters}}, columns, change


CASES = {
    "hash": masked("hash", "text code city small big amount day", hashed(), key="k"),
    "hash of texts": masked("hash", "text city", hashed("text"), key="k", canonical="text"),
    "hash of addresses": masked("hash", "text city", hashed("email", 16), key="k", canonical="email", digits=16),
    "hash of digits": masked("hash", "text code", hashed("digits", 8), key="k", canonical="digits", digits=8),
    "hash in a domain": masked("hash", "code", hashed(domain="codes é"), key="k", domain="codes é"),
    "hash in a long domain": masked("hash", "text", hashed(domain="d" * 70), key="k", domain="d" * 70),
    "hash by another key": masked("hash", "code", hashed(key=OTHER), key="other"),
    "last stay": masked("mask_range", "text code big day", ranged(stop=-4), keep_last=4),
    "first stay": masked("mask_range", "text code amount", ranged(start=2), keep_first=2),
    "both stay": masked("mask_range", "text code", ranged(1, -2), keep_first=1, keep_last=2),
    "symbols stay": masked("mask_range", "text code", ranged(keep="s", symbol="*"), symbol="*", keep_symbols=True),
    "blanks stay": masked("mask_range", "text code", ranged(keep="sw", symbol="█"), symbol="█", keep_symbols=True, keep_whitespace=True),
    "a range": masked("mask_range", "text code small", ranged(1, 3, ends=False), start=1, stop=3),
    "a range from the end": masked("mask_range", "text code", ranged(-5, -2, ends=False), start=-5, stop=-2),
    "from a delimiter": masked("mask_delimiter", "text code", between("-(.*)"), start="-"),
    "to a delimiter": masked("mask_delimiter", "text code", between("^(.*?) ", symbol="x"), end=" ", symbol="x"),
    "between delimiters": masked("mask_delimiter", "text code", between(r"\((.*?)\)"), start="(", end=")"),
    "with the delimiters": masked(
        "mask_delimiter", "text code", between("(a.*?b)", keep="w"), start="a", end="b", mask_delimiters=True, keep_whitespace=True
    ),
    "a pattern": masked("mask_custom", "text code", lambda x: re.sub("[0-9a-cA-C]", "#", x), pattern="[0-9a-cA-C]"),
    "a pattern by a symbol": masked(
        "mask_custom", "text code", lambda x: re.sub("[a-z]+", lambda found: "é" * len(found[0]), x), pattern="[a-z]+", symbol="é"
    ),
    "a pattern by a text": masked("mask_custom", "text code", lambda x: re.sub("[0-9]+", lambda _: "<$0>", x), pattern="[0-9]+", text="<$0>"),
    "a year": masked("mask_date", "day until at", first_of(month=1, day=1), keep="year"),
    "a month": masked("mask_date", "day at end", first_of(day=1), keep="year_month"),
    "redacted": masked("redact", "text small flag ratio day at", lambda _: "REDACTED"),
    "redacted by a text": masked("redact", "city", lambda _: "", text=""),
    "nullified": masked("nullify", "text small flag ratio day at amount", lambda _: None),
}  # fmt: skip


@pytest.mark.parametrize(("step", "columns", "change"), CASES.values(), ids=CASES)
def test_step(tmp_path, step, columns, change):
    """The columns are marked: no step leaves one of them unprotected."""
    spec = [{"name": name, "type": kind} | ({"pii": "TEST"} if name in columns else {}) for name, kind in TYPES.items()]
    out = transform(tmp_path, [step], ROWS, keys=KEYS, schema={"columns": spec})
    expected = [{**row, **{name: None if row[name] is None else change(row[name]) for name in columns}} for row in ROWS]
    same_rows(out.rows, expected)
    if "nullify" in step:
        types = pq.ParquetFile(out.report["commit"]["files"][0]).schema_arrow
        assert [str(types.field(name).type) for name in columns[:3]] == ["string", "int32", "bool"]


# Random values.


def test_random_values(tmp_path):
    rows = random_rows(89, 2000)
    numbers = ["small", "big", "amount", "ratio", "text"]
    days = ["day", "at", "code"]
    steps = [
        {"replace_random": {"columns": numbers, "min": -3, "max": 40}},
        {"replace_random_date": {"columns": days, "from": "2024-02-27", "to": "2024-03-02"}},
    ]
    outs = [transform(tmp_path, steps, rows, sink={"location": name}).rows for name in ("a", "b")]
    for out in outs:
        for name in TYPES:
            values = [row[name] for row in out]
            assert [value is None for value in values] == [row[name] is None for row in rows], name
            there = [value for value in values if value is not None]
            if name in numbers:
                kind = {"text": str, "amount": Decimal, "ratio": float}.get(name, int)
                assert {type(value) for value in there} == {kind}
                assert all(-3 <= float(value) <= 40 for value in there)
                whole = {str(value) for value in there if kind in (int, str)}
                assert not whole or whole == {str(number) for number in range(-3, 41)}, name
                assert kind in (int, str) or len(set(there)) > 1000
            elif name in days:
                wanted = {DATE(2024, 2, 27) + datetime.timedelta(at) for at in range(5)}
                if name == "at":
                    wanted = {STAMP.combine(day, datetime.time()) for day in wanted}
                assert set(there) == ({str(day) for day in wanted} if name == "code" else wanted)
            else:
                assert values == [row[name] for row in rows]
    for name in [*numbers, *days]:
        assert [row[name] for row in outs[0]] != [row[name] for row in outs[1]], name
    assert [row["small"] for row in outs[0]] != [row["big"] for row in outs[0]]


def test_shuffled_values(tmp_path):
    rows = random_rows(97, 2000)
    names = ["small", "text", "day", "flag"]
    outs = [transform(tmp_path, [{"shuffle": {"columns": names}}], rows, sink={"location": at}).rows for at in ("a", "b")]
    for out in outs:
        for name in TYPES:
            before, after = ([row[name] for row in table] for table in (rows, out))
            assert collections.Counter(before) == collections.Counter(after)
            assert [value is None for value in before] == [value is None for value in after]
            assert (before == after) == (name not in names)
    assert all([row[name] for row in outs[0]] != [row[name] for row in outs[1]] for name in names)
    # Each column has an order of its own: what stood in one row no longer does, in whatever row.
    pairs = {(row["text"], row["day"]) for row in rows if len(row["text"] or "") > 3 and row["day"] and row["day"] not in DAYS}
    assert len(pairs) > 150 and sum((row["text"], row["day"]) in pairs for row in outs[0]) < 15


# Encryption and its way back.

SECRET = {"id": "bigint", "name": "string", "born": "date", "pay": "decimal(12,2)", "seen": "timestamp", "visits": "int"}


def secrets(count=250):
    return [
        {"id": row["id"], "name": row["text"], "born": row["day"], "pay": row["amount"], "seen": row["at"], "visits": row["small"]}
        for row in random_rows(101, count)
    ]


def again(folder, out, steps, released, keys=KEYS, name="second.yaml"):
    """A job over what another published."""
    columns = [{"name": column, "type": "bigint" if column == "id" else "string"} for column in out.columns]
    job = {
        "version": 1,
        "name": "second",
        "source": {"location": out.report["commit"]["files"][0]},
        "schema": {"columns": columns},
        "transform": [*steps, {"release": {"columns": released, "because": BECAUSE}}],
        "sink": {"location": "out"},
        "keys": keys,
    }
    path = folder / name
    path.write_text(json.dumps(job))
    return path


def opened(text):
    version, ident, data = text.split(".", 2)
    return version, ident, base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """Columns encrypted in each way, as (rows, what was published)."""
    folder = tmp_path_factory.mktemp("sealed")
    rows = secrets()
    steps = [
        {"duplicate_field": {"column": "name", "as": "called"}},
        {"encrypt": {"columns": ["name", "born", "seen"], "key": "k"}},
        {"encrypt_deterministic": {"columns": ["pay", "visits"], "key": "k"}},
        {"encrypt_deterministic": {"columns": "called", "key": "k", "domain": "names"}},
    ]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENV.items():
            patch.setenv(name, value)
        return rows, transform(folder, steps, rows, SECRET, keys=KEYS)


def text_of(value):
    return value.isoformat() if isinstance(value, (DATE, STAMP)) else str(value)


def test_another_library_decrypts(sealed):
    rows, out = sealed
    nonces = set()
    for row, found in zip(rows, out.rows, strict=True):
        for name in ("name", "born", "seen"):
            if row[name] is None:
                assert found[name] is None
                continue
            version, ident, data = opened(found[name])
            assert (version, ident) == ("r1", "k")
            run_id, nonce, text = data[:16], data[16:28], data[28:]
            plain = AESGCM(derived("aes-256-gcm", run_id, name.encode())).decrypt(nonce, text, name.encode()).decode()
            same = STAMP.fromisoformat(plain) == row[name] if name == "seen" else plain == text_of(row[name])
            assert same, (plain, row[name])
            nonces.add((name, run_id, nonce))
        for name, domain in {"pay": "pay", "visits": "visits", "called": "names"}.items():
            value = row["name" if name == "called" else name]
            if value is None:
                assert found[name] is None
                continue
            version, ident, data = opened(found[name])
            plain = AESGCMSIV(derived("aes-256-gcm-siv")).decrypt(bytes(12), data, domain.encode()).decode()
            assert (version, ident, plain) == ("v1", "k", str(value))
    assert len(nonces) == sum(row[name] is not None for row in rows for name in ("name", "born", "seen"))


def test_a_second_job_decrypts(tmp_path, sealed):
    rows, out = sealed
    steps = [
        {"decrypt": {"columns": ["name", "born", "seen"], "key": "k"}},
        {"decrypt_deterministic": {"columns": ["pay", "visits"], "key": "k"}},
        {"decrypt_deterministic": {"columns": "called", "key": "k", "domain": "names"}},
        {"cast": {"columns": {"born": "date", "pay": "decimal(12,2)", "seen": "timestamp", "visits": "int"}}},
    ]
    result = run("run", again(tmp_path, out, steps, [name for name in out.columns if name != "id"]), "--json")
    assert result.code == 0, result.err
    back = published(result.json)
    reconciled(back)
    same_rows(back.rows, [row | {"called": row["name"]} for row in rows])


def test_what_was_decrypted_is_personal_data_again(tmp_path, sealed):
    job = again(tmp_path, sealed[1], [{"decrypt": {"columns": "name", "key": "k"}}], "id")
    result = run("run", job)
    assert result.code == 2 and "personal data would be written as it is" in result.err and "`name`" in result.err


# How the second job is wrong: its key, domain or step, and words of the reason.
WRONG = {
    "the key": ({"key": "k", "keys": {"k": {"env": "ETL_OTHER_KEY"}}}, "does not decrypt"),
    "the key's id": ({"key": "other"}, "a key other than `other`"),
    "the id for the key": ({"key": "k", "keys": {"k": {"env": "ETL_TEST_KEY", "id": "old"}}}, "a key other than `old`"),
    "the domain": ({"key": "k", "domain": "elsewhere"}, "does not decrypt"),
    "the step": ({"key": "k", "swap": True}, "not encrypted so"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize(("step", "column"), [("decrypt", "born"), ("decrypt_deterministic", "pay")])
def test_a_wrong_second_job(tmp_path, sealed, step, column, case):
    rows, out = sealed
    given, words = WRONG[case]
    given = dict(given)
    keys = given.pop("keys", KEYS)
    if given.pop("swap", False):
        step = {"decrypt": "decrypt_deterministic", "decrypt_deterministic": "decrypt"}[step]
    job = again(tmp_path, out, [{step: {"columns": column, **given}}], column, keys)
    [reason] = misfit(tmp_path, job)
    assert reason.startswith(f"`{column}`: ") and words in reason and f"step: 1 (`{step}`)" in reason, reason
    silent(run("run", job, "-vv"), *(row[column] for row in out.rows), *(text_of(row[column]) for row in rows if row[column]))


def silent(result, *texts):
    """Nothing of this was printed, and no key."""
    told = result.out + result.err
    for text in [*texts, *(form for key in (KEY, OTHER) for form in (key.hex(), base64.b64encode(key).decode().rstrip("=")))]:
        assert text is None or len(text) < 8 or text not in told, text


def test_a_changed_text_does_not_decrypt(tmp_path, sealed):
    chance = random.Random(5)
    for step, column in [("decrypt", "name"), ("decrypt_deterministic", "called")]:
        texts = [row[column] for row in sealed[1].rows if row[column]]
        for number in range(3):
            text = chance.choice(texts)
            start = len("r1.k.")
            at = chance.randrange(start, len(text) - 1)
            wrong = [text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :], text[:-3], text[: start + 4]][number]
            parameters = {"columns": "c", "key": "k", "domain": {"name": "name", "called": "names"}[column]}
            steps = [{step: parameters}, {"release": {"columns": "c", "because": BECAUSE}}]
            [reason] = misfit(tmp_path, job_of(tmp_path, steps, [{"c": text}, {"c": wrong}], {"c": "string"}, keys=KEYS))
            assert "`c`: a value does not decrypt" in reason and text not in reason and wrong not in reason


def test_ids_and_writings_of_keys(tmp_path):
    """One key in three writings and places, by its id; domains join columns of two names."""
    (tmp_path / "key.txt").write_text(f"  {base64.urlsafe_b64encode(KEY).decode().rstrip('=')}\n")
    keys = {"hex": {"env": "ETL_TEST_KEY", "id": "the-id"}, "text": {"file": "key.txt", "id": "the-id"}}
    rows = [{"a": text, "b": text} for text in ("x", "", None, "é" * 50)]
    steps = [{"encrypt_deterministic": {"columns": name, "key": key, "domain": "d"}} for name, key in (("a", "hex"), ("b", "text"))]
    out = transform(tmp_path, steps, rows, {"a": "string", "b": "string"}, keys=keys)
    for row, found in zip(rows, out.rows, strict=True):
        assert found["a"] == found["b"] and (found["a"] is None) == (row["a"] is None)
        assert row["a"] is None or found["a"].startswith("v1.the-id.")
        # Base64 without padding of the text and its 16 bytes of tag.
        assert row["a"] is None or len(found["a"]) == 10 + -(-(len(row["a"].encode()) + 16) * 4 // 3)


def test_no_nonce_comes_twice(tmp_path):
    """Two columns, two steps, two files, threads, batches that were put together anew: one domain and one key."""
    (tmp_path / "in").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "in" / name).write_text("id,a,b,c\n" + "".join(f"{at},x,x,x\n" for at in range(9000)))
    parameters = {"key": "k", "domain": "d"}
    steps = [
        {"encrypt": {"columns": ["a", "b"], **parameters}},
        {"filter": "id % 3 <> 0"},
        {"sort": {"by": "id"}},
        {"duplicate_field": {"column": "c", "as": "e"}},
        {"encrypt": {"columns": ["c", "e"], **parameters}},
    ]
    types = {"id": "bigint", "a": "string", "b": "string", "c": "string"}
    source = {"location": "in", "csv": {"header": True}}
    job = job_of(tmp_path, steps, "", types, keys=KEYS, source=source, limits={"threads": 4})
    used = []
    for _ in range(2):
        result = run("run", job, "--json", "--set", f"sink.location=out{len(used)}")
        assert result.code == 0, result.err
        texts = [text for file in result.json["commit"]["files"] for name in "abce" for text in pq.read_table(file)[name].to_pylist()]
        assert len(texts) == 4 * 12000 and len(set(texts)) == len(texts)
        # The run's id and the nonce are 28 bytes behind `r1.k.`.
        heads = {base64.urlsafe_b64decode(text[5:45])[:28] for text in texts}
        assert len(heads) == len(texts)
        [run_id] = {head[:16] for head in heads}
        used.append(run_id)
    assert used[0] != used[1]


# Encryption that keeps the form.


def luhn(text):
    digits = [int(c) for c in text if c.isdigit()][::-1]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def card(chance):
    digits = "".join(chance.choice("0123456789") for _ in range(chance.choice([12, 15, 18])))
    digits += next(last for last in "0123456789" if luhn(digits + last))
    return chance.choice([digits, "-".join(re.findall(".{1,4}", digits)), " ".join(re.findall(".{1,4}", digits))])


ALPHABETS = {
    "digits": ("digits", "0123456789", 6),
    "lower": ("lower_alphanumeric", "0123456789abcdefghijklmnopqrstuvwxyz", 4),
    "all": ("alphanumeric", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 4),
    "own": ({"characters": "éöü01ß"}, "éöü01ß", 8),
}


def test_form_stays(tmp_path):
    chance = random.Random(11)
    rows = []
    for at in range(200):
        row = {"id": str(at), "card": card(chance)}
        for name, (_, characters, least) in ALPHABETS.items():
            inner = [chance.choice(characters) for _ in range(least + chance.choice([0, 0, 1, 5, 40]))]
            for _ in range(3):
                inner.insert(chance.randrange(len(inner)), chance.choice(["-", " ", "Ж", "😀", "!"]))
            row[name] = "".join(inner)
        rows.append({name: None if name != "id" and chance.random() < 0.1 else value for name, value in row.items()})
    rows.append(rows[0])
    parameters = {name: {"key": "k", "alphabet": alphabet} for name, (alphabet, _, _) in ALPHABETS.items()}
    parameters["card"] = {"key": "k", "alphabet": "digits", "luhn": True}
    types = dict.fromkeys(rows[0], "string")
    out = transform(tmp_path, [{"encrypt_fpe": {"columns": name, **how}} for name, how in parameters.items()], rows, types, keys=KEYS)
    changed = 0
    for row, found in zip(rows, out.rows, strict=True):
        for name in parameters:
            before, after = row[name], found[name]
            if before is None:
                assert after is None
                continue
            characters = ALPHABETS.get(name, ALPHABETS["digits"])[1]
            assert len(before) == len(after)
            assert all((a == b if a not in characters else b in characters) for a, b in zip(before, after)), (before, after)
            assert name != "card" or luhn(after), after
            changed += before != after
    assert changed > 800 and out.rows[0] == out.rows[-1]
    back = [{"decrypt_fpe": {"columns": name, **how}} for name, how in parameters.items()]
    for keys, same in ((KEYS, True), ({"k": KEYS["other"]}, False)):
        result = run("run", again(tmp_path, out, back, list(parameters), keys), "--json", "--set", f"sink.location=back{same}")
        assert result.code == 0, result.err
        found = [row | {"id": str(row["id"])} for row in published(result.json).rows]
        if same:
            same_rows(found, rows)
        else:
            assert sum(a[name] == b[name] for a, b in zip(found, rows) for name in parameters if b[name]) < 5


@pytest.mark.parametrize(
    ("value", "parameters"),
    [("12-345", {}), ("", {}), ("1234567", {"least": 8}), ("4111-1111-1111-1112", {"luhn": True}), ("123456", {"luhn": True}), ("7" * 1025, {})],
)
def test_a_value_without_the_form(tmp_path, value, parameters):
    rows = [{"c": "4111-1111-1111-1111"}, {"c": value}]
    how = {"columns": "c", "key": "k", "alphabet": "digits", **parameters}
    [reason] = misfit(tmp_path, job_of(tmp_path, [{"encrypt_fpe": how}], rows, {"c": "string"}, keys=KEYS))
    assert "`c`: a value " in reason and "step: 1 (`encrypt_fpe`)" in reason and (not value or value not in reason), reason
    out = transform(tmp_path, [{"encrypt_fpe": how | {"on_misfit": "null"}}], rows, {"c": "string"}, keys=KEYS)
    assert [row["c"] is None for row in out.rows] == [False, True]


# Keys that are wrong: nothing is read, and no key is told.

SEAL = [{"encrypt": {"columns": "text", "key": "k"}}]
BAD_KEYS = {
    "not set": (None, ["ETL_NO_KEY", "not set"]),
    "empty": ("", ["0 characters", "64 digits"]),
    "31 bytes": (KEY.hex()[:-2], ["62 characters"]),
    "33 bytes": (base64.b64encode(KEY + b"!").decode(), ["44 characters"]),
    "16 bytes": (base64.b64encode(KEY[:16]).decode(), ["24 characters"]),
    "no hexadecimal": ("g" + KEY.hex()[1:], ["64 characters"]),
    "a password": ("correct horse battery staple", ["28 characters"]),
    "one byte repeated": ("5a" * 32, ["one byte repeated"]),
}


@pytest.mark.parametrize("case", BAD_KEYS)
def test_wrong_keys(tmp_path, case):
    text, words = BAD_KEYS[case]
    job = job_of(tmp_path, SEAL, ROWS[:3], keys={"k": {"env": "ETL_NO_KEY"}})
    for arguments in (["--json"], ["-vv"]):
        result = run("run", job, *arguments, env={} if text is None else {"ETL_NO_KEY": text})
        assert result.code == 2, result.err
        told = result.out + result.err
        assert all(word in told for word in [*words, "key: k"]), told
        assert not text or text not in told
    assert not (tmp_path / "out").exists()


def test_a_key_that_is_not_there(tmp_path):
    for keys, words in [({}, ["`k`", "declare it under `keys:`"]), ({"other": KEYS["other"]}, ["`k`", "other"])]:
        result = run("run", job_of(tmp_path, SEAL, ROWS[:3], keys=keys))
        assert result.code == 2 and all(word in result.err for word in words), result.err
        assert not list(tmp_path.glob("out/data/*"))
    result = run("run", job_of(tmp_path, SEAL, ROWS[:3], keys={"k": {"file": "absent.txt"}}, sink={"location": "none"}))
    assert result.code == 2 and "absent.txt" in result.err, result.err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("place", ["itself", "value", "env", "file", "name", "step"])
def test_a_key_in_the_job_is_not_told(tmp_path, place):
    keys = {"k": KEY.hex() if place == "itself" else {place: KEY.hex()}}
    keys = {KEY.hex(): {"env": "ETL_TEST_KEY"}} if place == "name" else keys
    steps, keys = ([{"encrypt": {"columns": "text", "key": KEY.hex()}}], KEYS) if place == "step" else (SEAL, keys)
    result = run("run", job_of(tmp_path, steps, ROWS[:3], keys=keys))
    assert result.code == 2
    silent(result)


@pytest.mark.parametrize("key", [KEY.hex(), base64.b64encode(KEY).decode(), base64.b64encode(KEY + OTHER).decode()])
def test_a_key_is_no_id(tmp_path, key):
    result = run("run", job_of(tmp_path, SEAL, ROWS[:3], keys={"k": {"env": "ETL_TEST_KEY", "id": key}}))
    assert result.code == 2 and key.rstrip("=") not in result.out + result.err
    silent(result)


def test_keys_are_nowhere(tmp_path):
    job = job_of(tmp_path, SEAL + [{"hash": {"columns": "code", "key": "other"}}], ROWS, keys=KEYS)
    forms = [form for key in (KEY, OTHER) for form in (key, key.hex().encode(), base64.b64encode(key).rstrip(b"="))]
    for arguments in (["--json"], ["-vv"]):
        result = run("run", job, *arguments)
        assert result.code == 0, result.err
        silent(result)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert not any(form in path.read_bytes() for form in forms), path


# Groups and demands.

GROUPS = {
    "k": ({"columns": ["city", "flag"], "k": 20}, "count(*) over (partition by city, flag) >= 20"),
    "k of one column": ({"columns": "day", "k": 2}, "count(*) over (partition by day) >= 2"),
    "l": (
        {"columns": "small", "k": 2, "sensitive": "city", "l": 3},
        "count(*) over g >= 2 and len(list(distinct coalesce(city, '?')) over g) >= 3",
    ),
    "two of l": ({"columns": "small", "k": 2, "sensitive": "flag"}, "count(*) over g >= 2 and len(list(distinct coalesce(flag::text, '?')) over g) >= 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", GROUPS)
def test_groups_of_k(tmp_path, case):
    parameters, condition = GROUPS[case]
    sql = f"select *, {condition} as stays from input window g as (partition by small) order by n"
    rows = query(sql, ROWS)
    large = [{name: row[name] for name in TYPES} for row in rows if row["stays"]]
    assert 10 < len(large) < len(ROWS)
    out = transform(tmp_path, [{"k_anonymity": parameters | {"otherwise": "drop"}}], ROWS)
    same_rows(out.rows, large)
    # What stayed is fit to be published, and what did not is not.
    same_rows(transform(tmp_path, [{"k_anonymity": parameters}], large).rows, large)
    job = job_of(tmp_path, [{"k_anonymity": parameters}], ROWS)
    reasons = misfit(tmp_path, job)
    assert all(reason.startswith("step 1 (`k_anonymity`): ") for reason in reasons)
    size = re.sub(" and .*", "", condition)
    small = sum(not row["s"] for row in query(f"select {size} as s from input window g as (partition by small)", ROWS))
    assert f"{small} row(s): fewer than {parameters['k']} rows" in reasons[0]


def test_groups_without_rows(tmp_path):
    assert transform(tmp_path, [{"k_anonymity": {"columns": "city", "k": 2}}], []).rows == []


def test_demands(tmp_path):
    steps = [{"filter": "small is not null"}, {"derive": {"twice": "small * 2"}}]
    demand = {"require": {"condition": "twice between -2000 and 2000", "because": "so it is"}}
    kept = [row | {"twice": row["small"] * 2} for row in ROWS if row["small"] is not None]
    same_rows(transform(tmp_path, [*steps, demand], ROWS).rows, kept)
    broken = {"require": {"condition": "twice > 0 and amount > 0", "because": "money is spent"}}
    count = sum(not (row["twice"] > 0 and row["amount"] is not None and row["amount"] > 0) for row in kept)
    assert misfit(tmp_path, job_of(tmp_path, [*steps, broken], ROWS)) == [f"step 3 (`require`): {count} row(s): money is spent"]
    # Two of them are both told, and none of what the rows hold.
    reasons = misfit(tmp_path, job_of(tmp_path, [*steps, broken, {"sort": {"by": "id"}}, {"require": {"condition": "id < 0"}}], ROWS))
    assert len(reasons) == 2 and reasons[0].startswith(f"step 3 (`require`): {count} row(s)") and "step 5 (`require`)" in reasons[1]


# What is shown of marked columns.

MARKED = {"columns": [{"name": "id", "type": "bigint"}, {"name": "mail", "type": "string", "pii": "EMAIL"}]}


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_rejects_show_nothing_that_the_schema_does_not_name(tmp_path, form):
    records = [("1", "ada@example.org", "ada.private@example.org"), ("x", "bob@example.org", "bob.private@example.org")]
    path = tmp_path / f"people.{form}"
    if form == "csv":
        path.write_text("".join(",".join(record) + "\n" for record in [("id", "mail", "e_mail"), *records]))
    else:
        path.write_text("".join(json.dumps(dict(zip(("id", "mail", "e_mail"), record))) + "\n" for record in records))
    source = {"location": path.name} | ({"csv": {"header": True}} if form == "csv" else {})
    parts = {"schema": MARKED | {"extra_columns": "ignore"}, "source": source, "on_invalid": {"rows": "quarantine", "format": "ndjson"}}
    result = run("run", job_of(tmp_path, [{"drop_fields": "mail"}], "", **parts), "--json")
    assert result.code == 0 and result.json["rows"]["rejected"] == 1, result.err
    [line] = open(result.json["commit"]["rejects"]).read().splitlines()
    raw = json.loads(line)["raw"]
    assert "bob" not in line and "example" not in line
    assert raw == (",".join(("x", "*" * 15, "*" * 23)) if form == "csv" else raw) and "x" in raw
    silent(result, "bob@example.org", "bob.private@example.org")


def test_numbers_of_a_query_about_marked_columns_are_hidden(tmp_path):
    schema = {"columns": [{"name": "id", "type": "bigint"}, {"name": "pay", "type": "decimal(8,2)", "pii": "PAY"}]}
    rules = 'Rules = [ CustomSql "select max(pay) from primary" > 100000, CustomSql "select max(id) from primary" > 100 ]'
    job = job_of(tmp_path, [{"drop_fields": "pay"}], "id,pay\n7,91234.56\n", schema=schema, rules_text=rules)
    for arguments in (["--json"], ["--json=glue"], ["-vv"]):
        result = run("run", job, *arguments)
        assert result.code == 1 and "91234" not in result.out + result.err, result.out
    outcomes = run("run", job, "--json").json["rule_outcomes"]
    assert [outcome["EvaluatedMetrics"] for outcome in outcomes][1] == {"Dataset.*.CustomSQL": 7.0}
    assert not any(b"91234" in path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
