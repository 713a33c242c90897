/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/window.h"

#include "api/status.h"
#include "detector/fixed_point.h"
#include "support/simd.h"

#include <string.h>

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* Two words of sums and two extremes per series, two more extremes per series and step. */
static size_t arena_size(size_t steps, size_t series)
{
    return mp_product(series, 2 * sizeof(uint64_t) + (2 + 2 * steps) * sizeof(float));
}

/* The extremes of no step at all: any share is less than, or as much as, the first. */
static void clear(struct window *window)
{
    size_t n = (1 + window->steps) * window->series;
    memset(window->sum, 0, 2 * window->series * sizeof *window->sum);
    for (size_t i = 0; i < n; i++)
        window->least[i] = 1;
    memset(window->largest, 0, n * sizeof *window->largest);
}

moep_status mp_window_make(struct window *window, size_t steps, size_t series, const struct memory *memory)
{
    *window = (struct window){.steps = steps, .series = series};
    window->arena = mp_allocate(memory, arena_size(steps, series), 1);
    if (!window->arena)
        return mp_out_of_memory("a window: layers x experts x steps is too large");
    window->sum = window->arena;
    window->squares = window->sum + series;
    window->least = (float *)(window->squares + series);
    window->least_of_ends = window->least + series;
    window->largest = window->least_of_ends + steps * series;
    window->largest_of_ends = window->largest + series;
    clear(window);
    return MOEP_OK;
}

void mp_window_free(struct window *window, const struct memory *memory)
{
    mp_release(memory, window->arena, arena_size(window->steps, window->series), 1);
    window->arena = NULL;
}

