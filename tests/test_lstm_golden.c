/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels, in float and compiled again in double, against PyTorch 1.13 (data/lstm/make.py). */
#include "lstm_network.h"

#include <stdio.h>

#ifdef MP_REAL_DOUBLE
static const char precision[] = "f64";
static const double tolerance = 1e-12;
#else
static const char precision[] = "f32";
static const double tolerance = 1e-6;
#endif

/* ---- the file ---------------------------------------------------------------------------------------------------- */

enum { MOST_ARRAYS = 48 };

struct array {
    char name[32];
    size_t size;
    double *numbers;
};

struct golden {
    char name[32];
    size_t steps, series, inputs, hidden, outputs, layers;
    struct array array[MOST_ARRAYS];
    size_t arrays;
};

static void clear(struct golden *golden)
{
    for (size_t i = 0; i < golden->arrays; i++)
        free(golden->array[i].numbers);
    golden->arrays = 0;
}

static void read_array(FILE *file, struct golden *golden, const char *name)
{
    struct array *array = &golden->array[golden->arrays++];
    assert_true(golden->arrays <= MOST_ARRAYS);
    assert_int_equal(fscanf(file, "%zu", &array->size), 1);
    memcpy(array->name, name, strlen(name) + 1);
    array->numbers = malloc(array->size * sizeof *array->numbers);
    for (size_t i = 0; i < array->size; i++)
        assert_int_equal(fscanf(file, "%lf", &array->numbers[i]), 1);
}

/* Reads the next case; the word "case" has been read. False at the end of the file. */
static bool read_case(FILE *file, struct golden *golden)
{
    char word[32];
    memset(golden, 0, sizeof *golden);
    if (fscanf(file, "%31s %zu %zu %zu %zu %zu %zu", golden->name, &golden->steps, &golden->series, &golden->inputs,
               &golden->hidden, &golden->outputs, &golden->layers) != 7)
        return false;
    while (fscanf(file, "%31s", word) == 1 && strcmp(word, "case") != 0)
        read_array(file, golden, word);
    return true;
}

static FILE *open_cases(const char *path)
{
    FILE *file = fopen(path, "r");
    char word[8];
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%7s", word), 1);
    return file;
}

static const struct array *find(const struct golden *golden, const char *name)
{
    for (size_t i = 0; i < golden->arrays; i++)
        if (strcmp(golden->array[i].name, name) == 0)
            return &golden->array[i];
    fail_msg("%s has no %s", golden->name, name);
    return NULL;
}

/* A copy in the test's precision; the caller frees it. */
static real *reals(const struct golden *golden, const char *name)
{
    const struct array *array = find(golden, name);
    real *numbers = zeros(array->size);
    for (size_t i = 0; i < array->size; i++)
        numbers[i] = (real)array->numbers[i];
    return numbers;
}

/* All numbers of an array lie within the bound. */
static void compare(const struct golden *golden, const char *name, const real *actual, double bound)
{
    const struct array *array = find(golden, name);
    for (size_t i = 0; i < array->size; i++)
        if (!(fabs((double)actual[i] - array->numbers[i]) <= bound))
            fail_msg("%s: %s[%zu] = %.17g, PyTorch has %.17g", golden->name, name, i, (double)actual[i],
                     array->numbers[i]);
}

/* ---- parameters by PyTorch's names ------------------------------------------------------------------------------- */

static const char *named(const char *before, const char *name, size_t layer)
{
    static char text[64];
    snprintf(text, sizeof text, "%s%s_l%zu", before, name, layer);
    return text;
}

static void import(struct network *network, const struct golden *golden)
{
    real *head = network->parameters + mp_lstm_head(&network->shape), *weight = reals(golden, "head_weight");
    real *bias = reals(golden, "head_bias");
    for (size_t l = 0; l < golden->layers; l++) {
        struct lstm_weights w = {reals(golden, named("", "weight_ih", l)), reals(golden, named("", "weight_hh", l)),
                                 reals(golden, named("", "bias_ih", l)), reals(golden, named("", "bias_hh", l))};
        mp_lstm_import(&network->shape, l, network->parameters, w);
        free(w.weight_ih);
        free(w.weight_hh);
        free(w.bias_ih);
        free(w.bias_hh);
    }
    memcpy(head, weight, golden->outputs * golden->hidden * sizeof *head);
    memcpy(head + golden->outputs * golden->hidden, bias, golden->outputs * sizeof *head);
    free(weight);
    free(bias);
}

