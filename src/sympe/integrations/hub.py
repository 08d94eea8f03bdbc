"""Save and load models with their configuration, in a folder or on the Hugging Face Hub; weights as safetensors.

A class with :class:`HubMixin` remembers the arguments that it was made with, as long as JSON can hold them:

    class Model(nn.Module, HubMixin):
        def __init__(self, method: str, dim: int): ...

    Model("sympe", 16).save_pretrained("folder")
    model = Model.from_pretrained("folder")

The model that is read back gives the same outputs, bit for bit, from the same generator.
"""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

try:
    from huggingface_hub import PyTorchModelHubMixin
except ImportError as error:
    raise ImportError("sympe.integrations.hub needs huggingface_hub: pip install 'sympe[hub]'") from error


class HubMixin(
    PyTorchModelHubMixin,
    library_name="sympe",
    tags=["symmetry-breaking", "equivariance"],
):
    """``save_pretrained``, ``from_pretrained`` and ``push_to_hub`` for a module.

    Put it behind ``nn.Module`` in the bases of your class. Loading is strict: weights that are missing, left over or of
    another shape are an error, not a warning.
    """

    @classmethod
    def _from_pretrained(cls, *, model_id: str, strict: bool = True, **kwargs: Any) -> Any:
        try:
            # The parent prints that it loads, where the results of a program belong.
            with redirect_stdout(sys.stderr):
                return super()._from_pretrained(model_id=model_id, strict=strict, **kwargs)
        except (RuntimeError, TypeError) as error:
            where = Path(model_id).name
            raise ValueError(f"{where} does not hold a {cls.__name__}: {' '.join(str(error).split())}") from error
