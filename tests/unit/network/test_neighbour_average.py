"""The averaging edge has the gradient of its definition, in every layout and on every device."""

import pytest
import torch

from spikernel.network.blocks import average_neighbours

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    ),
]


def test_a_pixel_and_its_gradient_by_hand() -> None:
    images = torch.zeros(1, 1, 3, 4)
    images[0, 0, 0, 3] = 9  # in a corner: four windows hold it
    images.requires_grad_()
    averaged = average_neighbours(images)
    assert averaged[0, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]]
    (9 * averaged[0, 0, 0, 3]).backward()
    assert images.grad is not None
    assert images.grad[0, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_are_those_of_finite_differences(
    device: str, layout: torch.memory_format
) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, 4, 5, dtype=torch.float64, generator=generator)
    inputs = (images.to(device).contiguous(memory_format=layout).requires_grad_(),)
    assert torch.autograd.gradcheck(average_neighbours, inputs)
    assert torch.autograd.gradgradcheck(average_neighbours, inputs)
