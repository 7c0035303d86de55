"""The binary as a process, and what it is tested against."""

import json
import os
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from emulator import CREDENTIALS, Emulator

ROOT = Path(__file__).resolve().parent.parent


def binary() -> str:
    named = os.environ.get("ETL_ENGINE_BIN")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    for candidate in [named, target / "debug" / "etl-engine", target / "release" / "etl-engine"]:
        if candidate and Path(candidate).exists():
            return str(candidate)
    pytest.exit("etl-engine is not built: run scripts/test", returncode=2)


BIN = binary()


def run(*arguments, cwd=None, env=None, stdin=None):
    """Runs the binary to its end."""
    done = subprocess.run(
        [BIN, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
        input=stdin,
        capture_output=True,
        timeout=300,
    )
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert "panicked" not in err, err
    return SimpleNamespace(
        code=done.returncode, out=out, err=err, json=json.loads(out) if "--json" in arguments else None
    )


@pytest.fixture
def etl():
    return run


JOB = """
version: 1
name: orders
source: {location: %(source)s, csv: {header: true}}
schema:
  columns:
    - {name: id, type: bigint, nullable: false}
    - {name: country, type: string}
    - {name: amount, type: "decimal(12,2)"}
    - {name: ordered_at, type: timestamp}
    - {name: day, type: date}
%(rules)s
on_invalid: {rows: quarantine}
sink: {location: %(sink)s, partition_by: [country]}
"""


def write_job(folder: Path, source, sink, rules="") -> Path:
    text = JOB % {"source": json.dumps(str(source)), "sink": json.dumps(str(sink)), "rules": rules}
    path = folder / "job.yaml"
    path.write_text(text)
    return path


def orders(count: int, bad_every: int = 0) -> str:
    """CSV of orders; every `bad_every`th row has an amount that is no number."""
    countries = ["DE", "FR", "", "IT"]
    lines = ["id,country,amount,ordered_at,day"]
    for i in range(count):
        amount = "oops" if bad_every and i % bad_every == 0 else f"{i % 1000}.{i % 100:02}"
        lines.append(f"{i},{countries[i % 4]},{amount},2024-01-{i % 28 + 1:02}T10:00:{i % 60:02},2024-02-{i % 29 + 1:02}")
    return "\n".join(lines) + "\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def s3():
    """A real S3-compatible server on loopback."""
    with Emulator() as emulator:
        client = emulator.client("s3")
        client.create_bucket(Bucket="landing")
        client.create_bucket(Bucket="lake")
        yield SimpleNamespace(env={**CREDENTIALS, "AWS_ENDPOINT_URL": emulator.endpoint}, client=client, emulator=emulator)


@pytest.fixture(scope="session")
def aws(s3):
    """The same server with a database of Glue and the audit table of deploy/template.yaml."""
    s3.glue = s3.emulator.client("glue")
    s3.glue.create_database(DatabaseInput={"Name": "sales"})
    s3.emulator.create_audit_table("etl-audit")
    return s3
