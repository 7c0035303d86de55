"""The workloads: what each contender runs, and what is aimed at. Targets are data, beside the workload."""

import json
import sys
from functools import partial
from pathlib import Path

from . import engine, peers, rulesets, s3
from .inputs import tool
from .model import PEERS, Contender, Skipped, Target, Workload

QUARTER = (Target("cpu", 1 / 4), Target("wall", 1 / 4))
HALF = (Target("cpu", 1 / 2), Target("wall", 1 / 2))
PLAIN = "etl-engine, V"
SMALL = "etl-engine, the small file"


def judge(setting, form=None, rules=None):
    """V, or U, beside both peers."""
    data = getattr(setting.inputs, form)() if form else setting.inputs.csv
    yours = [peers.judge(setting, name, data, form=form or "csv", keys=rules is not None) for name in ("duckdb", "polars")]
    return [engine.validate(setting, data, form=form, rules=rules), *yours]


def write(setting, compression):
    """P beside both peers."""
    data = setting.inputs.csv
    ours = engine.run(setting, data, compression="zstd(1)" if compression == "zstd" else compression)
    return [ours, *(peers.write(setting, name, data, compression=compression) for name in ("duckdb", "polars"))]


def compressed(setting, kind):
    """V from a compressed file beside its decompression to nowhere, and beside both peers."""
    data, size = getattr(setting.inputs, kind)(), setting.inputs.csv.stat().st_size
    limit = Contender(f"{kind} -dc", [tool(kind), "-dc", str(data)], data, size=size)
    yours = [peers.judge(setting, name, data, size=size) for name in ("duckdb", "polars")]
    return [engine.validate(setting, data, size=size), limit, *yours]


def many_rules(setting):
    """200 rules beside V."""
    data = setting.inputs.csv
    # In the data's folder, for a rules file of a report should be there to look at.
    file = data.with_name(f"{data.stem}.200.dqdl")
    file.write_text(rulesets.text(rulesets.over_all_columns(200)))
    return [engine.validate(setting, data, rules=file), engine.validate(setting, data, name=PLAIN)]


def spark(setting, action):
    """V or P beside Spark."""
    peers.require("spark")
    data = setting.inputs.csv
    if action == "judge":
        return [engine.validate(setting, data), peers.judge(setting, "spark", data)]
    return [engine.run(setting, data), peers.write(setting, "spark", data)]


def shape(setting, name):
    """V on another shape beside V."""
    data = (setting.clean or setting.inputs).shape(name)
    ours = engine.validate(setting, data, job=data.with_suffix(".yaml"))
    return [ours, engine.validate(setting, setting.inputs.csv, name=PLAIN, reference=True)]


def large(setting, action, **options):
    """A large file beside the small one: memory, and time by size."""
    if setting.large is None:
        raise Skipped("no large file: name one with --large")
    make = {"validate": engine.validate, "run": engine.run}[action]
    return [make(setting, setting.large, **options), make(setting, setting.inputs.csv, name=SMALL, reference=True, **options)]


def first_megabyte(setting):
    return [engine.validate(setting, setting.inputs.megabyte())]


def from_bucket(setting):
    """V from a bucket on loopback beside a download that throws the bytes away."""
    if setting.s3 is None:
        raise Skipped("no S3-compatible server: name one with --s3")
    data = setting.inputs.csv
    try:
        s3.upload(setting.s3, data)
    except OSError as error:
        raise Skipped(f"the S3-compatible server {setting.s3} cannot be used: {error}") from error
    env = {"AWS_ENDPOINT_URL": setting.s3, "AWS_ALLOW_HTTP": "true", **s3.credentials()}
    url = s3.presigned("GET", setting.s3, f"/{s3.BUCKET}/{data.name}")
    size = data.stat().st_size
    command = [sys.executable, str(Path(s3.__file__)), url, str(size), str(s3.CONNECTIONS), str(s3.RANGE_BYTES)]
    plain = Contender("plain download", command, data, found=json.loads)
    return [engine.validate(setting, data, url=f"s3://{s3.BUCKET}/{data.name}", env=env), plain]


def near(limit):
    return (Target("wall", 1.15, limit),)


LARGE = (Target("peak", 512, None), Target("per_byte", 1.10, SMALL))
NO_CLIFF = (Target("per_byte", 2.0, PLAIN),)
HALF_OF_DUCKDB = (Target("cpu", 1 / 2, "duckdb"), Target("wall", 1 / 2, "duckdb"))
SPARK = (Target("wall", 1 / 20, "spark"), Target("wall", 1 / 20, "spark", theirs="inside"))
PARQUET = (*HALF, Target("written", 1.0, PEERS))

WORKLOADS = [
    Workload("V", "typed decode, 12 row rules, statistics", judge, QUARTER),
    Workload(
        "U",
        "V and exact uniqueness of (l_orderkey, l_linenumber)",
        partial(judge, rules=engine.UNIQUE),
        (*QUARTER, Target("peak", 512, None)),
    ),
    Workload("P-snappy", "V and accepted rows to Parquet by l_shipmode, snappy", partial(write, compression="snappy"), PARQUET),
    Workload("P-zstd", "V and accepted rows to Parquet by l_shipmode, zstd(1)", partial(write, compression="zstd"), PARQUET),
    Workload("W", "200 rules over the 16 columns", many_rules, (Target("wall", 2.0, PLAIN),)),
    Workload("S-V", "V beside Spark local[2]", partial(spark, action="judge"), SPARK),
    Workload("S-P", "P-snappy beside Spark local[2]", partial(spark, action="write"), SPARK),
    Workload("G-gzip", "V from gzip", partial(compressed, kind="gzip"), near("gzip -dc")),
    Workload("G-zstd", "V from zstd", partial(compressed, kind="zstd"), near("zstd -dc")),
    Workload("J", "V from NDJSON", partial(judge, form="ndjson"), HALF),
    Workload("Q-newlines", "V, quoted line breaks in 1% of rows", partial(shape, name="newlines"), NO_CLIFF),
    Workload("Q-text", "V, 40 short text columns", partial(shape, name="text"), NO_CLIFF),
    Workload("Q-numbers", "V, 400 numeric columns", partial(shape, name="numbers"), NO_CLIFF),
    Workload("Q-nulls", "V, 90% NULLs", partial(shape, name="nulls"), NO_CLIFF),
    Workload("M-V", "V on a large file", partial(large, action="validate"), LARGE, verified=False),
    Workload("M-U", "U on a large file", partial(large, action="validate", rules=engine.UNIQUE), LARGE, verified=False),
    Workload("M-P", "P-snappy on a large file", partial(large, action="run"), LARGE, verified=False),
    Workload("L", "1 MB, process start to exit", first_megabyte, (Target("wall", 0.030, None),), runs=50, verified=False),
    Workload("K", "V from Parquet", partial(judge, form="parquet"), HALF_OF_DUCKDB),
    Workload("R", "V from an S3-compatible server on loopback", from_bucket),
]


def chosen(text):
    """The workloads named: by id, or by letter for all of it."""
    if text is None:
        return WORKLOADS
    wanted = [name.strip() for name in text.split(",")]
    known = {word for workload in WORKLOADS for word in (workload.id, workload.id.split("-")[0])}
    if unknown := set(wanted) - known:
        raise SystemExit(f"unknown workloads {', '.join(sorted(unknown))}; there are {', '.join(w.id for w in WORKLOADS)}")
    return [workload for workload in WORKLOADS if {workload.id, workload.id.split("-")[0]} & set(wanted)]
