"""Writes torch-modern.json: parameters after each of 50 steps of PyTorch's optimisers, in float64, of those that PyTorch 1.13 lacks by formula.

The gradient is that of 1/2 sum(curvature * theta^2) - sum(slope * theta), with a wave that changes its sign. Written with PyTorch 1.13.
Run: python3 torch-modern.py > torch-modern.json
"""

import json
import math

import numpy as np
import torch

SHAPE = (2, 3)
CURVATURE = np.array([1.0, 0.3, 4.0, 0.7, 2.0, 0.1]).reshape(SHAPE)
SLOPE = np.array([0.5, -2.0, 0.1, 1.0, -0.3, 0.2]).reshape(SHAPE)
START = np.array([1.5, -0.25, 0.75, 0.4, -1.2, 0.05]).reshape(SHAPE)
STEPS = 50


def gradient(theta, step):
    return CURVATURE * theta - SLOPE + 0.5 * math.sin(1.3 * step)


def factor(step):
    """Warm-up over 5 steps, then a line down to a tenth over 40."""
    return (step + 1) / 5 if step < 5 else 1 - 0.9 * min(1.0, (step - 5) / 40)


def by_torch(make, scheduled=False):
    theta = torch.tensor(START, requires_grad=True)
    optimizer = make([theta])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor if scheduled else lambda _: 1.0)
    rows = []
    for step in range(STEPS):
        theta.grad = torch.tensor(gradient(theta.detach().numpy(), step))
        optimizer.step()
        schedule.step()
        rows.append(theta.detach().numpy().flatten().tolist())
    return rows


def lion(lr0, beta1, beta2, decay, scheduled=False):
    theta, mean, rows = START.copy(), np.zeros(SHAPE), []
    for step in range(STEPS):
        lr = lr0 * (factor(step) if scheduled else 1.0)
        g = gradient(theta, step)
        theta = theta - lr * (np.sign(beta1 * mean + (1 - beta1) * g) + decay * theta)
        mean = beta2 * mean + (1 - beta2) * g
        rows.append(theta.flatten().tolist())
    return rows


def muon(lr0, momentum, decay, scheduled=False):
    theta, buffer, rows = START.copy(), np.zeros(SHAPE), []
    for step in range(STEPS):
        lr = lr0 * (factor(step) if scheduled else 1.0)
        g = gradient(theta, step)
        buffer = buffer + (1 - momentum) * (g - buffer)
        x = g + momentum * (buffer - g)
        x = x / np.linalg.norm(x)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
        theta = theta * (1 - lr * decay) - lr * math.sqrt(max(1, SHAPE[0] / SHAPE[1])) * x
        rows.append(theta.flatten().tolist())
    return rows


LINEAR = {"kind": "linear", "iterations": 40, "floor": 0.1, "warmUp": 5}

def keras(settings):
    """Keras's formulas: the velocity holds old learning rates, epsilon stands beside the uncorrected root; L2 is part of the gradient."""
    name, lr, mu = settings["name"], settings["learningRate"], settings.get("momentum", 0.0)
    decay, rho, epsilon = settings.get("weightDecay", 0.0), settings.get("meanSquareDecay", 0.0), settings.get("epsilon", 0.0)
    theta, mean, square, rows = START.copy(), np.zeros(SHAPE), np.zeros(SHAPE), []
    for step in range(STEPS):
        rate = lr * (factor(step) if "schedule" in settings else 1.0)
        decoupled = name == "adamw"
        g = gradient(theta, step) + (0.0 if decoupled else decay * theta)
        if name in ("sgd", "nesterov"):
            mean = mu * mean - rate * g
            theta = theta + (mu * mean - rate * g if name == "nesterov" else mean)
        else:
            mean = mu * mean + (1 - mu) * g
            square = rho * square + (1 - rho) * g * g
            corrected = rate * math.sqrt(1 - rho ** (step + 1)) / (1 - mu ** (step + 1))
            theta = theta - corrected * mean / (np.sqrt(square) + epsilon) - (rate * decay * theta if decoupled else 0.0)
        rows.append(theta.flatten().tolist())
    return rows


