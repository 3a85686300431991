"""Writes torch-losses.json: loss and gradients of the built-in networks by PyTorch, in float64.

Numbers come from a formula, so that nothing but it is shared: parameter k is 0.06 sin(k + k^2 / 7919) (1 more for scales), pixel i is
(37 i + i^2) mod 251, divided by 255, labels are 3 i mod 10. Dropout is off; batch normalisation uses the batch. Of each tensor's gradient its sum
and its sum with alternating signs are kept. Written with PyTorch 1.13.1. Run: python3 torch-losses.py > torch-losses.json
"""

import json
import math

import torch
import torch.nn.functional as F

EXAMPLES = 2


class Tape:
    """Hands out parameters in the order of use."""

    def __init__(self):
        self.tensors, self.count = {}, 0

    def tensor(self, name, shape, base=0.0):
        k = torch.arange(self.count, self.count + math.prod(shape), dtype=torch.float64)
        self.count += len(k)
        # Parameters are float32; sine is evaluated on exactly the doubles that JavaScript sees.
        values = base + 0.06 * torch.sin(k + k * k / 7919)
        value = values.float().double().reshape(shape).requires_grad_()
        self.tensors[name] = value
        return value

    def conv(self, x, name, channels, kernel, stride=1):
        weight = self.tensor(f"{name}.weight", (channels, x.shape[1], kernel, kernel))
        bias = self.tensor(f"{name}.bias", (channels,))
        pads = []
        for extent in (x.shape[3], x.shape[2]):
            total = max(0, (math.ceil(extent / stride) - 1) * stride + kernel - extent)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), weight, bias, stride)

    def dense(self, x, name, outputs):
        return F.linear(x, self.tensor(f"{name}.weight", (outputs, x.shape[1])), self.tensor(f"{name}.bias", (outputs,)))

    def norm(self, x, name):
        scale, shift = self.tensor(f"{name}.scale", (x.shape[1],), 1.0), self.tensor(f"{name}.bias", (x.shape[1],))
        return F.batch_norm(x, None, None, scale, shift, training=True, eps=1e-3)


def fc(t, x, widths):
    x = x.flatten(1)
    for k, width in enumerate(widths):
        x = t.dense(F.relu(x) if k else x, f"fc{k + 1}", width)
    return x


def lenet(t, x):
    for name, channels in (("conv1", 20), ("conv2", 40)):
        x = F.max_pool2d(F.relu(t.conv(x, name, channels, 5)), 2)
    return t.dense(F.relu(t.dense(x.flatten(1), "fc1", 400)), "fc2", 10)


def resnet20(t, x):
    x = F.relu(t.norm(t.conv(x, "conv1", 16, 3), "bn1"))
    for stage, channels in enumerate((16, 32, 64), 1):
        for place in (1, 2, 3):
            name, stride = f"block{stage}_{place}", 1 if x.shape[1] == channels else 2
            y = F.relu(t.norm(t.conv(x, f"{name}.conv1", channels, 3, stride), f"{name}.bn1"))
            y = t.conv(y, f"{name}.conv2", channels, 3)
            shortcut = t.conv(x, f"{name}.shortcut", channels, 1, stride) if stride == 2 else x
            x = F.relu(t.norm(y, f"{name}.bn2") + shortcut)
    return t.dense(x.mean((2, 3)), "fc", 10)


def allcnn(t, x):
    layers = [(96, 3, 1), (96, 3, 1), (96, 3, 2), (192, 3, 1), (192, 3, 1), (192, 3, 2), (192, 3, 1), (192, 1, 1)]
    for k, (channels, kernel, stride) in enumerate(layers, 1):
        x = t.conv(x, f"conv{k}", channels, kernel, stride)
        x = F.relu(x if stride == 2 else t.norm(x, f"bn{k}"))
    return t.conv(x, "conv9", 10, 1).mean((2, 3))


def vgg(t, x):
    number = 0
    for stage in ((32,), (64,), (128, 128), (256, 256)):
        for channels in stage:
            number += 1
            x = F.relu(t.conv(x, f"conv{number}", channels, 3))
        x = F.max_pool2d(x, 2)
    x = x.flatten(1)
    for name in ("fc1", "fc2"):
        x = F.relu(t.dense(x, name, 512))
    return t.dense(x, "fc3", 10)


MODELS = {
    "fc": (lambda t, x: fc(t, x, (100, 50, 10)), (1, 28, 28)),
    "fc3": (lambda t, x: fc(t, x, (455, 67, 10)), (3, 32, 32)),
    "lenet": (lenet, (1, 28, 28)),
    "resnet20": (resnet20, (3, 32, 32)),
    "resnet20-mnist": (resnet20, (1, 28, 28)),
    "allcnn": (allcnn, (3, 32, 32)),
    "vgg": (vgg, (3, 32, 32)),
}


def case(name):
    forward, shape = MODELS[name]
    i = torch.arange(EXAMPLES * math.prod(shape), dtype=torch.int64)
    x = ((37 * i + i * i) % 251).double().reshape(EXAMPLES, *shape) / 255
    labels = torch.tensor([3 * k % 10 for k in range(EXAMPLES)])
    tape = Tape()
    loss = F.cross_entropy(forward(tape, x), labels, reduction="sum")
    loss.backward()
    gradients = {}
    for tensor, value in tape.tensors.items():
        g = value.grad.flatten()
        signs = 1 - 2 * (torch.arange(len(g)) % 2)
        gradients[tensor] = [float(g.sum()), float((g * signs).sum()), float(g.abs().sum())]
    return {"loss": float(loss), "parameters": tape.count, "gradients": gradients}


if __name__ == "__main__":
    print(json.dumps({name: case(name) for name in MODELS}, indent=1))
