"""Save and load models with their configuration, in a folder or on the Hugging Face Hub; weights as safetensors.

A class with :class:`HubMixin` stores the arguments of its constructor, if JSON can hold them:

    class Model(nn.Module, HubMixin):
        def __init__(self, method: str, dim: int): ...

    Model("sympe", 16).save_pretrained("folder")
    model = Model.from_pretrained("folder")

With the same generator, the loaded model gives the same outputs bit for bit.
"""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

try:
    from huggingface_hub import PyTorchModelHubMixin
except ImportError as error:
    raise ImportError("sympe.integrations.hub needs huggingface_hub: pip install 'sympe[hub]'") from error


class HubMixin(PyTorchModelHubMixin, library_name="sympe", tags=["symmetry-breaking", "equivariance"]):
    """``save_pretrained``, ``from_pretrained`` and ``push_to_hub`` for a module.

    List it after ``nn.Module`` in the bases of your class. Loading is strict: missing or unexpected weights, or weights
    of another shape, are an error, not a warning.
    """

    @classmethod
    def _from_pretrained(cls, *, model_id: str, strict: bool = True, **kwargs: Any) -> Any:
        try:
            # The parent reports its progress on stdout, which is for a program's results.
            with redirect_stdout(sys.stderr):
                return super()._from_pretrained(model_id=model_id, strict=strict, **kwargs)
        except (RuntimeError, TypeError) as error:
            found = " ".join(str(error).split())
            raise ValueError(f"{Path(model_id).name} does not hold a {cls.__name__}: {found}") from error
