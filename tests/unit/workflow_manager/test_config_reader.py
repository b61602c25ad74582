"""Launch configs: what is accepted, what it becomes, and every fault of what is not."""

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import launch_reference
from genolaunch.launch_configs.config_reader import check_config, read_config
from genolaunch.launch_configs.config_text import LARGEST_CONFIG, read_text
from genolaunch.launch_configs.models import LAUNCH_MODELS, launch_schema
from genolaunch.launch_configs.regenie_config import RegenieLaunch
from genolaunch.shared.errors import MissingRequiredParametersError
from genolaunch.shared.faults import Fault

REPOSITORY = Path(__file__).parents[3]

EARLIER = "height-gwas-20261121t040000-1a2b3c4d"


def config(regenie=None, **top):
    """The smallest good config, with changes; a value of `...` takes the key out."""
    section = {"genotypes": "cohort.bed", "phenotypes": "p.txt", "traits": ["height"], "trait_type": "quantitative"}
    values = {"name": "gwas", "workflow": "regenie", "data": "cohort", "regenie": {**section, **(regenie or {})}, **top}
    values["regenie"] = {key: value for key, value in values["regenie"].items() if value is not ...}
    return {key: value for key, value in values.items() if value is not ...}


def snakemake_config(values):
    """A launch of a Snakefile, with anything for the workflow's own config."""
    section = {"snakefile": "workflows/exome/Snakefile", "config": values, "targets": values}
    return {"name": "exome", "workflow": "snakemake", "data": "exome", "snakemake": section}


def faults(values):
    """`where: problem remedy` of every fault, each of which must have a remedy; none for a good config."""
    found: tuple[Fault, ...] = ()
    try:
        check_config(values) if isinstance(values, dict) else read_config(values)
    except MissingRequiredParametersError as error:
        found = error.faults
    assert [fault for fault in found if not fault.remedy or "\n" in fault.remedy] == []
    return [str(fault) for fault in found]


def gwas(values):
    """The accepted config, which is one of regenie."""
    launch = check_config(values)
    assert isinstance(launch, RegenieLaunch)
    return launch


class TestAccepted:
    def test_defaults_are_filled_in(self):
        accepted = gwas(config())

        assert (accepted.compute, accepted.priority, accepted.data) == ("batch-spot", "low", "cohort/")
        assert accepted.regenie.step1.model_dump() == {
            "enabled": True,
            "block_size": 1000,
            "jobs": 20,
            "qc": None,
            "extract": None,
            "exclude": None,
            "extra": [],
            "from_launch": None,
            "predictions": None,
        }
        assert (accepted.regenie.step2.block_size, accepted.regenie.step2.variants_per_job) == (400, 50_000)

    def test_step_2_tests_the_genotypes_of_step_1_by_default(self):
        accepted = gwas(config({"genotypes": "c.bgen", "sample": "c.sample"}))

        assert accepted.regenie.step2.datasets is not None
        (dataset,) = accepted.regenie.step2.datasets
        assert (dataset.genotypes, dataset.sample) == ("c.bgen", "c.sample")

    @pytest.mark.parametrize(
        ("data", "uri"),
        [
            ("cohort", "s3://stage-data/cohort/"),
            ("a/b/", "s3://stage-data/a/b/"),
            ("s3://lab", "s3://lab/"),
            ("s3://lab/a/b", "s3://lab/a/b/"),
        ],
    )
    def test_data_is_a_url_or_a_folder_of_the_stages_bucket(self, data, uri):
        assert check_config(config(data=data)).data_uri("stage-data") == uri

    def test_skipping_step_1_takes_earlier_predictions(self):
        accepted = gwas(config({"step1": {"enabled": False, "predictions": "old/step1_pred.list"}}))

        assert accepted.regenie.step1.predictions == "old/step1_pred.list"

    def test_skipping_step_1_takes_the_predictions_of_an_earlier_launch(self):
        accepted = gwas(config({"step1": {"enabled": False, "from_launch": EARLIER}}))

        assert accepted.regenie.step1.from_launch == EARLIER

    @pytest.mark.parametrize("genotypes", ["cohort.bed", "cohort.pgen", "cohort.bgen"])
    @pytest.mark.parametrize("step1", [{}, {"qc": {}}, {"qc": None}])
    def test_quality_control_has_the_thresholds_of_regenies_authors(self, step1, genotypes):
        quality = gwas(config({"genotypes": genotypes, "step1": step1})).regenie.step1.quality_control

        assert quality is not None
        assert quality.model_dump() == {"maf": 0.01, "mac": 100, "geno": 0.1, "hwe": 1e-15, "mind": 0.1}

    @pytest.mark.parametrize("step1", [{"qc": False}, {"enabled": False, "predictions": "old/step1_pred.list"}])
    def test_quality_control_is_left_out_where_nobody_wants_it(self, step1):
        accepted = gwas(config({"step1": step1}))

        assert accepted.regenie.step1.quality_control is None
        # And: what is kept of the config says the same
        kept = RegenieLaunch.model_validate_json(accepted.as_json())
        assert kept == accepted
        assert kept.regenie.step1.quality_control is None

    @pytest.mark.parametrize(
        ("qc", "where"),
        [
            ({"maff": 0.1}, "regenie.step1.qc.maff"),
            ({"maf": 0.7, "mac": -1}, "regenie.step1.qc.maf regenie.step1.qc.mac"),
            (True, "regenie.step1.qc"),
            ("no", "regenie.step1.qc"),
        ],
    )
    def test_thresholds_of_no_sense_are_faults_of_their_keys(self, qc, where):
        assert " ".join(fault.split(": ")[0] for fault in faults(config({"step1": {"qc": qc}}))) == where

    def test_further_options_are_handed_on(self):
        extra = {"step1": {"extra": ["--cv  10 ", "--verbose"]}, "step2": {"extra": ["--test recessive"]}}

        accepted = gwas(config(extra)).regenie

        assert (accepted.step1.extra, accepted.step2.extra) == (["--cv 10", "--verbose"], ["--test recessive"])

    def test_equal_configs_are_equal_text_which_reads_back_the_same(self):
        text = check_config(config()).as_json()
        turned = dict(reversed(config(data="cohort/", priority="low").items()))

        assert check_config(turned).as_json() == text
        assert read_config(text.encode(), is_json=True).as_json() == text

    def test_yaml_words_stay_words(self):
        text = yaml.safe_dump(config()).replace("- height", "- no\n  - on\n  - 2020-01-01\n  - 1e5x")

        assert gwas(read_text(text.encode(), is_json=False)).regenie.traits == ["no", "on", "2020-01-01", "1e5x"]

    def test_a_byte_order_mark_is_no_fault(self):
        assert faults(b"\xef\xbb\xbf" + yaml.safe_dump(config()).encode()) == []


