/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether this process was forked, without exec, from one that had loaded the library. The threads of that process do
 * not exist here. */
#ifndef MP_SUPPORT_PROCESS_H
#define MP_SUPPORT_PROCESS_H

#include <stdbool.h>

bool mp_process_is_forked(void);

#endif
