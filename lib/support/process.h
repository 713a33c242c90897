/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether this process is a child that was forked, without exec, from one in which the library was loaded. */
#ifndef MP_SUPPORT_PROCESS_H
#define MP_SUPPORT_PROCESS_H

#include <stdbool.h>

bool mp_process_is_forked(void);

#endif
