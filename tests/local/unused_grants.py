"""Grants that no run on the embedded cloud uses, with the reason why they are there.

Reason -> (role, action) patterns; a role is `<stack>/<logical id without its hash>`.
"""

EXPLAINED: dict[str, list[tuple[str, str]]] = {
    "Step Functions checks these when a state machine that logs is made (developer guide, 'Logging using CloudWatch"
    " Logs'), and delivers its log with them; the embedded cloud keeps no such log.": [
        ("*WorkflowRole", f"logs:{action}")
        for action in ("*LogDelivery", "ListLogDeliveries", "*ResourcePolic*", "DescribeLogGroups")
    ],
    "State machines' traces are sent by Step Functions (developer guide, 'X-Ray and Step Functions').": [
        ("*WorkflowRole", "xray:*")
    ],
    "DynamoDB's user guide ('Authorizing use of your customer managed key') asks all of these of whoever uses a table"
    " with a customer's key; only Decrypt can be shown here.": [
        ("*", f"kms:{action}") for action in ("Encrypt", "ReEncrypt[*]", "GenerateDataKey[*]", "DescribeKey")
    ],
    "The ECS agent of a Batch instance; here jobs are processes, without an agent.": [
        ("compute/InstanceRole", "ecs:*")
    ],
    "Without it S3 answers 403 and not 404 for an object that is missing.": [("*", "s3:ListBucket")],
    "Gives up an upload in parts that failed half-way, which none does here.": [("*", "s3:AbortMultipartUpload")],
    "A put while the bucket's versioning is suspended has no version.": [
        ("workflow-manager/FunctionsRegisterLaunchRole", "s3:GetObject")
    ],
    "The pipe's dead letters, when a target refuses for an hour.": [
        ("workflow-manager/RequestsRole", action) for action in ("sqs:SendMessage", "kms:GenerateDataKey")
    ],
    "Stopping the workflow of a launch that was stopped: here its end is the launch's, AWS only tries to.": [
        ("cleanup/CleanupWorkflowRole", "states:StopExecution")
    ],
    "No run makes a restore fail or lose an event yet (tests/local/test_restore.py): remove these when one does.": [
        ("restore/FunctionsFailRestoreRole", "*"),
        ("restore/Functions*Role", "dynamodb:*"),
        ("restore/Functions*Role", "sns:Publish"),
        ("restore/FunctionsRequestRestoresRole", "s3:GetObject"),
        ("restore/FunctionsRequestRestoresRole", "sqs:SendMessage"),
        ("restore/FunctionsRequestRestoresRole", "kms:GenerateDataKey"),
        ("restore/FunctionsLookAfterRole", "*"),
    ],
    "The queue of launches, which is empty here: fewer run at once than a stage allows. A reconciler that finds nothing"
    " lost starts nothing.": [
        *(
            ("workflow-manager/Functions*Role", f"dynamodb:{action}")
            for action in ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
        ),
        ("workflow-manager/FunctionsLostRequestsRole", "states:StartExecution"),
    ],
    "VPC flow logs are written by EC2; nothing flows here.": [("network/*FlowLog*", "logs:*")],
}
