"""The models of shared/golden/any as their own PyTorch code, served in float64: golden.py CASE FOLDER [BASE]."""

import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import lossledger

case, folder = sys.argv[1:3]


class LowRank(nn.Module):
    def __init__(self, inner, outer):
        super().__init__()
        self.base = nn.Linear(inner, outer)
        self.lora_A = nn.Parameter(torch.zeros(2, inner))
        self.lora_B = nn.Parameter(torch.zeros(outer, 2))
        self.base.requires_grad_(False)

    def forward(self, x):
        return self.base(x) + 2.0 * (x @ self.lora_A.T @ self.lora_B.T)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2, 1), nn.GELU(), nn.Conv2d(8, 8, 3, 2, 1), nn.GELU(), nn.Flatten(), nn.Linear(72, 16)
        )
        self.head = nn.Linear(16, 1)

    def forward(self, a, b):
        return self.head((self.enc(a) - self.enc(b)) ** 2).squeeze(1)


class Physics(nn.Module):
    """u, and its derivatives by hand: u_t − 0.1 u_xx."""

    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(2, 20), nn.Linear(20, 20), nn.Linear(20, 1)

    def forward(self, x):
        z, along_x, along_t = self.l1(x), self.l1.weight[:, FIRST], self.l1.weight[:, SECOND]
        h, slope = torch.tanh(z), 1 - torch.tanh(z) ** 2
        h_x, h_t, h_xx = slope * along_x, slope * along_t, -2 * h * slope * along_x * along_x
        z_x, z_t, z_xx = h_x @ self.l2.weight.T, h_t @ self.l2.weight.T, h_xx @ self.l2.weight.T
        g = torch.tanh(self.l2(h))
        slope = 1 - g**2
        u_t = (slope * z_t) @ self.l3.weight.T
        u_xx = (slope * z_xx - 2 * g * slope * z_x * z_x) @ self.l3.weight.T
        return torch.cat([self.l3(g), u_t - 0.1 * u_xx], 1)


FIRST, SECOND = 0, 1


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(16), nn.LayerNorm(16)
        self.c_attn, self.c_proj = nn.Linear(16, 48), nn.Linear(16, 16)
        self.c_fc, self.c_out = nn.Linear(16, 64), nn.Linear(64, 16)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (each.view(n, t, 2, 8).transpose(1, 2) for each in self.c_attn(self.ln_1(x)).split(16, 2))
        scores = (q @ k.transpose(2, 3)) * 8**-0.5
        scores = scores.masked_fill(torch.tril(torch.ones(t, t)) == 0, float("-inf"))
        x = x + self.c_proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, c))
        return x + self.c_out(F.gelu(self.c_fc(self.ln_2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(45, 16), nn.Embedding(16, 16)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.ln_f = nn.LayerNorm(16)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.ln_f(x) @ self.wte.weight.T


def autoencoder():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(192, 10), nn.Linear(10, 192),
        nn.ReLU(), nn.Unflatten(1, (12, 4, 4)), nn.ConvTranspose2d(12, 8, 3, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Sigmoid(),
    )  # fmt: skip


def lora():
    model = nn.Sequential(nn.Flatten(), LowRank(196, 32), nn.ReLU(), LowRank(32, 32), nn.ReLU(), LowRank(32, 10))
    base = np.load(sys.argv[3])
    state = model.state_dict()
    model.load_state_dict({name: torch.tensor(base[name]) if name in base else state[name] for name in state})
    return model


def squared(model, x, y):
    return (model(x) - y) ** 2


CASES = {
    "autoencoder": (autoencoder, squared, ["x", "y"]),
    "lora": (lora, lambda model, x, y: F.cross_entropy(model(x), y, reduction="none"), ["x", "y"]),
    "siamese": (Siamese, lambda model, a, b, y: F.binary_cross_entropy_with_logits(model(a, b), y, reduction="none"), ["a", "b", "y"]),
    "pinn_folded": (Physics, squared, ["x", "y"]),
    "gpt_loss_in_graph": (
        Gpt,
        lambda model, tokens, labels: F.cross_entropy(model(tokens).transpose(1, 2), labels, reduction="none").mean(1),
        ["tokens", "labels"],
    ),
}

build, loss, names = CASES[case]
data = np.load(f"{folder}/data.npz")
lossledger.serve(build(), loss, [torch.tensor(data[name]) for name in names], dtype=torch.float64, batch=64, name=case)
