"""Writes torch-ema.json: weights after each of 50 steps of SGD in PyTorch, and their average by swa_utils.AveragedModel.

Weights are float32; the average is kept in float64. Written with PyTorch 1.13. Run: python3 torch-ema.py > torch-ema.json
"""

import json
import math

import torch
from torch.optim.swa_utils import AveragedModel

DECAY = 0.9


class Weights(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor([1.5, -0.25, 0.75, 0.4], dtype=torch.float64))


model = Weights()
# What get_ema_avg_fn(DECAY) of later versions does.
average = AveragedModel(model, avg_fn=lambda mean, new, _: DECAY * mean + (1 - DECAY) * new)
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.5)
weights, means = [], []
for step in range(50):
    optimizer.zero_grad()
    (0.5 * (torch.tensor([1.0, 0.3, 4.0, 0.7]) * model.w**2).sum() - math.sin(1.3 * step) * model.w.sum()).backward()
    optimizer.step()
    with torch.no_grad():
        model.w.copy_(model.w.float())
    average.update_parameters(model)
    weights.append(model.w.detach().tolist())
    means.append(average.module.w.detach().tolist())
print(json.dumps({"decay": DECAY, "weights": weights, "means": means}))
