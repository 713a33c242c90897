/* SPDX-License-Identifier: BSD-3-Clause */
#include "placement/layout.h"

#include "api/status.h"
#include "api/struct.h"
#include "support/memory.h"

#include <math.h>
#include <string.h>

/* ---- layout ------------------------------------------------------------------------------------------------------ */

static moep_status check_groups(const struct layout *layout)
{
    if (layout->ranks % layout->nodes != 0 || layout->groups % layout->nodes != 0 ||
        layout->experts % layout->groups != 0)
        return mp_fail(
            MOEP_ERROR_INVALID_ARGUMENT,
            "%zu experts in %zu groups, %zu ranks on %zu nodes: nodes must divide groups and ranks, and groups "
            "divide experts",
            layout->experts, layout->groups, layout->ranks, layout->nodes);
    return MOEP_OK;
}

static moep_status check_sizes(const struct layout *layout)
{
    if (layout->layers == 0 || layout->experts == 0 || layout->ranks == 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%zu layers, %zu experts, %zu ranks: all must be 1 or more",
                       layout->layers, layout->experts, layout->ranks);
    if (layout->slots < layout->experts || layout->slots % layout->ranks != 0 || layout->slots > INT32_MAX)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT,
                       "%zu slots: must be a multiple of the %zu ranks, at least the %zu experts, and below 2^31",
                       layout->slots, layout->ranks, layout->experts);
    if (mp_product(mp_product(layout->layers, layout->slots), sizeof(int64_t)) > PTRDIFF_MAX)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%zu layers of %zu slots: no array has that size", layout->layers,
                       layout->slots);
    return MOEP_OK;
}

static moep_status check_duplicates(const struct layout *layout)
{
    if (layout->rank_slots > layout->experts / layout->nodes)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT,
                       "%zu slots on a rank: more than the %zu experts of a node, so some would have two copies there",
                       layout->rank_slots, layout->experts / layout->nodes);
    return MOEP_OK;
}

moep_status mp_layout_read(struct layout *to, const moep_layout *from, bool without_duplicates)
{
    moep_layout given = {0};
    moep_status status = mp_struct_read(&given, sizeof given, from, "moep_layout");
    if (status != MOEP_OK)
        return status;
    bool grouped = given.groups > 1 && given.nodes > 1;
    *to = (struct layout){given.layers,
                          given.experts,
                          given.slots,
                          given.ranks,
                          grouped ? given.groups : 1,
                          grouped ? given.nodes : 1,
                          given.ranks > 0 ? given.slots / given.ranks : 0};
    status = check_sizes(to);
    if (status == MOEP_OK)
        status = check_groups(to);
    return status == MOEP_OK && without_duplicates ? check_duplicates(to) : status;
}

/* ---- maps and shares --------------------------------------------------------------------------------------------- */

static moep_status check_slot(const struct layout *layout, const int64_t *map, size_t i, enum map_rule rule,
                              const char *name)
{
    size_t layer = i / layout->slots, slot = i % layout->slots;
    if (map[i] >= (int64_t)layout->experts || map[i] < -1)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT,
                       "%s: layer %zu, slot %zu: %lld is not an expert, of which there are %zu", name, layer, slot,
                       (long long)map[i], layout->experts);
    if (map[i] < 0 && rule == MP_MAP_FULL)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%s: layer %zu, slot %zu is empty", name, layer, slot);
    return MOEP_OK;
}

static moep_status check_coverage(const struct layout *layout, const int64_t *map, size_t layer, unsigned char *covered,
                                  const char *name)
{
    memset(covered, 0, layout->experts);
    for (size_t slot = 0; slot < layout->slots; slot++)
        if (map[layer * layout->slots + slot] >= 0)
            covered[map[layer * layout->slots + slot]] = 1;
    const unsigned char *without = memchr(covered, 0, layout->experts);
    if (without)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%s: layer %zu, expert %zu has no copy", name, layer,
                       (size_t)(without - covered));
    return MOEP_OK;
}

moep_status mp_map_check(const struct layout *layout, const int64_t *map, enum map_rule rule, unsigned char *covered,
                         const char *name)
{
    if (!map)
        return mp_fail_null(name);
    moep_status status = MOEP_OK;
    for (size_t i = 0; i < layout->layers * layout->slots && status == MOEP_OK; i++)
        status = check_slot(layout, map, i, rule, name);
    for (size_t layer = 0; layer < layout->layers && status == MOEP_OK && rule != MP_MAP_ANY; layer++)
        status = check_coverage(layout, map, layer, covered, name);
    return status;
}

moep_status mp_shares_check(const struct layout *layout, size_t rows, const double *shares, const char *name)
{
    if (rows == 0)
        return MOEP_OK;
    if (!shares)
        return mp_fail_null(name);
    size_t series = mp_product(layout->layers, layout->experts);
    if (mp_product(mp_product(rows, series), sizeof *shares) > PTRDIFF_MAX)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%zu rows of %s: no array has that size", rows, name);
    for (size_t i = 0; i < rows * series; i++)
        if (!(shares[i] >= 0 && isfinite(shares[i])))
            return mp_fail(MOEP_ERROR_INVALID_ARGUMENT,
                           "%s: row %zu, layer %zu, expert %zu is %g, must be finite and >= 0", name, i / series,
                           i % series / layout->experts, i % layout->experts, shares[i]);
    return MOEP_OK;
}
