/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/method.h"

static const struct method *const methods[] = {
    [MOEP_SW_AVG] = &mp_sw_avg,
    [MOEP_ARIMA] = &mp_arima,
    [MOEP_LSTM] = &mp_lstm,
    [MOEP_AUTO] = &mp_auto,
};

const struct method *mp_method(moep_method method)
{
    return method >= 0 && (size_t)method < sizeof methods / sizeof *methods ? methods[method] : NULL;
}

const char *moep_method_name(moep_method method)
{
    const struct method *found = mp_method(method);
    return found ? found->name : NULL;
}
