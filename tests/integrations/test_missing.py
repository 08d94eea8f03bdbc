"""Extras that are not installed: one clear line, and a core that does without."""

import importlib
import subprocess
import sys

import pytest

EXTRAS = {"pyg": "torch_geometric", "e3nn": "e3nn", "escnn": "escnn", "hub": "huggingface_hub"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_extra_is_named(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == EXTRAS[extra]]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, EXTRAS[extra], None)
    monkeypatch.delitem(sys.modules, f"sympe.integrations.{extra}", raising=False)
    with pytest.raises(
        ImportError, match=rf"sympe.integrations.{extra} needs .*pip install 'sympe\[{extra}\]'"
    ) as caught:
        importlib.import_module(f"sympe.integrations.{extra}")
    assert "\n" not in str(caught.value)


def test_the_core_imports_none_of_them() -> None:
    code = (
        f"import sys, sympe, sympe.encoding, sympe.breaking, sympe.integrations\n"
        f"print(sorted(set(sys.modules) & set({list(EXTRAS.values())})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
