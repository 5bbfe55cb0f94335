"""The page about speed shows the figures that were measured."""

import json

from validation.speed_page import FIGURES, PAGE, filled


def test_tables_are_those_of_the_figures():
    """docs/speed.md as it stands; fails if benchmarks.json is written anew and the page is not."""
    assert filled(PAGE.read_text(), json.loads(FIGURES.read_text())) == PAGE.read_text()
