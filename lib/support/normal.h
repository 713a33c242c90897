/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MP_SUPPORT_NORMAL_H
#define MP_SUPPORT_NORMAL_H

/* The quantile of the standard normal distribution, for a probability between 0 and 1, both exclusive, to 15 digits
 * (Wichura 1988, algorithm AS 241). */
double mp_normal_quantile(double probability);

#endif
