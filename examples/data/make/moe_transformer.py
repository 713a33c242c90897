# SPDX-License-Identifier: BSD-3-Clause
"""A small byte-level mixture-of-experts transformer in PyTorch that remembers how many tokens each expert got."""
import math

import torch
import torch.nn.functional as F
from torch import nn


def slices(counts):
    """Of the rows of each expert that has any, in the order of experts."""
    start = 0
    for expert, count in enumerate(counts):
        if count:
            yield expert, slice(start, start + count)
        start += count


class Experts(torch.autograd.Function):
    """Two-layer networks, each applied to its own rows of x. A function of its own, because autograd would keep a dozen
    nodes for every expert."""

    @staticmethod
    def forward(ctx, x, w1, w2, counts):
        h, y = x.new_empty(len(x), w1.shape[1]), torch.empty_like(x)
        for expert, rows in slices(counts):
            torch.mm(x[rows], w1[expert].t(), out=h[rows])
        h.relu_()
        for expert, rows in slices(counts):
            torch.mm(h[rows], w2[expert].t(), out=y[rows])
        ctx.save_for_backward(x, w1, w2, h)
        ctx.counts = counts
        return y

    @staticmethod
    def backward(ctx, dy):
        x, w1, w2, h = ctx.saved_tensors
        dx, dh = torch.empty_like(x), torch.empty_like(h)
        dw1, dw2 = torch.zeros_like(w1), torch.zeros_like(w2)
        dy = dy.contiguous()
        for expert, rows in slices(ctx.counts):
            torch.mm(dy[rows], w2[expert], out=dh[rows])
            torch.mm(dy[rows].t(), h[rows], out=dw2[expert])
        dh.mul_(h > 0)
        for expert, rows in slices(ctx.counts):
            torch.mm(dh[rows], w1[expert], out=dx[rows])
            torch.mm(dh[rows].t(), x[rows], out=dw1[expert])
        return dx, dw1, dw2, None


class MoE(nn.Module):
    """Top-k routing to experts; no token is dropped. Keeps the counts and the load-balancing loss of its last call.

    With router softmax the loss balances the load; with router biasfree, a bias does that is added to the sigmoid gates
    for the choice alone, and that `balance` moves."""

    def __init__(self, a):
        super().__init__()
        self.top_k, self.experts, self.softmax, self.bias_rate = a.top_k, a.experts, a.router == "softmax", a.bias_rate
        self.gate = nn.Linear(a.d, a.experts, bias=False)
        nn.init.normal_(self.gate.weight, std=a.gate_std)
        self.w1 = nn.Parameter(torch.randn(a.experts, a.ff, a.d) * a.d ** -0.5)
        self.w2 = nn.Parameter(torch.randn(a.experts, a.d, a.ff) * a.ff ** -0.5 * 0.5)
        self.register_buffer("bias", torch.zeros(a.experts))
        self.shared = (nn.Sequential(nn.Linear(a.d, a.shared_ff), nn.ReLU(), nn.Linear(a.shared_ff, a.d))
                       if a.shared_ff else None)
        self.counts, self.balance_loss = None, 0.0

    def choose(self, x):
        """The experts of each token and their weights, and the probability of every expert."""
        logits = self.gate(x)
        if self.softmax:
            probabilities = F.softmax(logits, -1)
            weights, chosen = probabilities.topk(self.top_k, -1)
            return chosen, weights / weights.sum(-1, keepdim=True) if self.top_k > 1 else weights, probabilities
        gates = torch.sigmoid(logits)
        chosen = (gates.detach() + self.bias).topk(self.top_k, -1)[1]
        weights = gates.gather(-1, chosen)
        return chosen, weights / (weights.sum(-1, keepdim=True) + 1e-9), gates / gates.sum(-1, keepdim=True)

    def forward(self, x):
        chosen, weights, probabilities = self.choose(x)
        chosen = chosen.reshape(-1)
        self.counts = torch.bincount(chosen, minlength=self.experts)
        fractions = self.counts.float() / chosen.numel()
        self.balance_loss = self.experts * (fractions * probabilities.mean(0)).sum()
        order = chosen.argsort()
        tokens = torch.div(order, self.top_k, rounding_mode="floor")
        y = Experts.apply(x.index_select(0, tokens), self.w1, self.w2, self.counts.tolist())
        y = y * weights.reshape(-1).index_select(0, order).unsqueeze(1)
        routed = torch.zeros_like(x).index_add(0, tokens, y)
        return routed if self.shared is None else routed + self.shared(x)

    def balance(self):
        """After a step: favours the experts that got less than the mean."""
        if not self.softmax:
            counts = self.counts.float()
            self.bias += self.bias_rate * torch.sign(counts.mean() - counts)


class Block(nn.Module):
    """Attention, then an MoE layer."""

    def __init__(self, a):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(a.d), nn.LayerNorm(a.d)
        self.qkv, self.projection = nn.Linear(a.d, 3 * a.d), nn.Linear(a.d, a.d)
        self.heads, self.moe = a.heads, MoE(a)

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
        self.blocks = nn.ModuleList(Block(a) for _ in range(a.layers))
        self.norm, self.head = nn.LayerNorm(a.d), nn.Linear(a.d, 256)
        self.register_buffer("mask", torch.triu(torch.full((a.seq, a.seq), float("-inf")), 1))

    def forward(self, text):
        x = self.embedding(text) + self.position
        for block in self.blocks:
            x = block(x, self.mask)
        return self.head(self.norm(x))

    def moes(self):
        return [block.moe for block in self.blocks]

    def upcycle(self, dense, noise):
        """Takes over a trained model of one expert a layer: every expert begins as a copy of it, plus noise, the gates
        as they are."""
        own = self.state_dict()
        for name, values in dense.state_dict().items():
            if own[name].shape == values.shape:
                own[name] = values.clone()
            elif name.endswith((".w1", ".w2")):
                own[name] = values.expand_as(own[name]).clone() + noise * values.std() * torch.randn_like(own[name])
        self.load_state_dict(own)
