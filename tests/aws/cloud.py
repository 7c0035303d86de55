"""deploy/template.yaml on an emulator, and what tests do to it and ask of it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
import uuid
import zipfile
from pathlib import Path
from types import SimpleNamespace

import boto3
from botocore.config import Config

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
STUB = HERE / "stub" / "program.py"
PAST = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def built(name: str, variable: str) -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return Path(os.environ.get(variable) or target / "debug" / name)


def stripped(binary: Path) -> Path:
    """Without debug information, which would be 200 MB to carry about; made anew when the binary is."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "etl-engine" / "stripped"
    caches.mkdir(parents=True, exist_ok=True)
    small = caches / f"{binary.name}-{binary.stat().st_mtime_ns}"
    if not small.exists():
        for old in caches.glob(f"{binary.name}-*"):
            old.unlink()
        part = small.with_suffix(f".{os.getpid()}")
        subprocess.run(["strip", "-s", "-o", part, binary], check=True)
        part.rename(small)
    return small


def wait(until, seconds=30.0, every=0.05, what="it"):
    """What `until` returns once it is true."""
    end = time.monotonic() + seconds
    while not (found := until()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(every)
    return found


class Cloud:
    """`with Cloud(bootstrap, batch) as cloud`: emulator started, stack deployed. ETL_KEEP=1 leaves its folder with all logs."""

    def __init__(self, bootstrap: Path, batch: Path, heartbeat_scale=1.0, parameters=None, **environment):
        self.folder = Path(tempfile.mkdtemp(prefix="etl-aws-"))
        self.bootstrap, self.batch = bootstrap, batch
        self.stub = bootstrap == STUB
        self.parameters = parameters or {}
        self.extra = {"HEARTBEAT_SCALE": str(heartbeat_scale), **environment}

    def __enter__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        environment = {
            # Nothing else of this process's: functions inherit what the emulator has.
            **{name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME", "PYTHON") if name in os.environ},
            **CREDENTIALS,
            "TMPDIR": str(self.folder),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "SFN_WAIT_SCALE": "0.01",
            "CLOUDTRAIL_RECORDING": "1",
            "PYTHONPATH": str(HERE / "emulator"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ETL_BATCH_BIN": str(self.batch),
            "ETL_CONTAINERS": str(self.folder / "containers"),
            **self.extra,
        }
        if self.stub:
            environment["ETL_STUB"] = str(self.folder / "stub")
            (self.folder / "stub").mkdir()
        (self.folder / "containers").mkdir()
        subprocess.run([HERE / "emulator" / "run", "--prepare"], check=True, stdin=subprocess.DEVNULL)
        self.log = open(self.folder / "emulator.log", "wb")
        self.process = subprocess.Popen(
            [HERE / "emulator" / "run"],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait(self.healthy, 60, what="the emulator")
            self.deploy()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # Functions and containers are in its process group.
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()
        if not os.environ.get("ETL_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def healthy(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "emulator.log").read_text()[-3000:])
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def client(self, service):
        clients = self.__dict__.setdefault("clients", {})
        if service not in clients:
            clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}),
            )
        return clients[service]

    def deploy(self):
        s3, cloudformation, ec2 = self.client("s3"), self.client("cloudformation"), self.client("ec2")
        archive = self.folder / "bootstrap.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as zipped:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            zipped.writestr(entry, self.bootstrap.read_bytes())
        s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.upload_file(str(archive), "code", "bootstrap.zip")
        template = (ROOT / "deploy" / "template.yaml").read_text()
        if self.extra.get("AUTH"):
            # The emulator speaks no TLS here, and would rightly refuse everything.
            template, removed = re.subn(r"( +)- Sid: TlsOnly\n(\1  .*\n)+", "", template)
            template = re.sub(r"(Statement:)\n(?! +[-#])", r"\1 []\n", template)
            assert removed, "no statement asks for TLS"
        s3.put_object(Bucket="code", Key="template.yaml", Body=template.encode())
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
        groups = [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]][:1]
        parameters = {
            "CodeBucket": "code",
            "CodeKey": "bootstrap.zip",
            "Architecture": "x86_64",
            "ImageUri": "etl-engine:batch",
            "Subnets": ",".join(subnets),
            "SecurityGroups": ",".join(groups),
            # Tests start executions themselves.
            "ScheduleState": "DISABLED",
            "LogFilter": "info",
            **self.parameters,
        }
        cloudformation.create_stack(
            StackName="etl",
            TemplateURL=f"{self.endpoint}/code/template.yaml",
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        stack = wait(self.stack, 60, what="the stack")
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        # What the topic sends is read from a queue.
        sqs, sns = self.client("sqs"), self.client("sns")
        self.inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=self.inbox, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=self.outputs["TopicArn"], Protocol="sqs", Endpoint=arn)

    def stack(self):
        cloudformation = self.client("cloudformation")
        stack = cloudformation.describe_stacks(StackName="etl")["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return stack
        if "FAILED" in stack["StackStatus"] or "ROLLBACK" in stack["StackStatus"]:
            events = cloudformation.describe_stack_events(StackName="etl")["StackEvents"]
            failed = [event for event in events if "FAILED" in event["ResourceStatus"]]
            raise AssertionError("\n".join(f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in failed))
        return None

    # Buckets

    def put_job(self, name: str, text: str):
        self.client("s3").put_object(Bucket=self.outputs["Config"], Key=f"jobs/{name}.yaml", Body=text.encode())

    def land(self, key: str, body: bytes):
        self.client("s3").put_object(Bucket=self.outputs["Landing"], Key=key, Body=body)

    def keys(self, output: str, prefix: str = "") -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.outputs[output], Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    # Functions

    def physical(self, logical: str) -> str:
        """What a resource of the template is called."""
        found = self.client("cloudformation").describe_stack_resource(StackName="etl", LogicalResourceId=logical)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def invoke(self, logical: str, request: dict):
        """(answer, None) or (None, error) of a function by its name in the template."""
        reply = self.client("lambda").invoke(FunctionName=self.physical(logical), Payload=json.dumps(request).encode())
        answer = json.load(reply["Payload"])
        return (None, answer) if "FunctionError" in reply else (answer, None)

    # The table, as plain values

    def files(self) -> dict[str, dict]:
        """Each file's last event by its key in the landing bucket."""
        landing = f"s3://{self.outputs['Landing']}/"
        return {
            item["uri"].removeprefix(landing): {**json.loads(item["event"]), "queue": item.get("queue")}
            for item in self.items()
            if item["sk"] == "FILE"
        }

    def items(self) -> list[dict]:
        table = boto3.resource(
            "dynamodb",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ).Table(self.outputs["Table"])
        found, start = [], {}
        while True:
            page = table.scan(ConsistentRead=True, **start)
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    # Executions

    def start(self, request: dict, name: str | None = None) -> str:
        states = self.client("stepfunctions")
        return states.start_execution(
            stateMachineArn=self.outputs["WorkflowArn"],
            name=name or f"run-{uuid.uuid4().hex[:12]}",
            input=json.dumps(request),
        )["executionArn"]

    def run(self, request: dict | None = None, seconds=60.0) -> SimpleNamespace:
        """An execution to its end: status, output, error, cause, arn."""
        return self.finish(self.start(request or {}), seconds)

    def finish(self, arn: str, seconds=60.0) -> SimpleNamespace:
        states = self.client("stepfunctions")

        def over():
            told = states.describe_execution(executionArn=arn)
            return told if told["status"] in PAST else None

        told = wait(over, seconds, what=f"the end of {arn}")
        return SimpleNamespace(
            arn=arn,
            name=arn.rsplit(":", 1)[1],
            status=told["status"],
            output=json.loads(told.get("output") or "null"),
            error=told.get("error"),
            cause=told.get("cause"),
        )

    def history(self, arn: str) -> list[dict]:
        pages = self.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]

    def children(self, arn: str) -> list[str]:
        """Executions of the Distributed Maps of an execution."""
        states = self.client("stepfunctions")
        runs = states.list_map_runs(executionArn=arn)["mapRuns"]
        return [
            child["executionArn"]
            for run in runs
            for child in states.list_executions(mapRunArn=run["mapRunArn"])["executions"]
        ]

    # What was sent, run and called

    def messages(self) -> list[SimpleNamespace]:
        """Of the topic, since the last time: subject, text."""
        sqs, found = self.client("sqs"), []
        while batch := sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                told = json.loads(message["Body"])
                found.append(SimpleNamespace(subject=told.get("Subject"), text=told["Message"]))
                sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
        return found

    def containers(self) -> list[dict]:
        return [json.loads(path.read_text()) for path in sorted((self.folder / "containers").glob("*.json"))]

    def dead_letters(self) -> int:
        attributes = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["RegisterDeadLettersUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])

    # Faults on demand: emulator/faults.py

    def control(self, path: str, rules: list | None = None):
        body = None if rules is None else json.dumps(rules).encode()
        with urllib.request.urlopen(f"{self.endpoint}/_etl/{path}", data=body, timeout=30) as reply:
            return json.load(reply)

    def time_passes(self, dataset: str):
        """Whatever holds a file has run out."""
        past = "2000-01-01T00:00:00Z"
        for item in self.items():
            event = json.loads(item["event"])
            if item["sk"] == "FILE" and event.get("lease_until") and event.get("dataset") == dataset:
                text = json.dumps({**event, "lease_until": past})
                self.client("dynamodb").update_item(
                    TableName=self.outputs["Table"],
                    Key={"pk": {"S": item["pk"]}, "sk": {"S": "FILE"}},
                    UpdateExpression="SET event = :event",
                    ExpressionAttributeValues={":event": {"S": text}},
                )
