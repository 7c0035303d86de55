"""Steps over texts: each on random rows beside what its page says, written in Python."""

import re

import pytest
from transforms import cases, on, put, random_rows, same_rows, spark_text, step, transform

ROWS = random_rows(23)
WHITE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def text(change):
    return put(text=on("text", change))


def titled(words):
    return " ".join(word[:1].title() + word[1:] for word in words.lower().split(" "))


def piece(pieces, at, count):
    return pieces[at] if at < min(count, len(pieces)) else None


def cut(name, into, split):
    return put(**{new: on(name, lambda x, at=at: piece(split(x), at, len(into))) for at, new in enumerate(into)})


def found(pattern, group=0, flags=re.S):
    def first(value):
        hit = re.search(pattern, value, flags)
        return None if hit is None else hit.group(group) or ""

    return first


def padded(length, fill, right=False):
    def change(value):
        more = (fill * length)[: max(0, length - len(value))]
        return value + more if right else more + value

    return change


def merged(names, separator, skip):
    def value(row):
        cells = [None if row[name] is None else spark_text(row[name]) for name in names]
        return separator.join(cell if cell is not None else "" for cell in cells if cell is not None or not skip)

    return value


TEXTS = {
    "upper": (step("change_case", columns="text", to="upper"), text(str.upper)),
    "lower": (
        step("change_case", columns=["text", "city"], to="lower"),
        put(text=on("text", str.lower), city=on("city", str.lower)),
    ),
    "capital": (step("change_case", columns="text", to="capital"), text(titled)),
    "sentence": (step("change_case", columns="text", to="sentence"), text(lambda x: x[:1].upper() + x.lower()[1:])),
    "trim": (step("trim", columns="text"), text(lambda x: x.strip(WHITE))),
    "trim left": (step("trim", columns="text", sides="left"), text(lambda x: x.lstrip(WHITE))),
    "trim right": (step("trim", columns="text", sides="right"), text(lambda x: x.rstrip(WHITE))),
    "trim characters": (step("trim", columns="text", characters="-a]^\\"), text(lambda x: x.strip("-a]^\\"))),
    "trim and collapse": (
        step("trim", columns="text", collapse=True),
        text(lambda x: re.sub(f"[{WHITE}]+", " ", x.strip(WHITE))),
    ),
    "pad": (step("pad", columns="text", length=9, with_="<é>"), text(padded(9, "<é>"))),
    "pad right": (step("pad", columns=["text"], length=5, side="right"), text(padded(5, " ", right=True))),
    "replace": (step("replace", columns="text", find=".", with_="$1\\"), text(lambda x: x.replace(".", "$1\\"))),
    "replace first": (
        step("replace", columns="text", find="abc", with_="[$0]", first=True),
        text(lambda x: x.replace("abc", "[$0]", 1)),
    ),
    "replace any case": (
        step("replace", columns="text", find="a", with_="_", ignore_case=True),
        text(lambda x: re.sub("a", "_", x, flags=re.I)),
    ),
    "remove": (
        step("replace", columns=["text", "code"], find="("),
        put(text=on("text", lambda x: x.replace("(", "")), code=on("code", lambda x: x.replace("(", ""))),
    ),
    "replace pattern": (
        step("replace", columns="code", pattern="([A-Z]+)-(\\d+)", with_="$2/$1"),
        put(code=on("code", lambda x: re.sub(r"([A-Z]+)-([0-9]+)", r"\2/\1", x))),
    ),
    "replace first pattern": (
        step("replace", columns="text", pattern="([a-c]{2})", with_="<$1>", first=True),
        text(lambda x: re.sub("([a-c]{2})", r"<\1>", x, count=1)),
    ),
    "replace pattern any case": (
        step("replace", columns="text", pattern="^a+", ignore_case=True),
        text(lambda x: re.sub("^a+", "", x, flags=re.I)),
    ),
    "replace between": (
        step("replace", columns="text", between=["(", ")"], with_="*"),
        text(lambda x: re.sub(r"\((.*?)\)", "(*)", x, flags=re.S)),
    ),
    "replace from": (step("replace", columns="text", from_=3, with_="*"), text(lambda x: x[:2] + "*" if len(x) > 2 else x)),
    "replace from to": (
        step("replace", columns="text", from_=2, to=4, with_="<>"),
        text(lambda x: x[:1] + "<>" + x[4:] if len(x) > 1 else x),
    ),
    "extract": (
        step("extract", column="code", **{"as": "part"}, pattern="([A-Za-z]+)-(\\d{2,})", group=2),
        put(part=on("code", found(r"([A-Za-z]+)-([0-9]{2,})", 2))),
    ),
    "extract all": (step("extract", column="text", **{"as": "part"}, pattern="[a-z]+"), put(part=on("text", found("[a-z]+")))),
    "extract an idle group": (
        step("extract", column="text", **{"as": "part"}, pattern="(x)|(a)", group=1),
        put(part=on("text", found("(x)|(a)", 1))),
    ),
    "extract between": (
        step("extract", column="text", **{"as": "part"}, between=["(", ")"]),
        put(part=on("text", found(r"\((.*?)\)", 1))),
    ),
    "extract before": (
        step("extract", column="code", **{"as": "code"}, between=["", "-"]),
        put(code=on("code", found("^(.*?)-", 1))),
    ),
    "extract behind": (
        step("extract", column="code", **{"as": "part"}, between=["-", ""]),
        put(part=on("code", found("-(.*)$", 1))),
    ),
    "extract from": (step("extract", column="code", **{"as": "part"}, from_=2, to=3), put(part=on("code", lambda x: x[1:3]))),
    "extract from the end": (
        step("extract", column="code", **{"as": "part"}, from_=-3),
        put(part=on("code", lambda x: x[-3:])),
    ),
    "split": (
        step("split_string", column="text", into=["p", "q", "r"], delimiter=" "),
        cut("text", "pqr", lambda x: x.split(" ", 2)),
    ),
    "split in place": (
        step("split_string", column="code", into=["code", "rest"], delimiter="-"),
        cut("code", ["code", "rest"], lambda x: x.split("-", 1)),
    ),
    "split by several": (
        step("split_string", column="text", into=["p", "q"], delimiter=[",", ";", "."]),
        cut("text", "pq", lambda x: re.split("[,;.]", x, maxsplit=1)),
    ),
    "split by a pattern": (
        step("split_string", column="text", into=["p", "q"], pattern="\\s+", trim=True),
        cut("text", "pq", lambda x: [y.strip(WHITE) for y in re.split("[ \t\n\v\f\r]+", x, maxsplit=1)]),
    ),
    "split at positions": (
        step("split_string", column="code", into=["p", "q", "r"], positions=[1, 3]),
        cut("code", "pqr", lambda x: [x[:1], x[1:3], x[3:] or None]),
    ),
    "split at positions from the end": (
        step("split_string", column="code", into=["p", "q"], positions=[-2]),
        cut("code", "pq", lambda x: [x[:-2], x[-2:]]),
    ),
    "split short texts at positions from the end": (
        step("split_string", column="text", into=["p", "q", "r"], positions=[-3, -1]),
        cut("text", "pqr", lambda x: [x[:-3] or None, x[-3:-1] or None, x[-1:]]),
    ),
    "merge": (
        step("merge_columns", columns=["city", "small", "amount"], **{"as": "m"}, separator=", "),
        put(m=merged(["city", "small", "amount"], ", ", True)),
    ),
    "merge with NULLs": (
        step("merge_columns", columns=["at", "ratio", "flag", "day"], **{"as": "m"}, separator="|", skip_nulls=False),
        put(m=merged(["at", "ratio", "flag", "day"], "|", False)),
    ),
}

WRONG: dict[str, str] = {}
CASES = cases({"text": TEXTS}, WRONG)


@pytest.mark.parametrize(("steps", "expected"), CASES.values())
def test_step(tmp_path, steps, expected):
    same_rows(transform(tmp_path, steps, ROWS).rows, expected(ROWS))
