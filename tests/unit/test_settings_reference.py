"""docs/settings.md has every setting, as its model describes it."""

from checks import settings_reference


def test_the_page_in_docs_is_current():
    assert settings_reference.PAGE.read_text(encoding="utf-8") == settings_reference.page(), "make reference"


def test_it_has_the_sections_of_sections_and_leaves_out_what_the_key_says():
    page = settings_reference.page()

    for section in ("network", "images.pull_through", "parallelcluster", "product"):
        assert f"### `{section}`" in page
    assert "| `max_vcpus` |" in page
    assert "| `region` | AWS region of the stage. | text | required |" in page
    assert "| `name` | Name of the stage" not in page