/* Parameters, or their gradients, against the arrays whose names begin so. */
static void compare_all(const struct network *network, const struct golden *golden, const real *ours,
                        const char *before, double bound)
{
    size_t gates = 4 * golden->hidden, most = golden->inputs > golden->hidden ? golden->inputs : golden->hidden;
    struct lstm_weights w = {zeros(gates * most), zeros(gates * golden->hidden), zeros(gates), zeros(gates)};
    const real *head = ours + mp_lstm_head(&network->shape);
    char name[64];
    for (size_t l = 0; l < golden->layers; l++) {
        mp_lstm_export(&network->shape, l, ours, w);
        compare(golden, named(before, "weight_ih", l), w.weight_ih, bound);
        compare(golden, named(before, "weight_hh", l), w.weight_hh, bound);
        compare(golden, named(before, "bias_ih", l), w.bias_ih, bound);
        compare(golden, named(before, "bias_hh", l), w.bias_hh, bound);
    }
    snprintf(name, sizeof name, "%shead_weight", before);
    compare(golden, name, head, bound);
    snprintf(name, sizeof name, "%shead_bias", before);
    compare(golden, name, head + golden->outputs * golden->hidden, bound);
    free(w.weight_ih);
    free(w.weight_hh);
    free(w.bias_ih);
    free(w.bias_hh);
}

/* ---- small networks ---------------------------------------------------------------------------------------------- */

struct stage {
    struct network network;
    struct lstm_batch batch;
    real *owned[12];
    size_t n;
};

static real *own(struct stage *stage, real *numbers)
{
    stage->owned[stage->n++] = numbers;
    return numbers;
}

static void set_up(struct stage *s, const struct golden *g)
{
    size_t states = g->layers * g->series * g->hidden, all = g->steps * g->series;
    struct lstm_plan plan = {
        .steps = g->steps, .workers = 1, .training = true, .every_step = true, .input_gradients = true};
    memset(s, 0, sizeof *s);
    s->network = make_network((struct lstm_shape){.inputs = g->inputs, .hidden = g->hidden, .layers = g->layers},
                              g->outputs, plan);
    s->network.target = own(s, reals(g, "target"));
    s->network.y = own(s, zeros(all * g->hidden));
    s->network.predicted = own(s, zeros(all * g->outputs));
    s->batch = (struct lstm_batch){.steps = g->steps,
                                   .series = g->series,
                                   .inputs = own(s, reals(g, "x")),
                                   .hidden = own(s, reals(g, "h0")),
                                   .cell = own(s, reals(g, "c0")),
                                   .last_hidden = own(s, zeros(states)),
                                   .last_cell = own(s, zeros(states)),
                                   .d_hidden = own(s, zeros(states)),
                                   .d_cell = own(s, zeros(states)),
                                   .d_inputs = own(s, zeros(all * g->inputs))};
    import(&s->network, g);
}

static void tear_down(struct stage *stage)
{
    free_network(&stage->network);
    for (size_t i = 0; i < stage->n; i++)
        free(stage->owned[i]);
}

static void check_outputs(struct stage *s, const struct golden *g)
{
    real loss = (real)run_network(&s->network, &s->batch);
    compare(g, "loss", &loss, tolerance);
    compare(g, "y", s->network.y, tolerance);
    compare(g, "pred", s->network.predicted, tolerance);
    compare(g, "hn", s->batch.last_hidden, tolerance);
    compare(g, "cn", s->batch.last_cell, tolerance);
}

static void check_gradients(struct stage *s, const struct golden *g)
{
    compare(g, "grad_x", s->batch.d_inputs, tolerance);
    compare(g, "grad_h0", s->batch.d_hidden, tolerance);
    compare(g, "grad_c0", s->batch.d_cell, tolerance);
    compare_all(&s->network, g, s->network.gradient, "grad_", tolerance);
}

static void check_adam(struct stage *s, const struct golden *g)
{
    struct network *n = &s->network;
    struct lstm_adam adam = mp_lstm_adam_init();
    struct lstm_adam_rule rule = {.learning_rate = 0.001, .max_norm = INFINITY};
    for (int step = 0; step < 3; step++) {
        run_network(n, &s->batch);
        assert_true(
            mp_lstm_adam_update(&adam, &rule, n->work.parameters, n->gradient, n->first, n->second, n->parameters));
    }
    compare_all(n, g, n->parameters, "adam3_", tolerance);
}

