"""Rulesets of many rules of mixed types, each over one column."""

from .engine import BENCHES

NUMBERS = ["l_orderkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount", "l_tax"]
TEXTS = ["l_returnflag", "l_linestatus", "l_shipmode", "l_shipinstruct"]
ALL_NUMBERS = [*NUMBERS, "l_partkey", "l_suppkey"]
ALL_TEXTS = [*TEXTS, "l_comment"]
DATES = ["l_shipdate", "l_commitdate", "l_receiptdate"]


def mixed(count, numbers=NUMBERS, texts=TEXTS, dates=(), first=("RowCount > 0",)):
    """`first`, then rules that good data passes, column by column, until there are `count`."""
    rules = list(first)
    step = 0
    while len(rules) < count:
        step += 1
        for column in numbers:
            rules += [
                f'Mean "{column}" > {step / 1000}',
                f'ColumnValues "{column}" >= {-step} with threshold > 0.5',
                f'StandardDeviation "{column}" >= 0.{step:06}',
                f'Sum "{column}" > {step}',
                f'ColumnValues "{column}" not between {-step - 10} and {-step} with threshold > 0.5',
            ]
        for column in texts:
            rules += [
                f'Completeness "{column}" > {1 - step / 1000}',
                f'ColumnLength "{column}" <= {60 + step}',
                f'ColumnValues "{column}" in ["A", "N", "O", "F", "RAIL", "x{step}"] with threshold >= 0.0',
                f'ColumnValues "{column}" != "x{step}" with threshold > 0.5',
            ]
        for column in dates:
            rules += [
                f'Completeness "{column}" > {0.9 - step / 1000}',
                f'ColumnValues "{column}" > "1991-01-{step:02}" with threshold > 0.5',
                f'ColumnValues "{column}" between "1991-01-{step:02}" and "1999-12-31" with threshold > 0.5',
            ]
    return rules[:count]


def over_all_columns(count):
    """The rules of V, then mixed ones over all 16 columns."""
    lines = (BENCHES / "lineitem.dqdl").read_text().splitlines()[1:-1]
    own = [line.strip().rstrip(",") for line in lines]
    return mixed(count, ALL_NUMBERS, ALL_TEXTS, DATES, first=own)


def text(rules):
    return "Rules = [\n  " + ",\n  ".join(rules) + "\n]\n"
