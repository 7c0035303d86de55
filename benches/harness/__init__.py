"""The side-by-side benchmark, in the order of reading:

workloads.py  what is measured and what is aimed at   model.py   the words: Workload, Contender, Target
engine.py     etl-engine's commands and report        peers.py   the commands of DuckDB, Polars and Spark
inputs.py     files made of lineitem.csv              rulesets.py  many rules      s3.py  a bucket and a plain download
measure.py    one process: CPU, wall, peak memory     runner.py  interleaved runs, agreement, medians
verify.py     row for row                             report.py, chart.py  Markdown and SVG
"""
