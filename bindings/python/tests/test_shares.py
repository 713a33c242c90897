# SPDX-License-Identifier: BSD-3-Clause
"""Load proportions in Python equal the library's for any counts."""
import unittest

import numpy as np

import moepredict
from commands import COUNTS
from moepredict import report


class Shares(unittest.TestCase):
    def test_counts_of_any_size_are_the_shares_that_the_library_has(self):
        counts = COUNTS[:40].astype(float)
        counts[5, 1], counts[6, 0, 1:] = 0, 0
        expected = report.shares_of(COUNTS[:40] * (counts > 0))
        for scale in (1e-320, 1e-50, 1e-30, 1e36, 1e38, 1e300, 1e306):
            with np.errstate(all="raise"):
                found = report.shares_of(counts * scale)
                joined = moepredict.join_experts(counts * scale, 1)
            with moepredict.Predictor("sw_avg", layers=2, experts=4, sw_avg_window=1) as predictor:
                predictor.push(counts * scale)
                np.testing.assert_allclose(found[-1], predictor.predict(1), rtol=1e-6)
            tolerance = 1e-2 if scale == 1e-320 else 1e-6  # where the counts themselves are rounded
            np.testing.assert_allclose(found, expected, rtol=tolerance)
            np.testing.assert_allclose(joined, expected, rtol=tolerance)
        integers = np.full((3, 1, 2), 2**64 - 1, np.uint64)
        np.testing.assert_array_equal(report.shares_of(integers), np.full((3, 1, 2), 0.5))
        large = np.full((3, 1, 8), 3e38, np.float32)
        np.testing.assert_array_equal(report.shares_of(large), np.full((3, 1, 8), 0.125))


if __name__ == "__main__":
    unittest.main()
