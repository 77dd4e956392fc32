"""The seed text's own training in Python, for the benchmark of training: its ConvNet, its data, its loop.

Started by bench/train.ts; reads `case repetitions` lines like reference.py. Cases: `step`, on a batch in memory, and
`epoch`, over JPEG files. With the argument `memory` it takes that many steps and prints its peak.
"""

import os
import resource
import sys
import time

import torch
from reference_data import import_torchvision

torch.set_num_threads(int(os.environ.get("PRAXIS_BENCH_THREADS", "1")))
batch_size = int(os.environ.get("PRAXIS_BENCH_BATCH", "256"))


class ConvNet(torch.nn.Module):
    class CNNBlock(torch.nn.Module):
        def __init__(self, in_channels, out_channels, stride):
            super().__init__()
            self.c1 = torch.nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1)
            self.n1 = torch.nn.GroupNorm(1, out_channels)
            self.c2 = torch.nn.Conv2d(out_channels, out_channels, kernel_size=3, stride=1, padding=1)
            self.n2 = torch.nn.GroupNorm(1, out_channels)
            self.relu1 = torch.nn.ReLU()
            self.relu2 = torch.nn.ReLU()
            self.skip = (
                torch.nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride)
                if in_channels != out_channels
                else torch.nn.Identity()
            )

        def forward(self, x0):
            x = self.relu1(self.n1(self.c1(x0)))
            return self.relu2(self.n2(self.c2(x))) + self.skip(x0)

    def __init__(self, channels_l0=64, n_blocks=4):
        super().__init__()
        layers = [torch.nn.Conv2d(3, channels_l0, kernel_size=11, stride=2, padding=5)]
        c1 = channels_l0
        for _ in range(n_blocks):
            layers.append(self.CNNBlock(c1, 2 * c1, 2))
            c1 = 2 * c1
        layers.append(torch.nn.Conv2d(c1, 102, kernel_size=1))
        self.network = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.network(x).mean(dim=-1).mean(dim=-1)


class Script:
    """The cells of the text: net, optimiser, loop."""

    def __init__(self):
        torch.manual_seed(0)
        self.net = ConvNet(channels_l0=32, n_blocks=4)
        self.optim = torch.optim.AdamW(self.net.parameters(), lr=0.005)
        self.batch = None
        self.loader = None

    def train(self, batches):
        epoch_loss = []
        train_accuracy = []
        for data, label in batches:
            output = self.net(data)
            loss = torch.nn.functional.cross_entropy(output, label)
            train_accuracy.extend((output.argmax(1) == label).cpu().detach().numpy())
            self.optim.zero_grad()
            loss.backward()
            self.optim.step()
            epoch_loss.append(loss.item())
        return len(epoch_loss)

    def steps(self, n):
        if self.batch is None:
            self.batch = (torch.rand(batch_size, 3, 128, 128), torch.randint(102, (batch_size,)))
        self.train(self.batch for _ in range(n))

    def epoch(self):
        if self.loader is None:
            import_torchvision()
            import torchvision

            size = (128, 128)
            transform = torchvision.transforms.Compose(
                [torchvision.transforms.Resize(size), torchvision.transforms.ToTensor()]
            )
            dataset = torchvision.datasets.ImageFolder(os.environ["PRAXIS_BENCH_DATA"], transform=transform)
            self.loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size, shuffle=True, num_workers=2)
        if self.train(self.loader) == 0:
            raise RuntimeError("there was no batch")


def peak():
    """Bytes. What getrusage says on Linux is not below what the parent process held."""
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as status:
            return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "memory":
        Script().steps(int(sys.argv[2]))
        print(peak())
        return
    script = Script()
    print("ready", flush=True)
    for line in sys.stdin:
        name, repetitions = line.split()
        try:
            start = time.perf_counter_ns()
            if name == "step":
                script.steps(int(repetitions))
            else:
                for _ in range(int(repetitions)):
                    script.epoch()
            print((time.perf_counter_ns() - start) / int(repetitions), flush=True)
        except Exception as error:
            print("unavailable", str(error).replace("\n", " ")[:200], flush=True)


if __name__ == "__main__":
    main()
