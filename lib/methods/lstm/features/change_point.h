/* SPDX-License-Identifier: BSD-3-Clause */
/* A jump in a layer's load: what was before it says nothing of what comes. */
#ifndef MP_METHODS_LSTM_FEATURES_CHANGE_POINT_H
#define MP_METHODS_LSTM_FEATURES_CHANGE_POINT_H

#include <stddef.h>

enum { MP_LSTM_MOST_CHANGE_POINT_BLOCKS = 200 }; /* blocks */

/* sums[blocks][n]: of n series of a layer with so many experts, over blocks of `steps` steps, newest first. Returns how many
 * blocks have come since the last jump; all of them if there was none.
 *
 * Of two times five blocks beside each other, the mean square over the series of the difference of their means, less what
 * noise adds to it, in units of the mean load: a jump is where it is the largest, beyond (8 %)^2, and 16 times what it is in
 * the mean elsewhere: drift is about the same everywhere. scratch: 2 n numbers. */
size_t mp_lstm_blocks_since_change_point(const double *sums, size_t blocks, size_t n, size_t steps, double experts,
                                         double *scratch);

#endif