class TestFaults:
    @pytest.mark.parametrize(
        ("values", "fault"),
        [
            (
                config({"step2": {"variants_per_job": -5}}),
                "regenie.step2.variants_per_job: must be at least 1; you gave -5. Give 1 or more.",
            ),
            (
                config({"step1": {"jobs": 10_001}}),
                "regenie.step1.jobs: must be at most 10000; you gave 10001. Give 10000 or less.",
            ),
            (
                config({"step1": {"jobs": "3"}}),
                "regenie.step1.jobs: must be a whole number; you gave '3'. Write digits only, without quotes.",
            ),
            (
                config({"step1": {"jobs": True}}),
                "regenie.step1.jobs: must be a whole number; you gave true. Write digits only, without quotes.",
            ),
            (
                config({"step1": {"jobs": None}}),
                "regenie.step1.jobs: must be a whole number; you gave nothing. "
                "Write a value after the key, or remove the key.",
            ),
            (
                config({"step1": {"enabled": "yes"}}),
                "regenie.step1.enabled: must be true or false; you gave 'yes'. Write one of the two, without quotes.",
            ),
            (config({"version": 4.1}), "regenie.version: must be text; you gave 4.1. Write it in quotes."),
            (
                config({"version": "latest"}),
                "regenie.version: must be a version such as 4.1.2; you gave 'latest'. "
                "Leave it out to use the stage's default version.",
            ),
            (
                config({"traits": []}),
                "regenie.traits: must have at least 1 entry; you gave an empty list. Add what is to be analysed.",
            ),
            (
                config({"traits": "height"}),
                "regenie.traits: must be a list; you gave 'height'. Write it in brackets: [first, second].",
            ),
            (
                config({"traits": ["a", "a"]}),
                "regenie.traits: must name each one once; repeated: a. Remove the repetitions.",
            ),
            (
                config({"traits": ["a b"]}),
                "regenie.traits[0]: must be up to 100 letters, digits and _ . - with a letter, digit or _ first; "
                "you gave 'a b'. Rename the column, in its file and here; list columns one by one, without ranges.",
            ),
            (
                config({"trait_type": "ordinal"}),
                "regenie.trait_type: must be quantitative or binary; you gave 'ordinal'. Choose one of these.",
            ),
            (
                config({"trait_type": "binary", "apply_rint": True}),
                "regenie.apply_rint: is for quantitative traits only. Leave it out.",
            ),
            (
                config({"genotypes": "c.vcf"}),
                "regenie.genotypes: must end in .bed, .pgen, .bgen; you gave 'c.vcf'. "
                "Name the genotype file itself; plink2 converts other formats (--make-bed, --make-pgen).",
            ),
            (
                config({"sample": "c.sample"}),
                "regenie.sample: belongs to .bgen genotypes only, and these are 'cohort.bed'. Leave it out.",
            ),
            (
                config({"phenotypes": "../p.txt"}),
                "regenie.phenotypes: must not contain '..' as a folder; you gave '../p.txt'. "
                "Write the path from `data` downwards; copy files that are elsewhere below it.",
            ),
            (
                config({}) | {"data": "/home/ada/cohort"},
                "data: must be a folder of the data bucket, not of your machine; you gave '/home/ada/cohort'. Write "
                "the folder's name in the bucket, such as my-cohort/; `genolaunch submit --data-dir FOLDER` "
                "uploads a local folder to it.",
            ),
            (
                config({"phenotypes": "/p.txt"}),
                "regenie.phenotypes: must be a path below data, not an absolute one; you gave '/p.txt'. "
                "Write only what follows the folder that `data` names.",
            ),
            (
                config({"step1": {"predictions": "p.list"}}),
                "regenie.step1.predictions: would be ignored, since step 1 is enabled. "
                "Leave it out, or set enabled: false.",
            ),
            (
                config({"step2": None}),
                "regenie.step2: must be a section with keys of its own; you gave nothing. "
                "Write a value after the key, or remove the key.",
            ),
            (config({"trait": 1}), "regenie.trait: is not a key of a launch config. Did you mean traits?"),
            (config(traits=[1]), "traits: is not a key of a launch config. Did you mean regenie.traits?"),
            (
                config(snakemake={"snakefile": "workflows/x/Snakefile"}),
                "snakemake: is the section of another workflow, and this launch's workflow is regenie. "
                "Remove it, or write `workflow: snakemake` and remove the section regenie.",
            ),
            (
                config({"genome_build": "hg19"}),
                "regenie.genome_build: must be NCBI36, GRCh37 or GRCh38; you gave 'hg19'. "
                "Write GRCh37, which is the same assembly.",
            ),
            (
                config({"genome_build": "grch38"}),
                "regenie.genome_build: must be NCBI36, GRCh37 or GRCh38; you gave 'grch38'. "
                "Write GRCh38, which is the same assembly.",
            ),
            (
                config({"phenotypes": "my phenotypes.txt"}),
                "regenie.phenotypes: is not a path; you gave 'my phenotypes.txt'. A path has letters, digits and "
                ". _ + = @ , ~ - with single slashes between its parts: rename the file or folder in the data, and "
                "write its new name here.",
            ),
            (
                config({"covariates": "c.txt", "covariate_columns": ["age", "PC{1:4}"]}),
                "regenie.covariate_columns[1]: must be up to 100 letters, digits and _ . - with a letter, digit or _ "
                "first; you gave 'PC{1:4}'. Rename the column, in its file and here; list columns one by one, "
                "without ranges.",
            ),
            (
                config(colour=1),
                "colour: is not a key of a launch config. "
                "Known here: name, workflow, priority, data, restore, budget, compute, regenie.",
            ),
            (
                config(priority="urgent"),
                "priority: must be high or low; you gave 'urgent'. Choose one of these.",
            ),
            (
                config(compute="ec2-spot"),
                "compute: must be batch-spot or batch-on-demand or parallelcluster; you gave 'ec2-spot'. "
                "Choose one of these.",
            ),
            (
                config(data="s3://X/"),
                "data: names no valid bucket; you gave 's3://X'. An S3 URL is s3://BUCKET/FOLDER/.",
            ),
            (
                config({"loci": {"known_as": {"hieght": ["body height"]}}}),
                "regenie.loci.known_as.hieght: is not among the traits. Did you mean height?",
            ),
            (
                config({"loci": {"known_as": {"bmi": ["body mass index"]}}}),
                "regenie.loci.known_as.bmi: is not among the traits. Known here: height.",
            ),
            *(
                (
                    config({"loci": {"known_as": {"height": ["body height", word]}}}),
                    "regenie.loci.known_as.height[1]: must not be empty: every trait has that in its name. "
                    "Write a word, or leave it out.",
                )
                for word in ("", " ")
            ),
        ],
    )
    def test_a_fault_is_said_in_plain_words(self, values, fault):
        assert faults(values) == [fault]

    @pytest.mark.parametrize("trait", ["..", "-x", "a/b", "a,b", "x" * 101])
    def test_a_trait_is_a_name_for_files_and_no_option_of_a_command(self, trait):
        (fault,) = faults(config({"traits": [trait]}))
        assert fault.startswith("regenie.traits[0]: must be up to 100 letters")

    def test_a_missing_key_is_explained(self):
        (fault,) = faults(config({"phenotypes": ...}))
        assert fault.startswith("regenie.phenotypes: is required, but missing. Phenotype file:")

    def test_an_explanation_of_several_lines_is_one(self):
        (fault,) = faults(config({"genotypes": ...}))
        assert fault.endswith(".pvar and .psam, or .bgi) in the same folder.")

    def test_predictions_are_required_without_step_1(self):
        (fault,) = faults(config({"step1": {"enabled": False}}))
        assert fault.startswith("regenie.step1.predictions: is required when step 1 is not enabled, but missing.")

    @pytest.mark.parametrize(
        ("step1", "fault"),
        [
            ({"from_launch": EARLIER}, "regenie.step1.from_launch: would be ignored, since step 1 is enabled."),
            (
                {"enabled": False, "from_launch": EARLIER, "predictions": "p.list"},
                "regenie.step1.predictions: would be ignored, since from_launch is given. Give one of the two.",
            ),
            (
                {"enabled": False, "from_launch": "../results/x"},
                "regenie.step1.from_launch: must be the id of a launch, such as height-gwas-20261121t040000-1a2b3c4d;",
            ),
        ],
    )
    def test_an_earlier_launch_is_named_by_its_id_where_it_is_used(self, step1, fault):
        (found,) = faults(config({"step1": step1}))
        assert found.startswith(fault)

    def test_all_faults_are_found_at_once_also_those_between_keys(self):
        values = config(
            {
                "genotypes": "c.bed",
                "sample": "c.sample",
                "traits": ["a", "a", "x y"],
                "step1": {"enabled": False, "jobs": 0},
            },
            name="a b",
        )
        assert [fault.split(": ")[0] for fault in faults(values)] == [
            "name",
            "regenie.sample",
            "regenie.traits[2]",
            "regenie.traits",
            "regenie.step1.jobs",
            "regenie.step1.predictions",
        ]

    def test_a_workflow_that_is_not_run_here_is_refused_with_the_list_of_those_that_are(self):
        values = {"name": "a b", "workflow": "nextflow", "compute": "batch-spot", "data": "run42"}

        assert [fault.split("; you gave")[0] for fault in faults(values)] == [
            "name: must be up to 63 letters, digits and . _ - with a letter or digit first",
            f"workflow: must be one this stage runs: {', '.join(LAUNCH_MODELS)}",
        ]

    def test_without_workflow_and_section_the_other_keys_are_checked(self):
        assert [fault.split(": ")[0] for fault in faults({"nmae": "gwas", "data": "cohort"})] == [
            "name",
            "workflow",
            "nmae",
        ]

    def test_a_config_without_a_workflow_is_checked_by_the_section_it_has(self):
        assert [fault.split(": ")[0] for fault in faults(config({"traits": []}, workflow=...))] == [
            "workflow",
            "regenie.traits",
        ]

    @pytest.mark.parametrize("workflow", [None, ["regenie"], {"a": 1}, 5])
    def test_a_workflow_may_be_anything_wrong(self, workflow):
        (fault,) = faults(config(workflow=workflow))
        assert fault.startswith(f"workflow: must be one this stage runs: {', '.join(LAUNCH_MODELS)}; you gave")

    def test_thousands_of_faults_are_cut_short(self):
        found = faults({f"key{number}": 1 for number in range(5000)})

        assert len(found) == 101
        assert found[-1] == "the file: has 4903 more faults. Correct these first."


