"""Columns that are added, partitions that somebody moved, a crawler; and large output that is given up."""

import gzip
import random
from base64 import b64encode

import pytest
from real import CRAWLER, expected, job, real_cloud, registered, seen, some, start_file, table

NAME = "catalogued"


@pytest.fixture(scope="module")
def cloud():
    return real_cloud()


@pytest.fixture(scope="module")
def first(cloud):
    cloud.land(f"{NAME}/first.csv", some(0).encode())
    registered(f"{NAME}/first.csv")
    run = cloud.run({"DatasetName": NAME})
    assert run.output["Ingested"] == 1, run


def test_a_new_column_is_added_and_older_files_stay_readable(cloud, first):
    lines = some(100).splitlines()
    wider = "\n".join([lines[0] + ",note", *(line + ",n" for line in lines[1:])]) + "\n"
    cloud.put_job(NAME, job(cloud, NAME).replace("type: date}", "type: date}\n    - {name: note, type: string}"))
    cloud.land(f"{NAME}/wider.csv", wider.encode())
    registered(f"{NAME}/wider.csv")
    assert cloud.run({"DatasetName": NAME}).output["Ingested"] == 1
    columns = cloud.client("glue").get_table(DatabaseName="etl", Name=NAME)["Table"]["StorageDescriptor"]["Columns"]
    assert [column["Name"] for column in columns] == ["id", "amount", "ordered_at", "day", "note"]
    rows = table(cloud, NAME)
    assert seen(rows) == expected(some(0), wider)
    assert [row.get("note") for row in rows].count("n") == 20
    cloud.put_job(NAME, job(cloud, NAME))


def test_a_partition_that_was_moved_meanwhile_is_put_right(cloud, first):
    glue, before = cloud.client("glue"), seen(table(cloud, NAME))
    known = [partition["Values"] for partition in glue.get_partitions(DatabaseName="etl", TableName=NAME)["Partitions"]]
    cloud.land(f"{NAME}/moved.csv", some(200).encode())
    file = registered(f"{NAME}/moved.csv")
    rule = {"do": "kill", "after": True, "file": file["file_id"], "target": "BatchCreatePartition"}
    cloud.control("faults", [rule])
    assert cloud.finish(start_file(f"{NAME}/moved.csv")).output["Outcome"] == "ERROR"
    cloud.control("faults", [])
    moved = [p for p in glue.get_partitions(DatabaseName="etl", TableName=NAME)["Partitions"] if p["Values"] not in known]
    assert len(moved) == 2
    place = {**moved[0]["StorageDescriptor"], "Location": "s3://elsewhere/"}
    entry = {
        "PartitionValueList": moved[0]["Values"],
        "PartitionInput": {"Values": moved[0]["Values"], "StorageDescriptor": place},
    }
    glue.batch_update_partition(DatabaseName="etl", TableName=NAME, Entries=[entry])
    assert cloud.run({"DatasetName": NAME}).output["Ingested"] == 1
    assert seen(table(cloud, NAME)) == sorted(before + expected(some(200)))


def test_a_crawler_is_run_after_new_files(cloud, first):
    glue, role = cloud.client("glue"), cloud.client("iam").get_role(RoleName=cloud.physical("PublishRole"))["Role"]["Arn"]
    glue.create_crawler(Name=CRAWLER, Role=role, DatabaseName="etl", Targets={"S3Targets": [{"Path": "s3://none/"}]})
    cloud.land(f"{NAME}/crawled.csv", some(300).encode())
    registered(f"{NAME}/crawled.csv")
    run = cloud.run({"DatasetName": NAME, "CrawlerName": CRAWLER})
    assert run.status == "SUCCEEDED" and cloud.files()[f"{NAME}/crawled.csv"]["state"] == "INGESTED", run
    crawler = glue.get_crawler(Name=CRAWLER)["Crawler"]
    assert crawler["State"] == "READY" and crawler["LastCrawl"]["Status"] == "SUCCEEDED"


@pytest.mark.parametrize("route", ["LAMBDA", "CONTAINER"])
def test_parts_of_a_damaged_file_are_given_up(cloud, route):
    """Its Parquet had been on its way in parts of 5 MiB when its end was found to be missing."""
    chance = random.Random(route)
    rows = [f"{i},{b64encode(chance.randbytes(90)).decode()}" for i in range(120_000)]
    text = job(cloud, "large").replace("partition_by: [country]", "row_group_size: 1 MiB")
    columns = text[text.index("    - {name: country") : text.index("on_invalid")]
    cloud.put_job("large", text.replace(columns, "    - {name: note, type: string}\n"))
    key = f"large/{route.lower()}.csv.gz"
    cloud.land(key, gzip.compress("\n".join(["id,note", *rows]).encode(), 1)[:-1000])
    registered(key)
    assert cloud.finish(start_file(key, route), 120).output["Outcome"] == "INVALID"
    assert cloud.keys("Lake", "large/data/") == []
    assert "Uploads" not in cloud.client("s3").list_multipart_uploads(Bucket=cloud.outputs["Lake"])
    role = cloud.physical("ValidateRole" if route == "LAMBDA" else "TaskRole")
    assert [call for call in cloud.control("calls") if call[:2] == [role, "s3:AbortMultipartUpload"]]
