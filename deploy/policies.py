"""Reads every policy of template.yaml with parliament: unknown actions, wrong resources, malformed documents."""

import json
import re
import sys
from pathlib import Path

import cfnlint.decode
import parliament

TEMPLATE = Path(__file__).resolve().parent / "template.yaml"
# What a resource's ARN looks like, for parliament compares it with what the action works on.
SHAPES = {
    "AWS::S3::Bucket": "arn:aws:s3:::bucket",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:eu-west-1:123456789012:table/t",
    "AWS::KMS::Key": "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000",
    "AWS::SNS::Topic": "arn:aws:sns:eu-west-1:123456789012:topic",
    "AWS::SQS::Queue": "arn:aws:sqs:eu-west-1:123456789012:queue",
    "AWS::Lambda::Function": "arn:aws:lambda:eu-west-1:123456789012:function:f",
    "AWS::Logs::LogGroup": "arn:aws:logs:eu-west-1:123456789012:log-group:g:*",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/r",
    "AWS::ECS::Cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/c",
    "AWS::ECS::TaskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/t:1",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:eu-west-1:123456789012:stateMachine:m",
    "AWS::Events::Rule": "arn:aws:events:eu-west-1:123456789012:rule/r",
}
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}
# What parliament does not know, and why it is right all the same: part of the finding -> reason.
WAIVED = {
    "'states:DescribeExecution', 'required_format': 'arn:*:states:*:*:express": "its list has only express executions here",
}


def main() -> int:
    template, problems = cfnlint.decode.decode(str(TEMPLATE))
    assert not problems, problems
    resources = template["Resources"]

    def name(of: str) -> str:
        return PSEUDO.get(of) or SHAPES.get(resources.get(of, {}).get("Type"), "name")

    def plain(value):
        match value:
            case {"Ref": "AWS::NoValue"}:
                return None
            case {"Ref": of}:
                return name(of)
            case {"Fn::GetAtt": [of, *_]}:
                return name(of)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:]+)(?:\.\w+)?\}", lambda match: name(match[1]), text)
            case {"Fn::If": [_, yes, _]}:
                return plain(yes)
            case dict():
                return {key: plain(inner) for key, inner in value.items()}
            case list():
                return [inner for inner in map(plain, value) if inner is not None]
        return value

    documents = []
    for logical, resource in resources.items():
        properties = resource["Properties"]
        # Trust, bucket, queue, topic and key policies name principals, which parliament's checks are not made for.
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            documents.append((logical, properties["PolicyDocument"]))
        documents += [(logical, policy["PolicyDocument"]) for policy in properties.get("Policies", [])]
    assert documents, "no policies were found"
    failed = 0
    for logical, document in documents:
        for finding in parliament.analyze_policy_string(json.dumps(plain(document))).findings:
            text = f"{logical}: {finding.issue} {finding.detail} {finding.location}"
            if not any(part in text for part in WAIVED):
                print(text)
                failed += 1
    print(f"parliament: {len(documents)} policies, {failed} findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
