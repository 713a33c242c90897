/* SPDX-License-Identifier: BSD-3-Clause */
/* New maps: where groups go, how balanced they are, and the bound, which brute force does not beat. */
#include "placed.h"

#include "placement/new_map.h"

enum { TRIALS = 15, EFFORT = 1000 };

struct made {
    struct layout layout;
    struct arena arena;
    struct new_map new_map;
    struct placement placement;
};

static void lay_out_made(void *self, struct arena *arena)
{
    struct made *made = self;
    const struct layout *layout = &made->layout;
    mp_new_map_lay_out(&made->new_map, arena, layout);
    mp_placement_lay_out(&made->placement, arena, layout->experts, layout->slots, layout->ranks, layout->nodes);
}

static void make(struct made *made, const struct shape *shape, size_t groups, uint64_t *seed)
{
    made->layout = (struct layout){.layers = 1,
                                   .experts = shape->experts,
                                   .slots = shape->slots,
                                   .ranks = shape->ranks,
                                   .groups = groups,
                                   .nodes = shape->nodes,
                                   .rank_slots = shape->slots / shape->ranks};
    assert_true(mp_arena_make(&made->arena, lay_out_made, made, &heap));
    set_random_loads(&made->placement, seed);
    mp_placement_begin(&made->placement, NULL);
}

static void unmake(struct made *made)
{
    mp_arena_free(&made->arena, &heap);
}

/* One group a node; two where experts divide so; as many as there are experts. Without nodes one. */
static size_t any_groups(const struct shape *shape, size_t trial)
{
    size_t nodes = shape->nodes;
    const size_t groups[] = {nodes, shape->experts % (2 * nodes) == 0 ? 2 * nodes : nodes, shape->experts};
    return shape->nodes == 1 ? 1 : groups[trial % 3];
}

static int32_t largest_of(const struct placement *placement)
{
    return placement->carried[mp_placement_hottest(placement)];
}

/* ---- what every map has ------------------------------------------------------------------------------------------ */

/* As many on each node, all of a group on one, from the map alone. */
static void assert_groups_are_spread(const struct made *made)
{
    const struct layout *layout = &made->layout;
    size_t size = layout->experts / layout->groups, node_slots = layout->slots / layout->nodes;
    for (size_t node = 0; node < layout->nodes; node++) {
        size_t groups = 0, experts = 0;
        for (size_t e = 0; e < layout->experts; e++) {
            size_t first = node * node_slots, end = first + node_slots;
            bool here = copies_in(made->placement.expert, first, end, (int32_t)e) > 0;
            bool with_group = copies_in(made->placement.expert, first, end, (int32_t)(e - e % size)) > 0;
            assert_true(here == with_group);
            experts += here;
            groups += here && e % size == 0;
        }
        assert_int_equal(experts, layout->experts / layout->nodes);
        assert_int_equal(groups, layout->groups / layout->nodes);
    }
}

static void a_new_map_has_all_experts_no_duplicates_and_whole_groups_on_nodes(void **state)
{
    (void)state;
    uint64_t seed = 94;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        const struct shape *shape = &shapes[trial % SHAPES];
        int32_t rounding = (int32_t)shape->slots; /* parts are rounded down */
        struct made made;
        make(&made, shape, any_groups(shape, trial / SHAPES), &seed);
        int32_t bound = mp_new_map(&made.new_map, &made.layout, &made.placement, EFFORT);
        assert_true(mp_placement_covers(&made.placement) && mp_placement_is_full(&made.placement));
        assert_false(has_duplicates(&made.placement, made.placement.expert));
        assert_true(largest_of(&made.placement) + rounding >= bound);
        for (size_t r = 0; r < shape->ranks; r++)
            assert_int_equal(made.placement.carried[r], load_of_rank(&made.placement, made.placement.expert, r));
        assert_groups_are_spread(&made);
        unmake(&made);
    }
}

/* Greedy copies leave two of expert 4 for the last rank: all parts but two are 0. */
static void duplicates_that_greedy_copies_leave_are_removed(void **state)
{
    (void)state;
    const struct shape shape = {5, 8, 2, 1};
    const int32_t load[5] = {2, 0, 50, 0, 1};
    int32_t map[8];
    uint64_t seed = 99;
    struct made made;
    make(&made, &shape, 1, &seed);
    mp_fresh_map(&made.new_map.fresh, load, shape.experts, shape.slots, shape.ranks, map);
    assert_true(has_duplicates(&made.placement, map));
    memcpy(made.placement.load, load, sizeof load);
    mp_new_map(&made.new_map, &made.layout, &made.placement, EFFORT);
    assert_true(mp_placement_covers(&made.placement));
    assert_false(has_duplicates(&made.placement, made.placement.expert));
    unmake(&made);
}

