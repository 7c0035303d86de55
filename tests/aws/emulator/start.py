"""The emulator, with what it lacks beside AWS and this workflow uses.

Written against the one version in requirements.txt. When that is raised, look whether each of these is still needed:
- states inside of a Map leave StateEntered events in the history;
- a Distributed Map evaluates JSONata in ItemReader, MaxConcurrency and Output, and its children have a name of their own;
- a GET of a version keeps its Range;
- each attempt of a task has a token of its own;
- HeartbeatSeconds is kept (times HEARTBEAT_SCALE, for waiting is scaled as well);
- who may not list a bucket is told "denied" of what is not there (faults.py, which also makes faults).
"""

import os
import threading
import time

import faults
from ministack import app
from ministack.services import s3
from ministack.services import stepfunctions as sfn

HEARTBEAT_SCALE = float(os.environ.get("HEARTBEAT_SCALE", "1"))
of_thread = threading.local()


def enters(kind, execute):
    def wrapped(state, data, *rest):
        ctx = rest[-1]
        if ctx.get("Map") and getattr(of_thread, "execution", None) is not None:
            details = {"name": ctx["State"]["Name"], "input": sfn.json.dumps(data)}
            sfn._add_event(of_thread.execution, f"{kind}StateEntered", {"stateEnteredEventDetails": details})
        return execute(state, data, *rest)

    return wrapped


for kind in ("Task", "Choice", "Pass", "Wait"):
    name = f"_execute_{kind.lower()}"
    setattr(sfn, name, enters(kind, getattr(sfn, name)))

run_sub_machine = sfn._run_sub_machine


def sub_machine(states, start, data, execution, ctx):
    if execution["executionArn"] != ctx["Execution"]["Id"]:
        ctx["Execution"] = {
            "Id": execution["executionArn"],
            "Input": data,
            "Name": execution["name"],
            "StartTime": execution["startDate"],
        }
    of_thread.execution = execution
    return run_sub_machine(states, start, data, execution, ctx)


sfn._run_sub_machine = sub_machine
run_distributed_map = sfn._run_distributed_map


def distributed_map(state, data, effective, iterator, execution, ctx):
    if sfn._state_query_language(state, ctx) != "JSONata":
        return run_distributed_map(state, data, effective, iterator, execution, ctx)
    plain = dict(state)
    for field in ("ItemReader", "MaxConcurrency"):
        if field in plain:
            plain[field] = sfn._apply_jsonata_template(plain[field], data, ctx)
    result, following = run_distributed_map(plain, data, effective, iterator, execution, ctx)
    return sfn._apply_jsonata_output(state, data, ctx, result=result, default=result), following


sfn._run_distributed_map = distributed_map
apply_arguments = sfn._apply_jsonata_arguments


def arguments(state, data, ctx=None):
    if ctx and state.get("Resource", "").endswith(".waitForTaskToken"):
        ctx["Task"] = {"Token": sfn.new_uuid()}
    return apply_arguments(state, data, ctx)


sfn._apply_jsonata_arguments = arguments
invoke_with_callback = sfn._invoke_with_callback


def callback(resource, data, token, state):
    patience = state.get("HeartbeatSeconds")
    if patience is None:
        return invoke_with_callback(resource, data, token, state)
    over = threading.Event()

    def watch():
        heard, beat = time.monotonic(), None
        while not over.wait(0.05):
            waiting = sfn._task_tokens.get(token)
            if waiting is None:
                continue
            if waiting["heartbeat"] != beat:
                heard, beat = time.monotonic(), waiting["heartbeat"]
            elif token in faults.silenced or time.monotonic() - heard > patience * HEARTBEAT_SCALE:
                waiting["error"] = {"Error": "States.HeartbeatTimeout", "Cause": f"nothing heard for {patience} s"}
                waiting["event"].set()
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        return invoke_with_callback(resource, data, token, state)
    finally:
        over.set()


sfn._invoke_with_callback = callback
get_object = s3._get_object


def get_range(bucket, key, headers, query, *rest, **named):
    status, answer, body = get_object(bucket, key, headers, query, *rest, **named)
    if status == 200 and headers.get("range") and query.get("versionId"):
        found = s3._parse_range(headers["range"], len(body))
        if found is None:
            return 416, {"Content-Range": f"bytes */{len(body)}"}, b""
        start, end = found
        size, body = len(body), body[start : end + 1]
        # A hash of the whole does not fit a part.
        answer = {name: value for name, value in answer.items() if not name.lower().startswith("x-amz-checksum")}
        answer |= {"Content-Range": f"bytes {start}-{end}/{size}", "Content-Length": str(len(body))}
        status = 206
    return status, answer, body


s3._get_object = get_range
app.main()
