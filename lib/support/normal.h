/* SPDX-License-Identifier: BSD-3-Clause */
/* The standard normal distribution. */
#ifndef MP_SUPPORT_NORMAL_H
#define MP_SUPPORT_NORMAL_H

/* The quantile at a probability between 0 and 1, both exclusive, to 15 digits. */
double mp_normal_quantile(double probability);

#endif
