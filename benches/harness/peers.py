"""The peers as contenders: programs in benches/peers, run by the Python that runs the harness."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

from .engine import BENCHES
from .model import OUT, Contender, Failed, Skipped

PROGRAMS = {"duckdb": "on_duckdb.py", "polars": "on_polars.py", "spark": "on_spark.py"}
PACKAGES = {"duckdb": "duckdb", "polars": "polars", "spark": "pyspark"}


def version(name):
    """The installed version, which must be the pinned one; None when the peer is not installed."""
    package = PACKAGES[name]
    try:
        installed = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
    file = BENCHES / ("requirements-spark.txt" if name == "spark" else "requirements.txt")
    if f"{package}=={installed}" not in file.read_text().split():
        raise Failed(f"{package} {installed} is installed, but {file.name} pins another version")
    return installed


def java_version():
    try:
        said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    except FileNotFoundError:
        return None
    words = re.search(r'version "([^"]+)"', said)
    return words and words[1]


def require(name):
    if version(name) is None:
        extra = "-spark" if name == "spark" else ""
        raise Skipped(f"{PACKAGES[name]} is not installed: pip install -r benches/requirements{extra}.txt")
    if name == "spark" and java_version() is None:
        raise Skipped("Spark needs Java 17 or newer")


def program(setting, name, data, action, form="csv", **more):
    """The command of a peer."""
    job = {"action": action, "data": str(data), "format": form, "threads": setting.threads, "keys": False}
    job |= {"detail": setting.detail, **more}
    return [sys.executable, str(BENCHES / "peers" / PROGRAMS[name]), json.dumps(job)]


def environment(setting, name):
    return {"POLARS_MAX_THREADS": str(setting.threads)} if name == "polars" else {}


def judge(setting, name, data, *, form="csv", keys=False, size=0):
    """V and U."""
    require(name)
    command = program(setting, name, data, "judge", form, keys=keys)
    return Contender(name, command, data, size=size, found=json.loads, env=environment(setting, name), peer=True)


def write(setting, name, data, *, compression="snappy"):
    """P."""
    require(name)
    command = program(setting, name, data, "write", compression=compression, out=f"{OUT}/{name}")
    written = f"{name}/**/*.parquet"
    return Contender(name, command, data, found=json.loads, written=written, env=environment(setting, name), peer=True)


def start(setting, name):
    """Only the start of Python and the import of the peer: how much of its figures that is."""
    command = program(setting, name, "", "start")
    return Contender(name, command, Path(__file__), found=json.loads, env=environment(setting, name))