class TestText:
    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("a: [1, 2\nb: 3", "line 2, column 2: is not YAML: while parsing a flow sequence, expected ',' or ']'"),
            ("name: a\nname: b", "line 2, column 1: the key name is there twice."),
            ("a: &x 1\nb: *x", "line 1, column 4: anchors and aliases (& and *) are not allowed."),
            ("a: !!set {b}", "line 1, column 4: tags (tag:yaml.org,2002:set) are not allowed."),
            ("? [a]\n: b", "line 1, column 3: a key must be plain text"),
            ("[" * 100, "line 1, column 21: is nested too deeply"),
            ("a: 1\n---\nb: 1", "line 2, column 1: is not YAML: expected a single document in the stream"),
            ("a: \x01", "the file: is not YAML: unacceptable character #x0001"),
            ("a: " + "9" * 5000, "the file: holds a value that cannot be read"),
            ("- a", "the file: must hold keys such as name and workflow; it holds a list"),
            ("\udcff", "the file: is not UTF-8 text (byte 0). Save it as UTF-8."),
            ("#" * (LARGEST_CONFIG + 1), "the file: has 65,537 bytes; a launch config may have 65,536"),
        ],
    )
    def test_yaml_that_cannot_be_used_says_where(self, text, fault):
        (found,) = faults(text.encode("utf-8", "surrogateescape"))
        assert found.startswith(fault)

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ('{"name": "a",}', "line 1, column 14: is not JSON: Expecting property name"),
            ('{"a": 1, "a": 2}', "the file: has a key twice: a."),
            ('{"a": NaN}', "the file: holds NaN, which is not a number"),
            ("[" * 50_000, "the file: is nested too deeply"),
        ],
    )
    def test_json_that_cannot_be_used_says_where(self, text, fault):
        with pytest.raises(MissingRequiredParametersError, match=re.escape(fault)):
            read_config(text.encode(), is_json=True)

    @settings(max_examples=200, deadline=None)
    @given(
        content=st.one_of(
            st.binary(max_size=300),
            st.text(alphabet="ab:-[]{}&*!?|>'\"%@`#,\n\t 019.~<", max_size=60).map(str.encode),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
                max_leaves=10,
            ).map(lambda values: json.dumps({**config(), "name": values, "regenie": values}).encode()),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
                max_leaves=10,
            ).map(lambda values: json.dumps(snakemake_config(values)).encode()),
        ),
        is_json=st.booleans(),
    )
    def test_any_bytes_are_a_config_or_faults_that_can_be_stored(self, content, is_json):
        found = _faults_or_config(content, is_json)

        if isinstance(found, MissingRequiredParametersError):
            assert found.faults
            assert all(str(fault).encode() for fault in found.faults)
            assert all(fault.remedy for fault in found.faults)
        else:
            assert read_config(found.as_json().encode(), is_json=True) == found


