#!/usr/bin/python3
"""Small networks as PyTorch exports them, with loss and gradient in float64: independent expectations for the ONNX reader.

    apt-get install -y --no-install-recommends python3-torch python3-numpy
    /usr/bin/python3 generate.py

Made with PyTorch 1.13.1 (Debian 12), seed 0. One .onnx and one .json a network:
{"examples", "input" [N, ...], "labels" [N], "loss" (sum of softmax cross-entropy), "gradient": {parameter: [...]}, "shapes"}.
"""
import json, pathlib, warnings
import torch, torch.nn as nn, torch.nn.functional as F
warnings.simplefilter('ignore'); torch.manual_seed(0)
folder = pathlib.Path(__file__).parent

class Attention(nn.Module):
    def __init__(self, width=8, heads=2, length=6):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.heads = heads
        self.register_buffer('mask', torch.tril(torch.ones(length, length)).bool())
    def forward(self, x):
        n, t, d = x.shape
        split = lambda y: y.view(n, t, self.heads, d // self.heads).transpose(1, 2)
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = (q @ k.transpose(-2, -1)) / (d // self.heads) ** 0.5
        weights = F.softmax(scores.masked_fill(~self.mask[:t, :t], float('-inf')), -1)
        return self.out((weights @ v).transpose(1, 2).contiguous().view(n, t, d))

class Transformer(nn.Module):
    """Token embedding, learned positions, causal attention and a GELU layer, both with layer norm and residual."""
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 8); self.position = nn.Parameter(torch.randn(1, 6, 8) * 0.1)
        self.norm1 = nn.LayerNorm(8); self.attention = Attention(); self.norm2 = nn.LayerNorm(8)
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8)); self.head = nn.Linear(8, 5)
    def forward(self, x):
        h = self.embed(x) + self.position[:, :x.size(1)]
        h = h + self.attention(self.norm1(h))
        return self.head((h + self.mlp(self.norm2(h))).mean(1))

class TorchAttention(nn.Module):
    """PyTorch's own multi-head attention."""
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(6, 8); self.attention = nn.MultiheadAttention(8, 2, batch_first=True); self.head = nn.Linear(8, 5)
    def forward(self, x):
        h = self.inner(x); y, _ = self.attention(h, h, h, need_weights=False)
        return self.head(y.mean(1))

class Gated(nn.Module):
    """Squeeze-and-excitation: sigmoid gates by channel, SiLU."""
    def __init__(self):
        super().__init__(); self.conv = nn.Conv2d(3, 6, 3, padding=1); self.down = nn.Conv2d(6, 2, 1); self.up = nn.Conv2d(2, 6, 1); self.head = nn.Linear(6, 5)
    def forward(self, x):
        x = F.silu(self.conv(x)); gate = torch.sigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))
        return self.head((x * gate).mean((2, 3)))

class Formulas(nn.Module):
    """Elementwise operators, chunk, concatenation, padding and slicing."""
    def __init__(self):
        super().__init__(); self.first = nn.Linear(7, 8); self.shift = nn.Parameter(torch.ones(1) * 0.7); self.scale = nn.Parameter(torch.rand(8)); self.head = nn.Linear(8, 5)
    def forward(self, x):
        a, b = self.first(x).chunk(2, 1)
        h = torch.cat([torch.tanh(a) * torch.sigmoid(b), F.elu(a) - F.softplus(b)], 1) * self.scale + self.shift
        h = F.hardswish(h) + F.leaky_relu(h, 0.2) + h.abs().sqrt().clamp(0.1, 2.0)
        h = F.pad(h, (1, 1))[:, 1:-1]
        return self.head(torch.where(h > 0, h, h * 0.5) / (h.norm(dim=1, keepdim=True) + 1e-3))

class Encoder(nn.Module):
    """PyTorch's own encoder layers. Exported for inference, equal tensors are stored once: norms, zero biases, whole copied layers."""
    def __init__(self):
        super().__init__(); self.token = nn.Parameter(torch.randn(1, 1, 8) * 0.1); self.inner = nn.Linear(6, 8)
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 8, dropout=0.0, batch_first=True), 2); self.norm = nn.LayerNorm(8); self.head = nn.Linear(8, 5)
    def forward(self, x):
        h = torch.cat([self.token.expand(x.size(0), -1, -1), self.inner(x)], 1)
        return self.head(self.norm(self.layers(h))[:, 0])

