"""What is deployed, read and not run: the state machine's shape, and the linters. tests/aws runs it."""

import json
import re
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
MACHINE = json.loads((DEPLOY / "state-machine" / "workflow.asl.json").read_text())
TEMPLATE = (DEPLOY / "template.yaml").read_text()

WORKFLOW = DEPLOY.parent / "engine" / "src" / "workflow"
REQUESTS = DEPLOY.parent / "aws" / "src" / "handler" / "request.rs"
ETL_ERRORS = set(re.findall(r'=> "(Etl\.\w+)"', (WORKFLOW / "failure.rs").read_text()))
SFN_STATES = set(
    re.findall(r'"([^"]+)"', re.search(r"STATE_NAMES: \[&str; \d+\] = \[(.*?)\];", REQUESTS.read_text(), re.S)[1])
)
# To do the same again may help after these, and after no other.
TRANSIENT = {
    "Etl.Retryable", "Etl.LeaseHeld", "Etl.CommitUnknown", "Lambda.ServiceException", "Lambda.AWSLambdaException",
    "Lambda.SdkClientException", "Lambda.TooManyRequestsException",
}  # fmt: skip
TRANSIENT_OF_CONTAINERS = {
    "States.HeartbeatTimeout", "ECS.AmazonECSException", "ECS.ServerException", "ECS.SdkClientException",
}  # fmt: skip
TRANSIENT_OF_SNS = {"SNS.InternalErrorException", "SNS.SdkClientException", "SNS.ThrottledException"}
MOVE = "Move Invalid File To Failed Bucket"


def scopes(machine=MACHINE):
    """The machine itself, and the states of each Map."""
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from scopes(state["ItemProcessor"])


ALL = {name: state for scope in scopes() for name, state in scope["States"].items()}
TASKS = {name: state for name, state in ALL.items() if state["Type"] == "Task"}
FILE_MAPS = {name: state["ItemProcessor"] for name, state in ALL.items() if state["Type"] == "Map"}


def plain(name: str) -> str:
    return name.removesuffix(" (Many)")


def edges(name, state):
    """(kind, next): kind is `Next`, `Default`, the condition of a choice, or `Catch`."""
    for choice in state.get("Choices", []):
        yield choice["Condition"], choice["Next"]
    for catcher in state.get("Catch", []):
        yield "Catch", catcher["Next"]
    for key in ("Next", "Default"):
        if key in state:
            yield key, state[key]


