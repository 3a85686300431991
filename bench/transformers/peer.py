#!/usr/bin/env python3
"""The transformers of `lca bench gradient` in PyTorch: their full-data gradient's speed on the processor, and their export.

    OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE python3 peer.py MODEL [--seconds 8] [--threads 2]
    python3 peer.py MODEL --export model.onnx

MODEL is gpt, llama or vit: width 64, 4 layers, 4 heads; 64 tokens of 64 kinds (vit: 17 tokens, of 16 patches and a class token).
One evaluation is loss and gradient of every parameter for N random examples, accumulated over chunks; the fastest of several
chunk sizes is reported, as one JSON line: {"peer", "model", "parameters", "chunk", "examplesPerSecond": {"median", "best"}}.
"""
import argparse
import json
import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

WIDTH, LAYERS, HEADS, TOKENS, KINDS = 64, 4, 4, 64, 64


class Attention(nn.Module):
    """Self-attention with one product for queries, keys and values; rotary positions for `rotary`."""

    def __init__(self, bias, causal, rotary, tokens):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=bias)
        self.proj = nn.Linear(WIDTH, WIDTH, bias=bias)
        self.causal, self.rotary = causal, rotary
        if causal:
            self.register_buffer('mask', torch.tril(torch.ones(tokens, tokens)).view(1, 1, tokens, tokens))
        if rotary:
            half = WIDTH // HEADS // 2
            angles = torch.arange(tokens)[:, None] * 10000.0 ** (-torch.arange(half) / half)
            angles = torch.cat([angles, angles], 1)
            self.register_buffer('cos', angles.cos())
            self.register_buffer('sin', angles.sin())

    def turn(self, x):
        first, second = x.chunk(2, -1)
        return x * self.cos + torch.cat([-second, first], -1) * self.sin

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = (part.view(n, t, HEADS, d // HEADS).transpose(1, 2) for part in self.qkv(x).split(d, 2))
        if self.rotary:
            q, k = self.turn(q), self.turn(k)
        scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(d // HEADS))
        if self.causal:
            scores = scores.masked_fill(self.mask[:, :, :t, :t] == 0, float('-inf'))
        y = torch.softmax(scores, -1) @ v
        return self.proj(y.transpose(1, 2).reshape(n, t, d))


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Gated(nn.Module):
    """SwiGLU of 8/3 the width, rounded up to a multiple of 32."""

    def __init__(self):
        super().__init__()
        hidden = -(-8 * WIDTH // 3 // 32) * 32
        self.gate, self.up = nn.Linear(WIDTH, hidden, bias=False), nn.Linear(WIDTH, hidden, bias=False)
        self.down = nn.Linear(hidden, WIDTH, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


def perceptron():
    return nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))


class Block(nn.Module):
    def __init__(self, kind, tokens):
        super().__init__()
        llama = kind == 'llama'
        self.norm1 = RMSNorm() if llama else nn.LayerNorm(WIDTH)
        self.attention = Attention(bias=not llama, causal=kind != 'vit', rotary=llama, tokens=tokens)
        self.norm2 = RMSNorm() if llama else nn.LayerNorm(WIDTH)
        self.mlp = Gated() if llama else perceptron()

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Language(nn.Module):
    """Tokens [N, T] to logits [N, T, V]."""

    def __init__(self, kind):
        super().__init__()
        self.tokens = nn.Embedding(KINDS, WIDTH)
        self.positions = None if kind == 'llama' else nn.Embedding(TOKENS, WIDTH)
        self.blocks = nn.Sequential(*(Block(kind, TOKENS) for _ in range(LAYERS)))
        self.norm = RMSNorm() if kind == 'llama' else nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, KINDS, bias=False)

    def forward(self, x):
        h = self.tokens(x)
        if self.positions is not None:
            h = h + self.positions(torch.arange(x.shape[1]))
        return self.head(self.norm(self.blocks(h)))


class Vision(nn.Module):
    """Images [N, 1, 28, 28] to logits [N, 10], by patches of 7 x 7."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(1, WIDTH, 7, 7)
        self.cls = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(0.02 * torch.randn(1, 17, WIDTH))
        self.blocks = nn.Sequential(*(Block('vit', 17) for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, x):
        h = self.patches(x).flatten(2).transpose(1, 2)
        h = torch.cat([self.cls.expand(h.shape[0], -1, -1), h], 1) + self.positions
        return self.head(self.norm(self.blocks(h))[:, 0])


def problem(name, count):
    """A network, random examples and labels."""
    if name == 'vit':
        return Vision(), torch.rand(count, 1, 28, 28), torch.randint(0, 10, (count,))
    draw = lambda: torch.randint(0, KINDS, (count, TOKENS))
    return Language(name), draw(), draw()


def speed(name, seconds, chunks):
    count = max(chunks)
    model, x, y = problem(name, count)
    best = None
    for chunk in chunks:
        def gradient():
            for p in model.parameters():
                p.grad = None
            for s in range(0, count, chunk):
                logits = model(x[s:s + chunk])
                F.cross_entropy(logits.flatten(0, -2), y[s:s + chunk].flatten(), reduction='sum').backward()
        gradient()
        times, start = [], time.time()
        while len(times) < 3 or time.time() - start < seconds / len(chunks):
            t = time.time()
            gradient()
            times.append(time.time() - t)
        times.sort()
        rate = (count / times[len(times) // 2], count / times[0])
        if best is None or rate[0] > best[0][0]:
            best = rate, chunk
    (median, top), chunk = best
    return {'peer': 'pytorch ' + torch.__version__, 'model': name, 'parameters': sum(p.numel() for p in model.parameters()),
            'chunk': chunk, 'examplesPerSecond': {'median': round(median, 1), 'best': round(top, 1)}}


def export(name, path):
    model, x, _ = problem(name, 2)
    torch.onnx.export(model.eval(), x, path, opset_version=16, training=torch.onnx.TrainingMode.EVAL,
                      do_constant_folding=False, input_names=['input'], output_names=['logits'],
                      dynamic_axes={'input': {0: 'batch'}, 'logits': {0: 'batch'}})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('model', choices=['gpt', 'llama', 'vit'])
    parser.add_argument('--seconds', type=float, default=8)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--export')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if options.export:
        export(options.model, options.export)
    else:
        chunks = (64, 256, 512) if options.model == 'vit' else (16, 64, 128)
        print(json.dumps(speed(options.model, options.seconds, chunks)))


main()
