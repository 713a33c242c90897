/* SPDX-License-Identifier: BSD-3-Clause */
/* The probabilities of quantiles that a caller asks for. */
#ifndef MP_API_PROBABILITIES_H
#define MP_API_PROBABILITIES_H

#include "moepredict.h"

/* INVALID_ARGUMENT unless each is more than 0 and less than 1. n may be 0. */
moep_status mp_probabilities_check(const double *probabilities, size_t n);

#endif
