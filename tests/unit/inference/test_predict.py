import torch
from torch import Tensor, nn

from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, mean_logits

CPU = torch.device("cpu")


class Brightness(nn.Module):
    """Class 1 where an image is brighter than the mean; twice as sure at the second time step."""

    def forward(self, images: Tensor) -> Tensor:
        assert not self.training
        bright = images.mean((1, 2, 3))
        step = torch.stack([torch.zeros_like(bright), bright], 1)
        return torch.stack([step, 2 * step])


def test_normaliser_by_hand() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    values = Normaliser([0.0, 0.1, 0.5], [1.0, 0.5, 0.25], CPU)(images)
    torch.testing.assert_close(values.flatten(), torch.tensor([0.0, (0.2 - 0.1) / 0.5, 2.0]))


def test_logits_are_time_means_and_the_mode_is_put_back() -> None:
    net = Brightness().train()
    batches = [torch.full((2, 1, 1, 1), 2.0), torch.full((1, 1, 1, 1), -4.0)]
    assert mean_logits(net, batches).tolist() == [[0, 3], [0, 3], [0, -6]]
    assert net.training


def test_accuracy_by_hand() -> None:
    images = torch.tensor([0, 100, 200, 255], dtype=torch.uint8).view(4, 1, 1, 1)
    labels = torch.tensor([0, 1, 1, 1])  # the second one is darker than the mean of 0.5
    assert accuracy_percent(Brightness(), images, labels, Normaliser([0.5], [0.1], CPU)) == 75