def _faults_or_config(content, is_json):
    try:
        return read_config(content, is_json=is_json)
    except MissingRequiredParametersError as error:
        return error


class TestPublished:
    def test_the_schema_in_docs_is_current(self):
        published = json.loads((REPOSITORY / "docs/launch-schema.json").read_text())
        assert published == launch_schema(), "make reference"

    def test_the_tables_in_docs_are_current_and_describe_every_section(self):
        page = launch_reference.PAGE.read_text()

        sections = {name for name, each in launch_schema()["$defs"].items() if "properties" in each}
        assert launch_reference.with_tables(page) == page, "make reference"
        # What all workflows have alike is described once.
        others = {model.__name__ for model in LAUNCH_MODELS.values()} - {RegenieLaunch.__name__}
        assert launch_reference.tables_of(page) == sections - others

    def test_a_table_tells_what_a_key_may_be(self):
        table = launch_reference.with_tables("<!-- keys: Step1 -qc -->\n<!-- end -->")

        assert (
            "| `jobs` | Number of level 0 jobs, over which the blocks are spread. "
            "Lowered to the number of blocks if that is smaller. |"
        ) in table
        assert "| whole number from 1 to 10,000 | 20 |" in table
        assert "`qc`" not in table

    def test_every_key_is_explained_in_the_reference(self):
        reference = (REPOSITORY / "docs/launch-config.md").read_text()
        keys = {key for section in _sections(launch_schema()) for key in section["properties"]}
        assert [key for key in sorted(keys) if f"`{key}`" not in reference] == []

    def test_the_references_examples_are_good_configs(self):
        reference = (REPOSITORY / "docs/launch-config.md").read_text()
        examples = re.findall(r"```yaml\n(.*?)```", reference, re.DOTALL)
        assert examples
        assert [faults(example.encode()) for example in examples] == [[]] * len(examples)


def _sections(schema):
    return [section for section in schema["$defs"].values() if "properties" in section]
