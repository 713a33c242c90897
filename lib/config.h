/* SPDX-License-Identifier: BSD-3-Clause */
/* Public structs across the border: their sizes, their defaults, their ranges. */
#ifndef MP_CONFIG_H
#define MP_CONFIG_H

#include "moepredict.h"
#include "support/memory.h"

/* Limits of a detector: its windows, their steps, and the blocks of drift_window, with which sums of squares fit
 * 64 bits. */
enum {
    MP_WINDOWS = sizeof((moep_detector_config *)0)->windows / sizeof(uint32_t),
    MP_LONGEST_WINDOW = 1024,
    MP_MOST_BLOCKS = 512
};

/* Copies what the caller's struct has over the defaults in `to`, or says what is wrong with its struct_size.
 * name: the struct's, for that sentence. */
moep_status mp_struct_read(void *to, size_t size, const void *from, const char *name);

/* Copies what fits from ours into the caller's struct; the same sentences. */
moep_status mp_struct_write(void *to, const void *from, size_t size, const char *name);

/* A moep_runtime, resolved. */
struct runtime {
    struct memory memory;
    size_t threads; /* 1 or more */
    int32_t (*progress)(void *user, double fraction);
    void *progress_user;
};

/* NULL: a copy of `otherwise`. */
moep_status mp_runtime_read(struct runtime *to, const moep_runtime *from, const struct runtime *otherwise);

extern const struct runtime mp_runtime_default;

/* CANCELLED if the caller wants to stop. */
moep_status mp_runtime_progress(const struct runtime *runtime, double fraction);

/* Do layers and experts make a handle? */
moep_status mp_shape_check(size_t layers, size_t experts);

/* Without struct_size. */
extern const moep_predictor_config mp_predictor_config_defaults;

/* With the checks that every method shares; history is resolved. */
moep_status mp_predictor_config_read(moep_predictor_config *to, const moep_predictor_config *from);

/* The same of a detector. */
extern const moep_detector_config mp_detector_config_defaults;
moep_status mp_detector_config_read(moep_detector_config *to, const moep_detector_config *from);

#endif
