"""What `import sympe` offers, and what it does not load."""

import subprocess
import sys

import pytest

import sympe


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_name_is_there() -> None:
    assert set(sympe.__all__) == {*sympe._HOMES, *sympe._MODULES}
    for name in sympe.__all__:
        assert getattr(sympe, name) is not None
    assert set(sympe.__all__) <= set(dir(sympe))


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'sympe' has no attribute 'Graph'"):
        sympe.Graph  # noqa: B018


def test_nothing_heavy_is_loaded() -> None:
    heavy = {"torch._dynamo", "scipy", "igraph", "networkx", "matplotlib", "jinja2", "tyro", "rich", "lightning"}
    load = "[getattr(sympe, name) for name in sympe.__all__]"
    code = f"import sys, sympe\n{load}\nprint(sorted({heavy} & set(sys.modules)))"
    assert run(code) == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["version"], ["chess"]])
def test_the_command_line_answers_without_pytorch(arguments: list[str]) -> None:
    code = (
        f"import sys\nfrom sympe.cli import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit:\n    pass\n"
        f"print()\nprint('torch' in sys.modules)"
    )
    assert run(code).splitlines()[-1] == "False"
