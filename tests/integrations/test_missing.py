"""Extras that are not installed: one clear line, and a core that does without."""

import importlib
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import torch

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


@pytest.mark.parametrize(("constant", "is_read"), [(slice(1, 2), True), (Fraction(1, 2), False)])
def test_an_old_e3nn_may_load_slices(
    constant: object, is_read: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Release 0.4.4 does; PyTorch refuses them since 2.6, in an error of many lines."""
    (tmp_path / "e3nn").mkdir()
    torch.save(constant, tmp_path / "e3nn" / "constants.pt")
    load = f"import torch\nheld = torch.load({str(tmp_path / 'e3nn' / 'constants.pt')!r})\n"
    (tmp_path / "e3nn" / "__init__.py").write_text("")
    (tmp_path / "e3nn" / "o3.py").write_text(load)
    for name in [name for name in sys.modules if name.split(".")[0] == "e3nn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "sympe.integrations.e3nn", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    if is_read:
        assert importlib.import_module("sympe.integrations.e3nn").o3.held == constant
    else:
        with pytest.raises(ImportError, match=r"needs e3nn 0.4.4 or newer: pip install 'sympe\[e3nn\]'$"):
            importlib.import_module("sympe.integrations.e3nn")
    for name in ("e3nn", "e3nn.o3", "sympe.integrations.e3nn"):
        sys.modules.pop(name, None)
    assert slice not in torch.serialization.get_safe_globals()


def test_the_core_imports_none_of_them() -> None:
    code = (
        f"import sys, sympe, sympe.encoding, sympe.breaking, sympe.integrations\n"
        f"print(sorted(set(sys.modules) & set({list(EXTRAS.values())})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
