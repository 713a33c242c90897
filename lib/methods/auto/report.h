/* SPDX-License-Identifier: BSD-3-Clause */
/* What AUTO says about itself: moep_auto_report. */
#ifndef MP_METHODS_AUTO_REPORT_H
#define MP_METHODS_AUTO_REPORT_H

#include "methods/method.h"

/* Fills those of the report's arrays that are not NULL, as a forecast now would find them. */
moep_status mp_auto_report(const struct task *task, const void *model, const moep_auto_report *report);

#endif
