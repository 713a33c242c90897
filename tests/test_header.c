/* SPDX-License-Identifier: BSD-3-Clause */
/* The header alone, as C99 and as C++11, without a warning: it needs nothing before it and links as C. */
#include <moepredict.h>

int main(void)
{
    moep_predictor_config config;
    config.struct_size = sizeof config;
    return moep_predictor_config_init(&config, MOEP_SW_AVG) == MOEP_OK && config.sw_avg_window > 0 ? 0 : 1;
}
