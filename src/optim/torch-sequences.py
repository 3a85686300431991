"""Writes torch-sequences.json: parameters after each step of PyTorch's optimisers, in float64.

The gradient is that of 1/2 sum(curvature * theta^2) - sum(slope * theta). Written with PyTorch 1.13.1.
Run: python3 torch-sequences.py > torch-sequences.json
"""

import json

import torch

CURVATURE = torch.tensor([1.0, 0.3, 4.0], dtype=torch.float64)
SLOPE = torch.tensor([0.5, -2.0, 0.1], dtype=torch.float64)
START = torch.tensor([1.5, -0.25, 0.75], dtype=torch.float64)
TINY = 1e-300  # epsilon stands in another place there, so it is kept out of the comparison

CASES = [
    ("sgd", {"learningRate": 0.1}, lambda p: torch.optim.SGD(p, lr=0.1)),
    (
        "sgd",
        {"learningRate": 0.05, "momentum": 0.9, "weightDecay": 0.01},
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    ),
    (
        "nesterov",
        {"learningRate": 0.05, "momentum": 0.8, "weightDecay": 0.02},
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.02, nesterov=True),
    ),
    ("adam", {"learningRate": 0.02, "epsilon": TINY}, lambda p: torch.optim.Adam(p, lr=0.02, eps=TINY)),
    (
        "adam",
        {"learningRate": 0.02, "momentum": 0.7, "meanSquareDecay": 0.99, "weightDecay": 0.1, "epsilon": TINY},
        lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.7, 0.99), weight_decay=0.1, eps=TINY),
    ),
    (
        "rmsprop",
        {"learningRate": 0.01, "meanSquareDecay": 0.9, "epsilon": 1e-7},
        lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-7),
    ),
    (
        "rmsprop",
        {"learningRate": 0.01, "momentum": 0.5, "meanSquareDecay": 0.95, "weightDecay": 0.03, "epsilon": 1e-3},
        lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.95, eps=1e-3, momentum=0.5, weight_decay=0.03),
    ),
]


def sequence(make):
    theta = START.clone().requires_grad_(True)
    optimizer = make([theta])
    rows = []
    for _ in range(6):
        theta.grad = (CURVATURE * theta - SLOPE).detach()
        optimizer.step()
        rows.append(theta.tolist())
    return rows


def clipped():
    theta = START.clone().requires_grad_(True)
    optimizer = torch.optim.SGD([theta], lr=0.1)
    rows = []
    for _ in range(6):
        theta.grad = (CURVATURE * theta - SLOPE).detach()
        theta.grad *= min(1.0, 0.8 / float(theta.grad.norm()))  # clip_grad_norm_ adds 1e-6 to the norm
        optimizer.step()
        rows.append(theta.tolist())
    return rows


if __name__ == "__main__":
    cases = [{"settings": {"name": name, **settings}, "theta": sequence(make)} for name, settings, make in CASES]
    cases.append({"settings": {"name": "sgd", "learningRate": 0.1, "clipNorm": 0.8}, "theta": clipped()})
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "curvature": CURVATURE.tolist(),
                "slope": SLOPE.tolist(),
                "start": START.tolist(),
                "cases": cases,
            },
            indent=2,
        )
    )
