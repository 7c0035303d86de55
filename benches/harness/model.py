"""The words of the benchmark."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# Stands in a command for the folder of one run, which is new for every run.
OUT = "{out}"
OURS = "etl-engine"
# As `of` of a target: the best of the peers.
PEERS = "the better peer"


class Skipped(Exception):
    """A workload cannot be run here; the message says why."""


class Failed(Exception):
    """A contender failed, or two do not agree; the message says how."""


@dataclass
class Contender:
    """One process that does the work."""

    name: str
    command: list[str]
    # What is read, and how many bytes of it count for MB/s (those of the CSV when that is compressed).
    data: Path
    size: int = 0
    # What standard output says of the data; None when it says nothing, such as that of `gzip -dc`.
    found: Callable[[bytes], dict] | None = None
    # Where Parquet is written, as a glob of files below OUT; None for workloads that only judge.
    written: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    # Exit codes that are no failure: bad data is 1 for etl-engine.
    codes: tuple[int, ...] = (0,)
    # A peer does the same work; others are limits or references.
    peer: bool = False
    # Reads other rows than ours, for its speed: what it finds is not compared.
    reference: bool = False
    # Of etl-engine: its job file, and the same input published, for --verify to compare rows.
    job: Path | None = None
    publish: "Contender | None" = None

    def __post_init__(self):
        self.size = self.size or self.data.stat().st_size


@dataclass(frozen=True)
class Target:
    """`measure` of ours is at most `at_most` times `theirs` of `of`; an absolute limit when `of` is None."""

    measure: str
    at_most: float
    of: str | None = PEERS
    # The measure of the other side, when it is not the same.
    theirs: str | None = None


@dataclass(frozen=True)
class Workload:
    """One row of the comparison."""

    id: str
    title: str
    contenders: Callable[["Setting"], list[Contender]]
    targets: tuple[Target, ...] = ()
    # Runs that count, when it is not the number asked for.
    runs: int | None = None
    # Whether --verify has something to compare that no other workload has.
    verified: bool = True


@dataclass
class Setting:
    """What the machine and the command line give."""

    engine: str
    inputs: "Inputs"  # noqa: F821  (harness.inputs, which needs Failed of this module)
    threads: int = 2
    memory: str = "512MiB"
    large: Path | None = None
    s3: str | None = None
    # With the counts that --verify compares.
    detail: bool = False
    # What the shapes are made of, when `inputs` are bad rows.
    clean: "Inputs | None" = None  # noqa: F821


# How measures are called and shown: name, unit, digits after the point.
MEASURES = {
    "cpu": ("CPU", "s", 2),
    "wall": ("wall", "s", 2),
    "peak": ("peak memory", "MiB", 0),
    "written": ("bytes written", "MB", 0),
    "inside": ("wall inside the started session", "s", 2),
    "per_byte": ("wall per byte", "ns", 3),
}


def shown(measure, value):
    """A value with its unit."""
    _, unit, digits = MEASURES[measure]
    # Runs of a few milliseconds keep their digits.
    if unit == "s" and value < 0.1:
        return f"{value * 1000:.1f} ms"
    if measure == "written" and value < 100:
        digits = 2
    return f"{value:.{digits}f} {unit}"
