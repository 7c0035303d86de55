"""The files of the workloads: lineitem.csv and what is made of it, beside it, once."""

import os
import subprocess
import sys
from pathlib import Path

from peers.duckdb_sql import relation
from peers.lineitem import COLUMNS

from .engine import BENCHES
from .model import Failed, Skipped


class Inputs:
    """Files beside `csv`; each is made when it is first asked for, and again when `csv`, or what makes it, is newer."""

    def __init__(self, csv):
        self.csv = Path(csv).resolve()
        if not self.csv.is_file():
            raise Failed(f"{csv} is no file: make it with the generator, see benches/README.md")

    def gzip(self):
        return self._made(".csv.gz", lambda out: _filter("gzip", ["-c"], self.csv, out))

    def zstd(self):
        return self._made(".csv.zst", lambda out: _filter("zstd", ["-q", "-c"], self.csv, out))

    def ndjson(self):
        return self._made(".ndjson", lambda out: self._by_duckdb(out, "format json"))

    def parquet(self):
        return self._made(".parquet", lambda out: self._by_duckdb(out, "format parquet"))

    def shape(self, name):
        """A file of benches/shapes; its job file is beside it, with the suffix .yaml."""

        def make(out):
            command = [sys.executable, str(BENCHES / "shapes"), name, "--like", str(self.csv), "--out", str(out)]
            subprocess.run(command, check=True)
            out.with_suffix(".yaml").replace(self._path(f".{name}.yaml"))

        return self._made(f".{name}.csv", make, BENCHES / "shapes")

    def megabyte(self):
        """The first rows, a little less than a megabyte of them."""

        def make(out):
            with self.csv.open("rb") as file:
                head = file.read(1_000_000)
            out.write_bytes(head[: head.rindex(b"\n") + 1])

        return self._made(".1MB.csv", make)

    def _path(self, suffix):
        return self.csv.with_name(self.csv.stem + suffix)

    def _made(self, suffix, make, *sources):
        path = self._path(suffix)
        if not path.exists() or path.stat().st_mtime < max(source.stat().st_mtime for source in (self.csv, *sources)):
            print(f"making {path.name}", file=sys.stderr)
            # Under another name until it is whole: an interrupted run leaves nothing that looks ready.
            unready = path.with_name(f"unready-{os.getpid()}-{path.name}")
            try:
                make(unready)
                unready.replace(path)
            finally:
                unready.unlink(missing_ok=True)
        return path

    def _by_duckdb(self, out, options):
        import duckdb

        duckdb.execute(f"copy (select * from {relation(self.csv, 'csv', COLUMNS)}) to '{out}' ({options})")


def tool(name):
    """The path of a program."""
    for folder in os.get_exec_path():
        path = Path(folder, name)
        if os.access(path, os.X_OK):
            return str(path)
    raise Skipped(f"{name} is not installed")


def _filter(name, options, source, out):
    with source.open("rb") as stdin, out.open("wb") as stdout:
        subprocess.run([tool(name), *options], stdin=stdin, stdout=stdout, check=True)
