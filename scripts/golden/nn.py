"""What PyTorch's layers and losses compute, for the tests of nn.

Reads a list of cases as JSON from stdin and writes a .pt file (argument 1): per case the starting state, inputs, outputs,
gradients of inputs and parameters, buffers afterwards, and the print. With a second argument only the cases marked golden.
Prints a JSON object of the failures.
"""

import json
import sys

import torch
import torch.nn.functional as F
from torch import nn


def stochastic_depth(input, p, mode, training=True):
    # torchvision/ops/stochastic_depth.py
    if not training or p == 0.0:
        return input
    survival_rate = 1.0 - p
    size = [input.shape[0]] + [1] * (input.ndim - 1) if mode == "row" else [1] * input.ndim
    noise = torch.empty(size, dtype=input.dtype, device=input.device)
    noise = noise.bernoulli_(survival_rate)
    if survival_rate > 0.0:
        noise.div_(survival_rate)
    return input * noise


def sigmoid_focal_loss(inputs, targets, alpha=0.25, gamma=2, reduction="none"):
    # torchvision/ops/focal_loss.py
    p = torch.sigmoid(inputs)
    ce_loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    p_t = p * targets + (1 - p) * (1 - targets)
    loss = ce_loss * ((1 - p_t) ** gamma)
    if alpha >= 0:
        alpha_t = alpha * targets + (1 - alpha) * (1 - targets)
        loss = alpha_t * loss
    return {"none": lambda: loss, "mean": loss.mean, "sum": loss.sum}[reduction]()


def nt_xent(z, temperature):
    # Chen et al. 2020, algorithm 1, pair by pair; rows k and k + n are the two views of a sample.
    n = z.shape[0] // 2
    similarity = [[(a @ b) / (a.norm() * b.norm()) for b in z] for a in z]

    def loss(i, j):
        others = [torch.exp(similarity[i][k] / temperature) for k in range(2 * n) if k != i]
        return -torch.log(torch.exp(similarity[i][j] / temperature) / sum(others))

    return sum(loss(k, k + n) + loss(k + n, k) for k in range(n)) / (2 * n)


def rms_norm(x, shape, weight=None, eps=None):
    # F.rms_norm where there is none yet.
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    y = x * torch.rsqrt(x.pow(2).mean(tuple(range(-len(shape), 0)), keepdim=True) + eps)
    return y if weight is None else y * weight


class RMSNorm(nn.Module):
    def __init__(self, shape, eps=None, elementwise_affine=True):
        super().__init__()
        self.shape, self.eps = (shape,) if isinstance(shape, int) else tuple(shape), eps
        self.weight = nn.Parameter(torch.ones(self.shape)) if elementwise_affine else None

    def forward(self, x):
        return rms_norm(x, self.shape, self.weight, self.eps)


if not hasattr(nn, "RMSNorm"):
    nn.RMSNorm = RMSNorm

names = {
    "torch": torch,
    "nn": nn,
    "F": F,
    "stochastic_depth": stochastic_depth,
    "sigmoid_focal_loss": sigmoid_focal_loss,
    "nt_xent": nt_xent,
    "rms_norm": rms_norm,
    "randn": torch.randn,
    "rand": torch.rand,
    "randint": torch.randint,
}


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for part in value for t in tensors(part)]
    return []


def run(case, dtype):
    torch.manual_seed(7)
    module = eval(case["python"], names) if case["python"] else nn.Module()
    printed = repr(module)
    module.to(dtype)
    state = {k: v.clone() for k, v in module.state_dict().items()}
    module.train(not case.get("eval", False))
    torch.manual_seed(8)
    inputs = [eval(text.replace("const ", "", 1), names) for text in case["inputs"]]
    inputs = [x.to(dtype) if x.is_floating_point() else x for x in inputs]
    given = [x.clone() for x in inputs]
    for x, text in zip(inputs, case["inputs"]):
        x.requires_grad_(x.is_floating_point() and not text.startswith("const "))
    torch.manual_seed(9)
    # A copy, so that the layers that work in place may have it.
    used = [x * 1 if x.requires_grad else x for x in inputs]
    outputs = tensors(eval(case["call"], {**names, "m": module, "i": used}))
    learnt = [x for x in outputs if x.requires_grad]
    factors = [torch.cos(torch.arange(x.numel(), dtype=dtype)).view(x.shape) for x in learnt]
    if learnt:
        torch.autograd.backward(learnt, factors)
    return {
        "print": printed,
        "state": state,
        "inputs": given,
        "outputs": [x.detach().clone() for x in outputs],
        "inputGradients": [x.grad for x in inputs],
        "gradients": {k: (p.grad.to_dense() if p.grad is not None else None) for k, p in module.named_parameters()},
        "after": {k: v.clone() for k, v in module.state_dict().items()},
    }


def main():
    cases = json.load(sys.stdin)
    golden = len(sys.argv) > 2
    results, failures = {}, {}
    for case in cases:
        if golden and not case.get("golden"):
            continue
        try:
            results[case["name"]] = {"float32": run(case, torch.float32)}
            if not golden:
                results[case["name"]]["float64"] = run(case, torch.float64)
        except Exception as error:
            failures[case["name"]] = repr(error)
    torch.save(results, sys.argv[1])
    print(json.dumps(failures))


torch.set_num_threads(1)
main()
