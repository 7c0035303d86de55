"""Every state and every edge of the state machine is walked, with functions that answer as planned (stub/program.py).

Waiting is shortened to a hundredth. What history says is that each state was entered, and by which edge it was left.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from cloud import ROOT, STUB, Cloud, wait

MACHINE = json.loads((ROOT / "deploy" / "state-machine" / "workflow.asl.json").read_text())
MANY = " (Many)"
INVALID = {"DatasetName": "d", "FileId": "f1", "Verdict": "INVALID", "Rows": {}, "Reasons": ["r"], "Report": "s3://none"}
MOVE = "Move Invalid File To Failed Bucket"

# One file each; run by the inline Map and by the distributed one.
FILE_PLANS = {
    "good": ({}, "INGESTED"),
    "routed to the container": ({"Route": "CONTAINER"}, "INGESTED"),
    "too large": ({"Validate": ["Etl.TooLarge"]}, "INGESTED"),
    "out of time": ({"Validate": ["Sandbox.Timedout"]}, "INGESTED"),
    "out of memory": ({"Validate": ["Runtime.ExitError"]}, "INGESTED"),
    "large and invalid": ({"Validate": ["Etl.TooLarge"], "Validate In Container": [INVALID]}, "INVALID"),
    "invalid": ({"Validate": [INVALID]}, "INVALID"),
    "wrong job": ({"Validate": ["Etl.InvalidJob"]}, "ERROR"),
    "vanished": ({"Route": "CONTAINER", "Validate In Container": ["Etl.InputUnavailable"]}, "ERROR"),
    "unknown verdict": ({"Validate": [{"Verdict": "MAYBE"}]}, "ERROR"),
    "no verdict": ({"Validate": [{}]}, "ERROR"),
    "publish fails": ({"Publish": ["Etl.Reconciliation"]}, "ERROR"),
    "published after all": ({"Publish": ["Etl.Internal"], "Record Error": [{"State": "INGESTED"}]}, "INGESTED"),
    "held by another": ({"Validate": ["Etl.Internal"], "Record Error": [{"State": "VALIDATING"}]}, "HELD"),
    "not moved": ({"Validate": [INVALID], MOVE: ["Etl.Internal"], "Record Error": [{"State": "INVALID"}]}, "ERROR"),
    "invalid, notice fails": ({"Validate": [INVALID], "Notify": ["Etl.Internal"]}, "INVALID"),
    "error, notice fails": ({"Validate": ["Etl.Internal"], "Notify": ["Etl.Internal"]}, "ERROR"),
    "error, record fails": ({"Validate": ["Etl.Internal"], "Record Error": ["Etl.Internal"]}, "ERROR"),
}
# Runs: what the functions say, what the crawler's does, how it ends.
RUN_PLANS = {
    "nothing new": ({"Get New List": [{"Count": 0, "Files": [], "List": None}]}, None, "SUCCEEDED"),
    "no list": ({"Get New List": ["Etl.InvalidJob"]}, None, "FAILED"),
    "no list, notice fails": ({"Get New List": ["Etl.Internal"], "Notify": ["Etl.Internal"]}, None, "FAILED"),
    "map fails": ({"Get New List": [{"Count": 1, "Files": "f1", "List": None}]}, None, "FAILED"),
    "list of many is gone": ({"Get New List": [{"Count": 1, "Files": [], "List": {"Bucket": "b", "Key": "k"}}]}, None, "FAILED"),
    "crawler": ({}, {"Run Crawler State POLL": [{"State": "RUNNING", "LastCrawl": "FAILED"}, None]}, "SUCCEEDED"),
    "crawler fails": ({}, {"Run Crawler State POLL": [{"State": "READY", "LastCrawl": "FAILED"}]}, "FAILED"),
    "crawler does not start": ({}, {"Run Crawler State START": ["Etl.Internal"]}, "FAILED"),
    "crawler is not found": ({}, {"Run Crawler State POLL": ["Etl.Internal"]}, "FAILED"),
}
LAMBDA_ERRORS = [error for retrier in MACHINE["States"]["Get New List"]["Retry"] for error in retrier["ErrorEquals"]]
FINAL_ERRORS = ["Etl.InvalidJob", "Etl.InputUnavailable", "Etl.Reconciliation", "Etl.Internal", "States.Timeout"]
CONTAINER = MACHINE["States"]["Process Files"]["ItemProcessor"]["States"]["Validate In Container"]
CONTAINER_ERRORS = [error for retrier in CONTAINER["Retry"] for error in retrier["ErrorEquals"]]


def scopes(machine=MACHINE, name="the machine"):
    yield name, machine["States"]
    for state_name, state in machine["States"].items():
        if "ItemProcessor" in state:
            yield from scopes(state["ItemProcessor"], state_name)


SCOPE_OF = {state: scope for scope, states in scopes() for state in states}
STATES = {name: state for _, states in scopes() for name, state in states.items()}


def edges(name):
    """(from, kind, to); `End` goes nowhere."""
    state = STATES[name]
    for number, catcher in enumerate(state.get("Catch", [])):
        yield name, f"Catch {number}", catcher["Next"]
    for number, choice in enumerate(state.get("Choices", [])):
        yield name, f"Choice {number}", choice["Next"]
    for kind in ("Next", "Default"):
        if kind in state:
            yield name, kind, state[kind]
    if state.get("End"):
        yield name, "End", None


EDGES = {edge for name in STATES for edge in edges(name)}


def way(history):
    """The edges that were walked, and the tries of each task: [(state, [error or None of each try])]."""
    walked, tries, last = set(), [], {}

    def leave(scope, to):
        name = last.get(scope)
        if name is None:
            return
        error = tries_of[name][-1] if (tries_of := dict(tries)).get(name) else None
        ways = [edge for edge in edges(name) if edge[2] == to]
        if len(ways) > 1:
            ways = [edge for edge in ways if edge[1].startswith("Catch") == (error is not None)]
        if error is not None and STATES[name]["Type"] == "Task":
            matching = [n for n, c in enumerate(STATES[name]["Catch"]) if {error, "States.ALL"} & set(c["ErrorEquals"])]
            assert ways == [(name, f"Catch {matching[0]}", to)]
        assert len(ways) <= 1, (name, to)
        walked.update(ways)

    for event in history:
        if event["type"].endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            scope = SCOPE_OF[name]
            leave(scope, name)
            last[scope] = name
            if STATES[name]["Type"] == "Task":
                tries.append((name, []))
        elif event["type"] == "TaskSucceeded":
            tries[-1][1].append(None)
        elif event["type"] == "TaskFailed":
            tries[-1][1].append(event["taskFailedEventDetails"]["error"])
    for scope in last:
        leave(scope, None)
    return walked, tries


class Walker:
    def __init__(self, cloud):
        self.cloud, self.walked, self.entered = cloud, set(), set()

    def __call__(self, name, plan, crawler=None, many=False):
        """Runs one plan: how it ended, and the tries of its tasks."""
        plan = {"id": "".join(c if c.isalnum() else "-" for c in name) + ("-many" if many else ""), **plan}
        files = [{"DatasetName": json.dumps(plan), "FileId": "f1", "Route": plan.get("Route", "LAMBDA")}]
        listed = {"Count": 1, "Files": files, "List": None}
        if many:
            place = {"Bucket": self.cloud.outputs["Lake"], "Key": f"_etl/lists/{plan['id']}.json"}
            self.cloud.client("s3").put_object(**place, Body=json.dumps(files).encode())
            listed = {"Count": 1, "Files": [], "List": place}
        plan.setdefault("Get New List", [listed])
        request = {"DatasetName": json.dumps(plan)}
        if crawler is not None:
            request["CrawlerName"] = json.dumps({"id": plan["id"], **crawler})
        run = self.cloud.run(request)
        histories = [self.cloud.history(arn) for arn in [run.arn, *self.cloud.children(run.arn)]]
        tries, outcomes = [], []
        for history in histories:
            walked, tried = way(history)
            self.walked |= walked
            self.entered |= {e["stateEnteredEventDetails"]["name"] for e in history if e["type"].endswith("StateEntered")}
            tries += tried
        states = self.cloud.client("stepfunctions")
        for arn in self.cloud.children(run.arn):
            child = states.describe_execution(executionArn=arn)
            assert child["status"] == "SUCCEEDED"
            outcomes.append(json.loads(child["output"]))
        return SimpleNamespace(run=run, tries=tries, outcomes=outcomes, calls=self.calls(plan["id"]))

    def calls(self, plan):
        """What the functions were asked, by SFNState."""
        found = {}
        for path in (self.cloud.folder / "stub").glob(f"{plan}.*"):
            found[path.name.removeprefix(f"{plan}.").replace("_", " ")] = [json.loads(line) for line in path.open()]
        return found


@pytest.fixture(scope="module")
def walks():
    with Cloud(STUB, STUB, heartbeat_scale=0.05, parameters={"CrawlerName": "c"}) as cloud:
        walk = Walker(cloud)
        with ThreadPoolExecutor(6) as pool:
            files = {
                (name, many): pool.submit(walk, name, plan, many=many)
                for name, (plan, _) in FILE_PLANS.items()
                for many in (False, True)
            }
            runs = {name: pool.submit(walk, name, *plan[:2]) for name, plan in RUN_PLANS.items()}
            retries = {}
            for error in LAMBDA_ERRORS:
                again = {state: [error, None] for state in ("Validate", "Publish", "Record Error", "Notify")}
                retries[error] = [
                    pool.submit(walk, f"retry {error}", again),
                    pool.submit(walk, f"retry {error} invalid", {**again, "Validate": [INVALID], MOVE: [error, None]}),
                    pool.submit(walk, f"retry {error} error", {**again, "Validate": ["Etl.Internal"]}),
                ]
            for error in CONTAINER_ERRORS:
                said = "silence" if error == "States.HeartbeatTimeout" else error
                plan = {"Route": "CONTAINER", "Validate In Container": [said, None]}
                retries[f"container {error}"] = [pool.submit(walk, f"retry container {error}", plan)]
            finals = {error: pool.submit(walk, f"final {error}", {"Validate": [error]}) for error in FINAL_ERRORS}
            endless = pool.submit(walk, "endless", {"Validate": ["Etl.Retryable"]})
        messages = cloud.messages()
        # Without a topic nobody can be told.
        cloud.client("sns").delete_topic(TopicArn=cloud.outputs["TopicArn"])
        untold = {"Validate": [INVALID], "Notify": ["Etl.Internal"]}
        silent = [walk("untold", untold, many=many) for many in (False, True)]
        silent.append(walk("untold failure", {"Get New List": ["Etl.Internal"], "Notify": ["Etl.Internal"]}))
        cloud.land("orders/a b+c.csv", b"x")
        registered = wait(lambda: (path := cloud.folder / "stub" / "registered").exists() and path.read_text(), what="the event")
        yield SimpleNamespace(
            walk=walk,
            files={key: done.result() for key, done in files.items()},
            runs={key: done.result() for key, done in runs.items()},
            retries={key: [one.result() for one in done] for key, done in retries.items()},
            finals={key: done.result() for key, done in finals.items()},
            endless=endless.result(),
            silent=silent,
            messages=messages,
            registered=registered,
            containers=cloud.containers(),
        )


@pytest.mark.parametrize("many", [False, True], ids=["inline", "distributed"])
@pytest.mark.parametrize("name", FILE_PLANS)
def test_a_file_ends_as_it_should(walks, name, many):
    expected = FILE_PLANS[name][1]
    done = walks.files[name, many]
    assert done.run.status == "SUCCEEDED", done.run
    if many:
        assert done.outcomes == [{"FileId": "f1", "Outcome": expected}]
    else:
        counts = {"Ingested": 0, "Invalid": 0, "Error": 0, "Held": 0, expected.capitalize(): 1}
        assert done.run.output == counts
    moved = MOVE in done.calls
    assert moved == (expected == "INVALID" or name == "not moved")
    assert ("Record Error" in done.calls) == (expected in ("ERROR", "HELD") or name == "published after all")


@pytest.mark.parametrize("name", RUN_PLANS)
def test_a_run_ends_as_it_should(walks, name):
    assert walks.runs[name].run.status == RUN_PLANS[name][2]


def test_every_state_was_entered(walks):
    assert set(STATES) - walks.walk.entered == set()


def test_every_edge_was_walked(walks):
    assert EDGES - walks.walk.walked == set()


@pytest.mark.parametrize("error", [*LAMBDA_ERRORS, *(f"container {error}" for error in CONTAINER_ERRORS)])
def test_transient_errors_are_tried_again(walks, error):
    name = error.removeprefix("container ")
    tried = {state for done in walks.retries[error] for state, tries in done.tries if tries == [name, None]}
    if error.startswith("container "):
        assert tried == {"Validate In Container"}
    else:
        assert tried == {"Validate", "Publish", MOVE, "Notify Invalid", "Record Error", "Notify Error"}
    assert all(done.run.status == "SUCCEEDED" for done in walks.retries[error])


@pytest.mark.parametrize("error", FINAL_ERRORS)
def test_other_errors_are_not(walks, error):
    assert dict(walks.finals[error].tries)["Validate"] == [error]


def test_tries_end(walks):
    tries = dict(walks.endless.tries)["Validate"]
    limit = STATES["Validate"]["Retry"][0]["MaxAttempts"]
    assert tries == ["Etl.Retryable"] * (limit + 1)
    asked = walks.endless.calls["Validate"]
    assert [request["Attempt"]["Number"] for request in asked] == list(range(limit + 1))
    assert {request["Attempt"]["Owner"] for request in asked} == {walks.endless.run.name}
    [recorded] = walks.endless.calls["Record Error"]
    assert recorded["Error"]["Error"] == "Etl.Retryable" and recorded["Error"]["Cause"]


def test_requests_are_those_of_the_contract(walks):
    calls = walks.files["invalid", False].calls
    file = {"DatasetName", "FileId"}
    assert set(calls["Get New List"][0]) == {"SFNState", "NeededState", "DatasetName", "ExecutionName"}
    assert set(calls["Validate"][0]) == set(calls[MOVE][0]) == {"SFNState", "Attempt", *file}
    assert set(calls["Notify"][0]) == {"SFNState", "Kind", "ExecutionName", *file} and calls["Notify"][0]["Kind"] == "INVALID"
    error = walks.files["wrong job", False].calls["Notify"][0]
    assert error["Kind"] == "ERROR" and set(error["Error"]) == {"Error", "Cause"}
    failure = walks.runs["no list"].calls["Notify"][0]
    assert set(failure) == {"SFNState", "Kind", "Error", "ExecutionName"} and failure["Kind"] == "FAILURE"


def test_the_topic_is_told_when_the_function_cannot(walks):
    told = [json.loads(message.text) for message in walks.messages]
    assert {message.get("Outcome") for message in told} == {"INVALID", "ERROR", None}
    assert all(message["ExecutionName"] for message in told)
    inline, many, failure = walks.silent
    assert inline.run.output == {"Ingested": 0, "Invalid": 1, "Error": 0, "Held": 0}
    assert many.outcomes == [{"FileId": "f1", "Outcome": "INVALID"}]
    assert failure.run.status == "FAILED" and failure.run.error == "Etl.Internal"


def test_a_container_has_its_request_and_a_token_of_its_own(walks):
    tokens = [container["environment"]["ETL_TASK_TOKEN"] for container in walks.containers]
    assert all(tokens) and len(set(tokens)) == len(tokens)
    request = json.loads(walks.containers[0]["environment"]["ETL_REQUEST"])
    assert request["SFNState"] == "Validate In Container" and request["FileId"] == "f1"
    assert request["Attempt"]["Number"] >= 100


def test_what_lands_comes_to_the_register_function(walks):
    [event] = [json.loads(line) for line in walks.registered.splitlines()]
    assert event["detail-type"] == "Object Created" and event["detail"]["object"]["key"] == "orders/a b+c.csv"
