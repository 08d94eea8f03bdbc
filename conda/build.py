"""Build the package of ``recipe.yaml`` where no conda channel can be reached: ``python conda/build.py OUT``.

rattler-build renders the recipe, runs its script, and packs what the script installed, as for conda-forge. Only the
environment of the build is another one: the Python that runs this, with pip, hatchling and hatch-fancy-pypi-readme.
The tests of the recipe need dependencies from a channel and are not run. Instead ``OUT/site-packages`` holds the files
of the package, to be tried beside dependencies from elsewhere.
"""

import shlex
import sys
import tarfile
from pathlib import Path

from rattler_build import Stage0Recipe, ToolConfiguration

RECIPE = Path(__file__).parent / "recipe.yaml"


def build(out: Path) -> Path:
    """The package that the recipe makes."""
    recipe = Stage0Recipe.from_file(RECIPE).to_dict()
    recipe["source"][0]["path"] = str(RECIPE.parents[1])
    recipe["requirements"]["host"] = []
    script = recipe["build"]["script"]["content"]
    script[:] = [f"PIP_PREFIX=$PREFIX {line.replace('python', shlex.quote(sys.executable), 1)}" for line in script]
    [built] = Stage0Recipe.from_dict(recipe).run_build(
        tool_config=ToolConfiguration(test_strategy="skip"), output_dir=out, channels=[], package_format="tar.bz2"
    )
    return built.packages[0]


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    package = build(folder)
    with tarfile.open(package) as archive:
        archive.extractall(folder, [one for one in archive if one.name.startswith("site-packages/")], filter="data")
    print(package)
