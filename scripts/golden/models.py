"""Reference models for test/models: the seed text's ConvNet, torchvision's and timm's.

    models.py                          prints which of the modules it needs are there
    models.py FOLDER < cases.json

Reads a list of {name, python, size, channels}; `python` is an expression over torchvision, timm, ConvNet and the like. For each
case writes FOLDER/<name>.safetensors: `initial.<key>` as drawn from seed 0 (`next`: the random number after it), `state.<key>`
with running statistics and small factors made random, an input, the logits in evaluation and in training, and the gradient of
the training loss with respect to the input. Prints as JSON what repr() prints, by name.
"""
import contextlib
import io
import json
import os
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

try:
    # A torchvision built for CUDA cannot load its operators beside a torch without; models need none, but importing it names two.
    library = torch.library.Library('torchvision', 'DEF')
    for operator in ('nms', 'qnms'):
        library.define(operator + '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
except Exception:
    pass
try:
    import torchvision
except Exception:
    torchvision = None
try:
    with contextlib.redirect_stdout(io.StringIO()):  # what it imports may complain there
        import timm
except Exception:
    timm = None
try:
    from safetensors.torch import save_file
except ImportError:
    save_file = None


class ConvNet(torch.nn.Module):
    """The seed text's class, with the class count free."""

    class CNNBlock(torch.nn.Module):
        def __init__(self, in_channels, out_channels, stride):
            super().__init__()
            kernel_size = 3
            padding = (kernel_size - 1) // 2
            self.c1 = torch.nn.Conv2d(in_channels, out_channels, kernel_size=kernel_size, stride=stride, padding=padding)
            self.n1 = torch.nn.GroupNorm(1, out_channels)
            self.c2 = torch.nn.Conv2d(out_channels, out_channels, kernel_size=kernel_size, stride=1, padding=padding)
            self.n2 = torch.nn.GroupNorm(1, out_channels)
            # relu1 and relu2 in the text's code, one `relu` in what it prints.
            self.relu = torch.nn.ReLU()
            self.skip = torch.nn.Conv2d(
                in_channels, out_channels, kernel_size=1, stride=stride
            ) if in_channels != out_channels else torch.nn.Identity()

        def forward(self, x0):
            x = self.relu(self.n1(self.c1(x0)))
            x = self.relu(self.n2(self.c2(x))) + self.skip(x0)
            return x

    def __init__(self, channels_l0=64, n_blocks=4, classes=102):
        super().__init__()
        kernel_size_l0 = 11
        padding_l0 = (kernel_size_l0 - 1) // 2
        stride_l0 = 2
        cnn_layers = [
            torch.nn.Conv2d(3, channels_l0, kernel_size=kernel_size_l0, stride=stride_l0, padding=padding_l0)
        ]
        c1 = channels_l0
        for _ in range(n_blocks):
            stride = 2
            c2 = c1 * stride
            cnn_layers.append(self.CNNBlock(c1, c2, stride))
            c1 = c2
        cnn_layers.append(torch.nn.Conv2d(c1, classes, kernel_size=1))
        self.network = torch.nn.Sequential(*cnn_layers)

    def forward(self, x):
        return self.network(x).mean(dim=-1).mean(dim=-1)


class CifarBlock(nn.Module):
    """After github.com/akamaster/pytorch_resnet_cifar10, from the paper's section 4.2."""

    def __init__(self, inputs, outputs, stride, option):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.outputs, self.stride, self.option = outputs, stride, option
        self.shortcut = nn.Sequential()
        if stride != 1 and option == 'B':
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride != 1 and self.option == 'A':
            quarter = self.outputs // 4
            return F.relu(out + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, quarter, quarter)))
        return F.relu(out + self.shortcut(x))


class CifarResNet(nn.Module):
    def __init__(self, depth, option='A', classes=10):
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        stage = lambda i, o: nn.Sequential(*[
            CifarBlock(i if k == 0 else o, o, 2 if k == 0 and i != o else 1, option) for k in range(blocks)])
        self.layer1, self.layer2, self.layer3 = stage(16, 16), stage(16, 32), stage(32, 64)
        self.linear = nn.Linear(64, classes)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(m.weight)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def shake(net):
    """Numbers that hide nothing: running statistics as after training, factors that start at 0, 1 or 1e-6 anything but."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if not tensor.is_floating_point():
                continue
            noise = torch.rand(tensor.shape, generator=generator)
            if name.endswith('running_var') or (tensor.dim() == 1 and name.endswith(('weight', 'gamma', 'layer_scale'))):
                tensor.copy_(0.5 + noise)
            elif tensor.dim() == 1 or name in ('cls_token', 'pos_embed'):
                tensor.copy_(0.4 * (noise - 0.5))


def main():
    if len(sys.argv) < 2:
        found = {'torchvision': torchvision, 'timm': timm, 'safetensors': save_file}
        print(json.dumps({name: module is not None for name, module in found.items()}))
        return
    folder = sys.argv[1]
    texts = {}
    torch.set_num_threads(1)
    for case in json.load(sys.stdin):
        with contextlib.redirect_stdout(io.StringIO()):
            torch.manual_seed(0)
            net = eval(case['python'])
            after = torch.rand(1)
        texts[case['name']] = repr(net)
        out = {'next': after}
        for key, value in net.state_dict().items():
            out['initial.' + key] = value.clone()
        shake(net)
        for key, value in net.state_dict().items():
            out['state.' + key] = value.clone()
        generator = torch.Generator().manual_seed(2)
        x = torch.rand(2, case['channels'], *case['size'], generator=generator)
        out['input'] = x.clone()
        net.eval()
        with torch.no_grad():
            out['evaluated'] = net(x)
        net.train()
        torch.manual_seed(3)
        x.requires_grad_(True)
        logits = net(x)
        out['trained'] = logits.detach()
        F.cross_entropy(logits, torch.tensor([0, 1])).backward()
        out['gradient'] = x.grad
        save_file({key: value.contiguous() for key, value in out.items()}, os.path.join(folder, case['name'] + '.safetensors'))
    print(json.dumps(texts))


if __name__ == '__main__':
    main()
