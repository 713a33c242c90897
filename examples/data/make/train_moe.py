#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Trains a small byte-level mixture-of-experts transformer on text, on one CPU core, and records how many token
assignments every expert of every MoE layer receives in every iteration.

Writes OUT.npy, int32 [iterations, layers, experts], and OUT.json, the configuration. Needs Debian's python3-torch,
python3-numpy and libopenblas0-pthread.
"""
import argparse
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class MoE(nn.Module):
    """Top-k routing to two-layer experts; no token is dropped. Keeps the counts and the load-balancing loss of its last
    call."""

    def __init__(self, width, hidden, experts, top_k):
        super().__init__()
        self.top_k, self.experts = top_k, experts
        self.gate = nn.Linear(width, experts, bias=False)
        nn.init.normal_(self.gate.weight, std=0.02)
        self.w1 = nn.Parameter(torch.randn(experts, hidden, width) * width ** -0.5)
        self.w2 = nn.Parameter(torch.randn(experts, width, hidden) * hidden ** -0.5 * 0.5)
        self.counts, self.balance_loss = None, 0.0

    def forward(self, x):
        probabilities = F.softmax(self.gate(x), -1)
        weights, chosen = probabilities.topk(self.top_k, -1)
        if self.top_k > 1:
            weights = weights / weights.sum(-1, keepdim=True)
        chosen = chosen.reshape(-1)
        self.counts = torch.bincount(chosen, minlength=self.experts)
        fractions = self.counts.float() / chosen.numel()
        self.balance_loss = self.experts * (fractions * probabilities.mean(0)).sum()
        order = chosen.argsort()
        tokens = torch.div(order, self.top_k, rounding_mode="floor")
        routed = x.index_select(0, tokens)
        outputs, start = [], 0
        for expert, count in enumerate(self.counts.tolist()):
            if count:
                h = F.relu(F.linear(routed[start:start + count], self.w1[expert]))
                outputs.append(F.linear(h, self.w2[expert]))
                start += count
        y = torch.cat(outputs) * weights.reshape(-1).index_select(0, order).unsqueeze(1)
        return torch.zeros_like(x).index_add(0, tokens, y)


class Block(nn.Module):
    """Attention, then an MoE layer."""

    def __init__(self, width, heads, hidden, experts, top_k):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads = heads
        self.moe = MoE(width, hidden, experts, top_k)

    def forward(self, x, mask):
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-1, -2) / math.sqrt(width // self.heads) + mask).softmax(-1)
        x = x + self.projection((attention @ v).transpose(1, 2).reshape(batch, length, width))
        return x + self.moe(self.norm2(x).reshape(batch * length, width)).reshape(batch, length, width)


class Transformer(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.embedding, self.position = nn.Embedding(256, a.d), nn.Parameter(torch.randn(a.seq, a.d) * 0.02)
        self.blocks = nn.ModuleList(Block(a.d, a.heads, a.ff, a.experts, a.top_k) for _ in range(a.layers))
        self.norm, self.head = nn.LayerNorm(a.d), nn.Linear(a.d, 256)
        self.register_buffer("mask", torch.triu(torch.full((a.seq, a.seq), float("-inf")), 1))

    def forward(self, text):
        x = self.embedding(text) + self.position
        for block in self.blocks:
            x = block(x, self.mask)
        return self.head(self.norm(x))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="where to write, without the ending")
    parser.add_argument("--corpus", nargs="+", required=True, help="text files, drawn from with equal weight")
    for name, value in dict(steps=10000, layers=6, d=64, heads=2, ff=128, experts=16, top_k=2, batch=64, seq=64, seed=0,
                            warmup=200).items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=value, help=f"default {value}")
    parser.add_argument("--lr", type=float, default=1e-3, help="default 0.001; cosine decay to a tenth")
    parser.add_argument("--aux", type=float, default=0.01, help="weight of the load-balancing loss, default 0.01")
    parser.add_argument("--stop", type=int, default=0, help="stop after so many steps of the schedule")
    return parser.parse_args()


def draw(random, data, a):
    """[batch, seq + 1] bytes."""
    sources = random.choice(len(data), a.batch, p=np.full(len(data), 1.0) / len(data))
    starts = [(data[s], random.integers(0, len(data[s]) - a.seq - 1)) for s in sources]
    return torch.from_numpy(np.stack([text[i:i + a.seq + 1] for text, i in starts]).astype(np.int64))


def train(a):
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    random = np.random.default_rng(a.seed)
    data = [np.fromfile(path, np.uint8) for path in a.corpus]
    model = Transformer(a)
    optimiser = torch.optim.AdamW(model.parameters(), lr=a.lr, betas=(0.9, 0.95), weight_decay=0.1)
    steps = a.stop or a.steps
    trace = np.zeros((steps, a.layers, a.experts), np.int32)
    losses = np.zeros(steps, np.float32)
    for step in range(steps):
        batch = draw(random, data, a)
        warmup = min(1.0, (step + 1) / a.warmup)
        for group in optimiser.param_groups:
            group["lr"] = a.lr * warmup * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * step / a.steps)))
        loss = F.cross_entropy(model(batch[:, :-1]).reshape(-1, 256), batch[:, 1:].reshape(-1))
        total = loss + a.aux * sum(block.moe.balance_loss for block in model.blocks)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        for layer, block in enumerate(model.blocks):
            trace[step, layer] = block.moe.counts.numpy()
        losses[step] = loss.item()
        if (step + 1) % 200 == 0:
            print(f"{step + 1} steps, loss {losses[step - 199:step + 1].mean():.3f}", flush=True)
    return trace, losses


def main():
    a = arguments()
    trace, losses = train(a)
    np.save(a.out + ".npy", trace)
    configuration = dict(vars(a), corpus=[os.path.basename(path) for path in a.corpus],
                         iterations=len(trace), assignments_per_layer_per_iteration=a.batch * a.seq * a.top_k,
                         final_loss=float(losses[-100:].mean()))
    del configuration["out"], configuration["stop"]
    with open(a.out + ".json", "w", encoding="utf-8") as file:
        json.dump(configuration, file, indent=1)


if __name__ == "__main__":
    main()
