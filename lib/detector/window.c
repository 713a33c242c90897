/* SPDX-License-Identifier: BSD-3-Clause */
/* Mean and variance come from running sums of shares and of their squares, as whole numbers (fixed_point.h). They are
 * exact: a step that leaves the window leaves no trace.
 *
 * The range comes from the method of van Herk (1992) and of Gil and Werman (1993). Time is divided into segments of w
 * steps.
 * A window is a suffix of the last segment and the steps so far of the present one. With w = 4, at step 5:
 *
 *     steps                         0   1   2   3 | 4   5   6   7
 *     last segment: suffix i = 0   [0   1   2   3]              extremes computed when the segment ends, backwards
 *                   suffix i = 1       [1   2   3]
 *                   suffix i = 2           [2   3]
 *     present segment so far                       [4   5]      extremes extended with every step
 *     window at step 5                     [2   3   4   5]      suffix i = 2 and the present segment so far
 *
 * Ending a segment costs w steps at once. So the series are divided into w groups whose segments end at different
 * steps. Every step ends a segment of one group only, and all steps cost the same. */
#include "detector/window.h"

#include "api/status.h"
#include "detector/fixed_point.h"
#include "support/simd.h"

#include <string.h>

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void lay_out(void *self, struct arena *arena)
{
    struct window *window = self;
    size_t n = window->series, suffixes = mp_product(window->steps, n);
    window->sum = mp_arena_take(arena, n, sizeof *window->sum);
    window->squares = mp_arena_take(arena, n, sizeof *window->squares);
    window->least = mp_arena_take(arena, n, sizeof *window->least);
    window->largest = mp_arena_take(arena, n, sizeof *window->largest);
    window->suffix_least = mp_arena_take(arena, suffixes, sizeof *window->suffix_least);
    window->suffix_largest = mp_arena_take(arena, suffixes, sizeof *window->suffix_largest);
}

/* Initialises a zeroed arena: without a share, the least is 1 and the largest 0, so that any share replaces them. */
static void begin(struct window *window)
{
    for (size_t s = 0; s < window->series; s++)
        window->least[s] = 1;
    for (size_t i = 0; i < window->steps * window->series; i++)
        window->suffix_least[i] = 1;
}

moep_status mp_window_make(struct window *window, size_t steps, size_t series, const struct memory *memory)
{
    *window = (struct window){.steps = steps, .series = series};
    if (!mp_arena_make(&window->arena, lay_out, window, memory))
        return mp_out_of_memory("a window: layers x experts x steps is too large");
    begin(window);
    return MOEP_OK;
}

void mp_window_free(struct window *window, const struct memory *memory)
{
    mp_arena_free(&window->arena, memory);
}

