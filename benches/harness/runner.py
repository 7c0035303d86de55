"""Interleaved runs of a workload, what the contenders must agree on, medians, and targets."""

import math
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .measure import measure
from .model import OURS, OUT, PEERS, Contender, Failed, Target, Workload

# What contenders say of the data, by the words of engine.py and peers/lineitem.py; a contender may leave words out.
EXACT = ("rows", "accepted", "keys", "once", "failing", "stored")
# Sums of floating point, added in another order by each.
CLOSE = ("mean", "sum", "stddev")


@dataclass
class Result:
    """A workload that was measured."""

    workload: Workload
    contenders: list[Contender]
    # By contender and measure: one value a run that counts.
    runs: dict[str, dict[str, list[float]]]
    # What ours found, for the reader.
    agreed: dict

    def median(self, name, figure):
        values = self.runs[name].get(figure)
        return statistics.median(values) if values else None

    @property
    def peers(self):
        return [contender.name for contender in self.contenders if contender.peer]


def run_once(contender, out):
    """Runs it in the folder `out`: figures, and what it found."""
    command = [argument.replace(OUT, str(out)) for argument in contender.command]
    keep = contender.found is not None
    figures, text = measure(command, out, env=contender.env, codes=contender.codes, keep_output=keep)
    found = contender.found(text) if keep else {}
    figures["per_byte"] = figures["wall"] / contender.size * 1e9
    if "inside" in found:
        figures["inside"] = found.pop("inside")
    if contender.written is not None:
        files = list(Path(out).glob(contender.written))
        figures["written"] = sum(file.stat().st_size for file in files) / 1e6
        found["stored"] = stored_rows(files)
        # A peer only writes; etl-engine says how many rows it accepted, and must have stored as many.
        found.setdefault("accepted", found["stored"])
    return figures, found


def stored_rows(files):
    """By the footers of Parquet files."""
    import duckdb

    if not files:
        return 0
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return int(duckdb.execute(f"select sum(num_rows) from parquet_file_metadata([{listed}])").fetchone()[0])


def same(word, values):
    """Whether contenders that say `values` of `word` agree."""
    if word in CLOSE:
        return all(math.isclose(value, values[0], rel_tol=1e-9) for value in values)
    return all(value == values[0] for value in values)


def require_agreement(found):
    """Raises Failed unless all contenders that say a word say the same."""
    for word in (*EXACT, *CLOSE):
        said = {name: words[word] for name, words in found.items() if word in words}
        if said and not same(word, list(said.values())):
            raise Failed(f"the contenders do not agree on `{word}`: {said}")
    for name, words in found.items():
        if "stored" in words and words["stored"] != words["accepted"]:
            raise Failed(f"{name} accepted {words['accepted']} rows and stored {words['stored']}")


def require_good_rows(name, words):
    """The rows that are measured break no rule: this checks etl-engine where no peer reads them."""
    if "rows" in words and words["accepted"] != words["rows"]:
        raise Failed(f"{name} accepts {words['accepted']} of {words['rows']} rows, and all of them are good")


def run(workload, setting, runs):
    """All runs of a workload; the first of each contender warms the page cache and does not count."""
    contenders = workload.contenders(setting)
    kept = {contender.name: {} for contender in contenders}
    for turn in range((workload.runs or runs) + 1):
        found = {}
        for contender in contenders:
            # A folder for each, deleted at once: the next one shall not wait for the disk to take what nobody needs.
            with tempfile.TemporaryDirectory(dir=setting.inputs.csv.parent) as out:
                figures, words = run_once(contender, out)
            require_good_rows(contender.name, words)
            if not contender.reference:
                found[contender.name] = words
            for name, value in figures.items() if turn else ():
                kept[contender.name].setdefault(name, []).append(value)
        require_agreement(found)
    words = ("rows", "accepted", "keys", "stored")
    return Result(workload, contenders, kept, {word: found[OURS][word] for word in words if word in found[OURS]})


@dataclass
class Judged:
    """A target, and what was measured."""

    target: Target
    ours: float
    theirs: float | None
    of: str | None

    @property
    def ratio(self):
        return self.ours if self.theirs is None else self.ours / self.theirs

    @property
    def met(self):
        return self.ratio <= self.target.at_most


def judged(result):
    """The targets of a workload beside what was measured."""
    answers = []
    for target in result.workload.targets:
        ours = result.median(OURS, target.measure)
        names = result.peers if target.of == PEERS else [target.of]
        if target.of is None:
            answers.append(Judged(target, ours, None, None))
            continue
        theirs, of = min((result.median(name, target.theirs or target.measure), name) for name in names)
        answers.append(Judged(target, ours, theirs, of))
    return answers


def faster_peers(result):
    """Wherever etl-engine is not faster: [(measure, theirs, ours)] by peer."""
    behind = {}
    for name in result.peers:
        pairs = [(measure, result.median(name, measure), result.median(OURS, measure)) for measure in ("cpu", "wall")]
        if pairs := [pair for pair in pairs if pair[1] <= pair[2]]:
            behind[name] = pairs
    return behind
