/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: sums run over the slots of a rank in their order; threads: none; allocates: numbers of one layer. */
#include "placement/maps.h"

#include "api/runtime.h"
#include "api/status.h"
#include "series/intake.h"
#include "support/arena.h"
#include "support/environment.h"

#include <string.h>

/* ---- slots of experts -------------------------------------------------------------------------------------------- */

moep_status mp_copies_check(const struct layout *layout, const int64_t *log2phy, size_t copies)
{
    if (!log2phy && copies > 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "room for %zu copies, but log2phy is NULL", copies);
    if (mp_product(mp_product(layout->layers, layout->experts), mp_product(copies, sizeof *log2phy)) > PTRDIFF_MAX)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "log2phy with room for %zu copies: no array has that size", copies);
    return MOEP_OK;
}

moep_status mp_copies_fail(size_t layer, size_t expert, size_t copies)
{
    return mp_fail(MOEP_ERROR_INVALID_ARGUMENT,
                   "layer %zu, expert %zu has more copies than the %zu that log2phy has room for", layer, expert,
                   copies);
}

void mp_map_invert(const struct layout *layout, const int64_t *map, int64_t *log2phy, size_t copies, int64_t *logcnt)
{
    if (logcnt)
        memset(logcnt, 0, layout->experts * sizeof *logcnt);
    for (size_t i = 0; i < layout->experts * copies; i++)
        log2phy[i] = -1;
    for (size_t slot = 0; slot < layout->slots; slot++) {
        if (map[slot] < 0)
            continue;
        if (logcnt)
            logcnt[map[slot]]++;
        if (log2phy) {
            int64_t *place = log2phy + (size_t)map[slot] * copies;
            while (*place >= 0)
                place++;
            *place = (int64_t)slot;
        }
    }
}

/* Some experts at a time, whose numbers of copies the stack holds. */
enum { SOME_EXPERTS = 512 };

static moep_status check_some_fit(const struct layout *layout, const int64_t *map, size_t layer, size_t first,
                                  size_t copies)
{
    size_t found[SOME_EXPERTS] = {0};
    for (size_t slot = 0; slot < layout->slots; slot++) {
        int64_t expert = map[layer * layout->slots + slot] - (int64_t)first;
        if (expert >= 0 && expert < SOME_EXPERTS && ++found[expert] > copies)
            return mp_copies_fail(layer, first + (size_t)expert, copies);
    }
    return MOEP_OK;
}

static moep_status check_fit(const struct layout *layout, const int64_t *map, size_t copies)
{
    moep_status status = MOEP_OK;
    for (size_t layer = 0; layer < layout->layers; layer++)
        for (size_t first = 0; first < layout->experts && status == MOEP_OK; first += SOME_EXPERTS)
            status = check_some_fit(layout, map, layer, first, copies);
    return status;
}

moep_status moep_map_invert(const moep_layout *layout, const int64_t *phy2log, int64_t *log2phy, size_t copies,
                            int64_t *logcnt)
{
    MP_BORDER
    struct layout of = {0};
    moep_status status = mp_layout_read(&of, layout, false);
    if (status == MOEP_OK)
        status = mp_map_check(&of, phy2log, MP_MAP_ANY, NULL, "phy2log");
    if (status == MOEP_OK)
        status = mp_copies_check(&of, log2phy, copies);
    if (status == MOEP_OK && log2phy)
        status = check_fit(&of, phy2log, copies);
    for (size_t layer = 0; layer < of.layers && status == MOEP_OK; layer++)
        mp_map_invert(&of, phy2log + layer * of.slots, log2phy ? log2phy + layer * of.experts * copies : NULL, copies,
                      logcnt ? logcnt + layer * of.experts : NULL);
    return status;
}

/* ---- numbers of one layer's experts ------------------------------------------------------------------------------ */

struct numbers {
    struct layout layout;
    struct arena arena;
    unsigned char *covered; /* all [experts] */
    size_t *copies;
    double *shares;
};

static void lay_out(void *self, struct arena *arena)
{
    struct numbers *numbers = self;
    numbers->covered = mp_arena_take(arena, numbers->layout.experts, sizeof *numbers->covered);
    numbers->copies = mp_arena_take(arena, numbers->layout.experts, sizeof *numbers->copies);
    numbers->shares = mp_arena_take(arena, numbers->layout.experts, sizeof *numbers->shares);
}

/* They are zero. */
static moep_status make_numbers(struct numbers *numbers, const moep_layout *layout)
{
    *numbers = (struct numbers){0};
    moep_status status = mp_layout_read(&numbers->layout, layout, false);
    if (status == MOEP_OK && !mp_arena_make(&numbers->arena, lay_out, numbers, &mp_runtime_default.memory))
        return mp_out_of_memory("the numbers of a layer's experts");
    return status;
}

