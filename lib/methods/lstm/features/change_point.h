/* SPDX-License-Identifier: BSD-3-Clause */
/* The last change point of a layer's load: a level shift, after which older steps say nothing about later ones.
 *
 * S_b(i) is the sum of series i over block b, b = 0 the newest. A split after the newest k blocks has SIDE = 5 blocks
 * on either side, A(i) = S_k-5 + .. + S_k-1 and B(i) = S_k + .. + S_k+4. Its distance is the mean square, over the n
 * series, of the difference of the two sides' means, where 1 is the mean load 1 / E. The part that noise adds is
 * subtracted:
 *
 *     d_k = max(0, sum over i of (A - B)^2 - N) E^2 / (n (5 steps)^2),
 *     N = 5 mean over b of sum over i of (S_b - S_b-1)^2
 *
 * For independent blocks of variance s^2 both (A - B)^2 and 5 (S_b - S_b-1)^2 are 10 s^2 in the mean. The largest d_k
 * is a change point if it exceeds 0.08^2, and 16 times the mean d of the splits more than 5 blocks away. There must be
 * 10 of these: a steady drift has about the same d everywhere. The blocks before a change point are dropped, and the
 * test is repeated until it finds none. */
#ifndef MP_METHODS_LSTM_FEATURES_CHANGE_POINT_H
#define MP_METHODS_LSTM_FEATURES_CHANGE_POINT_H

#include <stddef.h>

enum { MP_LSTM_MOST_CHANGE_POINT_BLOCKS = 200 };

/* sums + b * stride holds the sums of n series over block b of `steps` steps, the newest first; their layer has
 * `experts` experts. Returns the number of blocks since the last change point, or all of them if there is none.
 * scratch: 2 n numbers. */
size_t mp_lstm_blocks_since_change_point(const double *sums, size_t stride, size_t blocks, size_t n, size_t steps,
                                         double experts, double *scratch);

#endif
