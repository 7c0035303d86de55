"""Requests of functions and containers are written down, and on demand refused, delayed, or the last that their process makes.

    GET  /_etl/calls     [[role, action, resource], ..]: what was asked for and allowed
    GET  /_etl/faults    {"fired": [rule, ..], "requests": {"<file> <state>": most requests of one try}}
    POST /_etl/faults    rules, in place of those before: a list of
        {"do": "kill" | "throttle" | "delay",
         "state", "file", "service", "target",
                                      which requests; all when absent. The target is an operation of DynamoDB or Glue
         "request": n                 the nth of a try only
         "times": n                   so often; kill: once
         "rate": p                    by chance, the same in each session
         "after": true                kill: once the request has had its effect, so that only its answer is lost
         "seconds": s                 delay
         "reason": r}                 throttle: by this reason of a cancelled transaction

Each process has credentials of its own, by which its requests are told apart.
"""

import asyncio
import json
import os
import random
import signal
import threading
import uuid

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import lambda_svc, sts

rules, fired, requests, calls = [], [], {}, set()
silenced = set()  # tokens of containers that were killed: nobody waits for their heartbeat
callers = {}
chance = random.Random(1)
of_thread = threading.local()


class Caller:
    """A process, and the request that it works on."""

    def __init__(self, pid, event=None):
        self.pid, self.event, self.count, self.token = pid, event or {}, 0, None

    def begins(self, event):
        self.event, self.count = event, 0

    def kill(self):
        os.kill(self.pid(), signal.SIGKILL)
        if self.token:
            silenced.add(self.token)

    @property
    def state(self):
        return self.event.get("SFNState", "Register")

    @property
    def file(self):
        return self.event.get("FileId", "-")


def new_key(role: str, account: str, caller: Caller) -> dict:
    """Credentials of a role, for one process."""
    key, name = f"ASIA{uuid.uuid4().hex[:16].upper()}", role.rsplit("/", 1)[-1]
    session = {"SecretAccessKey": "secret", "SessionToken": "token", "UserId": f"{name}:process"}
    sts.register_session(key, {"Arn": f"arn:aws:sts::{account}:assumed-role/{name}/process", **session})
    callers[key] = caller
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}


# Functions

spawn, invoke, worker_env = (
    lambda_runtime.ProvidedWorker._spawn,
    lambda_runtime.ProvidedWorker.invoke,
    lambda_svc._provided_worker_env,
)


def spawn_known(worker, *rest, **named):
    of_thread.worker = worker
    return spawn(worker, *rest, **named)


def env_known(config, *rest):
    env = worker_env(config, *rest)
    if app.AUTH:
        worker = of_thread.worker
        worker.caller = Caller(lambda: worker._proc.pid, getattr(worker, "event", None))
        env |= new_key(config["Role"], config["Role"].split(":")[4], worker.caller)
    return env


def invoke_known(worker, event, *rest, **named):
    worker.event = event
    if hasattr(worker, "caller"):
        worker.caller.begins(event)
    return invoke(worker, event, *rest, **named)


lambda_runtime.ProvidedWorker._spawn = spawn_known
lambda_runtime.ProvidedWorker.invoke = invoke_known
lambda_svc._provided_worker_env = env_known

# What was allowed

evaluate = iam_evaluator.evaluate


def written_down(ctx, *policies):
    result = evaluate(ctx, *policies)
    if result.decision == "Allow" and "/" in ctx.principal_arn:
        calls.add((ctx.principal_arn.split("/")[1], ctx.action, ctx.resource_arn))
    return result


iam_evaluator.evaluate = written_down

resource_arn = iam_actions.extract_resource_arn


def arn_known(service, method, path, headers, body, query, region, account):
    """For a crawler the emulator takes the name of a field that its requests do not have."""
    if service == "glue" and headers.get("x-amz-target", "").endswith("Crawler"):
        return f"arn:aws:glue:{region}:{account}:crawler/{json.loads(body).get('Name', '')}"
    return resource_arn(service, method, path, headers, body, query, region, account)


iam_actions.extract_resource_arn = arn_known

# Requests

dispatch = app._dispatch_service_request


def service_of(headers) -> str:
    # Credential=KEY/date/region/service/aws4_request
    scope = headers.get("authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    return scope[3] if len(scope) > 3 else "-"


def rule_for(caller, service, target):
    about = {"state": caller.state, "file": caller.file, "service": service, "target": target, "request": caller.count}
    for rule in rules:
        if any(rule[name] != value for name, value in about.items() if name in rule):
            continue
        if rule.get("times", 1 if rule["do"] == "kill" else None) == rule.get("fired", 0):
            continue
        if chance.random() < rule.get("rate", 1):
            rule["fired"] = rule.get("fired", 0) + 1
            if rule not in fired:
                fired.append(rule)
            return rule
    return None


def throttled(service, reason=None):
    if service == "s3":
        text = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
        return 503, {"Content-Type": "application/xml"}, text.encode()
    code = "ProvisionedThroughputExceededException" if service == "dynamodb" else "ThrottlingException"
    answer = {"__type": code, "message": "Rate exceeded"}
    if reason:
        reasons = [{"Code": reason, "Message": "Rate exceeded"}, {"Code": "None"}]
        answer |= {"__type": "TransactionCanceledException", "CancellationReasons": reasons}
    return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(answer).encode()


async def missing(method, path, headers, query, answer):
    """AWS says that an object is not there to those only who may list its bucket; to others it says "denied"."""
    bucket, _, key = path.lstrip("/").partition("/")
    if answer[0] != 404 or method not in ("GET", "HEAD") or not key:
        return answer
    return app._enforce_data_plane("s3", "s3:ListBucket", headers, query, "", resource_arn=f"arn:aws:s3:::{bucket}") or answer


async def answer_known(method, path, headers, body, query, request_id):
    caller = callers.get(app.extract_access_key_id(headers, query))
    if caller is None:
        return await dispatch(method, path, headers, body, query, request_id)
    caller.count += 1
    place = f"{caller.file} {caller.state}"
    requests[place] = max(requests.get(place, 0), caller.count)
    service = service_of(headers)
    rule = rule_for(caller, service, headers.get("x-amz-target", "").rpartition(".")[2]) or {"do": None}
    if rule["do"] == "throttle":
        return throttled(service, rule.get("reason"))
    if rule["do"] == "delay":
        await asyncio.sleep(rule["seconds"])
    if rule["do"] == "kill" and not rule.get("after"):
        caller.kill()
        return throttled(service)
    answer = await dispatch(method, path, headers, body, query, request_id)
    if rule["do"] == "kill":
        caller.kill()
    return await missing(method, path, headers, query, answer) if service == "s3" else answer


app._dispatch_service_request = answer_known
serve = app.app


async def controlled(scope, receive, send):
    if scope["type"] != "http" or not scope["path"].startswith("/_etl/"):
        return await serve(scope, receive, send)
    if scope["method"] == "POST":
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        rules[:], fired[:] = json.loads(body), []
    told = sorted(calls) if scope["path"] == "/_etl/calls" else {"fired": fired, "requests": requests}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


app.app = controlled
