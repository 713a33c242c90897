/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of AUTO: what it keeps of a run instead of its steps.
 *
 * Time is counted in blocks of 50 pushes. All layers' blocks end at the same push. A block's work, learning from it and
 * forecasting from its end, is done layer by layer during the pushes that follow, so that no push does it all. Until
 * then it is pending, and a forecast does it on a copy (work.h). So a layer's forecasts do not depend on the number of
 * layers, nor on when the work is done.
 *
 * Blocks and origins are named as in series/block_means.h.
 *
 * The state is one piece of memory: struct auto_run, the scratch of pushes, the running block, and then the rest, layer
 * by layer. Zeroed memory is the state before the first step. */
#ifndef MP_METHODS_AUTO_STATE_H
#define MP_METHODS_AUTO_STATE_H

#include "methods/method.h"
#include "series/block_means.h"
#include "support/arena.h"

#include <stdint.h>

enum {
    MP_AUTO_BLOCK = 50,     /* steps */
    MP_AUTO_BLOCKS = 50,    /* kept: the longest window, 40 blocks, before an origin 10 blocks ago */
    MP_AUTO_HORIZON = 1000, /* steps ahead that the network's and AUTO's own past forecasts are about */
    MP_AUTO_HORIZON_BLOCKS = MP_AUTO_HORIZON / MP_AUTO_BLOCK,

    /* From the first origin on, where the network begins, forecasts are scored: candidates until 10 blocks later, and
     * AUTO's own when their horizon is over. Until then they are kept. */
    MP_AUTO_FIRST_ORIGIN = 2,
    MP_AUTO_LONGEST_LAG = 10,
    MP_AUTO_ORIGINS = MP_AUTO_LONGEST_LAG + 1,
    MP_AUTO_OWN_ORIGINS = MP_AUTO_HORIZON_BLOCKS,

    MP_AUTO_SIDES = 2,      /* lengths, in blocks, of the two sides of a jump (jump.h) */
    MP_AUTO_DISTANCES = 40, /* distances that a jump is compared with */
    MP_AUTO_LEVELS = 2      /* intervals that are calibrated: of 80 and 95 % (calibration.h) */
};

/* The order of the candidates. Cut windows end at the last jump; the others reach beyond it. */
enum {
    MP_AUTO_CUT = 0,
    MP_AUTO_CUT_WINDOWS = 5,
    MP_AUTO_UNCUT = MP_AUTO_CUT + MP_AUTO_CUT_WINDOWS,
    MP_AUTO_UNCUT_WINDOWS = 3,
    MP_AUTO_WINDOWS = MP_AUTO_CUT_WINDOWS + MP_AUTO_UNCUT_WINDOWS,
    MP_AUTO_NETWORK = MP_AUTO_WINDOWS,
    MP_AUTO_UNIFORM,
    MP_AUTO_CANDIDATES
};

/* The most that calibration.h moves a logarithm. */
#define MP_AUTO_MOST_WIDENING 2.0794415416798357 /* log 8 */
#define MP_AUTO_LEAST_STEP (0.1 - 0.7957)        /* c_95 - c_80 if Q_95 = e^0.1 Q_80: log(2.84 / 1.28) is 0.7957 */

/* What all layers have in common. */
struct auto_run {
    uint64_t blocks;   /* that have ended */
    uint64_t phase;    /* steps of the running block */
    uint64_t end_step; /* the number of the step to follow when the last block ended */
};

/* The numbers of one layer. Arrays of origins and blocks are rings: that of number n is at n modulo their length. */
struct auto_layer {
    uint64_t blocks;                                   /* whose work is done */
    uint64_t start[MP_AUTO_ORIGINS];                   /* the first block that cut windows see, at the last origins */
    double score[MP_AUTO_CANDIDATES];                  /* discounted losses */
    double distance[MP_AUTO_SIDES][MP_AUTO_DISTANCES]; /* between neighbouring blocks, and pairs of blocks */

    /* spread.h */
    double newest_step; /* what the last step of the newest block adds to step_noise */
    double step_noise;
    double measured; /* the weight of blocks in step_noise and the noise of experts; the rest belongs to first values */

    /* calibration.h */
    double widening[MP_AUTO_LEVELS];                    /* logarithms of what intervals are multiplied by */
    double square[MP_AUTO_OWN_ORIGINS][MP_AUTO_LEVELS]; /* (Q_p s)^2 of the last origins */
    double inside[MP_AUTO_LEVELS];                      /* sums over finished origins of the part that was inside */
    double error, error_weight;                         /* a discounted sum, and what it is divided by for the mean */
};

/* A layer and its arrays, of which those of rows are rings, too. */
struct auto_view {
    size_t experts;
    struct auto_layer *layer;
    struct block_means blocks; /* the last MP_AUTO_BLOCKS */
    float *network;            /* [MP_AUTO_ORIGINS][experts]: the network's forecasts at origins */
    float *own;                /* [MP_AUTO_OWN_ORIGINS][experts]: AUTO's own */
    float *noise;              /* [experts]: of means of a block (spread.h) */
};

/* Working memory of a layer's work, without a meaning between calls. */
struct auto_scratch {
    double *candidates; /* [MP_AUTO_CANDIDATES][experts] */
    double *windows;    /* [windows of the network][experts] */
    double *sum;        /* [experts] */
    double *actual;     /* [experts] */
    double *weight;     /* [experts] */
    void *network;      /* the network's own */
};

struct auto_state {
    size_t layers, experts, layer_size;
    struct auto_run *run;
    struct auto_scratch scratch;
    double *running;      /* [layers][experts]: sums of the running block */
    unsigned char *first; /* the first layer; the others follow, layer_size bytes each */
};

size_t mp_auto_state_size(const moep_predictor_config *config, size_t layers, size_t experts);

/* A view of the state in `memory`. */
struct auto_state mp_auto_state(void *memory, size_t layers, size_t experts);

struct auto_view mp_auto_layer(const struct auto_state *state, size_t layer);

/* A view of a copy of one layer, in memory of state->layer_size bytes. */
struct auto_view mp_auto_copy(const struct auto_state *state, size_t layer, void *memory);

void mp_auto_scratch_lay_out(struct auto_scratch *scratch, struct arena *arena, size_t experts);

static inline float *mp_auto_network(const struct auto_view *view, uint64_t origin)
{
    return view->network + origin % MP_AUTO_ORIGINS * view->experts;
}

static inline float *mp_auto_own(const struct auto_view *view, uint64_t origin)
{
    return view->own + origin % MP_AUTO_OWN_ORIGINS * view->experts;
}

/* The first layer whose work comes `phase` or more pushes after the end of a block: layer l's comes 50 l / layers. */
static inline size_t mp_auto_first_due(size_t layers, uint64_t phase)
{
    return (size_t)((phase * layers + MP_AUTO_BLOCK - 1) / MP_AUTO_BLOCK);
}

/* How many origins' own forecasts are over when that many blocks have ended. */
static inline uint64_t mp_auto_finished(uint64_t blocks)
{
    const uint64_t before = MP_AUTO_FIRST_ORIGIN + MP_AUTO_HORIZON_BLOCKS - 1;
    return blocks > before ? blocks - before : 0;
}

void mp_auto_state_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t layers,
                          size_t experts, void *memory);

#endif
