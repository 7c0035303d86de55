"""What the catalog comes to: columns that are added, partitions that somebody moved, a crawler."""

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
    glue.update_partition(
        DatabaseName="etl",
        TableName=NAME,
        PartitionValueList=moved[0]["Values"],
        PartitionInput={"Values": moved[0]["Values"], "StorageDescriptor": place},
    )
    assert cloud.run({"DatasetName": NAME}).output["Ingested"] == 1
    assert seen(table(cloud, NAME)) == sorted(before + expected(some(200)))


def test_a_crawler_is_run_after_new_files(cloud, first):
    glue = cloud.client("glue")
    glue.create_crawler(Name=CRAWLER, Role="crawler", DatabaseName="etl", Targets={"S3Targets": [{"Path": "s3://none/"}]})
    cloud.land(f"{NAME}/crawled.csv", some(300).encode())
    registered(f"{NAME}/crawled.csv")
    run = cloud.run({"DatasetName": NAME, "CrawlerName": CRAWLER})
    assert run.status == "SUCCEEDED" and run.output["Ingested"] == 1, run
    crawler = glue.get_crawler(Name=CRAWLER)["Crawler"]
    assert crawler["State"] == "READY" and crawler["LastCrawl"]["Status"] == "SUCCEEDED"
