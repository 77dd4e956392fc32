"""A torchvision script that predicts, for the benchmark of predicting: nanoseconds per picture.

Started by bench/predict.ts; reads `case repetitions` lines like reference.py. Cases: `many`, all files through a DataLoader with as many
workers as there are threads, and `single`, one file after the other.
"""

import os
import sys
import time
from pathlib import Path

import torch
from reference_data import import_torchvision

threads = int(os.environ["PRAXIS_BENCH_THREADS"])
torch.set_num_threads(threads)
files = sorted(Path(os.environ["PRAXIS_BENCH_DATA"]).rglob("*.jpg"))


class Files(torch.utils.data.Dataset):
    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return len(files)

    def __getitem__(self, i):
        from PIL import Image

        return self.transform(Image.open(files[i]).convert("RGB"))


def top(model, pictures):
    return model(pictures).softmax(1).topk(3)


def main():
    import_torchvision()
    import torchvision
    from torchvision import transforms

    model = torchvision.models.resnet18(num_classes=102).eval()
    transform = transforms.Compose(
        [
            transforms.Resize((64, 64)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    dataset = Files(transform)
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            with torch.inference_mode():
                start = time.perf_counter_ns()
                if line.startswith("many"):
                    seen = 0
                    for batch in torch.utils.data.DataLoader(dataset, batch_size=64, num_workers=threads):
                        seen += len(top(model, batch)[1].tolist())
                else:
                    seen = 30
                    for i in range(seen):
                        top(model, dataset[i][None])[1].tolist()
                print((time.perf_counter_ns() - start) / seen, flush=True)
        except Exception as error:
            print("unavailable", str(error).replace("\n", " ")[:200], flush=True)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        print("unavailable", str(error).replace("\n", " ")[:200], flush=True)
