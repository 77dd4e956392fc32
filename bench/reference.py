"""The PyTorch side of the benchmarks: reads `case repetitions` lines, runs the case, answers nanoseconds per repetition.

Started by bench/run.ts with the same libtorch, threads and environment as the Praxis side.
"""

import os
import sys
import time

import torch
import torch.nn.functional as F

import reference_networks

torch.set_num_threads(int(os.environ.get("PRAXIS_BENCH_THREADS", "1")))


def add():
    a, b = torch.ones(1), torch.ones(1)

    def run(n):
        for _ in range(n):
            c = a.add(b)  # noqa: F841

    return run


def add_number():
    a = torch.ones(1)

    def run(n):
        for _ in range(n):
            c = a.add(2)  # noqa: F841

    return run


def view():
    a = torch.ones(1)

    def run(n):
        for _ in range(n):
            c = a.view(1, 1)  # noqa: F841

    return run


def matmul():
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)

    def run(n):
        for _ in range(n):
            c = a.matmul(b)  # noqa: F841

    return run


def convolution():
    x = torch.randn(8, 32, 64, 64, requires_grad=True)
    w = torch.randn(64, 32, 3, 3, requires_grad=True)
    b = torch.randn(64, requires_grad=True)

    def run(n):
        for _ in range(n):
            x.grad = w.grad = b.grad = None
            F.conv2d(x, w, b, padding=1).sum().backward()

    return run


def perceptron(**options):
    def make():
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
        )
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, **options)
        x, y = torch.randn(32, 64), torch.randint(0, 10, (32,))

        def run(n):
            for _ in range(n):
                optimizer.zero_grad()
                F.cross_entropy(net(x), y).backward()
                optimizer.step()

        return run

    return make


cases = {
    "add": add,
    "addNumber": add_number,
    "view": view,
    "matmul": matmul,
    "convolution": convolution,
    "perceptronLoop": perceptron(foreach=False),
    "perceptronForeach": perceptron(foreach=True),
    "perceptronFused": perceptron(fused=True),
    **reference_networks.cases,
}


def main():
    ready = {}
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        name, repetitions = line.split()
        try:
            if name not in ready:
                ready[name] = cases[name]()
            start = time.perf_counter_ns()
            ready[name](int(repetitions))
            print((time.perf_counter_ns() - start) / int(repetitions), flush=True)
        except Exception as error:  # a case this version cannot run, such as fused=True on 1.13
            print("unavailable", str(error).replace("\n", " ")[:200], flush=True)


if __name__ == "__main__":
    main()
