/* SPDX-License-Identifier: BSD-3-Clause */
/* Scratch of ARIMA's likelihood and forecast states for tests, in an arena of its own. */
#ifndef TESTS_ARIMA_ROOM_H
#define TESTS_ARIMA_ROOM_H

#include "support.h"

#include "methods/arima/forecast_state.h"

static const struct memory plain_memory = {mp_default_allocate, mp_default_release, NULL};

struct room {
    struct arima_state_scratch scratch;
    size_t observations;
    struct arena arena;
};

static inline void lay_out_room(void *self, struct arena *arena)
{
    struct room *room = self;
    mp_arima_state_scratch_lay_out(&room->scratch, arena, room->observations, 0);
}

/* For series of that many observations or fewer. */
static inline void open_room(struct room *room, size_t observations)
{
    room->observations = observations;
    assert_true(mp_arena_make(&room->arena, lay_out_room, room, &plain_memory));
}

static inline void close_room(struct room *room)
{
    mp_arena_free(&room->arena, &plain_memory);
}

#endif
