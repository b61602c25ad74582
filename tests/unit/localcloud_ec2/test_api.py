"""Fleets of one instance, as Tibanna asks for them; ministack keeps the instances' records."""

import base64
import io
import json
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError

from localcloud.ec2 import Ec2Service, Injections, Machines
from localcloud.wire import Request

SCRIPT = "#!/bin/bash\nJOBID=abc\nRUN_SCRIPT=x.sh\nLOGBUCKET=logs\n"
TEMPLATE = {"UserData": base64.b64encode(SCRIPT.encode()).decode(), "TagSpecifications": []}
NAMESPACE = "{http://ec2.amazonaws.com/doc/2016-11-15/}"


class FakeEc2:
    def __init__(self, templates):
        self._templates = templates
        self.launched = []

    def describe_launch_template_versions(self, LaunchTemplateName, Versions):  # noqa: N803 - as boto3's
        if LaunchTemplateName not in self._templates:
            raise ClientError({"Error": {"Code": "InvalidLaunchTemplateName.NotFoundException"}}, "Describe")
        return {"LaunchTemplateVersions": [{"LaunchTemplateData": self._templates[LaunchTemplateName]}]}

    def run_instances(self, **arguments):
        self.launched.append(arguments)
        place = {"AvailabilityZone": "eu-west-1a"}
        return {"Instances": [{"InstanceId": "i-1", "InstanceType": arguments["InstanceType"], "Placement": place}]}


class FakeS3:
    def get_object(self, Bucket, Key):  # noqa: N803 - as boto3's
        assert (Bucket, Key) == ("logs", "abc.run.json")
        return {"Body": io.BytesIO(json.dumps({"config": {"run_name": "snakemake-job-abc-rule-trim"}}).encode())}


class FakeMachines(Machines):
    def __init__(self):
        self.started = []
        self.ended = []

    def start(self, machine):
        self.started.append(machine)

    def end(self, instance_id):
        self.ended.append(instance_id)

    def market(self, instance_id):
        return "spot"

    def state_reason(self, instance_id):
        return ("Server.SpotInstanceTermination", "Spot instance termination")


class Cloud:
    def __init__(self, templates=None):
        self.ec2 = FakeEc2({"template": TEMPLATE} if templates is None else templates)
        self.machines = FakeMachines()
        self.injections = Injections()
        clients = {"ec2": self.ec2, "s3": FakeS3()}
        self._requests = Ec2Service(machines=self.machines, injections=self.injections, clients=clients.__getitem__)

    def ask(self, own=lambda: (200, {}, b""), **members):
        request = Request("POST", "/", {}, urlencode(members).encode(), {})
        (interceptor,) = [each for each in self._requests.interceptors if each.wants(request)]
        status, _, body = interceptor.answer(request, own)
        assert status == 200
        return ElementTree.fromstring(body) if body else None

    def ask_for_a_fleet(self, market="spot"):
        members = {
            "Action": "CreateFleet",
            "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName": "template",
            "LaunchTemplateConfigs.1.Overrides.1.InstanceType": "t3.small",
            "LaunchTemplateConfigs.1.Overrides.1.SubnetId": "subnet-1",
            "LaunchTemplateConfigs.1.Overrides.2.InstanceType": "t3.large",
            "TargetCapacitySpecification.DefaultTargetCapacityType": market,
        }
        return self.ask(**members)


def text(answer, path):
    return answer.findtext("/".join(f"{NAMESPACE}{part}" for part in path.split("/")))


def test_a_fleet_starts_the_job_of_its_user_data_on_the_first_type():
    cloud = Cloud()

    answer = cloud.ask_for_a_fleet()

    assert text(answer, "fleetInstanceSet/item/instanceIds/item") == "i-1"
    (machine,) = cloud.machines.started
    assert (machine.job.id, machine.job.log_bucket, machine.instance_type) == ("abc", "logs", "t3.small")
    assert machine.is_spot
    assert not machine.is_reclaimed


def test_a_refused_spot_fleet_has_an_error_and_no_instance_and_on_demand_is_not_refused():
    cloud = Cloud()
    cloud.injections.refuse_spot("*-rule-trim", 5, "InsufficientInstanceCapacity")

    answer = cloud.ask_for_a_fleet()

    assert text(answer, "errorSet/item/errorCode") == "InsufficientInstanceCapacity"
    assert cloud.ec2.launched == []
    assert text(cloud.ask_for_a_fleet("on-demand"), "fleetInstanceSet/item/instanceIds/item") == "i-1"


@pytest.mark.parametrize("kind", ["spot", "on-demand"])
@pytest.mark.parametrize("code", ["MaxSpotInstanceCountExceeded", "VcpuLimitExceeded", "SpotMaxPriceTooLow"])
def test_a_used_up_quota_refuses_fleets_of_any_kind(kind, code):
    cloud = Cloud()
    cloud.injections.refuse_fleet("*-rule-trim", 1, code)

    assert text(cloud.ask_for_a_fleet(kind), "errorSet/item/errorCode") == code
    assert text(cloud.ask_for_a_fleet(kind), "fleetInstanceSet/item/instanceIds/item") == "i-1"


def test_a_fleet_without_its_template_says_so():
    assert text(Cloud(templates={}).ask_for_a_fleet(), "errorSet/item/errorCode") == "InvalidLaunchTemplate"


def test_terminated_instances_stop():
    cloud = Cloud()

    cloud.ask(Action="TerminateInstances", **{"InstanceId.1": "i-1", "InstanceId.2": "i-2"})

    assert cloud.machines.ended == ["i-1", "i-2"]


def test_instances_say_that_they_were_spot_and_why_they_ended():
    own = (
        '<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item>'
        "<instancesSet><item><instanceId>i-1</instanceId><instanceState><name>terminated</name></instanceState></item>"
        "</instancesSet></item></reservationSet></DescribeInstancesResponse>"
    )

    answer = Cloud().ask(lambda: (200, {}, own.encode()), Action="DescribeInstances")

    item = "reservationSet/item/instancesSet/item"
    assert text(answer, f"{item}/instanceLifecycle") == "spot"
    assert text(answer, f"{item}/stateReason/code") == "Server.SpotInstanceTermination"
