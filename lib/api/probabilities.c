/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/probabilities.h"

#include "api/status.h"

moep_status mp_probabilities_check(const double *probabilities, size_t n)
{
    if (n > 0 && !probabilities)
        return mp_fail_null("probabilities");
    for (size_t i = 0; i < n; i++)
        if (!(probabilities[i] > 0 && probabilities[i] < 1))
            return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "probability %zu is %g, must be more than 0 and less than 1", i,
                           probabilities[i]);
    return MOEP_OK;
}
