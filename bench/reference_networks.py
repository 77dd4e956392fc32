"""Networks of the benchmarks in PyTorch: the seed text's ConvNet, and the parameters of a ResNet-18."""

import torch


class ConvNet(torch.nn.Module):
    """The ConvNet of the seed text, with the class count free."""

    class CNNBlock(torch.nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.c1 = torch.nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
            self.n1 = torch.nn.GroupNorm(1, outputs)
            self.c2 = torch.nn.Conv2d(outputs, outputs, 3, stride=1, padding=1)
            self.n2 = torch.nn.GroupNorm(1, outputs)
            self.relu1 = torch.nn.ReLU()
            self.relu2 = torch.nn.ReLU()
            self.skip = (
                torch.nn.Conv2d(inputs, outputs, 1, stride=stride) if inputs != outputs else torch.nn.Identity()
            )

        def forward(self, x0):
            x = self.relu1(self.n1(self.c1(x0)))
            return self.relu2(self.n2(self.c2(x))) + self.skip(x0)

    def __init__(self, channels=32, blocks=4, classes=102):
        super().__init__()
        layers = [torch.nn.Conv2d(3, channels, 11, stride=2, padding=5)]
        for _ in range(blocks):
            layers.append(self.CNNBlock(channels, 2 * channels, 2))
            channels *= 2
        layers.append(torch.nn.Conv2d(channels, classes, 1))
        self.network = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.network(x).mean(dim=-1).mean(dim=-1)


def resnet18_shapes():
    """Shapes of the 62 parameters (11,689,512 numbers) of torchvision's ResNet-18."""
    shapes = [(64, 3, 7, 7), (64,), (64,)]
    inputs = 64
    for outputs in (64, 128, 256, 512):
        for block in range(2):
            shapes += [(outputs, inputs, 3, 3), (outputs,), (outputs,), (outputs, outputs, 3, 3), (outputs,), (outputs,)]
            if block == 0 and inputs != outputs:
                shapes += [(outputs, inputs, 1, 1), (outputs,), (outputs,)]
            inputs = outputs
    return shapes + [(1000, 512), (1000,)]


def convnet_step():
    torch.manual_seed(0)
    net = ConvNet()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.005)
    x, y = torch.randn(32, 3, 128, 128), torch.randint(0, 102, (32,))

    def run(n):
        for _ in range(n):
            loss = torch.nn.functional.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def adamw_step(**options):
    def make():
        torch.manual_seed(0)
        parameters = [torch.randn(shape, requires_grad=True) for shape in resnet18_shapes()]
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        optimizer = torch.optim.AdamW(parameters, lr=1e-3, **options)

        def run(n):
            for _ in range(n):
                optimizer.step()

        return run

    return make


cases = {
    "convnet": convnet_step,
    "adamwForeach": adamw_step(foreach=True),
    "adamwFused": adamw_step(fused=True),
}
