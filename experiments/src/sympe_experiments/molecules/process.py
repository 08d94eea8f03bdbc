r"""The noise process on the entries of a graph: nodes and pairs of nodes, each an independent categorical variable.

With :math:`m` the law that the noise leads to (:mod:`~sympe_experiments.molecules.limits`), one entry goes by

.. math:: Q_{t|s} = a\, I + (1 - a)\, 1 m^\top, \qquad a = \bar\alpha_t / \bar\alpha_s, \qquad
          q(z_t \mid x) = \bar\alpha_t\, 1[z_t = x] + (1 - \bar\alpha_t)\, m(z_t),

from the clean entry :math:`z_0 = x` (:math:`\bar\alpha_0 = 1`) to :math:`z_T \approx m`. A network guesses
:math:`\hat p(x \mid z_t)`, and a step back, from t to any earlier s, is drawn from the mixture

.. math:: p(z_s \mid z_t) = \sum_x \hat p(x \mid z_t)\, q(z_s \mid z_t, x).

C. Vignac et al., *DiGress: Discrete denoising diffusion for graph generation*, ICLR 2023; schedule of A. Nichol,
P. Dhariwal, *Improved denoising diffusion probabilistic models*, ICML 2021, eq. 17.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Process:
    r"""The noise on one kind of entry.

    Attributes:
        limit: The law m, one positive probability per kind: the same for all entries, or one for each.
        kept: :math:`\bar\alpha_0, \dots, \bar\alpha_T`.
    """

    limit: Float[Tensor, "*k K"]
    kept: Float[Tensor, "T_plus_1"]

    @property
    def num_kinds(self) -> int:
        return self.limit.shape[-1]

    def noisy(self, x: Int[Tensor, "B *k"], t: Int[Tensor, "B"], generator: torch.Generator) -> Int[Tensor, "B *k"]:
        """A draw from :math:`q(z_t | x)` for every entry."""
        stays = uniform(x, generator) < self._at(t, x)
        return torch.where(stays, x, self.prior(x, generator))

    def prior(self, like: Int[Tensor, "B *k"], generator: torch.Generator) -> Int[Tensor, "B *k"]:
        """Independent draws from the limit m."""
        bounds = self.limit.cumsum(-1)[..., :-1]
        return (bounds <= uniform(like, generator)[..., None]).sum(-1)

    def step_back(
        self, z: Int[Tensor, "B *k"], guess: Float[Tensor, "B *k K"], s: Int[Tensor, "B"], t: Int[Tensor, "B"]
    ) -> Float[Tensor, "B *k K"]:
        """Law of :math:`z_s` given :math:`z_t` where the clean entry has the law ``guess``: the sampler's own."""
        kept_s, kept_t = self._at(s, guess), self._at(t, guess)
        here = torch.nn.functional.one_hot(z, self.num_kinds).to(guess.dtype)
        weight = guess / (kept_t * here + (1 - kept_t) * self.limit_at(z)).clamp(min=1e-300)
        mixed = kept_s * weight + (1 - kept_s) * self.limit * weight.sum(-1, keepdim=True)
        return self._left(z, here, s, t) * mixed

    def plugged_in(
        self, z: Int[Tensor, "B *k"], guess: Float[Tensor, "B *k K"], s: Int[Tensor, "B"], t: Int[Tensor, "B"]
    ) -> Float[Tensor, "B *k K"]:
        """What the official DiGress code compares with: the guess in place of the clean entry in Bayes' rule.

        It equals :meth:`step_back` where the guess is certain; elsewhere nothing is drawn from this law.
        """
        kept_s, kept_t = self._at(s, guess), self._at(t, guess)
        here = torch.nn.functional.one_hot(z, self.num_kinds).to(guess.dtype)
        mixed = kept_s * guess + (1 - kept_s) * self.limit
        norm = kept_t * (here * guess).sum(-1, keepdim=True) + (1 - kept_t) * self.limit_at(z)
        return self._left(z, here, s, t) * mixed / norm.clamp(min=1e-300)

    def prior_divergence(self, x: Int[Tensor, "B *k"]) -> Float[Tensor, "B *k"]:
        r""":math:`KL(q(z_T | x)\,\|\,m)` of every entry, in nats."""
        kept = self.kept[-1]
        limit = self.limit[..., None, :]
        law = kept * torch.eye(self.num_kinds, device=x.device) + (1 - kept) * limit
        return at_kind(divergence(law, limit), x)[..., 0]

    def limit_at(self, z: Int[Tensor, "B *k"]) -> Float[Tensor, "B *k 1"]:
        """:math:`m(z)` of every entry."""
        return at_kind(self.limit, z)

    def _left(self, z: Tensor, here: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """:math:`q(z_t | z_s)` at the given :math:`z_t`, as a function of :math:`z_s`."""
        ratio = self._at(t, here) / self._at(s, here)
        return ratio * here + (1 - ratio) * self.limit_at(z)

    def _at(self, t: Tensor, like: Tensor) -> Tensor:
        return self.kept[t].view(-1, *[1] * (like.dim() - 1))


def at_kind(values: Float[Tensor, "*k K"], kind: Int[Tensor, "B *k"]) -> Float[Tensor, "B *k 1"]:
    """What laws, one for each entry or one for all, give the kind of every entry."""
    return values.expand(*kind.shape, -1).gather(-1, kind[..., None])


def cosine_schedule(steps: int) -> Float[Tensor, "T_plus_1"]:
    r""":math:`\bar\alpha_0 = 1, \dots, \bar\alpha_T`, by the cosine of Nichol and Dhariwal with their offset 0.008.

    Raises:
        ValueError: If ``steps`` is not positive.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1; got {steps}")
    # In double precision: the bound adds up hundreds of small differences of logarithms.
    at = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    raw = torch.cos(0.5 * math.pi * (at + 0.008) / 1.008).square()
    ratio = (raw[1:] / raw[:-1]).clamp(min=1e-4)
    return torch.cat([raw.new_ones(1), ratio.cumprod(0)])


def divergence(p: Float[Tensor, "*k K"], q: Float[Tensor, "*k K"]) -> Float[Tensor, "*k"]:
    """Kullback-Leibler divergence over the last dimension, in nats."""
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(-1)


def uniform(like: Tensor, generator: torch.Generator) -> Float[Tensor, "..."]:
    """Uniform numbers in double precision, of the shape and on the device of ``like``."""
    drawn = torch.rand(like.shape, generator=generator, dtype=torch.float64, device=generator.device)
    return drawn.to(like.device)


def categorical(law: Float[Tensor, "*k K"], generator: torch.Generator) -> Int[Tensor, "*k"]:
    """One draw from each law; the laws need not be normalized."""
    cumulative = law.cumsum(-1)
    threshold = uniform(law[..., 0], generator) * cumulative[..., -1]
    return (cumulative[..., :-1] <= threshold[..., None]).sum(-1)
