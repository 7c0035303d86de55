"""Many small files, the news of them, and what must have become of them."""

import io
import json
import random
from collections import Counter
from urllib.parse import quote_plus

import pyarrow.parquet as pq

COUNTRIES = ("DE", "FR", "IT")
JOB = {
    "version": 1,
    "name": "orders",
    "source": {"location": "s3://landing/orders/", "csv": {"header": True}},
    "schema": {
        "columns": [
            {"name": "id", "type": "bigint", "nullable": False},
            {"name": "country", "type": "string"},
            {"name": "amount", "type": "decimal(12,2)"},
            {"name": "ordered_at", "type": "timestamp"},
            {"name": "day", "type": "date"},
        ]
    },
    "on_invalid": {"rows": "quarantine", "max_rejected": "20%"},
    "sink": {"location": "s3://lake/orders", "partition_by": ["day"]},
    "catalog": {"glue": {"database": "sales", "table": "orders"}},
}
RULES = """Rules = [
    Completeness "id" > 0.9,
    ColumnValues "amount" >= 0,
    ColumnValues "country" in ["DE", "FR", "IT"],
    RowCount > 0
]"""


class Landing:
    """`files`: by key, (kind, rows, rejected rows); kinds are good, bad, empty."""

    def __init__(self, s3, count, seed=1):
        self.s3, self.source, self.files = s3, random.Random(seed), {}
        bad, empty = max(1, count // 100), max(1, count // 500)
        kinds = ["bad"] * bad + ["empty"] * empty + ["good"] * (count - bad - empty)
        self.source.shuffle(kinds)
        self.kinds = kinds

    def put(self):
        """Writes the files; gives the events of all, each one to five times, in any order."""
        events = []
        for number, kind in enumerate(self.kinds):
            # What has to be encoded in S3's own events.
            key = f"orders/{number % 28 + 1:02}/file {number:05}+é.csv"
            body, rows, rejected = self.body(kind, number)
            etag = self.s3.put_object(Bucket="landing", Key=key, Body=body)["ETag"].strip('"')
            self.files[key] = (kind, rows, rejected)
            events += [self.event(key, len(body), etag) for _ in range(self.source.randint(1, 5))]
        self.source.shuffle(events)
        return events

    def body(self, kind, number):
        if kind == "empty":
            return b"", 0, 0
        rows = self.source.randint(20, 200)
        # Every tenth good file has some rows that are set aside; of a bad one half of them are.
        every = 2 if kind == "bad" else 20 if number % 10 == 0 else 0
        lines = ["id,country,amount,ordered_at,day"]
        for row in range(rows):
            amount = "oops" if every and row % every == 0 else f"{self.source.randrange(10**6) / 100:.2f}"
            lines.append(f"{row},{COUNTRIES[row % 3]},{amount},2026-01-05T10:00:{row % 60:02},2026-02-{number % 28 + 1:02}")
        return ("\n".join(lines) + "\n").encode(), rows, sum(",oops," in line for line in lines)

    def event(self, key, size, etag):
        if self.source.random() < 0.5:
            told = {"bucket": {"name": "landing"}, "object": {"key": key, "size": size, "etag": etag}}
            return {"source": "aws.s3", "detail-type": "Object Created", "detail": told}
        told = {"bucket": {"name": "landing"}, "object": {"key": quote_plus(key, safe="/"), "size": size, "eTag": etag}}
        return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": told}]}

    def of_kind(self, *kinds):
        return {key for key, (kind, _, _) in self.files.items() if kind in kinds}


def keys(s3, bucket, prefix=""):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def partitions(glue):
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName="sales", TableName="orders")
    return [page["StorageDescriptor"]["Location"] for pages_ in pages for page in pages_["Partitions"]]


def checks(landing, s3, glue, items, *, read_back=300):
    """Yields what must be true, and whether it is: (words, bool, figures)."""
    good, invalid = landing.of_kind("good"), landing.of_kind("bad", "empty")
    key_of = lambda uri: uri.removeprefix("s3://landing/")  # noqa: E731
    states = Counter((key_of(item["uri"]), item["state"]) for item in items if item["sk"] == "FILE")
    wanted = Counter({**{(key, "INGESTED"): 1 for key in good}, **{(key, "INVALID"): 1 for key in invalid}})
    yield "each file is known once, INGESTED or INVALID", states == wanted, Counter(state for _, state in states.elements())

    manifests = [json.load(s3.get_object(Bucket="lake", Key=key)["Body"]) for key in keys(s3, "lake", "orders/commits/")]
    committed = Counter(key_of(source["uri"]) for manifest in manifests for source in manifest["inputs"])
    yield "each good file has one commit, no other has any", committed == Counter(good), len(manifests)
    rows = {name: sum(manifest["rows"][name] for manifest in manifests) for name in manifests[0]["rows"]}
    read, rejected = (sum(landing.files[key][part] for key in good) for part in (1, 2))
    fits = (rows["read"], rows["rejected"]) == (read, rejected) and rows["read"] == sum(rows.values()) - rows["read"]
    yield "rows in = rows out + rejected, as they were written", fits, rows

    moved = keys(s3, "failed")
    names = Counter(key.rsplit("/", 1)[1] for key in moved)
    wanted = Counter(name for key in invalid for name in (key.rsplit("/", 1)[1], key.rsplit("/", 1)[1] + ".reasons.json"))
    yield "each bad file is in the failed place once, with its reasons", names == wanted, len(moved)
    yield "landing keeps the good files and no others", set(keys(s3, "landing")) == good, len(good)

    data = keys(s3, "lake", "orders/data/")
    named = [file["path"] for manifest in manifests for file in manifest["files"]]
    yield "data files are those of the manifests", sorted(data) == sorted(named), len(data)
    folders, known = {f"s3://lake/{key.rsplit('/', 1)[0]}" for key in data}, partitions(glue)
    yield "catalog partitions are the data folders", Counter(known) == Counter(folders), len(known)
    files = [file for manifest in manifests for file in manifest["files"]][:read_back]
    footers = [pq.read_metadata(io.BytesIO(s3.get_object(Bucket="lake", Key=file["path"])["Body"].read())).num_rows for file in files]
    yield f"rows in {len(files)} Parquet files as in the manifests", footers == [file["rows"] for file in files], sum(footers)
