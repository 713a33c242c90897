/* SPDX-License-Identifier: BSD-3-Clause */
/* The detector's handle, inside the library. */
#ifndef MP_DETECTOR_DETECTOR_H
#define MP_DETECTOR_DETECTOR_H

#include "api/runtime.h"
#include "detector/config.h"
#include "detector/expected_drift.h"
#include "detector/stability.h"
#include "detector/window.h"
#include "series/history.h"

struct moep_detector {
    moep_detector_config config; /* checked */
    struct runtime runtime;
    struct history history;            /* as long as the windows require */
    struct window windows[MP_WINDOWS]; /* one of 0 steps does not exist */
    struct drift drift;
    struct growth growth;
    struct learning learning;
    struct arena arena;        /* the arrays below */
    struct stability *layers;  /* [layers] */
    struct stability *experts; /* [layers][experts] */
    struct expected_drift of_layers, of_experts;
    double *tokens;  /* [2 m + 1][layers]: of each block, the present one too; NaN where counts need not be tokens */
    double *totals;  /* [layers]: of a step, while it is pushed */
    double *scratch; /* [5][experts] */
    int64_t *says;   /* [experts]: at a block's end */
};

/* A detector of that shape; config is checked. */
moep_status mp_detector_make(size_t layers, size_t experts, const moep_detector_config *config,
                             const struct runtime *runtime, moep_detector **out);
void mp_detector_destroy(moep_detector *detector);

/* The steps that history keeps: those of the longest window, and the one that leaves it. */
size_t mp_detector_history(const moep_detector_config *config);

/* m, the blocks of drift_window. */
static inline size_t mp_detector_blocks(const moep_detector_config *config)
{
    return config->drift_window / config->block;
}

/* The number of rows of `tokens`, and the row of a block. */
static inline size_t mp_detector_token_rows(const moep_detector *detector)
{
    return 2 * mp_detector_blocks(&detector->config) + 1;
}

static inline double *mp_detector_tokens(const moep_detector *detector, uint64_t block)
{
    return detector->tokens + block % mp_detector_token_rows(detector) * detector->history.layers;
}

/* The number of periods of drift_window that have ended (learning.h). */
static inline uint64_t mp_detector_periods(const moep_detector *detector)
{
    return mp_drift_blocks_ended(&detector->drift) / detector->drift.blocks;
}

static inline bool mp_detector_in_warmup(const moep_detector *detector)
{
    return mp_drift_blocks_ended(&detector->drift) < 2 * detector->drift.blocks;
}

#endif
