"""Trajectories of PyTorch's optimisers and schedules, for the tests of src/optim.

Reads {"task": ..., ...} as JSON from standard input and prints JSON. `--golden` writes the stored trajectories instead, from the
cases in test/golden/optimizers.cases.json.
"""

import json
import sys
import warnings
from pathlib import Path

import torch

warnings.simplefilter("ignore")
SHAPES = {"mixed": [[8, 6], [6], [2, 3, 3, 3], []], "matrices": [[8, 6], [6, 10], [4, 4]]}


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2; PyTorch has none."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            first, second = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = -p.grad if group["maximize"] else p.grad
                state = self.state[p]
                m = state.setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_((m * first + g * (1 - first)).sign(), alpha=-group["lr"])
                m.mul_(second).add_(g, alpha=1 - second)


def make(case):
    """Parameters that depend on nothing but the case."""
    dtype = getattr(torch, case["dtype"])
    parameters = []
    for i, shape in enumerate(SHAPES[case["shapes"]]):
        count = 1
        for size in shape:
            count *= size
        values = torch.arange(count, dtype=torch.float64).mul(0.7).add(i).cos()
        parameters.append(values.to(dtype).reshape(shape).requires_grad_())
    return parameters


def optimizer_of(case, parameters):
    options = dict(case["options"])
    if "betas" in options:
        options["betas"] = tuple(options["betas"])
    cls = Lion if case["optimizer"] == "Lion" else getattr(torch.optim, case["optimizer"])
    if case.get("groups"):
        cut = case["groups"]["at"]
        parameters = [{"params": parameters[:cut]}, {"params": parameters[cut:], **case["groups"]["options"]}]
    return cls(parameters, **options)


def set_gradients(parameters, step):
    """A bowl with noise, each element with a curvature of its own; the second parameter has a gradient in every other step only."""
    for i, p in enumerate(parameters):
        if i == 1 and step % 2 == 1:
            p.grad = None
            continue
        w = p.detach()
        index = torch.arange(w.numel(), dtype=torch.float64)
        curvature = index.mul(0.3).sin().add(1.5).to(w.dtype).reshape(w.shape)
        noise = index.mul(1.3).add(0.37 * step).sin().mul(0.3).to(w.dtype).reshape(w.shape)
        p.grad = curvature.mul(w.sub(0.25)).add(noise)


def run(optimizer, parameters, start, end):
    for step in range(start, end):
        set_gradients(parameters, step)
        optimizer.step()


def values(parameters):
    return [p.detach().to(torch.float64).reshape(-1).tolist() for p in parameters]


def trajectories(cases):
    results = []
    for case in cases:
        parameters = make(case)
        run(optimizer_of(case, parameters), parameters, 0, case["steps"])
        results.append(values(parameters))
    return results


def save(request):
    """Trains half-way, saves, trains on: {file} gets weights and state."""
    results = []
    for case, file in zip(request["cases"], request["files"]):
        parameters = make(case)
        optimizer = optimizer_of(case, parameters)
        half = case["steps"] // 2
        run(optimizer, parameters, 0, half)
        torch.save({"weights": [p.detach() for p in parameters], "optimizer": optimizer.state_dict()}, file)
        run(optimizer, parameters, half, case["steps"])
        results.append(values(parameters))
    return results


