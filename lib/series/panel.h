/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps that a history holds, as methods and the detector see them: [steps][series] shares, oldest first. */
#ifndef MP_SERIES_PANEL_H
#define MP_SERIES_PANEL_H

#include <stddef.h>

/* Consecutive rows of a ring, whose first row follows its last. */
struct panel {
    const float *ring; /* [capacity][series] */
    size_t capacity, first;
    size_t steps, series;
};

/* The shares of all series at one step; step 0 is the oldest. */
static inline const float *mp_panel_row(const struct panel *panel, size_t step)
{
    size_t to_end = panel->capacity - panel->first;
    size_t row = step < to_end ? panel->first + step : step - to_end;
    return panel->ring + row * panel->series;
}

/* The panel's last `steps` rows. */
static inline struct panel mp_panel_last(const struct panel *panel, size_t steps)
{
    size_t skipped = panel->steps - steps, to_end = panel->capacity - panel->first;
    struct panel last = *panel;
    last.first = skipped < to_end ? panel->first + skipped : skipped - to_end;
    last.steps = steps;
    return last;
}

#endif