/* ---- the nodes of groups ----------------------------------------------------------------------------------------- */

/* The node of each group under the map, and the loads of nodes. */
static void find_nodes(const struct made *made, size_t *node_of, int64_t *group_load, int64_t *node_load)
{
    const struct layout *layout = &made->layout;
    size_t size = layout->experts / layout->groups, node_slots = layout->slots / layout->nodes;
    for (size_t g = 0; g < layout->groups; g++)
        group_load[g] = 0;
    for (size_t node = 0; node < layout->nodes; node++)
        node_load[node] = 0;
    for (size_t slot = 0; slot < layout->slots; slot++)
        node_of[(size_t)made->placement.expert[slot] / size] = slot / node_slots;
    for (size_t e = 0; e < layout->experts; e++) {
        group_load[e / size] += made->placement.load[e];
        node_load[node_of[e / size]] += made->placement.load[e];
    }
}

/* Unless it is balanced but for a thousandth; whatever loads the last call had. */
static void no_two_groups_change_places_to_take_load_off_the_hottest_node(void **state)
{
    (void)state;
    const struct shape with_nodes[] = {{12, 16, 4, 2}, {12, 24, 6, 3}, {24, 24, 8, 4}, {32, 32, 4, 2}};
    uint64_t seed = 96;
    for (size_t trial = 0; trial < 4 * TRIALS; trial++) {
        const struct shape *shape = &with_nodes[trial % 4];
        size_t node_of[PLACED_EXPERTS], hot = 0;
        int64_t group_load[PLACED_EXPERTS], node_load[PLACED_EXPERTS], total = 0;
        struct made made;
        make(&made, shape, any_groups(shape, trial / 4), &seed);
        mp_new_map(&made.new_map, &made.layout, &made.placement, EFFORT);
        set_random_loads(&made.placement, &seed);
        mp_new_map(&made.new_map, &made.layout, &made.placement, EFFORT);
        find_nodes(&made, node_of, group_load, node_load);
        for (size_t node = 0; node < shape->nodes; node++) {
            total += node_load[node];
            hot = node_load[node] > node_load[hot] ? node : hot;
        }
        int64_t equal = total / (int64_t)shape->nodes;
        bool balanced = node_load[hot] <= equal + equal / 1000;
        for (size_t a = 0; !balanced && a < made.layout.groups; a++)
            for (size_t b = 0; node_of[a] == hot && b < made.layout.groups; b++)
                if (node_of[b] != hot) {
                    int64_t less = group_load[a] - group_load[b];
                    assert_true(less <= 0 || node_load[node_of[b]] + less >= node_load[hot]);
                }
        unmake(&made);
    }
}

/* ---- the bound --------------------------------------------------------------------------------------------------- */

/* One node's experts, and the map that is tried. */
struct node {
    size_t experts, slots, rank_slots;
    int32_t load[PLACED_EXPERTS];
    int32_t map[PLACED_SLOTS];
    int32_t least; /* the least largest rank load so far */
};

static void find_node(const struct made *made, size_t number, struct node *node)
{
    const struct layout *layout = &made->layout;
    size_t slots = layout->slots / layout->nodes, first = number * slots;
    *node = (struct node){.slots = slots, .rank_slots = layout->rank_slots, .least = INT32_MAX};
    for (size_t e = 0; e < layout->experts; e++)
        if (copies_in(made->placement.expert, first, first + slots, (int32_t)e) > 0)
            node->load[node->experts++] = made->placement.load[e];
}

static void measure(struct node *node)
{
    int32_t largest = 0;
    for (size_t e = 0; e < node->experts; e++)
        if (copies_in(node->map, 0, node->slots, (int32_t)e) == 0)
            return;
    for (size_t first = 0; first < node->slots; first += node->rank_slots) {
        int32_t load = 0;
        for (size_t slot = first; slot < first + node->rank_slots; slot++)
            load += node->load[node->map[slot]] / copies_in(node->map, 0, node->slots, node->map[slot]);
        largest = load > largest ? load : largest;
    }
    node->least = largest < node->least ? largest : node->least;
}

/* All maps without duplicates: rank by rank, in each ascending. */
static void try_all_maps(struct node *node, size_t slot)
{
    if (slot == node->slots) {
        measure(node);
        return;
    }
    int32_t first = slot % node->rank_slots == 0 ? 0 : node->map[slot - 1] + 1;
    for (int32_t e = first; e < (int32_t)node->experts; e++) {
        node->map[slot] = e;
        try_all_maps(node, slot + 1);
    }
}

