"""S3 and DynamoDB say "slow down": for a while it is ridden out, for long it ends in ERROR, and the next execution goes on."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from cloud import wait
from conftest import orders
from real import expected, file_machine, real_cloud, registered, seen, start_file, table

# name: rules for its file
SHORT = {
    "s3": [{"do": "throttle", "service": "s3", "times": 4}],
    "dynamodb": [{"do": "throttle", "service": "dynamodb", "times": 2}],
    "s3 by chance": [{"do": "throttle", "service": "s3", "rate": 0.25}],
    "dynamodb by chance": [{"do": "throttle", "service": "dynamodb", "rate": 0.25}],
    "a part of a transaction": [
        {"do": "throttle", "service": "dynamodb", "state": "Validate", "request": 6, "code": "TransactionCanceledException"}
    ],
    "glue": [{"do": "throttle", "service": "glue", "times": 2}],
}
LONG = {
    "s3, validate": [{"do": "throttle", "service": "s3", "state": "Validate"}],
    "s3, publish": [{"do": "throttle", "service": "s3", "state": "Publish"}],
    "dynamodb, validate": [{"do": "throttle", "service": "dynamodb", "state": "Validate"}],
    "dynamodb, publish": [{"do": "throttle", "service": "dynamodb", "state": "Publish"}],
    "glue": [{"do": "throttle", "service": "glue"}],
}
