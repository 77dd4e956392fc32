"""State dicts and prints for the tests of nn: `<what> <source of classes on stdin as JSON> <expression> <files…>`."""

import json
import sys

import torch
from torch import nn

request = json.load(sys.stdin)
names = {"torch": torch, "nn": nn}
exec(request["classes"], names)

if request["what"] == "make":
    torch.manual_seed(3)
    model = eval(request["model"], names)
    for file in request["files"]:
        if file.endswith(".safetensors"):
            from safetensors.torch import save_model

            save_model(model, file)
        else:
            torch.save(model.state_dict(), file)
    print(json.dumps({"names": list(model.state_dict()), "print": repr(model)}))
else:
    # Loads what Praxis wrote, strictly, and says whether it is bit-equal to the model that Python draws from the same seed.
    torch.manual_seed(3)
    wanted = eval(request["model"], names)
    result = {}
    for file in request["files"]:
        torch.manual_seed(4)
        model = eval(request["model"], names)
        if file.endswith(".safetensors"):
            from safetensors.torch import load_file

            state = load_file(file)
        else:
            state = torch.load(file, weights_only=True)
        model.load_state_dict(state)
        result[file] = [k for k, v in wanted.state_dict().items() if not torch.equal(v, model.state_dict()[k])]
    print(json.dumps(result))
