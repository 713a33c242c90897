/* SPDX-License-Identifier: BSD-3-Clause */
/* The estimates from which starts are made: regressions, and optima of ARMA(1, 1) with the peaks of their residuals. */
#ifndef MP_METHODS_ARIMA_INITIAL_ESTIMATES_H
#define MP_METHODS_ARIMA_INITIAL_ESTIMATES_H

#include "methods/arima/search.h"

/* The number of a spec's starts. A warm spec also begins at the regression, because its old optimum may no longer be
 * one. An autoregression has few optima, and needs no more than three starts. */
static inline unsigned mp_arima_start_count(const struct arima_spec *spec)
{
    if (spec->warm)
        return 2;
    return spec->candidate.q == 0 && spec->starts > 3 ? 3 : spec->starts;
}

/* Whether the spec has structured starts that are built on an ARMA(1, 1). */
bool mp_arima_needs_arma11(const struct arima_spec *spec);

/* Fills out[count] with Hannan and Rissanen's coefficients, for up to `dimension` lags of each kind. */
void mp_arima_hannan_rissanen(struct arima_search *s, struct arima_spec **specs, size_t count, unsigned dimension,
                              struct arima_coefficients *out);

/* Fills the search's arma11 with the optimum, from two starts, of ARMA(1, 1) or the part of it that p and q allow.
 * Fills its cosines with those of the frequencies at which the periodogram of the residuals is highest. Overwrites the
 * search's candidates. */
void mp_arima_initial_estimates(struct arima_search *s, struct arima_spec **specs, size_t count);

#endif
