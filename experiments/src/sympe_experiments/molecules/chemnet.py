r"""The Fréchet ChemNet distance of two sets of molecules (K. Preuer et al., J. Chem. Inf. Model. 58, 1736, 2018).

ChemNet is a network trained to predict the outcome of bioassays. Its last hidden layer has 512 numbers
per molecule. With their mean :math:`m` and covariance :math:`C` over each set, the distance is that of two Gaussians,

.. math:: |m_1 - m_2|^2 + \mathrm{tr}\,(C_1 + C_2 - 2\,(C_1^{1/2} C_2\,C_1^{1/2})^{1/2}).

Network, weights and canonical SMILES are those of the authors' package ``fcd``.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.extras import require
from sympe_experiments.molecules.chemistry import rdkit

#: Fewest molecules on either side: it takes that many to estimate a covariance of 512 numbers.
FEWEST = 5000

#: Molecules at once; some 100 kB each on the way.
_BATCH = 256


@dataclass(frozen=True)
class Activations:
    """Mean and covariance of ChemNet's last hidden layer over a set of molecules.

    Attributes:
        mean: [512]
        covariance: [512, 512]
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @classmethod
    def of(cls, smiles: Sequence[str]) -> "Activations":
        """Activations of molecules; each different molecule goes through ChemNet once.

        Args:
            smiles: Two or more valid molecules. Hydrogens stay implicit, SMILES become canonical, and those that RDKit
                fails to read back are skipped.

        Raises:
            ImportError: If ``fcd`` or RDKit is not installed.
        """
        chem = rdkit()
        fcd = require("fcd", "molecules", "the Fréchet ChemNet distance", "sympe-experiments")
        from fcd.utils import SmilesDataset

        molecules = map(chem.MolFromSmiles, smiles)
        counts = Counter(chem.MolToSmiles(molecule) for molecule in molecules if molecule is not None)
        network, inputs = fcd.load_ref_model(), SmilesDataset(list(counts))
        parts = []
        with torch.no_grad():
            for places in torch.arange(len(counts)).split(_BATCH):
                batch = torch.from_numpy(np.stack([inputs[k] for k in places.tolist()])).float()
                parts.append(network(batch.transpose(1, 2)))
        found = torch.cat(parts).double().numpy()
        times = np.array(list(counts.values()))
        return cls(np.average(found, axis=0, weights=times), np.cov(found.T, fweights=times))

    def distance(self, other: "Activations") -> float:
        """The Fréchet distance of two Gaussians."""
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(values.clip(0)) @ vectors.T
        cross = np.sqrt(np.linalg.eigvalsh(root @ other.covariance @ root).clip(0)).sum()
        spread = np.trace(self.covariance) + np.trace(other.covariance) - 2 * cross
        return float(np.square(self.mean - other.mean).sum() + spread)


def is_installed() -> bool:
    """Whether the package that holds ChemNet is installed."""
    return find_spec("fcd") is not None