static void free_numbers(struct numbers *numbers)
{
    mp_arena_free(&numbers->arena, &mp_runtime_default.memory);
}

/* ---- moves ------------------------------------------------------------------------------------------------------- */

/* A slot of `to` needs no move if one of `from` on the same rank can be found for it. */
static uint64_t moves_of_rank(struct numbers *numbers, const int64_t *from, const int64_t *to)
{
    size_t slots = numbers->layout.rank_slots, *unused = numbers->copies;
    uint64_t moves = 0;
    for (size_t slot = 0; slot < slots; slot++)
        if (from[slot] >= 0)
            unused[from[slot]]++;
    for (size_t slot = 0; slot < slots; slot++) {
        if (unused[to[slot]] > 0)
            unused[to[slot]]--;
        else
            moves++;
    }
    for (size_t slot = 0; slot < slots; slot++)
        if (from[slot] >= 0)
            unused[from[slot]] = 0;
    return moves;
}

static uint64_t moves_of_layer(struct numbers *numbers, const int64_t *from, const int64_t *to)
{
    uint64_t moves = 0;
    for (size_t slot = 0; slot < numbers->layout.slots; slot += numbers->layout.rank_slots)
        moves += moves_of_rank(numbers, from + slot, to + slot);
    return moves;
}

moep_status moep_map_moves(const moep_layout *layout, const int64_t *from, const int64_t *to, uint64_t *slots_moved)
{
    MP_BORDER
    struct numbers numbers;
    moep_status status = slots_moved ? make_numbers(&numbers, layout) : mp_fail_null("slots_moved");
    if (status != MOEP_OK)
        return status;
    const struct layout *of = &numbers.layout;
    status = mp_map_check(of, from, MP_MAP_ANY, NULL, "from");
    if (status == MOEP_OK)
        status = mp_map_check(of, to, MP_MAP_FULL, numbers.covered, "to");
    for (size_t layer = 0; layer < of->layers && status == MOEP_OK; layer++)
        slots_moved[layer] = moves_of_layer(&numbers, from + layer * of->slots, to + layer * of->slots);
    free_numbers(&numbers);
    return status;
}

/* ---- loads of ranks ---------------------------------------------------------------------------------------------- */

/* Of a layer's shares, the parts that each copy takes. */
static void divide_shares(struct numbers *numbers, const double *shares, const int64_t *map)
{
    size_t experts = numbers->layout.experts;
    bool loaded = mp_intake_exact_shares(shares, MOEP_FLOAT64, experts, numbers->shares) > 0;
    memset(numbers->copies, 0, experts * sizeof *numbers->copies);
    for (size_t slot = 0; slot < numbers->layout.slots; slot++)
        if (map[slot] >= 0)
            numbers->copies[map[slot]]++;
    for (size_t e = 0; e < experts; e++)
        numbers->shares[e] = (loaded ? numbers->shares[e] : 1 / (double)experts) / (double)numbers->copies[e];
}

static double load_of_rank(const struct numbers *numbers, const int64_t *map)
{
    double load = 0;
    for (size_t slot = 0; slot < numbers->layout.rank_slots; slot++)
        if (map[slot] >= 0)
            load += numbers->shares[map[slot]];
    return load;
}

/* Writes a layer's loads, if they are asked for, and returns the peak. */
static double loads_of_layer(struct numbers *numbers, const int64_t *map, const double *shares, double *loads)
{
    const struct layout *of = &numbers->layout;
    double largest = 0;
    divide_shares(numbers, shares, map);
    for (size_t rank = 0; rank < of->ranks; rank++) {
        double load = load_of_rank(numbers, map + rank * of->rank_slots);
        largest = load > largest ? load : largest;
        if (loads)
            loads[rank] = load;
    }
    return largest * (double)of->ranks;
}

moep_status moep_rank_loads(const moep_layout *layout, const int64_t *phy2log, size_t rows, const double *shares,
                            double *loads, double *peak)
{
    MP_BORDER
    struct numbers numbers;
    moep_status status = make_numbers(&numbers, layout);
    if (status != MOEP_OK)
        return status;
    const struct layout *of = &numbers.layout;
    status = mp_map_check(of, phy2log, MP_MAP_COVERS, numbers.covered, "phy2log");
    if (status == MOEP_OK)
        status = mp_shares_check(of, rows, shares, "shares");
    for (size_t i = 0; status == MOEP_OK && i < rows * of->layers; i++) {
        double highest = loads_of_layer(&numbers, phy2log + i % of->layers * of->slots, shares + i * of->experts,
                                        loads ? loads + i * of->ranks : NULL);
        if (peak)
            peak[i] = highest;
    }
    free_numbers(&numbers);
    return status;
}