void mp_window_copy(struct window *to, const struct window *from)
{
    to->pushed = from->pushed;
    mp_arena_copy(&to->arena, &from->arena);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* A sum of squares may exceed 2^64. Its bits from 64 on are kept in the sum of shares, from bit CARRY on. Shares are at
 * most 2^31 units, so their sum stays below 2^CARRY. */
enum { CARRY = 44 };
_Static_assert(MP_LONGEST_WINDOW < 1 << (CARRY - 31), "the sum of the shares reaches the carries");

MP_VECTORISED static void mp_add(uint64_t *restrict sum, uint64_t *restrict squares, const float *restrict shares,
                                 size_t n)
{
    for (size_t s = 0; s < n; s++) {
        uint64_t share = mp_fixed(shares[s]), before = squares[s], after = before + share * share;
        squares[s] = after;
        sum[s] += share + ((uint64_t)(after < before) << CARRY);
    }
}

/* The low word of the sum of squares changes by in^2 - out^2, modulo 2^64:
 *     in >= out    the sum grows: a word that becomes smaller has carried, + 1
 *     in <  out    the sum shrinks: a word that becomes larger has borrowed, - 1 */
MP_VECTORISED static void mp_replace(uint64_t *restrict sum, uint64_t *restrict squares, const float *restrict oldest,
                                     const float *restrict newest, size_t n)
{
    for (size_t s = 0; s < n; s++) {
        uint64_t in = mp_fixed(newest[s]), out = mp_fixed(oldest[s]);
        uint64_t before = squares[s], after = before + in * in - out * out;
        uint64_t carry = (uint64_t)(after < before) - (uint64_t)(in < out);
        squares[s] = after;
        sum[s] += in - out + (carry << CARRY);
    }
}

/* ---- extremes ---------------------------------------------------------------------------------------------------- */

/* The series first .. end - 1, whose segments end at the same steps. */
struct group {
    size_t first, end;
};

/* The group whose segments end at steps that are `place` modulo w. */
static struct group group_at(const struct window *window, size_t place)
{
    size_t all = window->series, w = window->steps;
    return (struct group){all / w * place + all % w * place / w, all / w * (place + 1) + all % w * (place + 1) / w};
}

static inline float least_of(float a, float b)
{
    return a < b ? a : b;
}

static inline float largest_of(float a, float b)
{
    return a > b ? a : b;
}

/* Updates the extremes of n series with one more step, in place. */
MP_VECTORISED static void mp_extend(float *restrict least, float *restrict largest, const float *restrict shares,
                                    size_t n)
{
    for (size_t s = 0; s < n; s++) {
        least[s] = least_of(least[s], shares[s]);
        largest[s] = largest_of(largest[s], shares[s]);
    }
}

/* As mp_extend, but writes the new extremes to another place. */
MP_VECTORISED static void mp_extend_to(float *restrict least, float *restrict largest, const float *restrict old_least,
                                       const float *restrict old_largest, const float *restrict shares, size_t n)
{
    for (size_t s = 0; s < n; s++) {
        least[s] = least_of(old_least[s], shares[s]);
        largest[s] = largest_of(old_largest[s], shares[s]);
    }
}

/* Where suffix i of a group begins. The suffixes of one group lie side by side, because they are written together. */
static size_t place_of_suffix(const struct window *window, struct group group, size_t i)
{
    return window->steps * group.first + i * (group.end - group.first);
}

/* Computes the suffixes of the segment that ends with the panel's last row; the next segment has no step yet. No later
 * window contains a step that the panel does not hold. Such a step is replaced by the last row, which changes no
 * extreme. */
static void end_segment(struct window *window, const struct panel *panel, struct group group)
{
    size_t n = group.end - group.first, newest = panel->steps - 1;
    for (size_t s = group.first; s < group.end; s++) {
        window->least[s] = 1;
        window->largest[s] = 0;
    }
    const float *least = window->least + group.first, *largest = window->largest + group.first;
    for (size_t back = 0; back < window->steps; back++) {
        size_t place = place_of_suffix(window, group, window->steps - 1 - back);
        const float *shares = mp_panel_row(panel, back <= newest ? newest - back : newest) + group.first;
        mp_extend_to(window->suffix_least + place, window->suffix_largest + place, least, largest, shares, n);
        least = window->suffix_least + place;
        largest = window->suffix_largest + place;
    }
}

/* ---- steps in ---------------------------------------------------------------------------------------------------- */

void mp_window_push(struct window *window, const struct panel *panel)
{
    size_t n = window->series, newest = panel->steps - 1;
    const float *shares = mp_panel_row(panel, newest);
    if (newest < window->steps)
        mp_add(window->sum, window->squares, shares, n);
    else
        mp_replace(window->sum, window->squares, mp_panel_row(panel, newest - window->steps), shares, n);
    mp_extend(window->least, window->largest, shares, n);
    end_segment(window, panel, group_at(window, (size_t)(window->pushed % window->steps)));
    window->pushed++;
}

void mp_window_rebuild(struct window *window, const struct panel *panel, uint64_t pushed)
{
    size_t held = panel->steps < window->steps ? panel->steps : window->steps;
    struct panel growing = mp_panel_last(panel, held);
    mp_arena_clear(&window->arena);
    begin(window);
    window->pushed = pushed - held;
    for (growing.steps = 1; growing.steps <= held; growing.steps++)
        mp_window_push(window, &growing);
}

/* ---- statistics out ---------------------------------------------------------------------------------------------- */

static uint64_t steps_in(const struct window *window)
{
    return window->pushed < window->steps ? window->pushed : window->steps;
}

static uint64_t sum_of(const struct window *window, size_t series)
{
    return window->sum[series] & ((UINT64_C(1) << CARRY) - 1);
}

void mp_window_mean(const struct window *window, double *out)
{
    double scale = MP_FIXED_UNIT / (double)steps_in(window);
    for (size_t s = 0; s < window->series; s++)
        out[s] = (double)sum_of(window, s) * scale;
}

/* Let S = sum x over the n steps be n c + r, with c whole and 0 <= r < n. Then
 *     sum (x - c)^2     = sum x^2 - c (S + r)       a whole number, computed without rounding
 *     sum (x - S/n)^2   = sum (x - c)^2 - r^2 / n
 * high and low are sum x^2 split at 2^32. The product is split there too, so that nothing overflows. */
static double variance_of(uint64_t sum, uint64_t low, uint64_t high, uint64_t n)
{
    uint64_t c = sum / n, r = sum % n, factor = sum + r;
    uint64_t product_low = c * (factor & UINT32_MAX), product_high = c * (factor >> 32) + (product_low >> 32);
    double upper = (double)(int64_t)(high - product_high),
           lower = (double)((int64_t)low - (int64_t)(product_low & UINT32_MAX));
    double squares = upper * 0x1p32 + lower - (double)(r * r) / (double)n;
    return squares / (double)n * (MP_FIXED_UNIT * MP_FIXED_UNIT);
}

void mp_window_variance(const struct window *window, double *out)
{
    uint64_t n = steps_in(window);
    for (size_t s = 0; s < window->series; s++) {
        uint64_t squares = window->squares[s], carries = window->sum[s] >> CARRY;
        out[s] = variance_of(sum_of(window, s), squares & UINT32_MAX, (squares >> 32) + (carries << 32), n);
    }
}

void mp_window_range(const struct window *window, double *out)
{
    size_t w = window->steps, newest = (size_t)((window->pushed - 1) % w);
    for (size_t place = 0; place < w; place++) {
        struct group group = group_at(window, place);
        size_t so_far = newest >= place ? newest - place : newest + w - place; /* steps of the present segment */
        size_t suffix = place_of_suffix(window, group, so_far);
        const float *least = window->suffix_least + suffix, *largest = window->suffix_largest + suffix;
        for (size_t s = group.first; s < group.end; s++, least++, largest++)
            out[s] = (double)largest_of(*largest, window->largest[s]) - (double)least_of(*least, window->least[s]);
    }
}
