"""The page of the task names all that can be asked for."""

from pathlib import Path

from sympe.tasks.molecules import DATA_SETS, METHODS, RECIPES

PAGE = Path(__file__).parents[3] / "docs" / "molecules.md"


def test_every_method_recipe_and_data_set_is_explained() -> None:
    page = PAGE.read_text()
    assert [name for name in (*METHODS, *RECIPES, *DATA_SETS) if f"`{name}`" not in page] == []
