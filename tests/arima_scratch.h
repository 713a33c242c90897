/* SPDX-License-Identifier: BSD-3-Clause */
/* Scratch of ARIMA's likelihood and forecast states for tests, in an arena of its own. */
#ifndef TESTS_ARIMA_SCRATCH_H
#define TESTS_ARIMA_SCRATCH_H

#include "support.h"

#include "methods/arima/forecast_state.h"

static const struct memory plain_memory = {mp_default_allocate, mp_default_release, NULL};

struct own_scratch {
    struct arima_state_scratch scratch;
    size_t observations;
    struct arena arena;
};

static inline void lay_out_own_scratch(void *self, struct arena *arena)
{
    struct own_scratch *own = self;
    mp_arima_state_scratch_lay_out(&own->scratch, arena, own->observations, 0);
}

/* For series of that many observations or fewer. */
static inline void make_own_scratch(struct own_scratch *own, size_t observations)
{
    own->observations = observations;
    assert_true(mp_arena_make(&own->arena, lay_out_own_scratch, own, &plain_memory));
}

static inline void free_own_scratch(struct own_scratch *own)
{
    mp_arena_free(&own->arena, &plain_memory);
}

#endif
