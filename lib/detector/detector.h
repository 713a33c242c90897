/* SPDX-License-Identifier: BSD-3-Clause */
/* The detector's handle, as the library itself sees it. */
#ifndef MP_DETECTOR_DETECTOR_H
#define MP_DETECTOR_DETECTOR_H

#include "api/runtime.h"
#include "detector/config.h"
#include "detector/stability.h"
#include "detector/window.h"
#include "series/history.h"

struct moep_detector {
    moep_detector_config config; /* checked */
    struct runtime runtime;
    struct history history; /* as long as the windows need it */
    struct window windows[MP_WINDOWS];
    struct drift drift;
    double growth, growth_onward; /* of a squared drift, from that between two halves to that over the horizon; and of
                                     one that goes on in one direction */
    void *arena;                  /* the arrays below lie in it */
    struct stability *layers;     /* [layers] */
    struct stability *experts;    /* [layers][experts] */
    double *tokens;  /* [2 x blocks + 1][layers]: of a block, those of the present one in the row after the last; NaN
                        where counts need not be tokens */
    double *totals;  /* [layers]: of a step, while it is pushed */
    double *scratch; /* [3][experts] */
};

/* A detector of that shape; config is checked. */
moep_status mp_detector_make(size_t layers, size_t experts, const moep_detector_config *config,
                             const struct runtime *runtime, moep_detector **out);
void mp_detector_destroy(moep_detector *detector);

/* INVALID_ARGUMENT: there is none. */
moep_status mp_detector_missing(void);

/* A block has ended, the ended-th: the states of that layer and its experts. */
void mp_detector_judge(moep_detector *detector, size_t layer, uint64_t ended);

/* Steps that the longest window needs, and the one that leaves it. */
size_t mp_detector_history(const moep_detector_config *config);

/* The blocks of drift_window. */
static inline size_t mp_detector_blocks(const moep_detector_config *config)
{
    return config->drift_window / config->block;
}

/* The row of `tokens` of that block. */
static inline double *mp_detector_tokens(const moep_detector *detector, uint64_t block)
{
    return detector->tokens + block % (2 * detector->drift.blocks + 1) * detector->history.layers;
}

static inline bool mp_detector_in_warmup(const moep_detector *detector)
{
    return mp_drift_ended(&detector->drift) < 2 * detector->drift.blocks;
}

#endif
