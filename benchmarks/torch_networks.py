"""The networks in PyTorch: each parameter is made in the order in which minidl's model has it."""

import torch
from layers import arrays_of
from networks import Network
from torch import nn


class Convnet(nn.Module):
    """Two blocks of convolution, normalization, ReLU and pooling, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*self.block(3, 16), *self.block(16, 32))
        self.head = nn.Linear(2048, 10)

    @staticmethod
    def block(channels: int, out: int) -> list[nn.Module]:
        """Half as high and as wide as the input."""
        return [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(2)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, 10) of images (n, 3, 32, 32)."""
        return self.head(self.blocks(x).flatten(1))


class LastOfLSTM(nn.Module):
    """The last step of an LSTM, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(32, 64, batch_first=True)
        self.lstm.bias_hh_l0.requires_grad = False  # a second bias, which minidl has not
        self.head = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, 10) of sequences (n, 50, 32)."""
        _, (h, _) = self.lstm(x)
        return self.head(h[-1])


class Attention(nn.Module):
    """A block as in a transformer, and a linear layer over all steps."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, 64)
        self.before = nn.LayerNorm(64)
        self.projection = nn.Linear(64, 3 * 64)
        self.output = nn.Linear(64, 64)
        self.after = nn.LayerNorm(64)
        self.head = nn.Linear(3200, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, 10) of sequences (n, 50, 64)."""
        x = self.first(x)
        return self.head(self.after(x + self.attended(self.before(x))).flatten(1))

    def attended(self, x: torch.Tensor) -> torch.Tensor:
        """With 4 heads; a tenth faster than `nn.MultiheadAttention`."""
        n, time, width = x.shape
        q, k, v = self.projection(x).view(n, time, 3, 4, width // 4).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.output(mixed.transpose(1, 2).reshape(n, time, width))


class NormalizedMLP(nn.Module):
    """A hidden layer with batch normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(784, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, 10) of rows (n, 784)."""
        return self.layers(x)


MODULES: dict[str, type[nn.Module]] = {
    "convnet": Convnet,
    "lstm": LastOfLSTM,
    "attention": Attention,
    "normalized_mlp": NormalizedMLP,
}


def module(network: Network) -> nn.Module:
    """The network in PyTorch, at the weights of minidl's."""
    made = MODULES[network.make.__name__]()
    for parameter, array in zip(made.parameters(), arrays_of(network.model()).values(), strict=True):
        if parameter.shape != array.shape:
            raise TypeError(f"expected parameters in the same order, received {parameter.shape} for {array.shape}")
        parameter.data.copy_(torch.from_numpy(array.copy()))
    return made
