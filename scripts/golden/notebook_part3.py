"""The text's training loop, for test/examples/notebook-part3.test.ts. Reads JSON from stdin, prints the losses of all steps as JSON.

{"channels", "lr", "epochs": [[step, ...], ...], "size"}: a step is {"files": [...], "labels": [...]}, pictures in the order in which
a loader gave them, or {"seed", "count", "labels"}, pictures made of numbers. Without stdin's "epochs" the stored case is run:

    python scripts/golden/notebook_part3.py --stored > test/golden/notebook-part3.json
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import torch

from models import ConvNet


def made(step, size):
    """The bytes of a linear congruential generator, as the test makes them."""
    state = step['seed']
    out = bytearray()
    for _ in range(step['count'] * 3 * size * size):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        out.append((state >> 16) & 255)
    return torch.frombuffer(out, dtype=torch.uint8).view(step['count'], 3, size, size)


def read(step, size):
    """torchvision's Resize((size, size)) and ToTensor() of a PIL picture, without torchvision."""
    from PIL import Image
    rows = []
    for file in step['files']:
        picture = Image.open(file).convert('RGB').resize((size, size), Image.BILINEAR)
        rows.append(torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(size, size, 3).permute(2, 0, 1))
    return torch.stack(rows).contiguous()


STORED = {
    'channels': 8, 'lr': 0.005, 'size': 48,
    'epochs': [[{'seed': k, 'count': 16, 'labels': [(7 * i + k) % 102 for i in range(16)]} for k in range(4)]] * 5,
}


def main():
    stored = '--stored' in sys.argv
    case = STORED if stored else json.load(sys.stdin)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = ConvNet(channels_l0=case['channels'], n_blocks=4)
    optim = torch.optim.AdamW(net.parameters(), lr=case["lr"])
    losses = []
    for epoch in case['epochs']:
        for step in epoch:
            data = (read(step, case['size']) if 'files' in step else made(step, case['size'])).float().div(255)
            label = torch.tensor(step['labels'])
            output = net(data)
            loss = torch.nn.functional.cross_entropy(output, label)
            optim.zero_grad()
            loss.backward()
            optim.step()
            losses.append(loss.item())
    print(json.dumps({'torch': torch.__version__, 'losses': losses} if stored else losses))


main()
