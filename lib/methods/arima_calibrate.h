/* SPDX-License-Identifier: BSD-3-Clause */
/* How far off a forecast of the latest past was, in its own standard errors.
 *
 * The formula for the standard error of a far forecast takes the model for the truth, which no ARMA model is of real
 * loads. So the last third of the observations is forecast from the two before, by the model that is estimated on all,
 * and what came is held against it: the standard errors, multiplied with a common factor, should be large enough for an
 * interval of 80 % in four of five of all series. What that adds to a series' variance, or takes from it, is what the
 * level drifts or does not; single steps scatter as they do. */
#ifndef MP_ARIMA_CALIBRATE_H
#define MP_ARIMA_CALIBRATE_H

#include "arima_model.h"
#include "arima_source.h"

moep_status mp_arima_calibrate(const struct task *task, struct arima_model *model, struct arima_source *source);

#endif
