# SPDX-License-Identifier: BSD-3-Clause
"""EPLB's call and the functions of maps, against their definitions in NumPy."""
import unittest

import numpy as np

import moepredict
from reference import Tensor

try:
    import torch
except ImportError:
    torch = None

LAYERS, EXPERTS, SLOTS, RANKS = 3, 12, 16, 4
WEIGHTS = np.random.default_rng(7).lognormal(0, 1, (LAYERS, EXPERTS))


def balanced(weight=WEIGHTS, slots=SLOTS, groups=1, nodes=1, ranks=RANKS):
    return moepredict.rebalance_experts(weight, slots, groups, nodes, ranks)


class Rebalance(unittest.TestCase):
    def test_the_three_arrays_agree_with_each_other(self):
        phy2log, log2phy, logcnt = balanced()
        self.assertEqual({array.dtype for array in (phy2log, log2phy, logcnt)}, {np.dtype(np.int64)})
        self.assertEqual(log2phy.shape, (LAYERS, EXPERTS, logcnt.max()))
        for layer in range(LAYERS):
            np.testing.assert_array_equal(np.bincount(phy2log[layer], minlength=EXPERTS), logcnt[layer])
            for expert in range(EXPERTS):
                slots = np.flatnonzero(phy2log[layer] == expert)
                expected = [*slots, *[-1] * (logcnt.max() - len(slots))]
                self.assertEqual(log2phy[layer, expert].tolist(), expected)

    def test_copies_are_given_one_by_one_to_the_expert_whose_copies_carry_most(self):
        _, _, logcnt = balanced(slots=24)
        expected = np.ones((LAYERS, EXPERTS), int)
        for layer in range(LAYERS):
            for _ in range(24 - EXPERTS):
                expected[layer, np.argmax(WEIGHTS[layer].astype(np.float32) / expected[layer].astype(np.float32))] += 1
        np.testing.assert_array_equal(logcnt, expected)

    def test_groups_stay_on_a_node_unless_nodes_do_not_divide_them(self):
        phy2log, _, _ = balanced(groups=4, nodes=2)
        for layer in phy2log // 3:
            self.assertFalse(set(layer[:SLOTS // 2]) & set(layer[SLOTS // 2:]))
        for groups, nodes in ((3, 2), (1, 4), (1, 1)):
            for found, expected in zip(balanced(groups=groups, nodes=nodes), balanced()):
                np.testing.assert_array_equal(found, expected)

    def test_more_slots_than_experts_times_ranks_are_filled(self):
        _, log2phy, logcnt = balanced([[3, 1]], 8, 1, 1, 2)
        self.assertEqual(logcnt.tolist(), [[6, 2]])
        self.assertEqual(log2phy.shape, (1, 2, 6))
        self.assertEqual(moepredict.rank_loads([[0, 0, 0, 1]], [[3, 1]], 2).loads.tolist(), [[0.5, 0.5]])

    def test_weights_of_any_kind_are_taken(self):
        whole = np.random.default_rng(3).permutation(np.arange(1, 1 + LAYERS * EXPERTS)).reshape(LAYERS, EXPERTS)
        expected = balanced(whole)
        every_other = np.repeat(whole, 2, axis=1)[:, ::2]
        for weight in (whole.tolist(), every_other, np.asfortranarray(whole), Tensor(whole), Tensor(whole, "cuda"),
                       *(whole.astype(dtype) for dtype in ("i1", "u2", "i4", "u8", "f2", "f4", ">f8", "longdouble"))):
            for found, array in zip(balanced(weight), expected):
                np.testing.assert_array_equal(found, array)

    @unittest.skipUnless(torch, "torch is not installed")
    def test_tensors_give_tensors(self):
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int16):
            weight = torch.arange(1, 1 + LAYERS * EXPERTS).reshape(LAYERS, EXPERTS).to(dtype)
            found, expected = balanced(weight), balanced(weight.float().numpy())
            for tensor, array in zip(found, expected):
                self.assertEqual((tensor.dtype, tensor.device.type), (torch.int64, "cpu"))
                np.testing.assert_array_equal(tensor.numpy(), array)
        balanced(torch.rand(LAYERS, EXPERTS, requires_grad=True))

    def test_bad_weights_and_numbers_are_errors_in_words(self):
        for value, words in ((np.nan, "layer 1, expert 2 is nan"), (-1, "is -1"), (1e39, r"is 1e\+39")):
            weight = WEIGHTS.copy()
            weight[1, 2] = value
            with self.assertRaisesRegex(ValueError, words):
                balanced(weight)
        for words, given in (("15 slots", {"slots": 15}), ("8 slots", {"slots": 8}), ("slots", {"slots": -16}),
                             ("num_gpus = 0", {"ranks": 0}), ("num_nodes = 0", {"nodes": 0}),
                             ("num_groups = 0", {"groups": 0}), ("divide", {"groups": 8, "nodes": 2}),
                             ("divide", {"groups": 6, "nodes": 3}), ("shape", {"weight": WEIGHTS[0]}),
                             ("0 layers", {"weight": WEIGHTS[:0]})):
            with self.subTest(**given), self.assertRaisesRegex(ValueError, words):
                balanced(**given)
        for weight in ([["a"] * EXPERTS], WEIGHTS.astype(complex)):
            with self.assertRaisesRegex(TypeError, "expected numbers"):
                balanced(weight)


class Maps(unittest.TestCase):
    MAP = np.array([[0, 1, -1, 2, 0, 1], [2, 2, 1, 0, -1, -1]])

    def test_slots_of_experts(self):
        log2phy, logcnt = moepredict.map_invert(self.MAP, 4)
        self.assertEqual(logcnt.tolist(), [[2, 2, 1, 0], [1, 1, 2, 0]])
        self.assertEqual(log2phy.tolist(), [[[0, 4], [1, 5], [3, -1], [-1, -1]], [[3, -1], [2, -1], [0, 1], [-1, -1]]])

    def test_moves(self):
        to_map = np.array([[1, 0, 2, 1, 2, 0], [2, 1, 1, 0, 0, 2]])
        for before in (self.MAP, self.MAP.tolist(), self.MAP.astype(np.int32), Tensor(self.MAP)):
            moves = moepredict.map_moves(before, to_map, 3)
            self.assertEqual((moves.tolist(), moves.dtype), ([2, 3], np.uint64))

    def test_loads(self):
        shares = np.random.default_rng(5).random((4, 5, 2, 3))
        copies = np.array([[2, 2, 1], [1, 1, 2]])
        each = shares / shares.sum(-1, keepdims=True) / copies
        each = np.concatenate([each, np.zeros((4, 5, 2, 1))], axis=-1)  # what -1 carries
        slots = np.take_along_axis(each, np.broadcast_to(self.MAP % 4, (4, 5, 2, 6)), axis=-1)
        expected = slots.reshape(4, 5, 2, 3, 2).sum(-1)
        loads, peak = moepredict.rank_loads(self.MAP, shares, 3)
        np.testing.assert_allclose(loads, expected, rtol=1e-14)
        np.testing.assert_array_equal(peak, loads.max(-1) * 3)
        one = moepredict.rank_loads(self.MAP, Tensor(shares[1, 2]), ranks=3)
        np.testing.assert_array_equal(one.loads, loads[1, 2])
        np.testing.assert_array_equal(one.peak, peak[1, 2])
        none = moepredict.rank_loads(self.MAP, shares[:0], 3)
        self.assertEqual((none.loads.shape, none.peak.shape), ((0, 5, 2, 3), (0, 5, 2)))

    def test_bad_maps_and_shapes_are_errors_in_words(self):
        invert, moves, loads = moepredict.map_invert, moepredict.map_moves, moepredict.rank_loads
        shares, full = np.ones((2, 3)), np.where(self.MAP < 0, 0, self.MAP)
        for words, call in (("layer 0, slot 3: 2 is not", lambda: invert(self.MAP, 2)),
                            ("experts = 7", lambda: invert(self.MAP, 7)), ("experts = 0", lambda: invert(self.MAP, 0)),
                            ("shape", lambda: invert(self.MAP[0], 3)),
                            ("0 layers", lambda: invert(self.MAP[:0], 3)),
                            ("to: layer 0, slot 2 is empty", lambda: moves(full, self.MAP, 3)),
                            ("shape", lambda: moves(full, full[:, :4], 2)), ("6 slots", lambda: moves(full, full, 4)),
                            ("ranks = 0", lambda: moves(full, full, 0)),
                            ("6 slots", lambda: loads(full, shares, 4)), ("ranks = 7", lambda: loads(full, shares, 7)),
                            ("shape", lambda: loads(full, shares[:1], 3)), ("shape", lambda: loads(full, [1.0], 3)),
                            ("expert 3 has no copy", lambda: loads(full, np.ones((2, 4)), 3)),
                            ("layer 1, expert 0 is -1", lambda: loads(full, [[1, 1, 1], [-1, 1, 1]], 3))):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                call()
        with self.assertRaisesRegex(TypeError, "whole numbers"):
            invert(self.MAP.astype(float), 3)
        with self.assertRaisesRegex(ValueError, "cuda"):
            invert(Tensor(self.MAP, "cuda"), 3)


if __name__ == "__main__":
    unittest.main()
