"""The stack with the real programs and enforced policies, once for all tests of a session; and what its readers see."""

import atexit
import functools
import io
import json

import pyarrow.parquet as pq
from cloud import Cloud, built, stripped, wait

JOB = """
version: 1
name: %(dataset)s
source: {location: "s3://%(Landing)s/%(dataset)s/", csv: {header: true}}
schema:
  columns:
    - {name: id, type: bigint, nullable: false}
    - {name: country, type: string}
    - {name: amount, type: "decimal(12,2)"}
    - {name: ordered_at, type: timestamp}
    - {name: day, type: date}
on_invalid: {rows: quarantine, max_rejected: "20%%"}
sink: {location: "s3://%(Lake)s/%(dataset)s", partition_by: [country]}
catalog: {glue: {database: etl, table: %(dataset)s}}
"""
# A function remembers for a minute where files arrive, so all jobs are there before the first file.
DATASETS = ("orders", "catalogued", "killed", "large", "throttled")
CRAWLER = "after-files"
SECRET = "oops"  # the value of the cells that are no number


def job(cloud, dataset: str) -> str:
    return JOB % {**cloud.outputs, "dataset": dataset}


@functools.cache
def real_cloud() -> Cloud:
    programs = [built("bootstrap", "ETL_BOOTSTRAP_BIN"), built("etl-batch", "ETL_BATCH_BIN")]
    missing = [str(program) for program in programs if not program.exists()]
    assert not missing, f"not built: {', '.join(missing)}; run `cargo build --workspace`"
    cloud = Cloud(
        *map(stripped, programs), AUTH="true", parameters={"MaxAttempts": "2", "CrawlerName": CRAWLER}, CRAWLER_RUN_SECONDS="1"
    )
    cloud.__enter__()
    atexit.register(cloud.__exit__)
    _, error = cloud.invoke("RecordErrorFunction", {"SFNState": "Record Error"})
    old = error and "unknown field `SFNState`" in error.get("errorMessage", "")
    assert not old, f"{programs[0]} does not know the requests of the state machine: build it anew"
    for dataset in DATASETS:
        cloud.put_job(dataset, job(cloud, dataset))
    return cloud


@functools.cache
def file_machine() -> str:
    """The states of one file as a state machine of their own."""
    cloud = real_cloud()
    states = cloud.client("stepfunctions")
    whole = states.describe_state_machine(stateMachineArn=cloud.outputs["WorkflowArn"])
    processor = json.loads(whole["definition"])["States"]["Process Files"]["ItemProcessor"]
    return states.create_state_machine(
        name="one-file",
        definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": processor["StartAt"], "States": processor["States"]}),
        roleArn=whole["roleArn"],
    )["stateMachineArn"]


def registered(key: str) -> dict:
    return wait(lambda: real_cloud().files().get(key), what=f"the registration of {key}")


def start_file(key: str, route: str = "LAMBDA") -> str:
    """Starts the states of a file that is registered."""
    file = registered(key)
    request = {"DatasetName": file["dataset"], "FileId": file["file_id"], "Route": route}
    states = real_cloud().client("stepfunctions")
    return states.start_execution(stateMachineArn=file_machine(), input=json.dumps(request))["executionArn"]


def some(first: int, bad: bool = False) -> str:
    """Twenty orders with ids of their own."""
    amounts = ["1.50", SECRET if bad else "2.50"]
    rows = [f"{first + i},{('DE', 'FR')[i % 2]},{amounts[i % 2]},2026-01-02 03:04:05,2026-01-02" for i in range(20)]
    return "\n".join(["id,country,amount,ordered_at,day", *rows]) + "\n"


def table(cloud, name="orders"):
    """What a reader sees: the rows of the partitions in the catalog."""
    glue = cloud.client("glue")
    keys = [key["Name"] for key in glue.get_table(DatabaseName="etl", Name=name)["Table"]["PartitionKeys"]]
    rows, partitions = [], glue.get_partitions(DatabaseName="etl", TableName=name)["Partitions"]
    for partition in partitions:
        bucket, _, prefix = partition["StorageDescriptor"]["Location"].removeprefix("s3://").partition("/")
        found = cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix.rstrip("/") + "/").get("Contents", [])
        assert found, f"nothing at {partition['StorageDescriptor']['Location']}"
        for item in found:
            body = cloud.client("s3").get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            values = dict(zip(keys, partition["Values"], strict=True))
            rows += [{**row, **values} for row in pq.read_table(io.BytesIO(body)).to_pylist()]
    return rows


def expected(*texts):
    """(id, country, amount) of the good rows, by hand."""
    rows = []
    for text in texts:
        for line in text.splitlines()[1:]:
            number, country, amount, *_ = line.split(",")
            if amount != SECRET:
                rows.append((int(number), country or "__HIVE_DEFAULT_PARTITION__", amount))
    return sorted(rows)


def seen(rows):
    return sorted((row["id"], row["country"], str(row["amount"])) for row in rows)
