"""Grants that no run on the embedded cloud uses, with the reason why they are there.

Reason -> (role, action) patterns; a role is `<stack>/<logical id without its hash>`.
"""

EXPLAINED: dict[str, list[tuple[str, str]]] = {
    # --- What AWS does that the embedded cloud does not --------------------------------------------------------------
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
    "Without it S3 answers 403 and not 404 for an object that is missing (API reference, GetObject).": [
        ("*", "s3:ListBucket")
    ],
    "Gives up an upload in parts that failed half-way, which none does here.": [("*", "s3:AbortMultipartUpload")],
    "The ECS agent of a Batch instance; here jobs are processes, without an agent.": [
        ("compute/*InstanceRole", "ecs:*")
    ],
    "Operators look into hosts by Systems Manager, whose agent asks for these; here hosts have no agent.": [
        ("compute/*InstanceRole", "ssm*:*")
    ],
    "The ECS agent pulls images from ECR with the execution role; here images are processes' environments.": [
        ("snakemake-batch/ExecutionRole", "ecr:*")
    ],
    "… and a tag's digest is asked of ECR only where an image is in ECR.": [
        ("benchmark/ProvenanceFunctionsDescribeRunRole", "ecr:DescribeImages")
    ],
    "VPC flow logs are written by EC2; nothing flows here.": [("network/*FlowLog*", "logs:*")],
    "The embedded cloud's rules have no clock: tests start by hand what EventBridge starts daily.": [
        ("analytics/ExportWorkflowMachineEventsRole", "states:StartExecution"),
        ("compute/RenewalRole", "batch:UpdateComputeEnvironment"),
    ],
    "The embedded Glue cannot replace a day's partition, so no run exports a day twice.": [
        ("analytics/ExportWorkflowRole", "glue:UpdatePartition")
    ],
    "Step Functions stops the query of an execution that is stopped (developer guide, 'Run Athena queries').": [
        ("analytics/ExportWorkflowRole", "athena:StopQueryExecution")
    ],
    # --- Accidents that no run has -----------------------------------------------------------------------------------
    "The pipes' dead letters, when a target refuses for an hour.": [
        (role, action)
        for role in ("workflow-manager/RequestsRole", "benchmark/EndedRole")
        for action in ("sqs:SendMessage", "kms:GenerateDataKey")
    ],
    "A put while the bucket's versioning is suspended has no version.": [
        ("workflow-manager/FunctionsRegisterLaunchRole", "s3:GetObject"),
        ("workflow-manager/FunctionsAnswerRequestsRole", "s3:GetObject"),
    ],
    "The queue of launches is empty here: fewer run at once than a stage allows, and no place in it is given away.": [
        *(
            (f"workflow-manager/Functions{name}Role", f"dynamodb:{action}")
            for name in ("ChangeStatus", "SettleLaunch")
            for action in ("DeleteItem", "Query")
        ),
        *(
            ("workflow-manager/FunctionsLostRequestsRole", f"dynamodb:{action}")
            for action in ("DeleteItem", "PutItem", "Query", "UpdateItem")
        ),
    ],
    "The ledger of the queue is made by whoever looks first (lambdas/workflow_manager/launch_queue.py).": [
        (f"workflow-manager/Functions{name}Role", "dynamodb:PutItem") for name in ("ChangeStatus", "SettleLaunch")
    ],
    "Faults and last words are kept in full (lambdas/shared/kept_errors.py) by whoever finds them; no run has a prefix"
    " that cannot be listed, nor a launcher whose end only the watch sees.": [
        ("restore/FunctionsFindArchivedRole", "dynamodb:PutItem"),
        ("snakemake/FunctionsWatchLaunchersRole", "dynamodb:PutItem"),
    ],
    "A request that the pipe lost is read and started by the reconciler; no run loses one.": [
        ("workflow-manager/FunctionsLostRequestsRole", "dynamodb:GetItem"),
        ("workflow-manager/FunctionsLostRequestsRole", "states:StartExecution"),
    ],
    "The answer to a file is amended when the launch is rejected; here its own execution says so, not the end of it.": [
        ("workflow-manager/FunctionsSettleLaunchRole", "s3:GetObject"),
        ("workflow-manager/FunctionsSettleLaunchRole", "s3:PutObject"),
    ],
    "Stopping the workflow of a launch that was stopped: here its end is the launch's, AWS only tries to.": [
        ("cleanup/CleanupWorkflowRole", "states:StopExecution")
    ],
    "The sweep finds leftovers of Snakemake launches, which find_leftovers finds in runs by the same calls.": [
        ("cleanup/FunctionsSweepRole", "ecs:DescribeTasks"),
    ],
    "The sweep ends jobs that have been RUNNABLE for an hour; no run waits for that long.": [
        ("cleanup/FunctionsSweepRole", "batch:TerminateJob"),
        ("cleanup/FunctionsSweepRole", "dynamodb:UpdateItem"),
    ],
    "Tasks that Slurm failed are recorded; the launch by which that is seen is in `make test-full`"
    " (test_parallelcluster.py).": [
        ("parallelcluster/FunctionsPlanSlurmJobsRole", "dynamodb:BatchWriteItem"),
        ("parallelcluster/FunctionsPlanSlurmJobsRole", "dynamodb:PutItem"),
        ("parallelcluster/FunctionsPlanSlurmJobsRole", "kms:Decrypt"),
    ],
    "Whoever finds the status changed meanwhile reads it (LaunchRepository.change_status); not every run has that"
    " accident.": [
        ("benchmark/FunctionsWatchBudgetsRole", "dynamodb:GetItem"),
        ("restore/FunctionsCompleteRestoresRole", "dynamodb:GetItem"),
        ("restore/FunctionsFailRestoreRole", "dynamodb:GetItem"),
    ],
    "A restore is ended by whoever hears last, or finds that an object cannot be had (lambdas/restore/ending.py): in"
    " the runs that is complete_restores or look_after.": [
        *(
            (f"restore/Functions{name}Role", action)
            for name in ("IndexObjects", "RequestRestores")
            for action in ("dynamodb:DeleteItem", "dynamodb:UpdateItem", "events:PutEvents", "sns:Publish")
        ),
        ("restore/FunctionsRequestRestoresRole", "dynamodb:GetItem"),
    ],
    "People are told when an object cannot be restored; no run loses an object for good.": [
        ("restore/FunctionsCompleteRestoresRole", "sns:Publish"),
        ("restore/FunctionsLookAfterRole", "sns:Publish"),
    ],
    "Requests are queued again when S3 has no time for longer than its client tries, or a restore is days late.": [
        (f"restore/Functions{name}Role", action)
        for name in ("RequestRestores", "LookAfter")
        for action in ("sqs:SendMessage", "kms:GenerateDataKey")
    ],
    "An object that S3 calls no archive is looked at (HeadObject); none is put back between index and request.": [
        ("restore/FunctionsRequestRestoresRole", "s3:GetObject")
    ],
    "A restore whose config began nothing is begun again; no run loses that event.": [
        ("restore/FunctionsLookAfterRole", "states:StartExecution")
    ],
    "What a launch has cost so far is asked of Snakemake launches too, by the calls that collect_usage makes.": [
        ("benchmark/FunctionsWatchBudgetsRole", "ecs:DescribeTasks"),
        ("benchmark/FunctionsWatchBudgetsRole", "s3:GetObject"),
    ],
    "Instances are looked up that no event told of yet (lambdas/pricing/recorder.py); not every run has one.": [
        ("benchmark/FunctionsWatchBudgetsRole", "ec2:DescribeInstances"),
        ("benchmark/FunctionsWatchBudgetsRole", "ec2:DescribeVolumes"),
    ],
    "A Snakemake job that blocks its queue is looked up, since its launch's program chose its name; in the runs the"
    " blocked job is regenie's.": [("workflow-manager/FunctionsExplainBlockedRole", "batch:DescribeJobs")],
    # --- Snakemake, by AWS Batch and by Tibanna ----------------------------------------------------------------------
    "Roles of an attempt that are made already are looked at, when their function is tried again; in no run it is.": [
        ("snakemake/FunctionsMakeRolesRole", "iam:GetRole"),
        ("snakemake/FunctionsMakeRolesRole", "iam:GetInstanceProfile"),
    ],
    "A launcher whose launch was cancelled between its start and its record is stopped at once.": [
        ("snakemake/FunctionsStartLauncherRole", "ecs:StopTask")
    ],
    "A launcher that ended well, but unheard, is told of by the watch; the one of the runs failed.": [
        ("snakemake/FunctionsWatchLaunchersRole", "states:SendTaskSuccess"),
        ("snakemake/FunctionsWatchLaunchersRole", "dynamodb:UpdateItem"),
    ],
    "Instances of a launcher that died before it could end them; those of the runs end their own.": [
        ("cleanup/CleanupWorkflowRole", "ec2:TerminateInstances")
    ],
    "Ends the instance of a job that ran out of time; jobs of the runs do not.": [
        ("tibanna/TibannaWorkflowRole", "ec2:TerminateInstances")
    ],
    "Tibanna asks Cost Explorer for a job's cost when it plots the metrics of one without an estimate (tibanna/core.py,"
    " cost_estimate); no run gets there.": [("tibanna/CheckTaskRole", "ce:GetCostAndUsage")],
    "DeleteFleets ends what a fleet without capacity has begun; whether EC2 asks its caller for this too is not"
    " documented (docs/verified.md).": [("tibanna/RunTaskRole", "ec2:TerminateInstances")],
    "EC2 makes these roles at an account's first Spot request and first fleet (user guide, 'Service-linked role for"
    " EC2 Fleet'); here they are there.": [("tibanna/RunTaskRole", "iam:CreateServiceLinkedRole")],
}
