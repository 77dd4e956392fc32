"""Parameters as torchvision's random transforms draw them: prints {name: [numbers]} for test/data/augment/draws.test.ts."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../scripts/golden"))

import torch
from augment import import_functional

import_functional()
from torchvision.transforms import v2

COUNT = 4000
HEIGHT, WIDTH = 120, 90
torch.manual_seed(3)
image = torch.zeros(3, HEIGHT, WIDTH)
found = {}


def note(name, values):
    found[name] = [float(v) for v in values]


boxes = [v2.RandomResizedCrop(64).make_params([image]) for _ in range(COUNT)]
for key in ("top", "left", "height", "width"):
    note(f"resizedCrop.{key}", [b[key] for b in boxes])
boxes = [v2.RandomErasing().make_params([image]) for _ in range(COUNT)]
for key, name in (("i", "top"), ("j", "left"), ("h", "height"), ("w", "width")):
    note(f"erasing.{name}", [b[key] for b in boxes])
corners = [v2.RandomPerspective(0.4).make_params([image])["coefficients"] for _ in range(COUNT)]
for i in range(8):
    note(f"perspective.{i}", [c[i] for c in corners])
for alpha in (0.2, 1.0, 3.0):
    note(f"beta.{alpha}", torch.distributions.Beta(alpha, alpha).sample((COUNT,)))
sets = [v2.CutMix(num_classes=2).make_params([torch.zeros(2, 3, HEIGHT, WIDTH)])["lam_adjusted"] for _ in range(COUNT)]
note("cutmix", sets)
print(json.dumps(found))
