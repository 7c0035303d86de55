"""Spark's side of the workloads, in one process as Glue runs it. Run by the harness: one JSON argument, one line of JSON.

`inside` is the seconds of the job in the started session; what the harness measures has the start of the JVM in it.
"""

import time

from lineitem import ALL_RULES, COLUMNS, answer, select_list, task
from pyspark.sql import SparkSession


def session(threads):
    builder = SparkSession.builder.master(f"local[{threads}]").appName("compare")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "6g",
        # 200 partitions of a shuffle, the default, are for a cluster.
        "spark.sql.shuffle.partitions": str(threads),
        "spark.sql.session.timeZone": "UTC",
        "spark.hadoop.parquet.compression.codec.zstd.level": "1",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def stop(spark):
    """Stops the JVM and waits for it, or its CPU seconds would be nobody's."""
    process = spark.sparkContext._gateway.proc
    spark.stop()
    process.stdin.close()
    process.wait()


def main():
    job = task()
    spark = session(job["threads"])
    started = time.monotonic()
    schema = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    # FAILFAST: a cell that does not fit its type is an error for the other contenders, too.
    options = {"header": True, "escape": '"', "mode": "FAILFAST", "multiLine": job["detail"]}
    rows = spark.read.options(**options).schema(schema).csv(job["data"])
    found = {}
    if job["action"] == "write":
        writer = rows.where(ALL_RULES).write.option("compression", job["compression"])
        writer.partitionBy("l_shipmode").parquet(job["out"])
    elif job["action"] == "judge":
        items = select_list(lambda rule: f"count_if({rule})", detail=job["detail"])
        # The mean of a decimal is a decimal of four more digits here.
        items["mean"] = "avg(double(l_quantity))"
        found = rows.selectExpr(*(f"{value} as {name}" for name, value in items.items())).first().asDict()
    seconds = time.monotonic() - started
    stop(spark)
    answer(found, inside=seconds)


main()