KERAS = [
    {"name": "sgd", "learningRate": 0.05, "weightDecay": 0.02},
    {"name": "sgd", "learningRate": 0.05, "momentum": 0.9, "weightDecay": 0.01, "convention": "keras", "schedule": LINEAR},
    {"name": "nesterov", "learningRate": 0.05, "momentum": 0.8, "weightDecay": 0.02, "convention": "keras", "schedule": LINEAR},
    {"name": "adam", "learningRate": 0.02, "momentum": 0.8, "meanSquareDecay": 0.95, "weightDecay": 0.03, "epsilon": 0.01, "convention": "keras", "schedule": LINEAR},
    {"name": "adamw", "learningRate": 0.02, "momentum": 0.9, "meanSquareDecay": 0.99, "weightDecay": 0.1, "epsilon": 0.01, "convention": "keras", "schedule": LINEAR},
]

TORCH = [
    (
        {"name": "sgd", "learningRate": 0.05, "weightDecay": 0.02, "convention": "pytorch", "schedule": LINEAR},
        lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=0.02),
    ),
    (
        {"name": "adam", "learningRate": 0.05, "momentum": 0.8, "meanSquareDecay": 0.95, "convention": "pytorch", "epsilon": 0.01, "schedule": LINEAR},
        lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=0.01),
    ),
    (
        {"name": "adamw", "learningRate": 0.02, "weightDecay": 0.1},
        lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1),
    ),
    (
        {"name": "adamw", "learningRate": 0.05, "momentum": 0.8, "meanSquareDecay": 0.95, "epsilon": 0.01, "schedule": LINEAR},
        lambda p: torch.optim.AdamW(p, lr=0.05, betas=(0.8, 0.95), eps=0.01, weight_decay=0),
    ),
    (
        {"name": "adam", "learningRate": 0.02, "weightDecay": 0.03, "epsilon": 0.001, "convention": "pytorch"},
        lambda p: torch.optim.Adam(p, lr=0.02, weight_decay=0.03, eps=0.001),
    ),
    (
        {"name": "sgd", "learningRate": 0.05, "momentum": 0.9, "weightDecay": 0.01, "convention": "pytorch", "schedule": LINEAR},
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    ),
    (
        {"name": "nesterov", "learningRate": 0.05, "momentum": 0.8, "weightDecay": 0.02, "convention": "pytorch", "schedule": LINEAR},
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.02, nesterov=True),
    ),
    (
        {"name": "rmsprop", "learningRate": 0.01, "momentum": 0.5, "meanSquareDecay": 0.95, "epsilon": 0.001, "convention": "pytorch", "schedule": LINEAR},
        lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.95, eps=0.001, momentum=0.5),
    ),
]

if __name__ == "__main__":
    cases = [{"settings": settings, "theta": by_torch(make, "schedule" in settings)} for settings, make in TORCH]
    cases.append({"settings": {"name": "lion", "learningRate": 0.01, "momentum": 0.9, "meanSquareDecay": 0.97, "weightDecay": 0.1}, "theta": lion(0.01, 0.9, 0.97, 0.1)})
    cases.append({"settings": {"name": "muon", "learningRate": 0.02, "momentum": 0.9, "weightDecay": 0.1}, "theta": muon(0.02, 0.9, 0.1)})
    cases.append({"settings": {"name": "lion", "learningRate": 0.01, "momentum": 0.9, "meanSquareDecay": 0.97, "weightDecay": 0.1, "schedule": LINEAR}, "theta": lion(0.01, 0.9, 0.97, 0.1, True)})
    cases.append({"settings": {"name": "muon", "learningRate": 0.02, "momentum": 0.9, "weightDecay": 0.1, "schedule": LINEAR}, "theta": muon(0.02, 0.9, 0.1, True)})
    cases += [{"settings": settings, "theta": keras(settings)} for settings in KERAS]
    constants = {"torch": torch.__version__, "shape": SHAPE, "curvature": CURVATURE.flatten().tolist(), "slope": SLOPE.flatten().tolist(), "start": START.flatten().tolist()}
    print(json.dumps({**constants, "cases": cases}))
