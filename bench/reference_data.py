"""torchvision's side of the loader's benchmark: epochs over an ImageFolder, as nanoseconds per picture.

Started by bench/data.ts; reads `case repetitions` lines like reference.py. Pictures leave as uint8 tensors, as Praxis's do.
"""

import os
import re
import sys
import time


def import_torchvision():
    """Where torchvision's C++ part fits another torch, its Python part wants some detection operators to exist, which nobody here calls."""
    import torch

    while True:
        try:
            import torchvision  # noqa: F401

            return
        except RuntimeError as error:
            missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
            if missing is None:
                raise
            for name in [name for name in sys.modules if name.startswith("torchvision")]:
                del sys.modules[name]
            library = state.setdefault("library", torch.library.Library("torchvision", "FRAGMENT"))
            library.define(missing[1] + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


state = {}


def main():
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.split()[0]
        try:
            import_torchvision()
            from torch.utils.data import DataLoader
            from torchvision import datasets, transforms

            workers = int(os.environ["PRAXIS_BENCH_WORKERS"])
            transform = transforms.Compose([transforms.Resize((128, 128)), transforms.PILToTensor()])
            dataset = datasets.ImageFolder(os.environ["PRAXIS_BENCH_DATA"], transform=transform)

            def loader(keep):
                return DataLoader(dataset, batch_size=256, shuffle=True, num_workers=workers, persistent_workers=keep)

            if name == "later":
                batches = state.get("later")
                if batches is None:
                    batches = state["later"] = loader(True)
                    for _ in batches:
                        pass
            else:
                batches = loader(False)
            start = time.perf_counter_ns()
            seen = sum(len(x) for x, _ in batches)
            print((time.perf_counter_ns() - start) / seen, flush=True)
        except Exception as error:
            print("unavailable", str(error).replace("\n", " ")[:200], flush=True)


if __name__ == "__main__":
    main()
