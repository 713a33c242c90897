/* SPDX-License-Identifier: BSD-3-Clause */
/* What all series of a layer agree on. */
#ifndef MP_METHODS_ARIMA_VOTE_H
#define MP_METHODS_ARIMA_VOTE_H

#include "methods/arima/order_selection.h"

/* One order for all of a layer: the d that most chose, and of those that did the commonest p and q; of several as
 * common the smallest p + q, then p. */
struct arima_order mp_arima_vote(const struct arima_choice *choices, size_t count);

#endif
