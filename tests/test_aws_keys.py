"""Keys of a job from the environment, files, KMS and Secrets Manager: which key it is, how often it is asked for, that nobody prints it."""

import base64
import hashlib
import hmac
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from test_lambda import world  # noqa: F401

KEY = bytes(range(32, 64))
BASE64 = base64.b64encode(KEY).decode()
CONTEXT = {"dataset": "people", "stage": "test"}
DECRYPT, READ = "TrentService.Decrypt", "secretsmanager.GetSecretValue"

JOB = """
version: 1
name: %(name)s
source: {location: "s3://landing/%(name)s/", csv: {header: true}}
schema:
  columns:
    - {name: id, type: bigint, nullable: false}
    - {name: email, type: string, pii: EMAIL}
keys: %(keys)s
transform:
  - hash: {columns: email, key: customers}
on_invalid: {rows: quarantine}
sink: {location: "s3://lake/%(name)s"}
catalog: {glue: {database: sales, table: %(name)s}}
audit: {dynamodb: {table: etl-audit}}
"""


def kms_of(emulator):
    client = emulator.client("kms")
    ident = client.create_key()["KeyMetadata"]["KeyId"]

    def data_key(**more):
        made = client.generate_data_key(KeyId=ident, EncryptionContext=CONTEXT, **({"KeySpec": "AES_256"} | more))
        return SimpleNamespace(plain=made["Plaintext"], ciphertext=base64.b64encode(made["CiphertextBlob"]).decode())

    return SimpleNamespace(client=client, id=ident, data_key=data_key)


@pytest.fixture(scope="module")
def kms(aws):
    """A KMS key, and how to have a data key made by it."""
    return kms_of(aws.emulator)


@pytest.fixture(scope="module")
def secret(aws):
    """Makes a secret."""
    client = aws.emulator.client("secretsmanager")

    def made(name, value):
        kind = "SecretBinary" if isinstance(value, bytes) else "SecretString"
        return client.create_secret(Name=name, **{kind: value})["ARN"]

    return made


def email(number):
    return f"person{number}@example.org"


def job(aws, tmp_path, name, key, files=1, rows=20, more=None):
    """A job whose key is this, and its input: every 50th row has an id that is no number."""
    for file in range(files):
        numbers = range(file * rows, (file + 1) * rows)
        lines = [f"{'oops' if number % 50 == 7 else number},{email(number)}\n" for number in numbers]
        aws.client.put_object(Bucket="landing", Key=f"{name}/{file}.csv", Body=("id,email\n" + "".join(lines)).encode())
    path = tmp_path / f"{name}.yaml"
    path.write_text(JOB % {"name": name, "keys": json.dumps({"customers": key} | (more or {}))})
    return path


def pseudonym(key, value):
    """What pii/src/protect/key.rs and pseudonym.rs say."""
    derived = hmac.digest(key, b"etl-pii/v1/hmac-sha-256\x00\x01", hashlib.sha256)
    return hmac.digest(derived, value.encode(), hashlib.sha256).hex()


def objects(aws, name):
    """Everything in the lake that a job wrote."""
    pages = aws.client.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=f"{name}/")
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    return {key: aws.client.get_object(Bucket="lake", Key=key)["Body"].read() for key in keys}


def holds(aws, name, key, rows=20):
    """Whether the published rows have the pseudonyms of this key."""
    tables = [pq.read_table(io.BytesIO(body)) for at, body in objects(aws, name).items() if at.startswith(f"{name}/data/")]
    found = {row["id"]: row["email"] for table in tables for row in table.to_pylist()}
    return found == {number: pseudonym(key, email(number)) for number in range(rows) if number % 50 != 7}


def calls(aws):
    counts = aws.emulator.counts()["requests"]
    return {name: counts.get(name, 0) for name in (DECRYPT, READ)}


def asked(aws, before):
    return {name: count - before[name] for name, count in calls(aws).items() if count != before[name]}


