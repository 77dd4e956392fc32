"""Weights as torchvision and timm write them, for test/models/pretrained.

    pretrained.py                      prints which of the modules it needs are there
    pretrained.py FOLDER < cases.json

Reads a list of {name, python, file, size, channels, change?}: `python` is an expression that makes a network. Its weights are shaken
(models.py) and written to FOLDER/<file> the way people do: safetensors' save_file for `.safetensors`, torch.save for `.pth`; `wrap` says
in what. Where `other` is there, an expression for the same network for other pictures, timm's own loading puts the weights into it.
FOLDER/<name>.answer.safetensors holds an input and the logits of the network that is to be matched.
"""
import contextlib
import io
import json
import os
import sys

import torch

from models import save_file, shake, timm, torchvision  # noqa: F401 (used by the expressions)


def main():
    if len(sys.argv) < 2:
        found = {'torchvision': torchvision, 'timm': timm, 'safetensors': save_file}
        print(json.dumps({name: module is not None for name, module in found.items()}))
        return
    folder = sys.argv[1]
    torch.set_num_threads(1)
    for case in json.load(sys.stdin):
        with contextlib.redirect_stdout(io.StringIO()):
            torch.manual_seed(0)
            net = eval(case['python'])
        shake(net)
        state = {key: value.clone().contiguous() for key, value in net.state_dict().items()}
        path = os.path.join(folder, case['file'])
        if path.endswith('.safetensors'):
            save_file(state, path, metadata={'format': 'pt'})
        elif case.get('wrap') == 'parallel':
            torch.save({'epoch': 3, 'state_dict': torch.nn.DataParallel(net).state_dict()}, path)
        elif case.get('wrap') == 'model':
            torch.save({'model': state, 'args': None}, path)
        else:
            torch.save(state, path)
        if 'other' in case:
            with contextlib.redirect_stdout(io.StringIO()):
                torch.manual_seed(1)
                net = eval(case['other'])
                timm.models.load_checkpoint(net, path, filter_fn=timm.models.vision_transformer.checkpoint_filter_fn)
        net.eval()
        x = torch.rand(2, case['channels'], *case['size'], generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            out = net(x)
        save_file({'input': x, 'logits': out}, os.path.join(folder, case['name'] + '.answer.safetensors'))
    print('{}')


if __name__ == '__main__':
    main()
