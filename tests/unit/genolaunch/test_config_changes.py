"""Changes that are typed: each gets the type of its key, and a wrong key is told with what is spelled alike."""

import json
from typing import Any

import pytest

from genolaunch.config_changes import Change, changed, differences
from genolaunch.config_files import FaultyConfigError, checked_values
from genolaunch.errors import WrongArgumentError

REGENIE: dict[str, Any] = {
    "name": "height",
    "workflow": "regenie",
    "data": "cohort/",
    "regenie": {
        "genotypes": "a.bed",
        "phenotypes": "p.txt",
        "traits": ["height", "ldl"],
        "trait_type": "quantitative",
        "step2": {"datasets": [{"genotypes": "chr1.bgen", "sample": "chr1.sample"}]},
    },
}
SNAKEMAKE: dict[str, Any] = {
    "name": "reads",
    "workflow": "snakemake",
    "data": "reads/",
    "snakemake": {"snakefile": "workflows/reads/Snakefile", "config": {"min_length": 35}},
}


def stored(config):
    """As the launch table has it: with every default."""
    return json.loads(checked_values(config, "").as_json())


def at(values, *place):
    for part in place:
        values = values[part]
    return values


def change(config, *texts):
    return changed(stored(config), [Change.parse(text) for text in texts], "the config")


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("regenie.step1.jobs=40", ("regenie", "step1", "jobs"), 40),
        ("regenie.traits=ldl", ("regenie", "traits"), ["ldl"]),
        ("regenie.traits=ldl, height", ("regenie", "traits"), ["ldl", "height"]),
        ("regenie.traits=[ldl]", ("regenie", "traits"), ["ldl"]),
        ("regenie.traits[1]=bmi", ("regenie", "traits", 1), "bmi"),
        ("regenie.traits[2]=no", ("regenie", "traits", 2), "no"),
        ("regenie.traits[0]=2024", ("regenie", "traits", 0), "2024"),
        ("name=2024", ("name",), "2024"),
        ("regenie.version=4.1", ("regenie", "version"), "4.1"),
        ("regenie.apply_rint=true", ("regenie", "apply_rint"), True),
        ("regenie.resources.step2={vcpus: 4, memory_gib: 16}", ("regenie", "resources", "step2", "vcpus"), 4),
        ("regenie.resources.step2.vcpus=8", ("regenie", "resources", "step2", "vcpus"), 8),
        ("regenie.step2.datasets[0].sample=b.sample", ("regenie", "step2", "datasets", 0, "sample"), "b.sample"),
        ("regenie.step2.datasets[1].genotypes=c.bed", ("regenie", "step2", "datasets", 1, "genotypes"), "c.bed"),
        ("budget.limit=12.5", ("budget", "limit"), 12.5),
        ("data=s3://lab-data/x=1/", ("data",), "s3://lab-data/x=1/"),
    ],
)
def test_a_value_is_what_its_key_takes(text, place, value):
    needed = ["regenie.resources.step2.memory_gib=16"] if text.startswith("regenie.resources.step2.vcpus") else []

    assert at(change(REGENIE, text, *needed), *place) == value


def test_several_changes_are_made_and_the_rest_stays():
    new = change(SNAKEMAKE, "snakemake.config.min_length=40", "snakemake.config.adapter=ACGT", "snakemake.retries=0")

    assert new["snakemake"]["config"] == {"min_length": 40, "adapter": "ACGT"}
    assert differences(stored(SNAKEMAKE), new) == [
        "snakemake.config.min_length: 35 -> 40",
        "snakemake.retries: 3 -> 0",
        'snakemake.config.adapter: – -> "ACGT"',
    ]


def test_a_key_is_taken_out_by_an_empty_value():
    assert "sample" not in at(change(REGENIE, "regenie.step2.datasets[0].sample="), "regenie", "step2", "datasets", 0)


@pytest.mark.parametrize(
    "text", ["snakemake.engine=aws-batch", "snakemake.spot=false", "snakemake.tibanna.behavior_on_capacity_limit=fail"]
)
def test_a_default_that_contradicts_a_change_is_no_fault_of_who_makes_it(text):
    checked_values(change(SNAKEMAKE, text), "")


def test_what_a_person_wrote_is_not_given_up_for_a_change():
    asked = {**SNAKEMAKE, "snakemake": {**SNAKEMAKE["snakemake"], "tibanna": {"behavior_on_capacity_limit": "fail"}}}

    with pytest.raises(FaultyConfigError, match="would be ignored, since the engine is aws-batch"):
        change(asked, "snakemake.engine=aws-batch")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("regenie.stpe1.jobs=40", r"regenie\.stpe1 is not a key of a launch config\. Did you mean step1\?"),
        ("regenie.trait=[a]", r"regenie\.trait is not a key of a launch config\. Did you mean traits\?"),
        ("jobs=40", r"jobs is not a key of a launch config\. Did you mean regenie\.step1\.jobs\?"),
        ("regenie.step1.jobs=many", r"regenie\.step1\.jobs must be a whole number; you gave 'many'"),
        ("regenie.apply_rint=yes", r"regenie\.apply_rint must be true or false"),
        ("regenie.trait_type=ordinal", r"regenie\.trait_type must be "),
        ("regenie.genotypes=", r"regenie\.genotypes is required, but missing"),
    ],
)
def test_a_wrong_key_or_value_is_one_fault(text, words):
    with pytest.raises(FaultyConfigError, match=words) as error:
        change(REGENIE, text)

    assert len(error.value.faults) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("regenie", "is not KEY=VALUE"),
        ("=3", "is not KEY=VALUE"),
        ("regenie..jobs=3", "has no key such as"),
        ("regenie.traits[x]=3", "has no key such as"),
        ("regenie.traits[9]=bmi", "the list has 2 entries"),
        ("regenie.traits.first=bmi", "is a list, whose entries are"),
        ("name.first=bmi", "is a value, which has no keys"),
        ("name[0]=bmi", "is no list"),
        ("regenie.sample=", "is not set"),
    ],
)
def test_a_change_that_leads_nowhere_is_told(text, words):
    with pytest.raises(WrongArgumentError, match=words):
        change(REGENIE, text)
