import pytest
import torch
from torch import nn

from spikernel.config import TrainingConfig
from spikernel.errors import ConfigError
from spikernel.training import muon
from spikernel.training.muon import Muon, orthogonalise, orthogonalised
from spikernel.training.optimiser import make_optimiser


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def polynomial(value: float) -> float:
    """Return what a round makes of a singular value."""
    a, b, c = 3.4445, -4.7750, 2.0315
    return a * value + b * value**3 + c * value**5


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muon, "has_bfloat16", lambda _: False)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5)])
def test_rounds_act_on_the_singular_values(shape: tuple[int, int]) -> None:
    matrix = torch.randn(*shape, dtype=torch.float64, generator=generator())
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    expected = values / values.square().sum().sqrt()
    for _ in range(3):
        expected = polynomial(expected)
    torch.testing.assert_close(
        orthogonalise(matrix), left @ torch.diag(expected) @ right, rtol=1e-5, atol=1e-6
    )


def test_three_rounds_come_near_the_orthogonal_matrix() -> None:
    matrices = torch.randn(6, 16, 144, generator=generator())
    found = orthogonalise(matrices)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    nearest = left @ right
    cosine = (found * nearest).sum((1, 2)) / (found.norm(dim=(1, 2)) * nearest.norm(dim=(1, 2)))
    assert cosine.min() > 0.98
    values = torch.linalg.svdvals(found)
    assert 0.5 < values.min() <= values.max() < 1.5


@pytest.mark.usefixtures("float32")
def test_banks_of_equal_shape_are_done_at_once_and_in_their_places() -> None:
    shapes = [(4, 3, 3, 3), (6, 1, 3, 3), (4, 3, 3, 3), (4, 9, 1, 3)]
    banks = [torch.randn(*shape, generator=generator()) for shape in shapes]
    for bank, found in zip(banks, orthogonalised(banks), strict=True):
        expected = orthogonalise(bank.flatten(1)).view(bank.shape)
        torch.testing.assert_close(found, expected)


@pytest.mark.usefixtures("float32")
def test_step_on_one_filter_of_one_weight_by_hand() -> None:
    weight = nn.Parameter(torch.full((1, 1, 1, 1), 2.0))
    group = {
        "params": [weight], "lr": 0.1, "momentum": 0.6, "weight_decay": 0.5, "orthogonal": True,
    }  # fmt: skip
    optimiser = Muon([group], renormalise=False)
    weight.grad = torch.full((1, 1, 1, 1), -7.0)
    optimiser.step()
    # Momentum -7, Nesterov -7 + 0.6 * -7; scaled to norm 1, and three rounds of the polynomial.
    update = -polynomial(polynomial(polynomial(1.0)))
    assert weight.item() == pytest.approx(2 * (1 - 0.1 * 0.5) - 0.1 * update)
    assert optimiser.state[weight]["momentum_buffer"].item() == -7
    weight.grad = torch.full((1, 1, 1, 1), 12.0)
    optimiser.step()
    assert optimiser.state[weight]["momentum_buffer"].item() == pytest.approx(12 - 0.6 * 7)


@pytest.mark.parametrize("nesterov", [True, False])
def test_others_are_stepped_as_pytorchs_sgd_does(nesterov: bool) -> None:
    ours, theirs = (nn.Parameter(torch.linspace(-1, 1, 6)) for _ in "ab")
    group = {
        "params": [ours], "lr": 0.3, "momentum": 0.85, "weight_decay": 0.1, "orthogonal": False,
    }  # fmt: skip
    optimisers = (
        Muon([group], renormalise=True, nesterov=nesterov),
        torch.optim.SGD([theirs], lr=0.3, momentum=0.85, weight_decay=0.1, nesterov=nesterov),
    )
    for seed in range(4):
        for parameter, optimiser in zip((ours, theirs), optimisers, strict=True):
            parameter.grad = torch.randn(6, generator=generator(seed))
            optimiser.step()
    torch.testing.assert_close(ours, theirs)


def test_filters_are_scaled_to_the_root_of_their_number() -> None:
    net = nn.Conv2d(3, 8, 3)
    settings = TrainingConfig.parse({"optimizer": "muon", "renormalise": True}, "t")
    optimiser = make_optimiser(net, settings)
    for _ in range(2):
        net(torch.randn(2, 3, 5, 5, generator=generator())).square().mean().backward()
        optimiser.step()
        assert net.weight.norm().item() == pytest.approx(8**0.5, rel=1e-6)


def test_parameter_that_is_no_filter_bank_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"muon takes .* not a parameter of shape \[8, 3, 5\]"):
        make_optimiser(nn.Conv1d(3, 8, 5), TrainingConfig(optimizer="muon"))


def test_a_rate_on_the_device_is_the_rate() -> None:
    ends = []
    for rate in (0.25, torch.tensor(0.25)):
        filters = nn.Parameter(torch.arange(8.0).view(2, 1, 2, 2))
        bias = nn.Parameter(torch.ones(2))
        groups = [
            {"params": [filters], "lr": rate, "momentum": 0.5, "weight_decay": 0.5,
             "orthogonal": True},
            {"params": [bias], "lr": rate, "momentum": 0.5, "weight_decay": 0.0,
             "orthogonal": False},
        ]  # fmt: skip
        optimiser = Muon(groups, renormalise=False)
        filters.grad, bias.grad = torch.ones_like(filters), torch.tensor([1.0, 2.0])
        optimiser.step()
        ends.append((filters.detach(), bias.detach()))
    # Nesterov's first step is 1 + 0.5 gradients.
    assert ends[0][1].tolist() == [1 - 0.25 * 1.5, 1 - 0.25 * 3.0]
    torch.testing.assert_close(ends[0], ends[1])
