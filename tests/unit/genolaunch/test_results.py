"""Results are the report and the summary statistics, and download into a folder of their own."""

import pytest

from genolaunch.errors import GenolaunchError
from genolaunch.launches import Launches
from genolaunch.results import ResultObject, download, results_of


def test_report_and_summary_statistics_are_the_results(platform, content, tmp_path):
    # given: also what only the workflow needs, a folder object, and a neighbour's results
    content.launch()
    content.result("report.html", b"<html>")
    content.result("gwas/")
    content.result("gwas/height.regenie.gz", b"123")
    content.result("gwas/summary/height.json")
    content.result("step2/000000/chunk.log")
    content.result("report.html", launch_id="height-10")

    # when
    found = results_of(platform, Launches(platform).get("height-1"))
    got: list[int] = []
    path = download(platform, found[1], tmp_path, got.append)

    # then
    assert [entry.path for entry in found] == ["report.html", "gwas/height.regenie.gz", "gwas/summary/height.json"]
    assert path == tmp_path / "gwas" / "height.regenie.gz"
    assert path.read_bytes() == b"123"
    assert sum(got) == 3


def test_noted_place_of_the_results_is_used(platform, content):
    content.launch(resultsUri={"S": "s3://results-bucket-1/elsewhere/x"})
    platform.s3.put_object(Bucket="results-bucket-1", Key="elsewhere/x/report.html", Body=b"r")

    (report,) = results_of(platform, Launches(platform).get("height-1"))

    assert report.uri == "s3://results-bucket-1/elsewhere/x/report.html"


def test_nothing_is_written_outside_the_folder(platform, tmp_path):
    outside = ResultObject("gwas/../../evil", 1, "results-bucket-1", "results/x/gwas/../../evil")

    with pytest.raises(GenolaunchError, match="outside"):
        download(platform, outside, tmp_path / "here", lambda _: None)
