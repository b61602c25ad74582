"""Misfortunes are for the instances of the jobs that they were arranged for."""

from localcloud.ec2 import Injections


def test_only_jobs_of_such_a_name_lose_their_instance_and_only_so_many():
    injections = Injections()
    injections.reclaim_spot("*-rule-trim", 2)

    names = ["snakemake-job-a-rule-trim", "snakemake-job-b-rule-count", "snakemake-job-c-rule-trim"]
    assert [injections.is_reclaimed(name) for name in names] == [True, False, True]
    assert not injections.is_reclaimed("snakemake-job-d-rule-trim")


def test_a_refusal_says_why():
    injections = Injections()
    injections.refuse_spot("*", 1, "UnfulfillableCapacity")

    assert injections.refusal("any") == "UnfulfillableCapacity"
    assert injections.refusal("any") is None
