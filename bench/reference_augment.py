"""torchvision's side of bench/augment.ts: reads `case repetitions` lines, answers nanoseconds per picture.

Cases: hue or plain, then tensors (v2 on one picture after the other, as data sets do), pillow (the same on Pillow's pictures) or batch (v2 on
the whole batch, which draws once for all pictures and is here for comparison only).
"""

import os
import sys
import time

import torch

torch.set_num_threads(int(os.environ.get("PRAXIS_BENCH_THREADS", "1")))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scripts/golden"))

COUNT, SIZE = 256, 128


def main():
    print("ready", torch.__version__, flush=True)
    ready = {}
    for line in sys.stdin:
        name, repetitions = line.split()
        try:
            if not ready:
                from augment import import_functional

                ready["library"] = import_functional()
                from PIL import Image
                from torchvision.transforms import v2

                batch = torch.randint(0, 256, (COUNT, 3, SIZE, SIZE), dtype=torch.uint8)
                ready["batch"] = [batch]
                ready["tensors"] = [x.clone() for x in batch]
                ready["pillow"] = [Image.fromarray(x.permute(1, 2, 0).numpy()) for x in batch]
                for key, hue in (("plain", 0), ("hue", 0.1)):
                    jitter = v2.ColorJitter(0.4, 0.4, 0.4, hue)
                    ready[key] = v2.Compose([v2.RandomResizedCrop(SIZE), v2.RandomHorizontalFlip(), jitter])
            kind, form = name.split("-")
            transform, pictures = ready[kind], ready[form]
            start = time.perf_counter_ns()
            for _ in range(int(repetitions)):
                for picture in pictures:
                    transform(picture)
            print((time.perf_counter_ns() - start) / int(repetitions) / COUNT, flush=True)
        except Exception as error:
            print("unavailable", str(error).replace("\n", " ")[:200], flush=True)


if __name__ == "__main__":
    main()
