"""DuckDB's side of the workloads. Run by the harness: one JSON argument, one line of JSON as the answer."""

import duckdb

from duckdb_sql import relation
from lineitem import ALL_RULES, COLUMNS, answer, select_list, task


def main():
    job = task()
    source = relation(job["data"], job["format"], COLUMNS)
    connection = duckdb.connect()
    connection.execute(f"set threads = {job['threads']}")
    # The order of rows means nothing to any workload, and keeping it costs memory.
    connection.execute("set preserve_insertion_order = false")
    match job["action"]:
        case "start":
            answer({})
        case "write":
            level = ", compression_level 1" if job["compression"] == "zstd" else ""
            # Version 2 allows encodings by difference, as etl-engine writes: a fifth fewer bytes at the same speed.
            options = f"format parquet, parquet_version v2, compression {job['compression']}{level}, partition_by (l_shipmode)"
            connection.execute(f"copy (select * from {source} where {ALL_RULES}) to '{job['out']}' ({options})")
            answer({})
        case "judge":
            keys = "count(distinct (l_orderkey, l_linenumber))" if job["keys"] else None
            items = select_list(lambda rule: f"count(*) filter (where {rule})", keys, job["detail"])
            values = connection.execute(f"select {', '.join(items.values())} from {source}").fetchone()
            once = {}
            if job["keys"] and job["detail"]:
                groups = f"select count(*) as n from {source} group by l_orderkey, l_linenumber"
                once["once"] = connection.execute(f"select count(*) filter (where n = 1) from ({groups})").fetchone()[0]
            answer(dict(zip(items, values, strict=True)), **once)


main()
