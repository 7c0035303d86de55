"""What was measured, as text for a terminal and as Markdown."""

import os
import platform
import shlex
import sys
import time
from pathlib import Path

from . import engine, peers
from .model import MEASURES, OURS, shown
from .runner import judged, faster_peers

TITLES = {OURS: "etl-engine", "duckdb": "DuckDB", "polars": "Polars", "spark": "Spark"}


def title(name):
    return TITLES.get(name, name)


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def conditions(setting, runs, starts):
    """Versions, processor, date, command: without them a figure says nothing."""
    versions = [engine.version(setting.engine)]
    versions += [f"{title(name)} {peers.version(name)}" for name in ("duckdb", "polars") if peers.version(name)]
    if peers.version("spark"):
        versions.append(f"Spark {peers.version('spark')} on Java {peers.java_version()}")
    # Where the files lie on this machine means nothing to a reader.
    command = [Path(word).name if Path(word).exists() or Path(word).parent.exists() else word for word in sys.argv]
    lines = [
        f"{', '.join(versions)}, Python {platform.python_version()}.",
        f"{processor()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}; {time.strftime('%Y-%m-%d')}.",
        f"`{shlex.join(command)}`: {setting.inputs.csv.name} has {setting.inputs.csv.stat().st_size / 1e6:,.0f} MB. "
        f"{setting.threads} threads each, etl-engine with --memory {setting.memory}, files in the page cache, runs interleaved, "
        f"the first of each not counted, medians of {runs} runs.",
    ]
    for name, figures in starts.items():
        lines.append(
            f"The start of Python and the import of {title(name)} are in its figures: {shown('cpu', figures['cpu'])} CPU, "
            f"{shown('wall', figures['wall'])} wall."
        )
    return lines


def rows_of(result):
    """For each contender: name, then median and spread of its measures as texts, then how it compares with ours."""
    for contender in result.contenders:
        cells = [title(contender.name)]
        for measure in ("cpu", "wall"):
            values = result.runs[contender.name][measure]
            spread = shown(measure, (max(values) - min(values)) / 2)
            cells.append(f"{shown(measure, result.median(contender.name, measure))} ± {spread}")
        inside = result.median(contender.name, "inside")
        cells[-1] += f" ({shown('inside', inside)} inside the session)" if inside else ""
        cells.append(shown("peak", result.median(contender.name, "peak")))
        written = result.median(contender.name, "written")
        cells.append("" if written is None else shown("written", written))
        cells.append(f"{1000 / result.median(contender.name, 'per_byte'):,.0f} MB/s")
        compared = [result.median(contender.name, m) / result.median(OURS, m) for m in ("cpu", "wall")]
        # What reads other rows is compared by its rate.
        same = contender.name != OURS and not contender.reference
        cells.append(f"{compared[0]:.2f}, {compared[1]:.2f}" if same else "")
        yield cells


def target_line(answer):
    """(what is aimed at, what was measured)"""
    target = answer.target
    name = MEASURES[target.measure][0]
    if answer.of is None:
        return f"{name} ≤ {shown(target.measure, target.at_most)}", shown(target.measure, answer.ours)
    of = title(answer.of)
    what = f"{name} ≤ {target.at_most:.4g} of {of}"
    if target.theirs:
        what += f"'s {MEASURES[target.theirs][0]}"
    ours, theirs = shown(target.measure, answer.ours), shown(target.theirs or target.measure, answer.theirs)
    return what, f"{answer.ratio:.3g} ({ours} against {theirs})"


def text(result):
    """One workload for the terminal."""
    workload = result.workload
    lines = [f"\n{workload.id}: {workload.title}; all agree on {result.agreed}"]
    for name, cpu, wall, peak, written, rate, compared in rows_of(result):
        parts = [f"written {written}" if written else "", rate, f"CPU, wall by ours {compared}" if compared else ""]
        more = "   ".join(part for part in parts if part)
        lines.append(f"  {name:28} CPU {cpu:20} wall {wall:20} peak {peak:9} {more}")
    for answer in judged(result):
        what, measured = target_line(answer)
        lines.append(f"  {'met   ' if answer.met else 'MISSED'} {what}: {measured}")
    return "\n".join(lines)


def markdown(results, skipped, failed, lines):
    """All workloads."""
    out = ["# etl-engine beside its peers", "", *"\n\n".join(lines).split("\n"), ""]
    out += ["| | contender | CPU | wall | peak | written | input | CPU, wall by ours |", "|---|---|---|---|---|---|---|---|"]
    for result in results:
        label = f"**{result.workload.id}** {result.workload.title}"
        for cells in rows_of(result):
            out.append("| " + " | ".join([label, *cells]) + " |")
            label = ""
    out += ["", "± is half of the range. *CPU, wall by ours*: how many times the CPU and wall seconds of etl-engine.", ""]
    out += ["## Targets", "", "| | target | measured | |", "|---|---|---|---|"]
    behind = []
    for result in results:
        for answer in judged(result):
            what, measured = target_line(answer)
            out.append(f"| {result.workload.id} | {what} | {measured} | {'met' if answer.met else '**missed**'} |")
            if not answer.met:
                behind.append(f"{result.workload.id} misses its target: {what}; measured {measured}.")
        for name, pairs in faster_peers(result).items():
            figures = [f"{MEASURES[m][0]} {shown(m, theirs)} against {shown(m, ours)}" for m, theirs, ours in pairs]
            behind.append(f"**{result.workload.id}: {title(name)} is faster**: {', '.join(figures)}.")
    out += ["", "## Where etl-engine is not faster, or misses its target", ""]
    out += [f"- {line}" for line in behind] or ["Nowhere in this run."]
    if skipped or failed:
        out += ["", "## Not measured", ""]
        out += [f"- {name}: skipped, {reason}" for name, reason in skipped.items()]
        out += [f"- {name}: **failed**, {reason.splitlines()[0]}" for name, reason in failed.items()]
    return "\n".join(out) + "\n"
