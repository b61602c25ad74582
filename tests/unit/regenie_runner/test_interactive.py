"""The report's interactive plots: which points they have, and what their script does with them."""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regenie_runner import interactive
from regenie_runner.interactive import genome_points, script, thinned
from tests.unit.regenie_runner.conftest import HEADER, expected_results, result_row
from tests.unit.regenie_runner.test_report import CONFIG, given_results, report

NODE = str(Path(sys.executable).with_name("node"))
SCRIPT = Path(interactive.__file__).parent / "templates" / "plots.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def chromosome(name: str, log10p: list[float]) -> Any:
    positions = [100 * (place + 1) for place in range(len(log10p))]
    return {"name": name, "start": positions[0], "end": positions[-1], "positions": positions, "log10p": log10p}


def in_node(expression: str, *arguments: object) -> Any:
    """What the page's script answers; `plots` is what it has, `given` the arguments."""
    program = (
        f"const plots = require({json.dumps(str(SCRIPT))}); const given = JSON.parse(process.argv[1]);"
        f"process.stdout.write(JSON.stringify({expression}));"
    )
    answer = subprocess.run(
        [NODE, "-e", program, json.dumps(arguments)], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(answer.stdout)


def summary_of(launch, **results: str) -> Any:
    launch.describe(CONFIG)
    given_results(launch, **results)
    trait = next(iter(results))
    return json.loads((launch.work / f"gwas/summary/{trait}.json").read_text())


def test_many_traits_share_the_page_and_keep_their_strongest_points():
    weak = [0.001 * (place % 900) for place in range(9_000)]
    strong = [5 + 0.01 * place for place in range(100)]
    both = [chromosome("1", weak), chromosome("X", strong)]

    few = thinned(both, 1_000)

    assert few[1]["log10p"] == strong
    assert 900 <= sum(len(each["positions"]) for each in few) <= 1_020
    assert (few[0]["start"], few[0]["end"]) == (both[0]["start"], both[0]["end"])
    assert thinned(both, 9_100) == both


@pytest.mark.parametrize("most", [0, 1, 2])
def test_a_share_of_hardly_any_points_has_the_strongest(most):
    (few,) = thinned([chromosome("1", [0.1, 7.5, 0.2])], most)
    assert 7.5 in few["log10p"]


def test_points_are_packed_as_the_script_reads_them(launch):
    rows = result_row("1", 5, log10p="8.5", name="lead") + result_row("23", 700, log10p="312.25", name="second")
    points = genome_points(summary_of(launch, height=HEADER + rows), traits=1)

    assert [each["label"] for each in points["chromosomes"]] == ["1", "X"]
    unpacked = np.frombuffer(base64.b64decode(points["chromosomes"][1]["positions"]), "<i4")
    assert unpacked.tolist() == [700]
    x, y, words = in_node(
        "(() => { const it = new plots.Genome(given[0]); "
        "return [[...it.x], [...it.y], [0, 1].map((place) => it.wordsOf(place))]; })()",
        points,
    )
    assert y == [8.5, 312.25]
    assert x[0] == 0
    assert x[1] > 0
    assert words[0] == "lead, chromosome 1, 5: −log10 p 8.50, p = 3.2 × 10^−9"
    assert words[1] == "second, chromosome X, 700: −log10 p 312.25, p = 5.6 × 10^−313"


def test_the_strongest_points_come_in_order_and_from_the_view():
    log10p = [((place * 7919) % 1_000) / 100 for place in range(1_000)]
    found = in_node("plots.strongest(given[0], 20, (place) => place >= 500)", log10p)
    assert found == sorted(range(500, 1_000), key=lambda place: -log10p[place])[:20]


@pytest.mark.parametrize(
    ("log10p", "text"),
    [(0, "1.0 × 10^0"), (0.3, "5.0 × 10^−1"), (7.301, "5.0 × 10^−8"), (8, "1.0 × 10^−8"), (7.0000001, "1.0 × 10^−7")],
)
def test_p_values_are_written_as_people_do(log10p, text):
    assert in_node("plots.pValue(given[0])", log10p) == text


@pytest.mark.parametrize("view", [[0, 100], [20, 60], [99, 100]])
@pytest.mark.parametrize("factor", [0.5, 1, 2, 1e9, 1e-12])
def test_a_view_stays_within_the_genome(view, factor):
    low, high = in_node("plots.moved(given[0], given[1], given[2], 100)", view, sum(view) / 2, factor)
    assert 0 <= low < high <= 100


@pytest.mark.parametrize(("low", "high"), [(0, 8.9), (0, 320), (0, 0.7), (120.5, 121.5)])
def test_ticks_are_few_and_round(low, high):
    found = in_node("plots.ticks(given[0], given[1])", low, high)
    assert 2 <= len(found) <= 9
    assert all(low <= tick <= high for tick in found)
    assert all(len(str(tick)) <= 6 for tick in found)


def test_the_script_can_stand_in_a_page():
    assert "</script" not in script().text
    assert "<!--" not in script().text
    assert all(letter.isprintable() or letter == "\n" for letter in script().text)


def seen_by(page: Path, action: str = "") -> str:
    """The page's elements when its script, and then an action, has run; such an action needs a page without policy."""
    if action:
        text = page.read_text()
        policy = text[text.index("<meta http-equiv") :].partition("\n")[0]
        page = page.with_name("acted.html")
        page.write_text(text.replace(policy, "").replace("</body>", f"<script>{action}</script></body>"))
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]
    return subprocess.run([*command, page.as_uri()], capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, in which the page is opened")
def test_a_browser_makes_the_plots_interactive_under_the_pages_own_policy(launch):
    launch.describe(CONFIG)
    given_results(launch, height=expected_results("height"), ldl=expected_results("ldl"))
    report(launch)

    elements = seen_by(launch.work / "report.html")

    assert elements.count('class="drawn"') == 4  # a Manhattan plot and a QQ plot of each trait
    assert "<td>2:30467:A:G</td><td>2</td><td>30,467</td><td>8.45</td>" in elements


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, in which the page is opened")
def test_the_keyboard_reaches_what_the_pointer_does(launch):
    launch.describe(CONFIG)
    given_results(launch, height=expected_results("height"))
    report(launch)
    keys = "".join(
        f'stage.dispatchEvent(new KeyboardEvent("keydown", {{key: "{key}", bubbles: true}}));'
        for key in ("ArrowDown", "+", "+", "+", "+", "ArrowDown")
    )

    elements = seen_by(launch.work / "report.html", f'const stage = document.querySelector(".stage"); {keys}')

    assert "2 of 20: chromosome 2, " in elements  # the second strongest near the strongest, of the narrower view
    assert "<td>1:39134:A:G</td>" not in elements.partition('class="pair"')[0]
