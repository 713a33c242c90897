/* SPDX-License-Identifier: BSD-3-Clause */
/* The predictor's costs in a training checkpoint: save, load and clone, compared with one memcpy of as many bytes. */
#include "bench.h"

enum { PASSES = 21 };

static void print_row(size_t layers, size_t experts, uint32_t window)
{
    size_t series = layers * experts, size = 0;
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    int64_t *counts = make_counts(series);
    check(moep_predictor_config_init(&config, MOEP_SW_AVG));
    config.sw_avg_window = window;
    check(moep_predictor_create(layers, experts, &config, NULL, &predictor));
    for (uint32_t step = 0; step < window; step++)
        check(moep_predictor_push(predictor, 1, counts, MOEP_INT64));
    check(moep_predictor_save(predictor, NULL, 0, &size));
    unsigned char *state = calloc(size, 1), *copy = calloc(size, 1);
    if (!state || !copy)
        exit(1);

    double copies[PASSES], saves[PASSES], loads[PASSES], clones[PASSES];
    for (size_t pass = 0; pass < PASSES; pass++) {
        moep_predictor *loaded = NULL, *clone = NULL;
        double start = now();
        check(moep_predictor_save(predictor, state, size, &size));
        saves[pass] = now() - start;
        start = now();
        memcpy(copy, state, size);
        keep(copy);
        copies[pass] = now() - start;
        start = now();
        check(moep_predictor_load(state, size, NULL, &loaded));
        loads[pass] = now() - start;
        start = now();
        check(moep_predictor_clone(predictor, NULL, &clone));
        clones[pass] = now() - start;
        moep_predictor_destroy(clone);
        moep_predictor_destroy(loaded);
    }
    double memcpy_time = median(copies, PASSES), save = median(saves, PASSES), load = median(loads, PASSES),
           clone = median(clones, PASSES);
    printf("%4zu x %-4zu %6u %10zu %8.2f %8.2f %6.1f %8.2f %6.1f %11.1f %8.2f %6.1f\n", layers, experts, window, size,
           memcpy_time / 1e6, save / 1e6, save / memcpy_time, load / 1e6, load / memcpy_time,
           (save + load) / memcpy_time, clone / 1e6, clone / memcpy_time);
    free(copy);
    free(state);
    moep_predictor_destroy(predictor);
    free(counts);
}

int main(void)
{
    keep_freed_memory();
    printf(
        "                                memcpy     save      /     load      /  save+load    clone      /\n"
        "layers x experts window      bytes    ms       ms  memcpy    ms  memcpy   / memcpy    ms  memcpy\n");
    print_row(6, 16, 100);
    print_row(58, 256, 100);
    print_row(58, 256, 1000);
    return 0;
}
