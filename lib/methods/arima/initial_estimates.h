/* SPDX-License-Identifier: BSD-3-Clause */
/* What the starts of a batch are made of: regressions, and optima of ARMA(1, 1) with the peaks of their residuals. */
#ifndef MP_METHODS_ARIMA_INITIAL_ESTIMATES_H
#define MP_METHODS_ARIMA_INITIAL_ESTIMATES_H

#include "methods/arima/search.h"

static inline unsigned mp_arima_starts_of(const struct arima_item *item)
{
    if (item->warm)
        return 2;                                                   /* the optimum there was may not be one any more */
    return item->run.q == 0 && item->starts > 3 ? 3 : item->starts; /* an autoregression has few optima */
}

/* Structured starts do, but that of ARMA(1, 1). */
bool mp_arima_needs_base(const struct arima_item *item);

/* Hannan and Rissanen's coefficients of ARMA(p, q), with p and q cut to the order. */
void mp_arima_regressed(struct arima_search *s, struct arima_item **items, size_t count, unsigned order,
                        struct arima_coefficients *out);

/* Into the search's bases the optimum of ARMA(1, 1), or of what of it p and q allow, from two starts; into its peaks
 * those of what that leaves. The search's runs are overwritten. */
void mp_arima_bases(struct arima_search *s, struct arima_item **items, size_t count);

#endif
