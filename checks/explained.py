"""Reasons of accepted findings of cdk-nag: reason -> (finding, resource) patterns.

A finding is written as the packs name it, `[Resource::…]` included; ARNs of resources of another stack are
`{<logical id>}`. A resource is its path below the stage: `regenie/RegenieWorkflow/Role/DefaultPolicy/Resource`.
"""

from typing import Final

_IAM: Final = "AwsSolutions-IAM5"
_FUNCTIONS: Final = (
    *("*/Functions/*/Resource", "tibanna/RunTask/Resource", "tibanna/CheckTask/Resource"),
    "product/Function/Resource",
)

EXPLAINED: Final[dict[str, list[tuple[str, str]]]] = {
    # --- IAM -------------------------------------------------------------------------------------------------------
    "The actions on it know no resources (Service Authorization Reference): looking up jobs, file systems and"
    " networks, delivering vended logs, tracing, finding an agent's endpoint, being known to Systems Manager,"
    " logging in to a registry. Each is listed in tests/infrastructure/test_every_stack.py, which refuses every"
    " other.": [
        (f"{_IAM}[Resource::[*]]", "*/DefaultPolicy/Resource"),
        (f"{_IAM}[Resource::[*]]", "access/Launchers/Resource"),
        *(
            (f"{_IAM}[Resource::[*]]", path)
            for path in (
                "snakemake/LaunchLauncher/Resource",
                "snakemake/LaunchBoundary/Resource",
                "tibanna/LaunchInstance/*",
            )
        ),
    ],
    "Policies of launches' roles: what is the launch's own the role's tags say, by a variable in the resource or in the"
    " condition (statement by statement, tests/infrastructure/test_launch_rights.py; tried in tests/attacks).": [
        *(
            (f"{_IAM}[Resource::*<aws:PrincipalTag/*>*]", path)
            for path in ("snakemake/Launch*", "tibanna/LaunchInstance/*")
        ),
        *(
            (f"{_IAM}[Resource::arn:*:{kind}/[*]]", "snakemake/Launch*/Resource")
            for kind in ("job", "job-definition", "instance")
        ),
        (f"{_IAM}[Resource::arn:*:{{SnakemakeJobLogs*}}:log-stream:[*]]", "snakemake/LaunchBoundary/Resource"),
        (f"{_IAM}[Resource::arn:*:log-stream:[*]]", "snakemake/LaunchBoundary/Resource"),
        (f"{_IAM}[Resource::arn:*:execution:tibanna_unicorn_genolaunch_*:[*]]", "snakemake/LaunchBoundary/Resource"),
    ],
    "Roles and instance profiles of launches, which are made for each by names that nobody knows before: only below the"
    " path of this stage's launches.": [
        (f"{_IAM}[Resource::arn:*:{kind}/genolaunch/*/launches/[*]]", "*/DefaultPolicy/Resource")
        for kind in ("role", "instance-profile")
    ],
    "What DynamoDB's user guide asks of whoever uses a table with a customer's key, on the stage's one key.": [
        (f"{_IAM}[Action::kms:{action}[*]]", path)
        for action in ("GenerateDataKey", "ReEncrypt")
        for path in ("*/DefaultPolicy/Resource", "snakemake/Launch*/Resource")
    ],
    "Made for each launch, with a name that nobody knows before: a condition on the stage's tags limits each of them"
    " (statement by statement, tests/infrastructure/test_workflows.py).": [
        (f"{_IAM}[Resource::arn:*:{kind}/[*]]", "*Workflow/Role/DefaultPolicy/Resource")
        for kind in ("job", "job-definition", "launch-template", "association", "file-system", "task")
    ],
    "EC2 names what Tibanna's client and functions start for a job; conditions name the tag and the instance profile of"
    " this stage's unicorn, and the subnets and security group are its own (tests/infrastructure/test_tibanna.py).": [
        *(
            (f"{_IAM}[Resource::arn:*:instance/[*]]", f"{role}/DefaultPolicy/Resource")
            for role in (
                "tibanna/CheckTaskRole",
                *("tibanna/TibannaWorkflow/Role", "cleanup/CleanupWorkflow/Role"),
            )
        ),
        *(
            (f"{_IAM}[Resource::arn:*:{kind}/[*]]", "tibanna/RunTaskRole/DefaultPolicy/Resource")
            for kind in ("fleet", "instance", "launch-template", "network-interface", "volume", "image")
        ),
    ],
    "The head node of the cluster that the settings name: the condition has both of ParallelCluster's tags.": [
        (f"{_IAM}[Resource::arn:*:instance/[*]]", path)
        for path in ("parallelcluster/*Workflow/Role/DefaultPolicy/Resource", "cleanup/*Workflow/Role/DefaultPolicy/*")
    ],
    "Service-linked roles of EC2 for Spot and fleets, by their services' paths; the condition names the service.": [
        (f"{_IAM}[Resource::arn:*:role/aws-service-role/{service}.amazonaws.com/[*]]", "tibanna/RunTaskRole/*")
        for service in ("ec2fleet", "spot")
    ],
    "Executions of Tibanna's unicorn of this stage, whose names its client makes up.": [
        (f"{_IAM}[Resource::arn:*:execution:tibanna_unicorn_genolaunch_*:[*]]", "*/DefaultPolicy/Resource"),
    ],
    "The launchers' tasks of this stage's one cluster, which ECS names.": [
        (f"{_IAM}[Resource::arn:*:task/<LauncherCluster*>/[*]]", "snakemake/Functions/*/DefaultPolicy/Resource"),
        *(
            (f"{_IAM}[Resource::arn:*:task/{{LauncherCluster}}/[*]]", f"{role}/DefaultPolicy/Resource")
            for role in ("cleanup/*", "benchmark/Functions/*")
        ),
    ],
    "Launches name the image with their rules' tools themselves: any repository of this account, to read.": [
        (f"{_IAM}[Resource::arn:*:repository/[*]]", f"{role}/DefaultPolicy/Resource")
        for role in ("snakemake-batch/ExecutionRole", "benchmark/Provenance/Functions/DescribeRunRole")
    ],
    "The repositories of the stage's image caches, which ECR makes at the first pull of an image; only `images` has"
    " any that are not a cache's, and nobody may create that again.": [
        (f"{_IAM}[Resource::arn:*:repository/genolaunch-*/[*]]", path)
        for path in ("images/CacheRole/DefaultPolicy/Resource", "snakemake-batch/ExecutionRole/DefaultPolicy/Resource")
    ],
    "Stacks and projects of the product, which Service Catalog and those who launch it name below known prefixes.": [
        (f"{_IAM}[Resource::arn:*:stack/SC-[*]]", "product/LaunchRole/DefaultPolicy/Resource"),
        *(
            (f"{_IAM}[Resource::arn:*:project/genolaunch-product-[*]]", f"product/{role}/DefaultPolicy/Resource")
            for role in ("FunctionRole", "LaunchRole")
        ),
    ],
    "Service Catalog keeps templates in a bucket of its own; the condition admits only objects that it tagged.": [
        (f"{_IAM}[Resource::arn:*:s3:::[*]]", "product/LaunchRole/DefaultPolicy/Resource"),
    ],
    "The executions of one state machine of this stage, whose names nobody knows before.": [
        (f"{_IAM}[Resource::arn:*:execution:genolaunch-*[*]]", "*/Resource"),
    ],
    "A function with all its versions: what starts an execution must also be able to invoke a pinned one.": [
        (f"{_IAM}[Resource::*{function}*:[*]]", "*Workflow/Role/DefaultPolicy/Resource")
        for function in ("Functions", "<RunTask", "<CheckTask")
    ],
    "The objects below one prefix of one bucket of this stage; of the data bucket and of the buckets that the settings"
    " name, whose prefixes are the users', all.": [
        (f"{_IAM}[Resource::*{bucket}/*]", "*/Resource")
        for bucket in (
            *("{Analytics}", "{Data}", "{LaunchFiles}", "{Results}", "{TibannaLogs}"),
            # Of checks/three_accounts.json: readable_buckets, writable_buckets.
            *("s3:::shared-cohorts", "s3:::lab-runs"),
        )
    ],
    "FSx refuses to link a bucket for a caller without these (user guide, 'Prerequisites for linking to S3').": [
        (f"{_IAM}[Action::s3:{action}[*]]", "regenie/RegenieWorkflow/Role/DefaultPolicy/Resource")
        for action in ("Get", "List")
    ],
    "Service-linked roles of FSx: it names one for each file system; the statement's condition names the service.": [
        (f"{_IAM}[Resource::arn:*:role/aws-service-role/*fsx.amazonaws.com/[*]]", "regenie/RegenieWorkflow/Role/*"),
    ],
    "Batch makes one ECS cluster for each compute environment, and names it after the environment and by chance.": [
        (f"{_IAM}[Resource::arn:*:{kind}/AWSBatch-genolaunch-*]", "compute/*InstanceRole/DefaultPolicy/Resource")
        for kind in ("cluster", "container-instance")
    ],
    "Jobs that no instance takes, which Batch names: the condition names the stage's tags"
    " (tests/infrastructure/test_workflows.py).": [
        (f"{_IAM}[Resource::arn:*:job/[*]]", "cleanup/Functions/*/DefaultPolicy/Resource")
    ],
    "… and so it is not known which instance a job's container runs on: to describe it, nothing else.": [
        (f"{_IAM}[Resource::arn:*:container-instance/[*]]", f"benchmark/Functions/{name}Role/DefaultPolicy/Resource")
        for name in ("CollectUsage", "RecordUsage", "WatchBudgets")
    ],
    "Logs of the launches of the caller's team, whose ids start with the session tag's value (docs/security.md).": [
        (f"{_IAM}[Resource::arn:*:log-stream:<aws:PrincipalTag/team>-[*]]", "access/Launchers/Resource"),
    ],
    "The names that this stage publishes, and nothing else, are below this path.": [
        (f"{_IAM}[Resource::arn:*:parameter/genolaunch/*/[*]]", "access/Launchers/Resource"),
    ],
    "Inline is what belongs to one role alone and goes with it; a managed policy could be attached elsewhere.": [
        ("HIPAA.Security-IAMNoInlinePolicy", "*/DefaultPolicy/Resource"),
    ],
    # --- Functions -------------------------------------------------------------------------------------------------
    "It reaches AWS's services alone, over TLS and with its role: a place in the VPC would give it a way to the"
    " internet (NAT) that it does not have, and slower starts.": [
        ("HIPAA.Security-LambdaInsideVPC", path) for path in _FUNCTIONS
    ],
    "The rule asks for OAuth; the source is read by a connection, which holds no token of a person.": [
        ("HIPAA.Security-CodeBuildProjectSourceRepoUrl", f"product/Release{number}/Project") for number in (1, 2)
    ],
    "Invoked by a state machine or a queue, which keep what fails; scheduled ones look for the same things again; the"
    " product's answers every failure, and CloudFormation itself gives up after an hour.": [
        ("HIPAA.Security-LambdaDLQ", path) for path in _FUNCTIONS
    ],
    "Its callers limit it: a queue's maximum concurrency, one schedule, one call for a launch's step. A reservation"
    " would take concurrency from the account's other functions.": [
        ("HIPAA.Security-LambdaConcurrency", path) for path in _FUNCTIONS
    ],
    "Tibanna's own functions, whose package says that it takes no Python newer than 3.12.": [
        ("AwsSolutions-L1", f"tibanna/{name}/Resource") for name in ("RunTask", "CheckTask")
    ],
    # --- Containers ------------------------------------------------------------------------------------------------
    "HOME and TMPDIR, which are no secrets: a read-only root needs them to be elsewhere.": [
        ("AwsSolutions-ECS2", "snakemake/Launcher/Task/Resource"),
    ],
    # --- State machines and queues ---------------------------------------------------------------------------------
    "Errors are logged, without data. Step Functions itself keeps the whole history, for 90 days, behind IAM; traits'"
    " and data sets' names have no place in a log.": [
        ("AwsSolutions-SF1", "*Workflow/Machine/Resource"),
    ],
    "It is a dead-letter queue, with an alarm on its first message.": [
        ("AwsSolutions-SQS3", "*/Queue/Resource"),
    ],
    # --- Data ------------------------------------------------------------------------------------------------------
    "A copy in another region doubles the storage of genomes, and may not be lawful for them: replication is for a"
    " stage's owner to decide. Versions and point-in-time recovery guard against mistakes.": [
        ("HIPAA.Security-S3BucketReplicationEnabled", "data/*/Resource"),
    ],
    "Data sets are large, and kept by those who upload them; nothing here changes them. Logs are added, and expire.": [
        ("HIPAA.Security-S3BucketVersioningEnabled", path)
        for path in ("data/Data/Resource", "data/AccessLogs/Resource", "data/TibannaLogs/Resource")
    ],
    "S3 delivers access logs only to buckets that are encrypted with its own keys.": [
        ("HIPAA.Security-S3DefaultEncryptionKMS", "data/AccessLogs/Resource"),
    ],
    "Continuous backups (point-in-time recovery) are on, for 35 days; a plan is a setting of the stage.": [
        ("HIPAA.Security-DynamoDBInBackupPlan", f"{table}/Resource")
        for table in ("data/Launches", "data/Tasks", "data/Usage", "data/TibannaJobs", "benchmark/UnitPrices")
    ],
    "AWS Backup's user guide has its role keep AWS's policies: what a backup takes differs by service, and changes.": [
        (f"AwsSolutions-IAM4[Policy::*{policy}]", "backup/Role/Resource")
        for policy in ("AWSBackupServiceRolePolicyForS3Backup", "AWSBackupServiceRolePolicyForBackup")
    ],
    "Events about products, which are no data of launches: who reads them is in CloudTrail, and losing them loses"
    " statistics. The stream's role may write below two prefixes of this one bucket.": [
        (f"{_IAM}[Resource::<Events*.Arn>/*]", "adoption/StreamRole/DefaultPolicy/Resource"),
        *(
            (rule, "adoption/Events/Resource")
            for rule in (
                "AwsSolutions-S1",
                "HIPAA.Security-S3BucketLoggingEnabled",
                "HIPAA.Security-S3BucketReplicationEnabled",
            )
        ),
    ],
    # --- Network ---------------------------------------------------------------------------------------------------
    "Only the NAT gateways are in the public subnets: jobs need packages, images and AWS's endpoints.": [
        ("HIPAA.Security-VPCNoUnrestrictedRouteToIGW", "network/Vpc/publicSubnet[123456]/DefaultRoute"),
    ],
    "Nothing uses the default group. Emptying it takes a custom resource with a function and a role that changes"
    " security groups.": [
        ("HIPAA.Security-VPCDefaultSecurityGroupClosed", "network/Vpc/Resource"),
    ],
    # --- The pipeline ----------------------------------------------------------------------------------------------
    "The library's own grants to the pipeline's builds and actions: its artifacts, its key, its logs and reports.": [
        *(
            (f"{_IAM}[Action::s3:{action}[*]]", "pipeline/*/DefaultPolicy/Resource")
            for action in ("Abort", "DeleteObject", "GetBucket", "GetObject", "List")
        ),
        (f"{_IAM}[Resource::<PipelineArtifactsBucket*.Arn>/[*]]", "pipeline/*/DefaultPolicy/Resource"),
        (f"{_IAM}[Resource::*:genolaunch-pipeline-*eplicationbucket*/[*]]", "pipeline/*/DefaultPolicy/Resource"),
        (f"{_IAM}[Resource::arn:*:report-group/*[*]]", "pipeline/*/DefaultPolicy/Resource"),
        (f"{_IAM}[Resource::arn:*:log-group:/aws/codebuild/*[*]]", "pipeline/*/DefaultPolicy/Resource"),
    ],
    "The pipeline updates itself with the roles of CDK's bootstrap stacks: the condition names their kind.": [
        (f"{_IAM}[Resource::arn:[*]:iam::*:role/[*]]", "pipeline/Pipeline/UpdatePipeline/SelfMutation/Role/*"),
    ],
    "Artifacts are copies of the repository, of use until they are deployed. What happened is in CloudTrail.": [
        (rule, path)
        for path in (
            "pipeline/Pipeline/Pipeline/ArtifactsBucket/Resource",
            "pipeline/cross-region-stack-*/Default/CrossRegionCodePipelineReplicationBucket/Resource",
        )
        for rule in (
            "AwsSolutions-S1",
            "HIPAA.Security-S3BucketLoggingEnabled",
            "HIPAA.Security-S3BucketReplicationEnabled",
            "HIPAA.Security-S3BucketVersioningEnabled",
        )
    ],
    "Sources come from the pipeline, which has them from a connection: there is no repository's address or token.": [
        ("HIPAA.Security-CodeBuildProjectSourceRepoUrl", "pipeline/*/Resource"),
    ],
}
