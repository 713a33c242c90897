/* SPDX-License-Identifier: BSD-3-Clause */
/* How AUTO weighs its candidates: by their losses over the first 50, 100, 200 and 500 steps after each origin.
 *
 * At the end of block i, for each of these lengths q and its factor c_q, f_k is candidate k's forecast from the origin
 * q steps ago, and a the mean of the q steps since:
 *
 *     l_k = mean over the experts of |f_k - a| / max(a, min_load)
 *     S_k <- 2^(-50/200) S_k + sum over q of c_q l_k / (mean of l over the candidates)
 *     w_k = p_k exp(-5 (S_k - min S)) / (sum over the candidates)
 *
 * That is Hedge with discounted, relative losses: exponential weights with priors p and learning rate 5. The lengths
 * are short because waiting for the whole horizon to pass loses what protects: a candidate that fails is left 100 steps
 * later, not 1,000. One set of weights serves every horizon. */
#ifndef MP_METHODS_AUTO_WEIGHTS_H
#define MP_METHODS_AUTO_WEIGHTS_H

#include "methods/auto/state.h"

/* Discounts the layer's scores, and adds the losses that the newest block has made known. */
void mp_auto_score(const struct auto_view *view, uint64_t blocks, const struct auto_scratch *scratch);

/* The weights, which sum to 1. with_network: is there a forecast of the network to weigh? */
void mp_auto_weigh(const struct auto_layer *layer, bool with_network, double weights[MP_AUTO_CANDIDATES]);

#endif
