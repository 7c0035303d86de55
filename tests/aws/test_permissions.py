"""The roles of the functions and the container may do what the tests before this one had them do, and nothing else.

That nothing is missing those tests show, for the emulator enforces the policies. Here: every action that a statement grants was
asked for on what the statement names, or NEVER_ASKED says why the emulator cannot see it.
"""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from real import real_cloud

ROLES = ["Register", "GetNewList", "Validate", "Publish", "MoveInvalid", "RecordError", "Notify", "RunCrawler", "Task"]
# What has to run before, for the calls are theirs.
OTHERS = {"test_end_to_end", "test_end_to_end_catalog", "test_faults_killed", "test_faults_throttled"}
# (role or *, Sid, action): why it is granted although nobody asked.
NEVER_ASKED = {
    ("*", "Logs", "logs:CreateLogStream"): "Lambda writes the logs itself, by the role",
    ("*", "Logs", "logs:PutLogEvents"): "Lambda writes the logs itself, by the role",
    ("*", "Traces", "xray:PutTraceSegments"): "Lambda sends the traces itself, by the role",
    ("*", "Traces", "xray:PutTelemetryRecords"): "Lambda sends the traces itself, by the role",
    ("*", "Key", "kms:Decrypt"): "S3, DynamoDB, SQS and Lambda ask for it on the caller's behalf; the emulator encrypts nothing",
    ("*", "Key", "kms:GenerateDataKey"): "S3 and SNS ask for it on the caller's behalf; the emulator encrypts nothing",
    ("Register", "Receive", "sqs:ReceiveMessage"): "the mapping of the queue does it by the role; the emulator's by none",
    ("Register", "Receive", "sqs:DeleteMessage"): "as above",
    ("Register", "Receive", "sqs:GetQueueAttributes"): "as above",
    (
        "MoveInvalid",
        "Put",
        "s3:AbortMultipartUpload",
    ): "only when the copy is not what was judged, though the version is",
}


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def statements(cloud, role: str) -> list[dict]:
    iam, found = cloud.client("iam"), []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        found += listed(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"])
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
        found += listed(document["Statement"])
    assert found, f"{role} has no policy"
    return found


@pytest.fixture(scope="module")
def use(request):
    """(role, Sid, action): whether it was used."""
    missing = OTHERS - {Path(item.fspath).stem for item in request.session.items}
    if missing:
        pytest.skip(f"these have to run before: {', '.join(sorted(missing))}")
    cloud = real_cloud()
    calls, found = cloud.control("calls"), {}
    for name in ROLES:
        role = cloud.physical(f"{name}Role")
        own = {(action, resource) for caller, action, resource in calls if caller == role}
        for statement in statements(cloud, role):
            for action in listed(statement["Action"]):
                of = [resource for asked, resource in own if asked == action]
                matching = [1 for resource in of for allowed in listed(statement["Resource"]) if fnmatchcase(resource, allowed)]
                found[name, statement["Sid"], action] = bool(matching)
    return found


def reason(role, sid, action):
    return NEVER_ASKED.get((role, sid, action)) or NEVER_ASKED.get(("*", sid, action))


def test_nothing_is_granted_that_is_not_used(use):
    unused = [place for place, used in use.items() if not used and not reason(*place)]
    assert unused == [], "\n".join(map(" ".join, unused))


def test_no_reason_is_stale(use):
    excused = {place for place, used in use.items() if not used}
    excused |= {("*", *place[1:]) for place in excused}
    assert NEVER_ASKED.keys() - excused == set()


def test_no_action_is_a_wildcard(use):
    assert [place for place in use if "*" in place[2]] == []