class Folded(nn.Module):
    """Constant folding leaves these weights transposed or reshaped, without names, at the end of the file; one is tied."""
    def __init__(self):
        super().__init__(); self.embed = nn.Embedding(11, 8); self.mlp = S(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8, bias=False))
        self.norm = nn.GroupNorm(2, 6); self.attention = nn.MultiheadAttention(8, 2, batch_first=True); self.decoder = nn.Linear(8, 11, bias=False); self.decoder.weight = self.embed.weight
    def forward(self, x):
        h = self.norm(self.mlp(self.embed(x))); y, _ = self.attention(h, h, h, need_weights=False)
        return self.decoder(h + y)[:, -1]

class Unet(nn.Module):
    """Nearest and bilinear resizing, reflected padding, concatenation."""
    def __init__(self):
        super().__init__(); self.down = nn.Conv2d(2, 4, 3, padding=1, padding_mode='reflect'); self.mid = nn.Conv2d(4, 3, 3, padding=1); self.up = nn.Upsample(scale_factor=2); self.end = nn.Conv2d(9, 2, 3); self.head = nn.Linear(32, 5)
    def forward(self, x):
        a = F.silu(self.down(x)); b = torch.tanh(self.mid(F.max_pool2d(a, 2))); c = F.interpolate(F.avg_pool2d(x, 3), size=x.shape[2:], mode='bilinear', align_corners=False)
        return self.head(torch.tanh(self.end(torch.cat([self.up(b), a, c], 1))).flatten(1))

class Waves(nn.Module):
    """Parameters that are numbers, exponents, or taken away; sines, norms of zeros, products of three, running sums."""
    def __init__(self):
        super().__init__(); self.rate = nn.Parameter(torch.tensor(1.3)); self.log_scale = nn.Parameter(torch.tensor([0.2])); self.first = nn.Linear(4, 6); self.anchor = nn.Parameter(torch.randn(5, 6)); self.mix = nn.Parameter(torch.randn(6, 6) * 0.4); self.tau = nn.Parameter(torch.tensor(1.5))
    def forward(self, x):
        h = torch.sin(self.rate * self.first(x)) + torch.cos(self.first(x)); h = torch.cumsum(h, 1).logsumexp(1, keepdim=True) * 0.1 + h
        dead = F.relu(h - 9).norm(dim=1, keepdim=True)
        return torch.einsum('ni,ij,kj->nk', h + dead, self.mix, F.normalize(self.anchor, dim=1)) * self.log_scale.exp() - (h[:, :5] - self.anchor[:, 0]) / self.tau

class Sampled(nn.Module):
    """A spatial transformer, and samples in every other way: outside the image too, of pixels and of what is trained."""
    def __init__(self):
        super().__init__(); self.place = nn.Linear(30, 6); self.shift = nn.Parameter(torch.randn(1, 3, 4, 2) * 0.3); self.conv = nn.Conv2d(2, 3, 3, padding=1); self.head = nn.Linear(27, 5)
        base = torch.stack(torch.meshgrid(torch.linspace(-1, 1, 3), torch.linspace(-1, 1, 4), indexing='ij')[::-1] + (torch.ones(3, 4),), -1); self.register_buffer('base', base.view(12, 3))
    def forward(self, x):
        n = x.size(0); maps = self.place(x[:, 0].flatten(1)).view(n, 2, 3) * 1.5; grid = (self.base @ maps.transpose(1, 2)).view(n, 3, 4, 2) + self.shift
        h = torch.tanh(self.conv(x)); sample = lambda mode, padding, aligned: F.grid_sample(h, grid, mode, padding, aligned).mean(3).flatten(1)
        ways = [('bilinear', 'border', True), ('bilinear', 'reflection', False)]
        return self.head(torch.cat([sample('bilinear', 'zeros', False)] + [sample(*way) for way in ways], 1)) + sum(sample('nearest', padding, True)[:, :5] + sample('bilinear', padding, padding == 'zeros')[:, 4:] for padding in ('zeros', 'border', 'reflection'))

