/* SPDX-License-Identifier: BSD-3-Clause */
/* How far off forecasts of the latest past were, in their own standard errors.
 *
 * The formula for the standard error of a forecast takes the model for the truth, which no ARMA model is of real
 * loads: a model without a moving average takes noise for a walk, and one that reverts to a mean misses that the mean
 * drifts. So what came is held against what would have been forecast from up to 25 points in the latter half of the
 * history, by the model that is estimated on all of it (its mean, where it has one, from what lies before the point
 * alone). For horizons of 1, 2, 4, .. observations, up to a third of the history, that gives the factor by which
 * standard errors are to be multiplied for four of five errors to lie within the normal interval of 80 %. A group of
 * like series shares its factors: those of one layer that are differenced equally often and whose standard errors all
 * grow with the horizon, or all shrink. A history of fewer than 32 observations has no factors. */
#ifndef MP_METHODS_ARIMA_CALIBRATE_H
#define MP_METHODS_ARIMA_CALIBRATE_H

#include "methods/arima/model.h"
#include "methods/arima/observations.h"

/* OUT_OF_MEMORY: the factors are in an unknown state. */
moep_status mp_arima_calibrate(const struct task *task, struct arima_model *model, const struct arima_source *source);

#endif