def test_rendered_files_are_fresh():
    done = subprocess.run([DEPLOY / "render", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_names_of_states_are_unique_and_short():
    names = [name for scope in scopes() for name in scope["States"]]
    assert len(names) == len(set(names))
    assert max(map(len, names)) <= 80


def test_both_maps_have_the_same_states():
    inline, many = (
        json.dumps(FILE_MAPS[name]["States"], sort_keys=True) for name in ("Process Files", "Process Many Files")
    )
    assert many.replace(" (Many)", "") == inline


@pytest.mark.parametrize("name", TASKS)
def test_a_task_ends_whatever_happens(name):
    task = TASKS[name]
    assert 0 < task["TimeoutSeconds"] <= 21600
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    # Without `Output` a catcher would forget which file it was.
    assert all("Output" in catcher for catcher in task["Catch"])
    for retrier in task["Retry"]:
        assert retrier["JitterStrategy"] == "FULL" and retrier["BackoffRate"] >= 2 and retrier["MaxDelaySeconds"] <= 300
        allowed = TRANSIENT
        if "ecs:" in task["Resource"]:
            allowed = TRANSIENT | TRANSIENT_OF_CONTAINERS
        if "sns:" in task["Resource"]:
            allowed = TRANSIENT_OF_SNS
        assert set(retrier["ErrorEquals"]) <= allowed


def test_the_machine_and_its_container_have_deadlines():
    assert MACHINE["TimeoutSeconds"] and MACHINE["QueryLanguage"] == "JSONata"
    container = ALL["Validate In Container"]
    assert container["HeartbeatSeconds"] == 120 and container["Resource"].endswith(":ecs:runTask.waitForTaskToken")
    assert "Task.Token" in json.dumps(container["Arguments"])


def test_functions_end_before_their_tasks_do():
    for name, task in TASKS.items():
        if function := task["Arguments"].get("FunctionName"):
            logical = function.strip("${}")
            body = re.search(rf"^  {logical}:\n(.*?)(?=^  \w)", TEMPLATE, re.S | re.M)[1]
            assert int(re.search(r"Timeout: (\d+)", body)[1]) < task["TimeoutSeconds"], name


def test_files_are_routed_and_priced_by_the_sizes_that_are_deployed():
    def default(parameter):
        found = re.search(rf"^  {parameter}:\n(?:    .*\n)*?    Default: \"?(\d+)", TEMPLATE, re.M)
        return int(found[1])

    route = (WORKFLOW / "route.rs").read_text()
    planned = re.search(r"memory_bytes: (\d+) << 20, disk_bytes: (\d+) << 20", route)
    assert [int(size) for size in planned.groups()] == [default("FunctionMemory"), default("FunctionStorage")]
    constant = lambda name: float(re.search(rf"pub const {name}: \w+ = (\d+)", route)[1])  # noqa: E731
    assert constant("CONTAINER_VCPUS") * 1024 == default("TaskCpu")
    assert constant("CONTAINER_GB") * 1024 == default("TaskMemory")
    assert constant("CONTAINER_RUN_BYTES") == default("TaskRunMemory")


def test_names_are_those_of_the_contract():
    text = json.dumps(MACHINE)
    assert set(re.findall(r"\bEtl\.\w+", text)) <= ETL_ERRORS
    # The children of an array job have no state machine.
    assert set(re.findall(r"""['"]?SFNState\\?['"]: \\?['"]([^'"]+)['"]""", text)) == SFN_STATES - {"Work On File"}


def test_only_an_invalid_verdict_moves_a_file():
    ways = [(plain(name), kind) for name, state in ALL.items() for kind, to in edges(name, state) if plain(to) == MOVE]
    assert set(ways) == {("Verdict", "{% $states.input.Verdict = 'INVALID' %}")}
    assert all(processor["StartAt"] != MOVE for processor in FILE_MAPS.values())


def test_no_failure_of_a_file_leaves_its_map():
    for processor in FILE_MAPS.values():
        states = processor["States"]
        assert not [name for name, state in states.items() if state["Type"] in ("Fail", "Map", "Parallel")]
        for name, state in states.items():
            for _, to in edges(name, state):
                assert to in states
            if state.get("End"):
                assert set(state["Output"]) == {"FileId", "Outcome"}, f"{name} returns more than the outcome"
    assert MACHINE["States"]["Process Many Files"]["ToleratedFailurePercentage"] == 100


def test_an_error_is_recorded_and_told():
    """From every Catch of a task before the verdict's end, `Record Error` comes next, and someone is told after it."""
    for name in ("Validate", "Validate In Container", "Publish", MOVE):
        assert ALL[name]["Catch"][-1]["Next"] == "Record Error"
    told = {"Notify Error", "Notify Plainly"}
    assert {to for _, to in edges("Record Error", ALL["Record Error"])} == {"Error Recorded", "Notify Error"}
    assert ALL["Error Recorded"]["Default"] == "Notify Error"
    assert {to for name in told for _, to in edges(name, ALL[name])} == {"Notify Plainly", "Nobody Told"}


def events(name: str, states: dict) -> int:
    """Events in the history of the longest way from a state to an end: every retry made, then the worst edge."""
    state = states[name]
    own = 2
    if state["Type"] == "Task":
        attempts = 1 + sum(retrier["MaxAttempts"] for retrier in state["Retry"])
        own += attempts * (4 if state["Resource"].endswith("waitForTaskToken") else 3)
    return own + max((events(to, states) for _, to in edges(name, state)), default=0)


def test_a_short_list_fits_one_history():
    processor = FILE_MAPS["Process Files"]
    per_file = 2 + events(processor["StartAt"], processor["States"])
    limit = int(re.search(r'ETL_INLINE_MAX: "(\d+)"', TEMPLATE)[1])
    polls = int(re.search(r"Polls >= (\d+)", json.dumps(MACHINE))[1])
    poll = sum(2 + 3 * (name == "Poll Crawler State") for name in ("Wait for Crawler", "Poll Crawler State", "Crawler Ready"))
    rest = 300
    assert limit * per_file + polls * poll + rest <= 25_000, per_file


def test_linters_find_nothing():
    done = subprocess.run([DEPLOY / "lint"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_dangling_next_is_found(tmp_path):
    broken = json.loads(json.dumps(MACHINE))
    broken["States"]["Process Files"]["ItemProcessor"]["States"]["Validate"]["Next"] = "Verdikt"
    path = tmp_path / "broken.asl.json"
    path.write_text(json.dumps(broken))
    done = subprocess.run([DEPLOY / "lint", "asl", path], capture_output=True, text=True)
    assert done.returncode != 0 and "Verdikt" in done.stdout + done.stderr
