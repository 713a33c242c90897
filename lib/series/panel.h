/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps that a history holds, as methods and the detector see them: [steps][series] shares, oldest first. */
#ifndef MP_SERIES_PANEL_H
#define MP_SERIES_PANEL_H

#include <stddef.h>

/* Rows of a ring: the row after the ring's last is its first. */
struct panel {
    const float *ring; /* [capacity][series] */
    size_t capacity, first;
    size_t steps, series;
};

/* The shares of all series at one step; row 0 is the oldest. */
static inline const float *mp_panel_row(const struct panel *panel, size_t step)
{
    size_t room = panel->capacity - panel->first;
    size_t row = step < room ? panel->first + step : step - room;
    return panel->ring + row * panel->series;
}

/* Its last `steps` rows. */
static inline struct panel mp_panel_last(const struct panel *panel, size_t steps)
{
    size_t skipped = panel->steps - steps, room = panel->capacity - panel->first;
    struct panel last = *panel;
    last.first = skipped < room ? panel->first + skipped : skipped - room;
    last.steps = steps;
    return last;
}

#endif