/* Two or three slots on a rank leave little to choose from, so the best map may be some way above the bound. */
static void no_map_is_better_than_the_bound_and_the_new_one_is_near_the_best(void **state)
{
    (void)state;
    const struct shape small[] = {{4, 6, 2, 1}, {6, 6, 2, 1},  {5, 6, 3, 1}, {4, 6, 3, 1},
                                  {6, 8, 4, 2}, {8, 12, 4, 2}, {8, 8, 4, 2}, {6, 12, 6, 3}};
    uint64_t seed = 95;
    double worst = 0;
    size_t reached = 0;
    for (size_t trial = 0; trial < 64; trial++) {
        const struct shape *shape = &small[trial % 8];
        int32_t least = 0, rounding = (int32_t)shape->slots;
        struct made made;
        make(&made, shape, any_groups(shape, trial / 8), &seed);
        int32_t bound = mp_new_map(&made.new_map, &made.layout, &made.placement, EFFORT);
        for (size_t number = 0; number < shape->nodes; number++) {
            struct node node;
            find_node(&made, number, &node);
            try_all_maps(&node, 0);
            least = node.least > least ? node.least : least;
        }
        assert_true(bound <= least + rounding && least <= largest_of(&made.placement));
        worst = fmax(worst, (double)largest_of(&made.placement) / least);
        reached += least <= bound + bound / 100;
        unmake(&made);
    }
    assert_true(worst < 1.15);
    assert_true(reached > 10); /* it is no smaller than it has to be */
}

/* Equal loads are spread; one expert with all of it, on as many ranks as there are. */
static void the_bound_is_that_of_equal_ranks_or_of_the_largest_part(void **state)
{
    (void)state;
    const struct shape shape = {8, 12, 4, 1};
    uint64_t seed = 97;
    struct made made;
    make(&made, &shape, 1, &seed);
    int32_t *load = made.placement.load;
    for (size_t e = 0; e < shape.experts; e++)
        load[e] = 1000;
    assert_int_equal(mp_new_map(&made.new_map, &made.layout, &made.placement, EFFORT), 2000);
    load[5] = 1000000; /* four spare slots, but at most four copies on four ranks: 1,007,000 / 4 > 1,000,000 / 4 */
    assert_int_equal(mp_new_map(&made.new_map, &made.layout, &made.placement, EFFORT), 1007000 / 4);
    unmake(&made);
    const struct shape no_spare = {8, 8, 4, 1};
    make(&made, &no_spare, 1, &seed);
    for (size_t e = 0; e < shape.experts; e++)
        made.placement.load[e] = e == 5 ? 1000000 : 1000;
    assert_int_equal(mp_new_map(&made.new_map, &made.layout, &made.placement, EFFORT), 1000000);
    unmake(&made);
}

/* ---- balance ----------------------------------------------------------------------------------------------------- */

static void moves_balance_a_new_map_as_far_as_effort_goes(void **state)
{
    (void)state;
    uint64_t seed = 98;
    size_t better = 0;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        const struct shape *shape = &shapes[trial % SHAPES];
        struct made made;
        make(&made, shape, any_groups(shape, 0), &seed); /* a group a node: effort does not change where groups go */
        mp_new_map(&made.new_map, &made.layout, &made.placement, 0);
        int32_t without = largest_of(&made.placement);
        mp_new_map(&made.new_map, &made.layout, &made.placement, EFFORT);
        assert_true(largest_of(&made.placement) <= without);
        better += largest_of(&made.placement) < without;
        unmake(&made);
    }
    assert_true(better > TRIALS);
}

int main(void)
{
    const struct CMUnitTest new_map[] = {
        cmocka_unit_test(a_new_map_has_all_experts_no_duplicates_and_whole_groups_on_nodes),
        cmocka_unit_test(duplicates_that_greedy_copies_leave_are_removed),
        cmocka_unit_test(no_two_groups_change_places_to_take_load_off_the_hottest_node),
        cmocka_unit_test(no_map_is_better_than_the_bound_and_the_new_one_is_near_the_best),
        cmocka_unit_test(the_bound_is_that_of_equal_ranks_or_of_the_largest_part),
        cmocka_unit_test(moves_balance_a_new_map_as_far_as_effort_goes),
    };
    return cmocka_run_group_tests(new_map, NULL, NULL);
}
