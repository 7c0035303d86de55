"""moto as a process, for several clients at once: `with Emulator() as emulator: emulator.client("s3")`.

As a program (`emulator.py PORT`) it is the server. Three things are done to moto there:
- a transaction of DynamoDB copies the whole table, to bring it back should it fail, and brings back also what others wrote in
  between: here only its own items are brought back;
- requests are served one at a time, for checks and writes are not one step in moto;
- requests are counted: `GET /etl-counts` gives {"requests": {"s3 GET": n, ...}, "cpu": seconds}.
"""

import collections
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request

COUNTS = "/etl-counts"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


class Emulator:
    """A server of its own."""

    def __init__(self):
        self.clients = {}

    def __enter__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(self.port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(300):
            try:
                self.counts()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        self.__exit__()
        raise RuntimeError("the emulator does not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def counts(self):
        with urllib.request.urlopen(self.endpoint + COUNTS, timeout=10) as reply:
            return json.load(reply)

    def client(self, service):
        """Made once: it takes a third of a second."""
        import boto3
        from botocore.config import Config

        if service not in self.clients:
            config = Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}, max_pool_connections=32)
            self.clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                region_name="us-east-1",
                config=config,
            )
        return self.clients[service]

    def items(self, table):
        """Every item of a table, as plain strings."""
        for page in self.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                yield {name: next(iter(value.values())) for name, value in item.items()}

    def create_audit_table(self, name):
        """The table of deploy/template.yaml."""
        keys = ("pk", "sk", "queue", "queued_at")
        schema = lambda first, second: [  # noqa: E731
            {"AttributeName": first, "KeyType": "HASH"},
            {"AttributeName": second, "KeyType": "RANGE"},
        ]
        index = {"IndexName": "by_state", "KeySchema": schema("queue", "queued_at"), "Projection": {"ProjectionType": "ALL"}}
        self.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=schema("pk", "sk"),
            GlobalSecondaryIndexes=[index],
        )


def corrected():
    """Makes transactions of moto bring back no more than they changed."""
    import copy
    from types import SimpleNamespace

    from moto.dynamodb import models
    from moto.dynamodb.models.dynamo_type import DynamoType

    original = models.DynamoDBBackend.transact_write_items
    deep = lambda value, *more: value if isinstance(value, models.Table) else copy.deepcopy(value, *more)  # noqa: E731
    models.copy = SimpleNamespace(deepcopy=deep, copy=copy.copy)

    def transact_write_items(self, transact_items):
        before = []
        for entry in transact_items:
            operation = next(iter(entry.values()))
            table = self.get_table(operation["TableName"])
            keys = operation.get("Key") or operation["Item"]
            hash_key, range_key = DynamoType(keys[table.hash_key_attr]), DynamoType(keys[table.range_key_attr])
            before.append((table.items, hash_key, range_key, table.items.get(hash_key, {}).get(range_key)))
        try:
            original(self, transact_items)
        except Exception:
            for held, hash_key, range_key, item in before:
                if item is not None:
                    held[hash_key][range_key] = item
                elif hash_key in held:
                    held[hash_key].pop(range_key, None)
            raise

    models.DynamoDBBackend.transact_write_items = transact_write_items


def counted(application, lock=threading.Lock(), counts=collections.Counter()):
    """A WSGI application that serves one request at a time and counts them."""

    def name(environ):
        if target := environ.get("HTTP_X_AMZ_TARGET"):
            return target.replace("DynamoDB_20120810.", "dynamodb ").replace("AWSGlue.", "glue ")
        service = re.search(r"/([a-z0-9-]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        method = environ["REQUEST_METHOD"]
        listing = service and service[1] == "s3" and "list-type=2" in environ.get("QUERY_STRING", "")
        return f"{service[1] if service else 'unsigned'} {'LIST' if listing else method}"

    def serve(environ, start_response):
        if environ["PATH_INFO"] == COUNTS:
            body = json.dumps({"requests": counts, "cpu": time.process_time()}).encode()
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]
        with lock:
            counts[name(environ)] += 1
            return application(environ, start_response)

    return serve


def main(port):
    import logging

    from moto.server import DomainDispatcherApplication, create_backend_app
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import run_simple

    class Quiet(MotoRequestHandler):
        disable_nagle_algorithm = True

        def log_request(self, *_):
            pass

    os.environ["MOTO_PORT"] = str(port)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    corrected()
    application = counted(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", port, application, threaded=True, use_reloader=False, request_handler=Quiet)


if __name__ == "__main__":
    main(int(sys.argv[1]))