def forms(key):
    """A key as it might be printed, and the half of each form, should it be cut."""
    texts = [key.hex(), key.hex().upper(), base64.b64encode(key).decode().rstrip("="), base64.urlsafe_b64encode(key).decode().rstrip("=")]
    texts += [", ".join(map(str, key)), ",".join(map(str, key)), json.dumps(base64.b64encode(key).decode())[1:-1]]
    return [part for text in texts for part in (text[: len(text) // 2], text[-(len(text) // 2) :])]


def unseen(keys, texts):
    """That no key is in any of the texts, nor what is derived from one."""
    for key in keys:
        derived = hmac.digest(key, b"etl-pii/v1/hmac-sha-256\x00\x01", hashlib.sha256)
        for held in (key, derived):
            needles = [form.encode() for form in forms(held)] + [held]
            for where, text in texts.items():
                text = text if isinstance(text, bytes) else text.encode()
                assert not any(needle in text for needle in needles), where


def refused(done, *words):
    """A job that is wrong: the key is named, and nothing is published."""
    assert done.code == 2, (done.code, done.err)
    assert "customers" in done.err
    for word in words:
        assert word in done.err, done.err


# KMS


def test_a_data_key_of_kms(etl, aws, kms, tmp_path):
    made = kms.data_key()
    path = job(aws, tmp_path, "k_kms", {"kms": {"ciphertext": made.ciphertext, "context": CONTEXT}})
    done = etl("run", path, env=aws.env)
    assert done.code == 0, done.err
    assert holds(aws, "k_kms", made.plain)


def test_a_data_key_that_nobody_has_seen(etl, aws, kms, tmp_path):
    made = kms.client.generate_data_key_without_plaintext(KeyId=kms.id, KeySpec="AES_256", EncryptionContext=CONTEXT)
    key = {"ciphertext": base64.b64encode(made["CiphertextBlob"]).decode(), "context": CONTEXT}
    done = etl("run", job(aws, tmp_path, "k_blind", {"kms": key}), env=aws.env)
    assert done.code == 0, done.err
    plain = kms.client.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)["Plaintext"]
    assert holds(aws, "k_blind", plain)


def test_a_data_key_of_a_kms_key_that_is_named(etl, aws, kms, tmp_path):
    made = kms.data_key()
    key = {"ciphertext": made.ciphertext, "context": CONTEXT, "key": kms.id}
    done = etl("run", job(aws, tmp_path, "k_named", {"kms": key}), env=aws.env)
    assert done.code == 0, done.err
    assert holds(aws, "k_named", made.plain)
    other = kms.client.create_key()["KeyMetadata"]["KeyId"]
    done = etl("run", job(aws, tmp_path, "k_other", {"kms": key | {"key": other}}), env=aws.env)
    refused(done, "cannot be decrypted by KMS")
    assert not objects(aws, "k_other")


@pytest.mark.parametrize("context", [{}, {"dataset": "people"}, CONTEXT | {"stage": "live"}], ids=["none", "a part", "another"])
def test_a_wrong_context(etl, aws, kms, tmp_path, context):
    made = kms.data_key()
    path = job(aws, tmp_path, "k_context", {"kms": {"ciphertext": made.ciphertext, "context": context}})
    done = etl("run", path, "-vv", env=aws.env)
    refused(done, "cannot be decrypted by KMS")
    unseen([made.plain], {"stdout": done.out, "stderr": done.err})
    assert not objects(aws, "k_context")


def test_what_is_no_data_key(etl, aws, kms, tmp_path):
    path = job(aws, tmp_path, "k_text", {"kms": {"ciphertext": "not base64!", "context": {}}})
    before = calls(aws)
    refused(etl("run", path, env=aws.env), "base64", "generate-data-key")
    assert asked(aws, before) == {}
    path = job(aws, tmp_path, "k_noise", {"kms": {"ciphertext": base64.b64encode(bytes(120)).decode()}})
    refused(etl("run", path, env=aws.env), "cannot be decrypted by KMS")
    short = kms.data_key(KeySpec="AES_128")
    path = job(aws, tmp_path, "k_short", {"kms": {"ciphertext": short.ciphertext, "context": CONTEXT}})
    done = etl("run", path, "-vv", env=aws.env)
    refused(done, "16 bytes", "AES_256")
    unseen([short.plain], {"stdout": done.out, "stderr": done.err})


# Secrets Manager

AS_TEXT = {
    "base64": BASE64,
    "base64 of URLs, no padding": base64.urlsafe_b64encode(KEY).decode().rstrip("="),
    "hexadecimal": KEY.hex(),
    "with an end of line": f"{BASE64}\n",
    "binary": KEY,
}


@pytest.mark.parametrize("form", AS_TEXT)
def test_a_secret(etl, aws, secret, tmp_path, form):
    name = f"s_{list(AS_TEXT).index(form)}"
    secret(name, AS_TEXT[form])
    done = etl("run", job(aws, tmp_path, name, {"secret": {"name": name}}), env=aws.env)
    assert done.code == 0, done.err
    assert holds(aws, name, KEY)


def test_a_field_of_a_secret_by_its_arn(etl, aws, secret, tmp_path):
    arn = secret("s_json", json.dumps({"user": "x", "the key": KEY.hex()}))
    path = job(aws, tmp_path, "s_json", {"secret": {"name": arn, "field": "the key"}})
    done = etl("run", path, env=aws.env)
    assert done.code == 0, done.err
    assert holds(aws, "s_json", KEY)


def test_a_secret_that_is_missing(etl, aws, tmp_path):
    done = etl("run", job(aws, tmp_path, "s_gone", {"secret": {"name": "nobody/made/this"}}), env=aws.env)
    refused(done, "nobody/made/this", "ResourceNotFoundException")
    assert not objects(aws, "s_gone")


WRONG = {
    "a field that is missing": ({"other": BASE64}, "key", "no field `key`"),
    "a field that is no text": ({"key": [BASE64]}, "key", "no field `key`"),
    "a field of what is no object": (BASE64, "key", "no field `key`"),
    "an object and no field": ({"key": BASE64}, None, "32 random bytes"),
    "too short": (KEY[:31].hex(), None, "62 characters were given"),
    "too long": ((KEY + KEY[:1]).hex(), None, "66 characters were given"),
    "a password": ("correct horse battery staple, and a key of no use", None, "32 random bytes"),
    "binary and too short": (KEY[:31], None, "32 random bytes"),
    "one byte repeated": ("ab" * 32, None, "one byte repeated"),
    "another text in the field": ({"key": "correct horse battery staple"}, "key", "28 characters were given"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_secret_that_is_no_key(etl, aws, secret, tmp_path, case):
    value, field, words = WRONG[case]
    name = f"w_{list(WRONG).index(case)}"
    value = json.dumps(value) if isinstance(value, dict) else value
    secret(name, value)
    place = {"name": name} | ({"field": field} if field else {})
    done = etl("run", job(aws, tmp_path, name, {"secret": place}), "-vv", env=aws.env)
    refused(done, words)
    texts = {"stdout": done.out, "stderr": done.err}
    unseen([KEY[:31], KEY], texts)
    shown = value if isinstance(value, str) else base64.b64encode(value).decode()
    assert shown not in done.err + done.out and "battery" not in done.err + done.out and "ababab" not in done.err + done.out
    assert not objects(aws, name)


# The environment, files


def test_the_environment_and_a_file_ask_nobody(etl, aws, tmp_path):
    before = calls(aws)
    done = etl("run", job(aws, tmp_path, "e_env", {"env": "CUSTOMERS_KEY"}), env=aws.env | {"CUSTOMERS_KEY": BASE64})
    assert done.code == 0, done.err
    assert holds(aws, "e_env", KEY)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "customers.key").write_text(KEY.hex() + "\n")
    done = etl("run", job(aws, tmp_path, "e_file", {"file": "keys/customers.key"}), env=aws.env, cwd="/")
    assert done.code == 0, done.err
    assert holds(aws, "e_file", KEY)
    assert asked(aws, before) == {}


def test_an_environment_and_a_file_without_a_key(etl, aws, tmp_path):
    path = job(aws, tmp_path, "e_unset", {"env": "NOT_SET_AT_ALL"})
    refused(etl("run", path, env=aws.env), "NOT_SET_AT_ALL", "openssl rand")
    path = job(aws, tmp_path, "e_wrong", {"env": "CUSTOMERS_KEY"})
    done = etl("run", path, "-vv", env=aws.env | {"CUSTOMERS_KEY": BASE64[:40]})
    refused(done, "40 characters were given")
    assert BASE64[:20] not in done.err + done.out
    refused(etl("run", job(aws, tmp_path, "e_gone", {"file": "gone.key"}), env=aws.env), "gone.key")
    (tmp_path / "raw.key").write_bytes(b"\xff" * 16 + KEY)
    done = etl("run", job(aws, tmp_path, "e_raw", {"file": "raw.key"}), "-vv", env=aws.env)
    assert done.code in (2, 3) and "raw.key" in done.err and "customers" in done.err
    unseen([KEY], {"stdout": done.out, "stderr": done.err})


def test_one_place_a_key(etl, aws, tmp_path):
    before = calls(aws)
    refused(etl("run", job(aws, tmp_path, "p_none", {}), env=aws.env), "where is it?")
    both = {"env": "CUSTOMERS_KEY", "secret": {"name": "any"}}
    refused(etl("run", job(aws, tmp_path, "p_both", both), env=aws.env), "give one of")
    assert asked(aws, before) == {}


def test_of_a_job_in_a_bucket_a_file_is_a_local_one(etl, aws, tmp_path):
    (tmp_path / "k").write_text(BASE64)
    aws.client.put_object(Bucket="lake", Key="jobs/k", Body=BASE64.encode())
    for file, code in (("k", 2), (str(tmp_path / "k"), 0)):
        path = job(aws, tmp_path, "e_remote", {"file": file})
        aws.client.put_object(Bucket="lake", Key="jobs/e_remote.yaml", Body=path.read_bytes())
        done = etl("run", "s3://lake/jobs/e_remote.yaml", env=aws.env)
        assert done.code == code, done.err
        assert code == 0 or "s3://lake/jobs/k" in done.err
    assert holds(aws, "e_remote", KEY)


# How often


def test_one_call_a_key_and_run(etl, aws, kms, secret, tmp_path):
    made = kms.data_key()
    secret("c_second", BASE64)
    rows = 30_000
    more = {"second": {"secret": {"name": "c_second"}}, "third": {"secret": {"name": "c_second"}}}
    path = job(aws, tmp_path, "calls", {"kms": {"ciphertext": made.ciphertext, "context": CONTEXT}}, files=4, rows=rows, more=more)
    steps = "".join(
        f"  - duplicate_field: {{column: email, as: {column}}}\n  - hash: {{columns: {column}, key: {key}}}\n"
        for column, key in (("a", "second"), ("b", "third"))
    )
    path.write_text(path.read_text().replace("transform:\n", f"transform:\n{steps}"))
    before = calls(aws)
    for command in (["validate", "--job", path], ["run", path, "--dry-run"]):
        done = etl(*command, "--json", env=aws.env)
        assert done.code == 0, done.err
        assert asked(aws, before) == {}, command
    done = etl("run", path, "--json", "--threads", "4", env=aws.env)
    assert done.code == 0, done.err
    assert asked(aws, before) == {DECRYPT: 1, READ: 2}
    tables = [pq.read_table(io.BytesIO(body)) for at, body in objects(aws, "calls").items() if at.startswith("calls/data/")]
    found = [row for table in tables for row in table.to_pylist()]
    assert len(found) == 4 * rows - 4 * rows // 50
    for row in found[::997]:
        assert row["email"] == pseudonym(made.plain, email(row["id"]))
        assert row["a"] == row["b"] == pseudonym(KEY, email(row["id"]))
    # What is published already needs no key.
    again = etl("run", path, "--json", env=aws.env)
    assert again.json["commit"]["outcome"] == "already_committed"
    assert asked(aws, before) == {DECRYPT: 1, READ: 2}


def test_of_the_functions_only_the_one_that_validates_asks(world):  # noqa: F811
    made = kms_of(world.emulator).data_key()

    def put(name, key):
        text = JOB % {"name": name, "keys": json.dumps({"customers": key})}
        world.s3.put_object(Bucket="config", Key=f"jobs/{name}.yaml", Body=text.split("audit:")[0].encode())

    put("people", {"kms": {"ciphertext": made.ciphertext, "context": CONTEXT}})
    put("lost", {"secret": {"name": "nobody/made/this"}})
    before = calls(world)
    body = "id,email\n" + "".join(f"{number},{email(number)}\n" for number in range(20))
    file = world.arrived(body, "people")
    assert world.done("Get New List", NeededState="NEW", DatasetName="people", ExecutionName="run-1")["Count"] == 1
    assert asked(world, before) == {}
    assert world.done("Validate", file)["Verdict"] == "VALID"
    assert asked(world, before) == {DECRYPT: 1}
    published = world.done("Publish", file)
    assert asked(world, before) == {DECRYPT: 1}
    found = [
        row
        for part in json.loads(world.read(published["Manifest"]))["files"]
        for row in pq.read_table(io.BytesIO(world.read(f"s3://lake/{part['path']}"))).to_pylist()
    ]
    assert {row["id"]: row["email"] for row in found} == {number: pseudonym(made.plain, email(number)) for number in range(20)}
    # A key that cannot be had is no verdict on the file.
    file = world.arrived(body, "lost")
    answer = world.call("Validate", file)
    assert answer.error == "Etl.InvalidJob" and "nobody/made/this" in answer.message and "customers" in answer.message
    assert world.state(file) not in ("VALID", "INVALID")
    texts = {"log": world.function.log(), "answer": answer.message, "audit": json.dumps(list(world.emulator.items("etl-audit")))}
    texts |= {key: world.read(f"s3://lake/{key}") for key in world.keys("lake", "people/")}
    unseen([made.plain], texts)


# Who sees it


def test_a_key_that_is_printed_is_seen():
    for text in (KEY.hex(), BASE64, BASE64[5:], str(list(KEY)), KEY, json.dumps({"key": KEY.hex()[:40]})):
        with pytest.raises(AssertionError):
            unseen([KEY], {"text": text})



@pytest.mark.parametrize("log", ["-v", "trace"])
@pytest.mark.parametrize("place", ["kms", "secret", "field", "env", "file"])
def test_no_key_is_written_anywhere(etl, aws, kms, secret, tmp_path, place, log):
    name = f"n_{place}_{log.strip('-')}"
    made = kms.data_key()
    key = made.plain if place == "kms" else hashlib.sha256(name.encode()).digest()
    env = dict(aws.env)
    match place:
        case "kms":
            spec = {"kms": {"ciphertext": made.ciphertext, "context": CONTEXT}}
        case "secret":
            secret(name, key)
            spec = {"secret": {"name": name}}
        case "field":
            secret(name, json.dumps({"note": "NOBODY-SEES-THIS", "key": key.hex()}))
            spec = {"secret": {"name": name, "field": "key"}}
        case "env":
            spec, env["CUSTOMERS_KEY"] = {"env": "CUSTOMERS_KEY"}, base64.b64encode(key).decode()
        case "file":
            (tmp_path / "k").write_text(key.hex())
            spec = {"file": "k"}
    path = job(aws, tmp_path, name, spec, rows=200)
    env |= {"RUST_LOG": "trace"} if log == "trace" else {}
    done = etl("run", path, "--json", *([] if log == "trace" else [log]), env=env)
    assert done.code == 0, done.err
    assert holds(aws, name, key, 200)
    texts = {"stdout": done.out, "stderr": done.err} | objects(aws, name)
    assert {at.split("/")[1] for at in texts if "/" in at} == {"commits", "data", "history", "rejects"}
    texts["audit"] = json.dumps(list(aws.emulator.items("etl-audit")))
    assert name in texts["audit"]
    texts["catalog"] = json.dumps(aws.glue.get_table(DatabaseName="sales", Name=name)["Table"], default=str)
    for more in ("commits", "history"):
        shown = etl(more, *{"commits": ["list"], "history": ["list"]}[more], f"s3://lake/{name}", env=aws.env)
        texts[f"{more} list"] = shown.out + shown.err
    unseen([key], texts)
    for where, text in texts.items():
        assert b"NOBODY-SEES-THIS" not in (text if isinstance(text, bytes) else text.encode()), where


class Garbled(BaseHTTPRequestHandler):
    """Answers whoever asks for a key with one whose text does not end as it should."""

    def do_POST(self):
        self.server.asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"Plaintext": "%s", "SecretString": "%s", "KeyId": 5' % (BASE64.encode(), KEY.hex().encode())
        self.send_response(self.server.status or 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body) + (0 if self.server.status else 100)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("status", [200, 400, 500, None], ids=lambda status: str(status or "cut off"))
@pytest.mark.parametrize("place", ["kms", "secret"])
def test_a_garbled_answer_is_not_printed(etl, tmp_path, place, status):
    server = HTTPServer(("127.0.0.1", 0), Garbled)
    server.asked, server.status = 0, status
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "a.csv").write_text("id,email\n1,x@example.org\n")
    spec = {"kms": {"ciphertext": "AAAA"}} if place == "kms" else {"secret": {"name": "any"}}
    path = tmp_path / "job.yaml"
    text = (JOB % {"name": "garbled", "keys": json.dumps({"customers": spec})}).split("catalog:")[0]
    path.write_text(text.replace("s3://landing/garbled/", "a.csv").replace("s3://lake/garbled", "lake"))
    env = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    done = etl("run", path, env=env | {"AWS_REGION": "us-east-1", "RUST_LOG": "trace"})
    server.shutdown()
    server.server_close()
    assert server.asked > 0
    assert done.code in (2, 3) and "customers" in done.err, done.err
    unseen([KEY], {"stdout": done.out, "stderr": done.err.replace("\\", "")})
