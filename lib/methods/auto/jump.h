/* SPDX-License-Identifier: BSD-3-Clause */
/* Level shifts of a layer's load, told at the ends of blocks.
 *
 * B_i is the vector of block i's means, over the layer's E experts. For sides of s = 1 and 2 blocks,
 *
 *     D_s(i) = |mean of B_i-s+1 .. B_i  -  mean of B_i-2s+1 .. B_i-s|^2
 *     X_s(i) = max(0, D_s(i) - mean of D_1 / s) E           noise taken off, in squares of the mean load
 *
 * where the mean is over the last 40 blocks since the last jump: of independent blocks of variance v, D_s is 2 v / s.
 * Block i - s + 1 begins a new level if X_s(i) exceeds 0.08^2 and 16 times the mean of the earlier X_s, without the
 * newest 2 s, of which there must be 4: a steady drift has about the same X everywhere. */
#ifndef MP_METHODS_AUTO_JUMP_H
#define MP_METHODS_AUTO_JUMP_H

#include "methods/auto/state.h"

/* Measures the newest block, and returns the first block of the present level, which was `start` before it. */
uint64_t mp_auto_find_jump(const struct auto_view *view, uint64_t start, uint64_t newest);

#endif
