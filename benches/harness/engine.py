"""etl-engine as a contender: its commands, and what its report says."""

import json
import subprocess
from pathlib import Path

from .model import OURS, OUT, Contender

BENCHES = Path(__file__).resolve().parent.parent
JOB = BENCHES / "lineitem.yaml"
UNIQUE = BENCHES / "lineitem-unique.dqdl"


def version(engine):
    return subprocess.run([engine, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def validate(setting, data, *, form=None, job=JOB, rules=None, name=OURS, size=0, url=None, env=None, reference=False):
    """V and its kin. `url` is read in place of `data`, which is the same on disk."""
    command = [setting.engine, "validate", url or str(data), "--job", str(job), "--json"]
    command += ["--threads", str(setting.threads), "--memory", setting.memory]
    command += ["--format", form] if form else []
    command += ["--rules", str(rules)] if rules else []
    # The data of --verify is bad on purpose; of good data, exit code 1 is a failure.
    codes = (0, 1) if setting.detail else (0,)
    publish = run(setting, data, form=form, job=job, url=url, env=env)
    return Contender(
        name, command, data, size=size, found=found, env=env or {}, codes=codes, reference=reference, job=job, publish=publish
    )


def run(setting, data, *, form=None, job=JOB, compression="snappy", name=OURS, url=None, env=None, reference=False):
    """P: the accepted rows as Parquet."""
    sets = {"sink.location": f"{OUT}/{name}", "sink.compression": compression, **({"source.format": form} if form else {})}
    command = [setting.engine, "run", str(job), "--input", url or str(data), "--json"]
    command += ["--threads", str(setting.threads), "--memory", setting.memory]
    for key, value in sets.items():
        command += ["--set", f"{key}={value}"]
    written = f"{name}/data/**/*.parquet"
    return Contender(name, command, data, found=found, written=written, env=env or {}, reference=reference, job=job)


def found(text):
    """What the report says of the data, in the words of the peers; `metrics` and `outcomes` as they stand in it."""
    report = json.loads(text)
    outcomes = report["rule_outcomes"]
    metrics = {}
    for outcome in outcomes:
        metrics |= outcome["EvaluatedMetrics"] or {}
    rows = report["rows"]
    what = {"rows": rows["read"], "accepted": rows["accepted"], "metrics": metrics}
    what["outcomes"] = [outcome["Outcome"] for outcome in outcomes]
    names = {"mean": "Column.l_quantity.Mean", "sum": "Column.l_extendedprice.Sum"}
    names["stddev"] = "Column.l_discount.StandardDeviation"
    what |= {name: metrics[metric] for name, metric in names.items() if metric in metrics}
    failing = {fault["rule"]: fault["count"] for fault in report["faults"] if fault["reason"] == "rule_failed"}
    # The row rules stand first in the rulesets on lineitem, in the order of peers/lineitem.py.
    what["failing"] = [failing.get(outcome["Rule"], 0) for outcome in outcomes[:12]]
    uniqueness = metrics.get("Multicolumn.l_orderkey,l_linenumber.Uniqueness")
    if uniqueness is not None:
        what["once"] = round(uniqueness * rows["read"])
        if what["once"] == rows["read"]:
            # Every key occurs once: there are as many as rows.
            what["keys"] = rows["read"]
    return what