class Rounds(nn.Module):
    def __init__(self):
        super().__init__(); self.inner = nn.Linear(6, 6)
    def forward(self, x):
        h = x
        for k in range(x.size(1) - 2):
            h = torch.tanh(self.inner(h)) * (k + 1) + x
        return h

class Looped(nn.Module):
    """Compiled, not traced, its loop is exported as one, whose rounds follow from a shape."""
    def __init__(self):
        super().__init__(); self.first = nn.Linear(4, 6); self.rounds = Rounds(); self.head = nn.Linear(6, 5)
    def forward(self, x):
        return self.head(self.rounds(self.first(x)))

class Steps(nn.Module):
    """Angles, rounding, remainders, shrinkage, and a unit matrix that is made in the network."""
    def __init__(self):
        super().__init__(); self.first = nn.Linear(6, 8); self.period = nn.Parameter(torch.rand(8) + 0.5); self.head = nn.Linear(8, 5)
    def forward(self, x):
        h = self.first(x + torch.floor(x) * 0.25)
        h = torch.atan(h * 2) + torch.asin(torch.tanh(h) * 0.9) - torch.acos(torch.sigmoid(h)) + torch.tan(h * 0.3) + torch.round(h * 4) * h * 0.1 + torch.ceil(h) * h * 0.1
        h = h + torch.fmod(h * 3, self.period) + torch.remainder(h * 2, self.period) + F.hardshrink(h, 0.4) + F.softshrink(h, 0.3)
        return self.head(h @ (torch.eye(x.size(1) + 2, dtype=x.dtype) * 0.5 + 0.1))

class Recurrent(nn.Module):
    """Plain recurrent layers, in both directions, and rectified."""
    def __init__(self):
        super().__init__(); self.times = nn.RNN(4, 3, batch_first=True, bidirectional=True); self.later = nn.RNN(6, 4, batch_first=True, nonlinearity='relu'); self.head = nn.Linear(4, 5)
    def forward(self, x):
        y, _ = self.later(self.times(x)[0])
        return self.head(y[:, -1])

class Assigned(nn.Module):
    """Slices that are assigned, numbers that are scattered to places which the data choose, columns that a mask of constants takes."""
    def __init__(self):
        super().__init__(); self.first = nn.Linear(3, 4); self.head = nn.Linear(12, 5)
    def forward(self, x):
        h = self.first(x); y = torch.zeros_like(h)
        y[:, 0] = h[:, 1] * 2; y[:, 1:3, :2] = torch.tanh(h[:, :2, 2:]); y[:, 2:, 1] = y[:, 2:, 1] + h[:, 2:, 3]
        places = torch.argmax(x, 2, keepdim=True)
        y = y + h.scatter(2, torch.cat([places, places + 1], 2), h[:, :, :2].contiguous() * 3)
        return self.head(torch.relu(y[:, torch.tensor([True, False, True, True])]).flatten(1))

S = nn.Sequential
networks = {
    'grouped': (S(nn.Conv2d(4, 8, 3, padding=1, groups=2), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(72, 5)), (4, 6, 6), 11),
    'dilated': (S(nn.Conv2d(3, 6, 3, dilation=2, padding=2), nn.GELU(), nn.Conv2d(6, 6, 3, stride=2, dilation=(2, 1), padding=(2, 0)), nn.Sigmoid(), nn.Flatten(), nn.Linear(96, 5)), (3, 7, 9), 13),
    'strided': (S(nn.Conv2d(3, 6, 5, stride=3, padding=1), nn.LeakyReLU(0.1), nn.Conv2d(6, 8, (2, 3), stride=(1, 2), bias=False), nn.ELU(), nn.Flatten(), nn.Linear(24, 5)), (3, 12, 11), 16),
    'pools': (S(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.Conv2d(6, 6, 3, padding=1), nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.SELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)), (3, 12, 11), 17),
    'signal': (S(nn.Conv1d(3, 6, 5, stride=2, padding=2), nn.BatchNorm1d(6), nn.SiLU(), nn.Conv1d(6, 4, 3, groups=2), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(16, 5)), (3, 19), 12),
    'volume': (S(nn.Conv3d(2, 4, 3, stride=(1, 2, 1), padding=1), nn.ReLU(), nn.MaxPool3d(2), nn.Flatten(), nn.Linear(24, 5)), (2, 4, 4, 6), 14),
    'transposed': (S(nn.ConvTranspose2d(3, 6, 3, stride=2, padding=1, output_padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3, stride=2), nn.Flatten(), nn.Linear(36, 5)), (3, 4, 4), 15),
    'norms': (S(nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 8), nn.ReLU(), nn.Conv2d(8, 6, 3), nn.InstanceNorm2d(6, affine=True), nn.Hardswish(), nn.Conv2d(6, 6, 2), nn.BatchNorm2d(6), nn.PReLU(6), nn.Flatten(), nn.Linear(54, 5)), (3, 8, 8), 16),
    'layernorm': (S(nn.Linear(9, 12), nn.LayerNorm(12), nn.GELU(), nn.Linear(12, 12), nn.Dropout(0.0), nn.GELU(approximate='tanh'), nn.LayerNorm(12), nn.Mish(), nn.Linear(12, 5)), (9,), 17),
    'transformer': (Transformer(), 'tokens', 16), 'attention': (TorchAttention(), (5, 6), 17), 'gated': (Gated(), (3, 6, 6), 16), 'formulas': (Formulas(), (7,), 13),
}

