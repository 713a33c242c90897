/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a forecast of one layer was off. */
#ifndef MP_SERIES_ERROR_H
#define MP_SERIES_ERROR_H

#include <stddef.h>

/* mean |forecast - actual| / max(actual, a tenth of the mean load) */
double mp_error(const double *forecast, const double *actual, size_t experts);

/* mean |forecast - actual| / actual over the experts with a load; NaN if there is none. left_out: those without. */
double mp_paper_error(const double *forecast, const double *actual, size_t experts, size_t *left_out);

/* sum |forecast - actual| / 2 */
double mp_total_variation(const double *forecast, const double *actual, size_t experts);

/* The expected mp_error of the mean share of that many multinomial tokens, if it is the true share's. */
double mp_sampling_error(const double *shares, size_t experts, double tokens);

#endif