void mp_window_copy(struct window *to, const struct window *from)
{
    memcpy(to->arena, from->arena, arena_size(from->steps, from->series));
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

enum { CARRY = 44 }; /* the bit of a sum from which on the carries of the squares are counted */
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

/* Where less comes in than goes out the squares fall: a word that rises then is a borrow, one that falls no carry. */
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

static void add(struct window *window, const float *shares)
{
    mp_add(window->sum, window->squares, shares, window->series);
}

static void replace(struct window *window, const float *oldest, const float *newest)
{
    mp_replace(window->sum, window->squares, oldest, newest, window->series);
}

/* ---- extremes ---------------------------------------------------------------------------------------------------- */

/* A group of series whose turns end at the same steps. */
struct group {
    size_t first, end;
};

/* Those whose turn ends at steps that are `place` modulo the window. */
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

/* The extremes of n series with one more step, in place. */
MP_VECTORISED static void mp_extend(float *restrict least, float *restrict largest, const float *restrict shares,
                                    size_t n)
{
    for (size_t s = 0; s < n; s++) {
        least[s] = least_of(least[s], shares[s]);
        largest[s] = largest_of(largest[s], shares[s]);
    }
}

/* The same, from one place to another. */
MP_VECTORISED static void mp_extend_to(float *restrict least, float *restrict largest, const float *restrict old_least,
                                       const float *restrict old_largest, const float *restrict shares, size_t n)
{
    for (size_t s = 0; s < n; s++) {
        least[s] = least_of(old_least[s], shares[s]);
        largest[s] = largest_of(old_largest[s], shares[s]);
    }
}

/* Where the extremes of a group's last turn without its first i steps lie: a group's are together, for they are written
 * together. */
static size_t place_of_end(const struct window *window, struct group group, size_t i)
{
    return window->steps * group.first + i * (group.end - group.first);
}

/* From the newest step, whose extremes are its shares, back to the whole turn; steps that the history does not hold, or
 * no longer, add nothing. The new turn has no step yet. */
static void end_turn(struct window *window, const struct history *history, uint64_t newest, struct group group)
{
    size_t n = group.end - group.first;
    for (size_t s = group.first; s < group.end; s++) {
        window->least[s] = 1;
        window->largest[s] = 0;
    }
    const float *least = window->least + group.first, *largest = window->largest + group.first;
    for (size_t i = window->steps; i-- > 0;) {
        size_t place = place_of_end(window, group, i);
        uint64_t back = window->steps - 1 - i;
        bool held = back <= newest && history->steps - (newest - back) <= history->capacity;
        const float *shares = mp_history_row(history, held ? newest - back : newest) + group.first;
        mp_extend_to(window->least_of_ends + place, window->largest_of_ends + place, least, largest, shares, n);
        least = window->least_of_ends + place;
        largest = window->largest_of_ends + place;
    }
}

/* ---- steps in ---------------------------------------------------------------------------------------------------- */

void mp_window_push(struct window *window, const struct history *history)
{
    uint64_t newest = history->steps - 1;
    const float *shares = mp_history_row(history, newest);
    if (newest < window->steps)
        add(window, shares);
    else
        replace(window, mp_history_row(history, newest - window->steps), shares);
    mp_extend(window->least, window->largest, shares, window->series);
    end_turn(window, history, newest, group_at(window, (size_t)(newest % window->steps)));
}

void mp_window_rebuild(struct window *window, const struct history *history)
{
    uint64_t pushed = history->steps, first = pushed < window->steps ? 0 : pushed - window->steps;
    clear(window);
    for (uint64_t step = first; step < pushed; step++) {
        const float *shares = mp_history_row(history, step);
        add(window, shares);
        mp_extend(window->least, window->largest, shares, window->series);
        end_turn(window, history, step, group_at(window, (size_t)(step % window->steps)));
    }
}

/* ---- statistics out ---------------------------------------------------------------------------------------------- */

static uint64_t steps_in(const struct window *window, uint64_t pushed)
{
    return pushed < window->steps ? pushed : window->steps;
}

static uint64_t sum_of(const struct window *window, size_t series)
{
    return window->sum[series] & ((UINT64_C(1) << CARRY) - 1);
}

void mp_window_mean(const struct window *window, uint64_t pushed, double *out)
{
    double unit = MP_FIXED_UNIT / (double)steps_in(window, pushed);
    for (size_t s = 0; s < window->series; s++)
        out[s] = (double)sum_of(window, s) * unit;
}

/* Let the n shares sum to n c + r with whole c and 0 <= r < n. The squared deviations from c sum to the whole number
 * (sum of squares) - c (sum + r), whose parts are taken apart at 2^32 so that none overflows; those from the mean sum
 * to r^2 / n less. */
static double variance_of(uint64_t sum, uint64_t low, uint64_t high, uint64_t n)
{
    uint64_t c = sum / n, r = sum % n, factor = sum + r;
    uint64_t product_low = c * (factor & UINT32_MAX), product_high = c * (factor >> 32) + (product_low >> 32);
    double upper = (double)(int64_t)(high - product_high),
           lower = (double)((int64_t)low - (int64_t)(product_low & UINT32_MAX));
    double squares = upper * 0x1p32 + lower - (double)(r * r) / (double)n;
    return squares / (double)n * (MP_FIXED_UNIT * MP_FIXED_UNIT);
}

void mp_window_variance(const struct window *window, uint64_t pushed, double *out)
{
    uint64_t n = steps_in(window, pushed);
    for (size_t s = 0; s < window->series; s++) {
        uint64_t squares = window->squares[s], carries = window->sum[s] >> CARRY;
        out[s] = variance_of(sum_of(window, s), squares & UINT32_MAX, (squares >> 32) + (carries << 32), n);
    }
}

void mp_window_range(const struct window *window, uint64_t pushed, double *out)
{
    size_t newest = (size_t)((pushed - 1) % window->steps);
    for (size_t place = 0; place < window->steps; place++) {
        struct group group = group_at(window, place);
        size_t since = newest >= place ? newest - place : newest + window->steps - place; /* the end of the last turn */
        size_t first = place_of_end(window, group, since);
        const float *least = window->least_of_ends + first, *largest = window->largest_of_ends + first;
        for (size_t s = group.first; s < group.end; s++, least++, largest++)
            out[s] = (double)largest_of(*largest, window->largest[s]) - (double)least_of(*least, window->least[s]);
    }
}
