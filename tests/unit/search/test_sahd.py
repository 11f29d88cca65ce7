import math

import numpy as np
import pytest
import torch

from spikernel.search.sahd import (
    EPSILON,
    Alpha,
    KernelSum,
    layer_kernel,
    log_determinants,
    ones_in_common,
)
from spikernel.search.scores import sahd_half, sahd_half_n

HALF_N, HALF = sahd_half_n.Score.alpha, sahd_half.Score.alpha


def reference(codes: np.ndarray, alpha_is_half_n: bool) -> np.ndarray:
    """SAHD of one call as the formula reads: loops, float64, no matrix products."""
    images, neurons = codes.shape
    alpha = 0.5 * neurons if alpha_is_half_n else 0.5
    rates = codes.mean(1)
    kernel = np.empty((images, images))
    for i in range(images):
        for j in range(images):
            distance = (codes[i] != codes[j]).sum()
            expected = neurons * (rates[i] * (1 - rates[j]) + (1 - rates[i]) * rates[j])
            kernel[i, j] = neurons - alpha * distance / (expected + EPSILON)
    return kernel


def test_two_images_by_hand() -> None:
    # Codes 1100 and 1010: distance 2, rates 0.5, expected distance 4 (0.25 + 0.25) = 2.
    spikes = torch.tensor([[[1.0, 1, 0, 0], [1, 0, 1, 0]]])  # T = 1, B = 2, F = 4
    off_diagonal = 4 - 2 * 2 / 2.001
    expected = torch.tensor([[4, off_diagonal], [off_diagonal, 4]], dtype=torch.float64)
    torch.testing.assert_close(layer_kernel(spikes, HALF_N), expected)
    kernel = KernelSum(HALF_N)
    kernel.add(spikes)
    score = kernel.log_determinant().item()
    assert score == pytest.approx(math.log(16 - off_diagonal**2))
    # With alpha = 0.5 the distance weighs a quarter of that: 4 - 0.5 * 2 / 2.001.
    other = layer_kernel(spikes, HALF)[0, 1].item()
    assert other == pytest.approx(4 - 0.5 * 2 / 2.001)


@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
        ),
    ],
)
def test_common_ones_are_counted_exactly(device: str) -> None:
    # More ones than a sum in int8 or float16 could hold; an odd number of them.
    codes = torch.rand(2, 5, 9001, generator=torch.Generator().manual_seed(0)) < 0.9
    expected = torch.stack([(row & code).sum(-1) for code in codes for row in code])
    found = ones_in_common(codes.float().to(device)).cpu()
    assert found.flatten(0, 1).tolist() == expected.tolist()


@pytest.mark.parametrize("alpha", [HALF_N, HALF])
def test_equals_the_plain_reference(alpha: Alpha) -> None:
    generator = torch.Generator().manual_seed(0)
    layers = [
        (torch.rand(3, 6, *shape, generator=generator) < rate).float()
        for shape, rate in (((4, 5, 5), 0.2), ((8, 3, 3), 0.05), ((40,), 0.6))
    ]
    calls = [2, 1, 1]  # the first stands for two equal layers
    total = np.zeros((6, 6))
    for spikes, weight in zip(layers, calls, strict=True):
        for step in spikes.flatten(2).double().numpy():
            total += weight * reference(step, alpha is HALF_N)
    kernel = KernelSum(alpha)
    for spikes, weight in zip(layers, calls, strict=True):
        kernel.add(spikes, weight)
    expected = np.linalg.slogdet(total / (3 * sum(calls)))[1]
    assert kernel.log_determinant().item() == pytest.approx(expected, rel=1e-9)


def test_equal_codes_have_a_singular_kernel() -> None:
    kernel = KernelSum(HALF_N)
    kernel.add(torch.zeros(2, 3, 10))
    assert kernel.log_determinant().item() == -math.inf


@pytest.mark.parametrize("batch", [12, 64, 256])
@pytest.mark.parametrize("alpha", [HALF_N, HALF])
def test_two_equal_images_have_a_singular_kernel(batch: int, alpha: Alpha) -> None:
    # A factorisation alone gives a finite number for most such matrices, by rounding.
    generator = torch.Generator().manual_seed(batch)
    spikes = (torch.rand(2, batch, 1000, generator=generator) < 0.2).float()
    distinct, twice = KernelSum(alpha), KernelSum(alpha)
    distinct.add(spikes)
    spikes[:, 1] = spikes[:, 7]
    twice.add(spikes)
    assert math.isfinite(distinct.log_determinant().item())
    assert twice.log_determinant().item() == -math.inf


def test_an_empty_sum_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one LIF layer"):
        KernelSum(HALF).log_determinant()


@pytest.mark.parametrize("threads", [1, 2])
def test_determinants_of_many_matrices_equal_numpys(threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    factors = torch.randn(
        16, 256, 300, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    matrices = factors @ factors.transpose(1, 2)
    found = log_determinants(list(matrices))
    torch.set_num_threads(before)
    np.testing.assert_allclose(found, np.linalg.slogdet(matrices.numpy())[1], rtol=1e-10)