def resume(request):
    """Loads what TypeScript saved half-way and trains on."""
    results = []
    for case, file in zip(request["cases"], request["files"]):
        saved = torch.load(file)
        parameters = [p.detach().clone().requires_grad_() for p in saved["weights"]]
        optimizer = optimizer_of(case, parameters)
        optimizer.load_state_dict(saved["optimizer"])
        run(optimizer, parameters, case["steps"] // 2, case["steps"])
        results.append(values(parameters))
    return results


def scheduler_of(optimizer, spec):
    kind, options = spec["kind"], dict(spec.get("options", {}))
    if kind in ("SequentialLR", "ChainedScheduler"):
        inner = [scheduler_of(optimizer, each) for each in spec["schedulers"]]
        if kind == "ChainedScheduler":
            return torch.optim.lr_scheduler.ChainedScheduler(inner)
        return torch.optim.lr_scheduler.SequentialLR(optimizer, inner, **options)
    return getattr(torch.optim.lr_scheduler, kind)(optimizer, **options)


def schedules(cases):
    results = []
    for case in cases:
        groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in case["base"]]
        cls = getattr(torch.optim, case.get("optimizer", "SGD"))
        optimizer = cls(groups, **({"momentum": 0.9} if cls is torch.optim.SGD else {}))
        scheduler = scheduler_of(optimizer, case["scheduler"])
        rates, momenta = [], []
        for step in range(case["steps"]):
            rates.append([group["lr"] for group in optimizer.param_groups])
            first = optimizer.param_groups[0]
            momenta.append(first["momentum"] if "momentum" in first else first["betas"][0])
            optimizer.step()
            if "metrics" in case:
                scheduler.step(case["metrics"][step])
            elif step + 1 < case["steps"]:
                scheduler.step()
        results.append({"rates": rates, "momenta": momenta})
    return results


def clips(cases):
    results = []
    for case in cases:
        parameters = make(case)
        set_gradients(parameters, case.get("step", 0))
        total = None
        if "value" in case:
            torch.nn.utils.clip_grad_value_(parameters, case["value"])
        else:
            norm_type = float(case["norm_type"])
            total = torch.nn.utils.clip_grad_norm_(parameters, case["norm"], norm_type=norm_type).item()
        results.append({"total": total, "gradients": values([p.grad for p in parameters if p.grad is not None])})
    return results


def averages(request):
    parameters = make(request["case"])
    module = torch.nn.ParameterList([torch.nn.Parameter(p.detach().clone()) for p in parameters])
    average = torch.optim.swa_utils.AveragedModel(
        module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(request["decay"])
    )
    optimizer = optimizer_of(request["case"], list(module))
    for step in range(request["case"]["steps"]):
        run(optimizer, list(module), step, step + 1)
        average.update_parameters(module)
    return values(average.module)


def weight_average(request):
    """A small network with batch normalisation after SWA and `update_bn`: its state dict, everything drawn from sines."""
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(48, 2)
    ).double()
    average = torch.optim.swa_utils.AveragedModel(net, use_buffers=request["use_buffers"])
    for moment in range(3):
        with torch.no_grad():
            for i, tensor in enumerate(net.state_dict().values()):
                if tensor.is_floating_point():
                    ramp = torch.arange(tensor.numel(), dtype=torch.float64).reshape(tensor.shape)
                    tensor.copy_((ramp * 0.7 + i + 2 * moment).sin().abs() + 0.1)
        average.update_parameters(net)
    if request["update_bn"]:
        ramp = torch.arange(3 * 4 * 2 * 6 * 6, dtype=torch.float64).reshape(3, 4, 2, 6, 6)
        torch.optim.swa_utils.update_bn(list((ramp * 0.37).sin()), average)
    return {name: tensor.double().reshape(-1).tolist() for name, tensor in average.state_dict().items()}


def answer(request):
    task = request["task"]
    if task == "trajectories":
        return trajectories(request["cases"])
    if task == "schedules":
        return schedules(request["cases"])
    if task == "clips":
        return clips(request["cases"])
    return {"save": save, "resume": resume, "averages": averages, "weight_average": weight_average}[task](request)


if __name__ == "__main__":
    if "--golden" in sys.argv:
        folder = Path(__file__).resolve().parent.parent.parent / "test" / "golden"
        for name in ("optimizers", "schedules"):
            cases = json.loads((folder / f"{name}.cases.json").read_text())
            results = trajectories(cases) if name == "optimizers" else schedules(cases)
            stored = {"torch": torch.__version__, "cases": [{"case": c, "result": r} for c, r in zip(cases, results)]}
            (folder / f"{name}.json").write_text(json.dumps(stored) + "\n")
    else:
        print(json.dumps(answer(json.load(sys.stdin))))
