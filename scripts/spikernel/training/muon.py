"""Muon: momentum that is made orthogonal, for the weights of convolutions.

Keller Jordan et al., 2024, https://kellerjordan.github.io/posts/muon; the constants are those of
airbench94_muon (https://github.com/KellerJordan/cifar10-airbench).
"""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from spikernel.errors import ConfigError
from spikernel.training.precision import has_bfloat16

Tensors = list[Tensor] | tuple[Tensor, ...]

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic polynomial that is applied to the singular values; steep at 0, so that three
rounds bring all but the smallest to 0.5 .. 1.5."""
ROUNDS = 3
TINY = 1e-7


def orthogonalise(matrices: Tensor, rounds: int = ROUNDS) -> Tensor:
    """Return about U V^T of each matrix U S V^T, [..., rows, columns], by Newton-Schulz rounds.

    It computes in the type that the matrices have. Singular values come out between about 0.5 and
    1.5, except those below about a hundredth of the norm, which stay smaller.
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) + TINY)
    for _ in range(rounds):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon for groups whose `orthogonal` is true, SGD for the others; both with momentum.

    Weight decay is decoupled in the first (p <- p - lr decay p) and part of the gradient in the
    others, as in PyTorch's SGD.

    Args:
        groups: parameter groups, each with `lr`, `momentum`, `weight_decay` and `orthogonal`.
        renormalise: scale the orthogonal ones to the norm sqrt(filters) after every step.
        nesterov: whether the momentum is Nesterov's.

    Raises:
        ConfigError: a parameter to be made orthogonal is no filter bank [out, in, h, w].

    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], renormalise: bool, nesterov: bool = True
    ) -> None:
        super().__init__(groups, {"renormalise": renormalise})
        self._nesterov = nesterov
        for group in self.param_groups:
            for parameter in group["params"]:
                if group["orthogonal"] and parameter.ndim != 4:
                    raise ConfigError(
                        "training/optimizer: muon takes the weights of convolutions [out, in, h, "
                        f"w], not a parameter of shape {list(parameter.shape)}: choose adamw or sgd"
                    )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Change every parameter that has a gradient."""
        assert closure is None, "the gradients are there already"
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters:
                gradients = [p.grad for p in parameters]
                step = self._step_orthogonal if group["orthogonal"] else self._step_plain
                step(parameters, gradients, group)

    def _moved(self, parameters: Tensors, gradients: Tensors, momentum: float) -> Tensors:
        """Return the momentum of gradients: buffer <- m buffer + g; Nesterov's is g + m buffer."""
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        buffers = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_mul_(buffers, momentum)
        torch._foreach_add_(buffers, gradients)
        if not self._nesterov:
            return [buffer.clone() for buffer in buffers]
        return torch._foreach_add(gradients, buffers, alpha=momentum)

    def _step_plain(self, parameters: Tensors, gradients: Tensors, group: dict[str, Any]) -> None:
        if group["weight_decay"]:
            gradients = torch._foreach_add(gradients, parameters, alpha=group["weight_decay"])
        moved = self._moved(parameters, gradients, group["momentum"])
        _descend(parameters, moved, group["lr"])

    def _step_orthogonal(
        self, parameters: Tensors, gradients: Tensors, group: dict[str, Any]
    ) -> None:
        moved = self._moved(parameters, gradients, group["momentum"])
        if group["weight_decay"]:
            torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        _descend(parameters, orthogonalised(moved), group["lr"])
        if group["renormalise"]:
            norms = torch._foreach_norm(parameters)
            wanted = [len(parameter) ** 0.5 for parameter in parameters]
            torch._foreach_mul_(parameters, [n / o for n, o in zip(wanted, norms, strict=True)])


def _descend(parameters: Tensors, steps: Tensors, rate: float | Tensor) -> None:
    """Take steps: p <- p - rate x step, which may overwrite them.

    A rate on the device, a scalar, is one that a CUDA graph reads.
    """
    if isinstance(rate, Tensor):
        torch._foreach_mul_(steps, rate)
        torch._foreach_sub_(parameters, steps)
    else:
        torch._foreach_add_(parameters, steps, alpha=-rate)


def orthogonalised(filters: Tensors) -> list[Tensor]:
    """Return filter banks [out, in, h, w], each as a matrix [out, in h w] made orthogonal.

    Those of one shape are done at once, in bfloat16 where the hardware has it.
    """
    found: dict[int, Tensor] = {}
    dtype = torch.bfloat16 if has_bfloat16(filters[0].device) else torch.float32

    def size(place: int) -> tuple[int, int]:
        return len(filters[place]), filters[place][0].numel()

    for _, group in groupby(sorted(range(len(filters)), key=size), size):
        places = list(group)
        matrices = torch.stack([filters[place].flatten(1) for place in places])
        for place, matrix in zip(places, orthogonalise(matrices.to(dtype)), strict=True):
            like = filters[place]
            found[place] = matrix.to(like.dtype).view(like.shape)
    return [found[place] for place in range(len(filters))]
