"""What so many files cost on AWS, by engine/src/plan/prices.json, from what was counted."""

import json
import math
from pathlib import Path

PRICES = json.loads((Path(__file__).resolve().parents[2] / "engine" / "src" / "plan" / "prices.json").read_text())
# A function has one vCPU for so many MB of memory.
MB_PER_VCPU = 1769


def lambda_usd(invocations, billed_ms, cpu_seconds, memory):
    """A function: measured time, and what its CPU seconds take longer where it has less than one vCPU."""
    seconds = billed_ms / 1e3 + cpu_seconds * max(0.0, MB_PER_VCPU / memory - 1)
    return invocations * PRICES["lambda_million_requests"] / 1e6 + seconds * memory / 1024 * PRICES["lambda_arm_gb_second"]


def s3_usd(requests):
    """Requests by `s3 METHOD`; a deletion costs nothing."""
    puts = sum(requests.get(f"s3 {method}", 0) for method in ("PUT", "POST", "LIST"))
    gets = sum(requests.get(f"s3 {method}", 0) for method in ("GET", "HEAD"))
    return puts / 1e3 * PRICES["s3_thousand_puts"] + gets / 1e3 * PRICES["s3_thousand_gets"]


def dynamodb_usd(requests, items):
    """Writes by the items that are there afterwards: each event wrote itself and its file, twice the units in a transaction, and
    the index where the file was or is in a queue. Reads: one unit for an item, one for 4 KB of a query."""
    size = lambda item: math.ceil(sum(len(name) + len(str(value)) for name, value in item.items()) / 1024)  # noqa: E731
    writes = listed = 0
    trails = {}
    for item in items:
        if item["sk"].startswith("EVENT#"):
            trails.setdefault(item["pk"], []).append(item)
    for trail in trails.values():
        for number, item in enumerate(sorted(trail, key=lambda item: item["sk"])):
            last = number == len(trail) - 1
            writes += 4 * size(item) + size(item) * ((number > 0) + (not last))
        listed += size(trail[0])
    reads = requests.get("dynamodb GetItem", 0) + listed / 4 + requests.get("dynamodb Query", 0)
    return writes / 1e6 * PRICES["dynamodb_million_writes"] + reads / 1e6 * PRICES["dynamodb_million_reads"]


def step_functions_usd(transitions):
    return transitions / 1e3 * PRICES["step_functions_thousand_transitions"]


def glue_usd():
    """The least that one run of a Glue job costs: two DPUs for a minute."""
    return PRICES["glue_dpu_hour"] * PRICES["glue_min_dpus"] * PRICES["glue_min_seconds"] / 3600