static void each_small_case(void (*check)(struct stage *, const struct golden *))
{
    static struct golden golden;
    FILE *file = open_cases(TEST_DATA "/lstm/small.txt");
    int cases = 0;
    for (; read_case(file, &golden); clear(&golden)) {
        struct stage stage;
        if (!strstr(golden.name, precision))
            continue;
        cases++;
        set_up(&stage, &golden);
        check_outputs(&stage, &golden);
        check(&stage, &golden);
        tear_down(&stage);
    }
    fclose(file);
    assert_int_equal(cases, 4);
}

static void outputs_states_and_loss_are_pytorchs(void **state)
{
    (void)state;
    each_small_case(check_outputs);
}

static void gradients_are_pytorchs(void **state)
{
    (void)state;
    each_small_case(check_gradients);
}

static void parameters_after_three_steps_of_adam_are_pytorchs(void **state)
{
    (void)state;
    each_small_case(check_adam);
}

/* ---- a network of the size that forecasts ------------------------------------------------------------------------ */

/* The formula of make.py. */
static real *formula(uint64_t first, size_t n, double scale)
{
    real *numbers = zeros(n);
    for (size_t i = 0; i < n; i++)
        numbers[i] = (real)(((double)((((first + i) * 2654435761) & UINT32_MAX) >> 16) / 65536 - 0.5) * scale);
    return numbers;
}

static void set_large(struct network *network)
{
    struct lstm_weights w = {formula(0, 128, 0.5), formula(1000, 4096, 0.5), formula(6000, 128, 1),
                             formula(7000, 128, 1)};
    real *weight = formula(8000, 512, 1), *bias = formula(9000, 16, 1),
         *head = network->parameters + mp_lstm_head(&network->shape);
    mp_lstm_import(&network->shape, 0, network->parameters, w);
    memcpy(head, weight, 512 * sizeof *head);
    memcpy(head + 512, bias, 16 * sizeof *head);
    real *owned[] = {w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, weight, bias};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

/* The largest error of an array is at most 2e-6 of its largest number. */
static void compare_large(const struct golden *golden, const char *name, const real *actual)
{
    const struct array *array = find(golden, name);
    double largest = 0;
    for (size_t i = 0; i < array->size; i++)
        largest = fmax(largest, fabs(array->numbers[i]));
    compare(golden, name, actual, 2e-6 * largest);
}

static void a_hundred_steps_of_96_series_are_pytorchs_to_2e_6_of_the_largest(void **state)
{
    (void)state;
    static struct golden g;
    FILE *file = open_cases(TEST_DATA "/lstm/large.txt");
    assert_true(read_case(file, &g));
    fclose(file);
    struct network network = make_network((struct lstm_shape){.inputs = 1, .hidden = 32, .layers = 1}, 16,
                                          (struct lstm_plan){.steps = 100, .workers = 2, .training = true});
    real *x = formula(10000, g.steps * g.series, 1), *target = formula(30000, g.series * 16, 1);
    real *states = zeros(2 * g.series * 32);
    struct lstm_batch batch = {
        .steps = 100, .series = 96, .inputs = x, .last_hidden = states, .last_cell = states + g.series * 32};
    set_large(&network);
    network.target = target;
    real loss = (real)run_network(&network, &batch);
    struct lstm_weights d = {zeros(128), zeros(4096), zeros(128), zeros(128)};
    mp_lstm_export(&network.shape, 0, network.gradient, d);
    compare_large(&g, "loss", &loss);
    compare_large(&g, "hn", batch.last_hidden);
    compare_large(&g, "cn", batch.last_cell);
    compare_large(&g, "grad_weight_ih_l0", d.weight_ih);
    compare_large(&g, "grad_weight_hh_l0", d.weight_hh);
    compare_large(&g, "grad_bias_ih_l0", d.bias_ih);
    compare_large(&g, "grad_head_weight", network.gradient + mp_lstm_head(&network.shape));
    real *owned[] = {x, target, states, d.weight_ih, d.weight_hh, d.bias_ih, d.bias_hh};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free_network(&network);
    clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_states_and_loss_are_pytorchs),
        cmocka_unit_test(gradients_are_pytorchs),
        cmocka_unit_test(parameters_after_three_steps_of_adam_are_pytorchs),
        cmocka_unit_test(a_hundred_steps_of_96_series_are_pytorchs_to_2e_6_of_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
