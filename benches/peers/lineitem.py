"""What the peers know of lineitem: its columns and the 12 row rules of lineitem.dqdl, in the same order."""

import json
import sys

MONEY = ["l_quantity", "l_extendedprice", "l_discount", "l_tax"]

# Types by the names that SQL gives them; DuckDB and Spark both take these.
COLUMNS = {
    "l_orderkey": "BIGINT",
    "l_partkey": "BIGINT",
    "l_suppkey": "BIGINT",
    "l_linenumber": "INTEGER",
    **{name: "DECIMAL(15,2)" for name in MONEY},
    "l_returnflag": "STRING",
    "l_linestatus": "STRING",
    "l_shipdate": "DATE",
    "l_commitdate": "DATE",
    "l_receiptdate": "DATE",
    "l_shipinstruct": "STRING",
    "l_shipmode": "STRING",
    "l_comment": "STRING",
}

# `between` of DQDL leaves both ends out. A NULL fails a rule, and `where` drops a row whose condition is NULL.
RULES = [
    "l_orderkey is not null",
    "l_comment is not null",
    "l_orderkey > 0",
    "l_partkey > 0",
    "l_linenumber > 0 and l_linenumber < 8",
    "l_quantity > 0 and l_quantity < 51",
    "l_extendedprice > 0",
    "l_discount <= 0.10",
    "l_tax <= 0.08",
    "l_returnflag in ('A', 'N', 'R')",
    "l_shipmode in ('AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK')",
    "l_shipdate > date '1992-01-01'",
]
ALL_RULES = " and ".join(RULES)


def task():
    """What a peer is asked to do: one JSON argument.

    action: `start` (only start), `judge` (V, U) or `write` (P); data, format (csv, ndjson, parquet), threads;
    keys: count distinct keys; detail: count what --verify compares; out and compression for `write`.
    """
    return json.loads(sys.argv[1])


def select_list(counting, keys=None, detail=False):
    """The statistics of V as a SELECT list by name; `counting` makes an aggregate of a condition, `keys` is that of U."""
    items = {
        "rows": "count(*)",
        "accepted": counting(ALL_RULES),
        "mean": "avg(l_quantity)",
        "sum": "sum(l_extendedprice)",
        "stddev": "stddev_pop(l_discount)",
    }
    # To count the values of a column takes reading each, as etl-engine does, and nothing more.
    items.update({f"count_{name}": f"count({name})" for name in COLUMNS})
    if keys:
        items["keys"] = keys
    if detail:
        items.update({f"failing_{i}": counting(f"not coalesce({rule}, false)") for i, rule in enumerate(RULES)})
    return items


def answer(row, **more):
    """Prints what was found in the words that the harness compares."""
    found = {name: row[name] for name in ("rows", "accepted", "keys") if name in row}
    found |= {name: float(row[name]) for name in ("mean", "sum", "stddev") if name in row}
    if "failing_0" in row:
        found["failing"] = [row[f"failing_{i}"] for i in range(len(RULES))]
    print(json.dumps(found | more))
