/* SPDX-License-Identifier: BSD-3-Clause */
/* An LSTM's two fits: within the run, beginning with the current weights; and on other runs, from scratch. */
#ifndef MP_METHODS_LSTM_FIT_H
#define MP_METHODS_LSTM_FIT_H

#include "methods/method.h"

moep_status mp_lstm_fit(const struct task *task, void *model);
moep_status mp_lstm_fit_traces(const struct task *task, const struct run *runs, size_t n, void *model);

#endif
