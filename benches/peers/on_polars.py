"""Polars' side of the workloads. Run by the harness: one JSON argument, one line of JSON as the answer."""

import polars as pl
from polars import col

from lineitem import COLUMNS, MONEY, answer, task

MONEY_TYPE = pl.Decimal(15, 2)
TYPES = {"BIGINT": pl.Int64, "INTEGER": pl.Int32, "DECIMAL(15,2)": MONEY_TYPE, "STRING": pl.String, "DATE": pl.Date}
SCHEMA = {name: TYPES[kind] for name, kind in COLUMNS.items()}
RULES = [
    col("l_orderkey").is_not_null(),
    col("l_comment").is_not_null(),
    col("l_orderkey") > 0,
    col("l_partkey") > 0,
    (col("l_linenumber") > 0) & (col("l_linenumber") < 8),
    (col("l_quantity") > 0) & (col("l_quantity") < 51),
    col("l_extendedprice") > 0,
    col("l_discount") <= pl.lit("0.10").cast(MONEY_TYPE),
    col("l_tax") <= pl.lit("0.08").cast(MONEY_TYPE),
    col("l_returnflag").is_in(["A", "N", "R"]),
    col("l_shipmode").is_in(["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"]),
    col("l_shipdate") > pl.date(1992, 1, 1),
]


def scan(data, form):
    """The typed rows of a file, lazily."""
    match form:
        case "csv":
            return pl.scan_csv(data, schema=SCHEMA)
        case "ndjson":
            # Its reader makes no decimals and no dates of JSON's numbers and texts: they are read as they stand and cast.
            dates = [name for name, kind in SCHEMA.items() if kind == pl.Date]
            plain = SCHEMA | {name: pl.Float64 for name in MONEY} | {name: pl.String for name in dates}
            casts = [col(name).cast(MONEY_TYPE) for name in MONEY] + [col(name).str.to_date("%Y-%m-%d") for name in dates]
            return pl.scan_ndjson(data, schema=plain).with_columns(casts)
        case _:
            return pl.scan_parquet(data)


def main():
    job = task()
    match job["action"]:
        case "start":
            answer({})
        case "write":
            accepted = scan(job["data"], job["format"]).filter(pl.all_horizontal(RULES))
            # The order of rows means nothing to any workload.
            accepted.sink_parquet(
                pl.PartitionBy(job["out"], key="l_shipmode"),
                compression=job["compression"],
                compression_level=1 if job["compression"] == "zstd" else None,
                maintain_order=False,
                mkdir=True,
            )
            answer({})
        case "judge":
            rows = scan(job["data"], job["format"])
            key = pl.struct("l_orderkey", "l_linenumber")
            items = [
                pl.len().alias("rows"),
                pl.all_horizontal(RULES).sum().alias("accepted"),
                col("l_quantity").mean().alias("mean"),
                col("l_extendedprice").sum().alias("sum"),
                col("l_discount").cast(pl.Float64).std(ddof=0).alias("stddev"),
            ]
            # To count the values of a column takes reading each, as etl-engine does, and nothing more.
            items += [col(name).count().alias(f"count_{name}") for name in SCHEMA]
            if job["keys"]:
                items.append(key.n_unique().alias("keys"))
            if job["detail"]:
                items += [(~rule.fill_null(False)).sum().alias(f"failing_{i}") for i, rule in enumerate(RULES)]
            found = rows.select(items).collect(engine="streaming").row(0, named=True)
            once = {}
            if job["keys"] and job["detail"]:
                groups = rows.group_by("l_orderkey", "l_linenumber").len()
                once["once"] = groups.filter(col("len") == 1).select(pl.len()).collect(engine="streaming").item()
            answer(found, **once)


main()