# How a network is exported: for training with any batch and names kept, unless it says otherwise.
def options(kind, x):
    axes = None if kind in ('fixed', 'single') else {'input': {0: 'batch'}, 'logits': {0: 'batch'}}
    example = {'fixed': x[:4], 'single': x[:1]}.get(kind, x)
    return example, dict(dynamic_axes=axes, do_constant_folding=kind == 'folded', training=torch.onnx.TrainingMode.EVAL if kind == 'inference' else torch.onnx.TrainingMode.TRAINING)

def write(networks):
    for name, (net, shape, opset, *kind) in networks.items():
        n = 5
        x = torch.randint(0, 11, (n, 6)) if shape == 'tokens' else torch.randn(n, *shape)
        net.train(kind != ['inference'])
        compiled = torch.jit.script(net) if kind == ['compiled'] else net
        example, how = options(kind[0] if kind else None, x)
        torch.onnx.export(compiled, example, folder / f'{name}.onnx', opset_version=opset, input_names=['input'], output_names=['logits'], **how)
        net.double(); labels = torch.arange(n) % 5
        loss = F.cross_entropy(net(x if shape == 'tokens' else x.double()), labels, reduction='sum'); loss.backward()
        short = lambda t: [float(f'{v:.9g}') for v in t.flatten().tolist()]
        case = {'examples': n, 'input': x.flatten().tolist() if shape == 'tokens' else [float(f'{v:.9g}') for v in x.flatten().tolist()], 'labels': labels.tolist(), 'loss': loss.item(),
                'gradient': {k: short(p.grad) for k, p in net.named_parameters()}, 'shapes': {k: list(p.shape) for k, p in net.named_parameters()}}
        (folder / f'{name}.json').write_text(json.dumps(case, separators=(',', ':')) + '\n')

write(networks)
write({
    'upsampled': (S(nn.ConvTranspose2d(4, 6, 3, stride=(3, 2), padding=1, output_padding=(2, 1), groups=2), nn.Tanh(), nn.AvgPool2d(3, 2, 1, ceil_mode=True), nn.Flatten(), nn.Linear(150, 5)), (4, 3, 4), 16),
    'unet': (Unet(), (2, 6, 6), 16), 'waves': (Waves(), (4,), 16), 'localresponse': (S(nn.Conv2d(2, 4, 3), nn.LocalResponseNorm(3), nn.ReLU6(), nn.Flatten(), nn.Linear(16, 5)), (2, 4, 4), 12),
    'inference': (Encoder(), (5, 6), 16, 'inference'), 'folded': (Folded(), 'tokens', 14, 'folded'), 'fixed': (TorchAttention(), (5, 6), 15, 'fixed'), 'single': (Encoder(), (5, 6), 14, 'single'),
})
write({'sampled': (Sampled(), (2, 5, 6), 16), 'looped': (Looped(), (4,), 16, 'compiled')})
torch.manual_seed(1)
write({'steps': (Steps(), (6,), 16), 'recurrent': (Recurrent(), (3, 4), 14)})
torch.manual_seed(2)
write({'assigned': (Assigned(), (4, 3), 16)})
