/* SPDX-License-Identifier: BSD-3-Clause */
/* Measures of how far the forecast f of one layer's shares was from the actual shares p, over its E experts. Each sums
 * over the experts in their order. */
#ifndef MP_SERIES_ERROR_H
#define MP_SERIES_ERROR_H

#include <stddef.h>

/* The least load that an error is divided by: a tenth of the mean load 1 / E. It keeps an expert with three tokens from
 * making the error 3,000. */
static inline double mp_min_load(double experts)
{
    return 0.1 / experts;
}

/* mean |f - p| / max(p, min_load) */
double mp_error(const double *forecast, const double *actual, size_t experts);

/* mean |f - p| / p over the experts with p > 0, the paper's error ratio; NaN if no expert has. left_out: the number of
 * experts with p = 0. */
double mp_paper_error(const double *forecast, const double *actual, size_t experts, size_t *left_out);

/* sum |f - p| / 2: the share of the load that went to other experts than forecast. */
double mp_total_variation(const double *forecast, const double *actual, size_t experts);

/* The expected mp_error of the true shares p as the forecast of a sample of n independent tokens:
 *
 *     sqrt(2 / pi) * mean over e of sqrt((1 - q_e) / (n q_e)),  q_e = max(p_e, min_load)
 *
 * A sampled share is about normal with variance p (1 - p) / n, the mean of |normal| is sqrt(2 / pi) standard
 * deviations, and the error divides by q. */
double mp_sampling_error(const double *shares, size_t experts, double tokens);

#endif
