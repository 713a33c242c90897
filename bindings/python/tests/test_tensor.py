# SPDX-License-Identifier: BSD-3-Clause
"""Counts in many forms: other dtypes, tensors of torch where it is installed, subclasses. Refused counts raise an error
with advice, and change nothing."""
import unittest
import warnings

import numpy as np

from moepredict import Detector, Predictor, backtest
from moepredict._counts import as_array
from reference import Tensor

try:
    import torch
except ImportError:
    torch = None

LAYERS, EXPERTS = 3, 8
COUNTS = np.random.default_rng(17).poisson(50, (260, LAYERS, EXPERTS)).astype(np.int64)


def make(counts=None):
    predictor = Predictor(layers=LAYERS, experts=EXPERTS)
    if counts is not None:
        predictor.push(counts)
    return predictor


class Refusals(unittest.TestCase):
    def refused(self, kind, words, counts):
        for handle in (make(COUNTS[:2]), Detector(layers=LAYERS, experts=EXPERTS)):
            before = handle.save()
            with self.assertRaisesRegex(kind, words):
                handle.push(counts)
            self.assertEqual(handle.save(), before)


class Arrays(Refusals):
    def test_every_other_dtype_is_refused_with_advice(self):
        for dtype, advice in (("int8", r"\.astype\(np.int64\)"), ("int16", r"\.astype\(np.int64\)"),
                              ("uint8", r"\.astype\(np.int64\)"), ("uint16", r"\.astype\(np.int64\)"),
                              (">i8", r"\.astype\(np.int64\)"), (">f4", r"\.astype\(np.float64\)"),
                              ("longdouble", r"\.astype\(np.float64\)"), ("float16", "above 2,048, count in int64"),
                              ("bool", "a mask is no count, sum it")):
            self.refused(TypeError, f"expected one of int32, .*float64; .*{advice}", COUNTS[0].astype(dtype))
        for dtype in ("complex64", "object", "S3", "datetime64[s]"):
            self.refused(TypeError, "expected one of int32, .*float64$", COUNTS[0].astype(dtype))

    def test_classes_of_ones_own_are_plain_arrays(self):
        class Own(np.ndarray):
            def __array_finalize__(self, whence):
                self.shown = 0

            def __getitem__(self, key):
                raise AssertionError("its own idea of an item")

        with warnings.catch_warnings(record=True):  # torch warns against its use
            matrix = np.matrix(COUNTS[0])
        for counts in (COUNTS[0].view(Own), matrix):
            self.assertIs(type(as_array(counts)), np.ndarray)
            self.assertEqual(as_array(counts).ctypes.data, counts.ctypes.data)
            self.assertEqual(make(counts).save(), make(COUNTS[0]).save())

    def test_another_object_is_refused_with_advice(self):
        self.refused(TypeError, "not list: np.asarray", COUNTS[0].tolist())
        self.refused(TypeError, r"not a MaskedArray: call .filled\(0\)", np.ma.masked_array(COUNTS[0]))

    def test_a_tensor_is_recognised_by_its_base_classes(self):
        class Own(Tensor):
            pass

        self.assertEqual(make(Own(COUNTS[0])).save(), make(COUNTS[0]).save())
        self.refused(ValueError, "on .*cuda.*: expected a CPU tensor, call .cpu", Own(COUNTS[0], device="cuda"))
        self.refused(TypeError, r"dtype int16.*call .to\(torch.int64\)", Own(COUNTS[0].astype(np.int16)))


@unittest.skipUnless(torch, "no torch")
class Tensors(Refusals):
    def setUp(self):
        class Own(torch.Tensor):
            pass

        self.own = Own
        self.counts = torch.from_numpy(COUNTS)

    def test_parameters_gradients_views_and_classes_of_ones_own_are_taken(self):
        real = self.counts.float()
        for counts in (self.counts, self.counts.int(), real, real.double(), self.counts.as_subclass(self.own),
                       torch.nn.Parameter(real), torch.nn.Parameter(real.as_subclass(self.own)),
                       real.clone().requires_grad_() * 1, self.counts.transpose(1, 2).contiguous().transpose(1, 2)):
            with self.subTest(type(counts).__name__, dtype=counts.dtype):
                self.assertEqual(make(counts).save(), make(COUNTS).save())
        self.assertEqual(as_array(self.counts.as_subclass(self.own)).ctypes.data, COUNTS.ctypes.data)
        own = backtest("sw_avg", real.as_subclass(self.own), horizon=50, first=100, every=50)
        plain = backtest("sw_avg", COUNTS, horizon=50, first=100, every=50)
        np.testing.assert_array_equal(own.floor_of_mean, plain.floor_of_mean)

    def test_every_other_dtype_is_refused_with_advice(self):
        for name, advice in (("bfloat16", "above 256, count in int64"), ("float16", "above 2,048, count in int64"),
                             ("bool", "sum it over the tokens"), ("int16", r"call .to\(torch.int64\)"),
                             ("uint8", r"call .to\(torch.int64\)")):
            for counts in (self.counts[0], self.counts[0].as_subclass(self.own)):
                self.refused(TypeError, f"dtype {name}: expected one of int32, .*; .*{advice}",
                             counts.to(getattr(torch, name)))
        self.refused(TypeError, "dtype complex64: expected one of", self.counts[0].to(torch.complex64))

    def test_tensors_without_an_array_are_refused_with_advice(self):
        self.refused(ValueError, "on meta: expected a CPU tensor, it holds no numbers", self.counts[0].to("meta"))
        self.refused(TypeError, r"counts are a Tensor that is no plain tensor: call .to_dense\(\)",
                     self.counts[0].to_sparse())
        conjugate = torch.complex(self.counts[0].float(), self.counts[0].float()).conj().imag
        self.refused(TypeError, "no plain tensor.*resolve_neg", conjugate)
