/* SPDX-License-Identifier: BSD-3-Clause */
/* Training and validation samples of runs. Steps that a network must not see are NaN. */
#include "lstm_run.h"

#include "methods/lstm/training/dataset.h"

enum { OUTPUTS = MP_LSTM_OUTPUTS, DRAWS = 150, EVERY = 3 };

static struct lstm_examples examples_for(size_t room)
{
    struct lstm_examples e;
    assert_true(mp_lstm_examples_make(&e, room, room, &plain_memory));
    return e;
}

static void assert_numbers(const struct lstm_examples *e)
{
    for (size_t s = 0; s < e->series; s++) {
        for (size_t b = 0; b < MP_LSTM_INPUT_BLOCKS; b++)
            assert_true(isfinite(e->inputs[b * e->series + s]));
        for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
            assert_true(isfinite(e->means[s * MP_LSTM_WINDOWS + w]));
        for (size_t b = 0; b < e->n_targets[s]; b++)
            assert_true(isfinite(e->targets[s * OUTPUTS + b]));
    }
}

static void spoil(float *shares, size_t series, size_t step, size_t first, size_t count)
{
    for (size_t s = first; s < first + count; s++)
        shares[step * series + s] = NAN;
}

/* ---- splits ------------------------------------------------------------------------------------------------------ */

/* A network trains on no layer that is held out, and validates on no other. */
static void check_layers(size_t layers, size_t held_out)
{
    enum { STEPS = 700, EXPERTS = 4 };
    const size_t series = layers * EXPERTS;
    float *shares = wandering_shares(STEPS, series, EXPERTS, 1), *others = wandering_shares(STEPS, series, EXPERTS, 1);
    struct run run = run_of(shares, STEPS, layers, EXPERTS), other = run_of(others, STEPS, layers, EXPERTS);
    const struct lstm_split drawn = {&run, {0, STEPS}, {0, STEPS}, EVERY, held_out},
                            validation = {&other, {0, STEPS}, {0, STEPS}, EVERY, held_out};
    struct lstm_dataset to_draw = {&drawn, 1}, to_validate = {&validation, 1};
    struct lstm_examples e = examples_for(2048);
    struct random random = mp_random(layers, held_out);
    for (size_t step = 0; step < STEPS; step++)
        for (size_t layer = 0; layer < layers; layer++)
            spoil(layer % EVERY == held_out ? shares : others, series, step, layer * EXPERTS, EXPERTS);
    for (size_t i = 0; i < DRAWS; i++) {
        mp_lstm_draw_minibatch(&to_draw, &random, &e);
        assert_int_equal(e.series, MP_LSTM_BATCH_SERIES);
        assert_numbers(&e);
    }
    size_t samples = mp_lstm_validation_samples(&to_validate);
    assert_int_equal(samples, MP_LSTM_VALIDATION_ORIGINS * (layers / EVERY + (layers % EVERY > held_out)));
    assert_int_equal(mp_lstm_fill_validation(&to_validate, 0, &e), samples);
    assert_numbers(&e);
    mp_lstm_examples_free(&e, &plain_memory);
    free(others);
    free(shares);
}

static void no_layer_is_for_both_training_and_validation(void **state)
{
    (void)state;
    for (size_t layers = EVERY; layers < 12; layers++)
        for (size_t held_out = 0; held_out < EVERY; held_out++)
            check_layers(layers, held_out);
}

static void training_sees_nothing_outside_its_segment(void **state)
{
    (void)state;
    enum { STEPS = 900, EXPERTS = 5, LAYERS = 2, SERIES = LAYERS * EXPERTS, LAST = 675 };
    float *shares = wandering_shares(STEPS, SERIES, EXPERTS, 2);
    struct run run = run_of(shares, STEPS, LAYERS, EXPERTS);
    const struct lstm_split split = {.run = &run, .train = {0, LAST}, .validation = {LAST, STEPS}};
    struct lstm_dataset dataset = {&split, 1};
    struct lstm_examples e = examples_for(mp_lstm_batch_room(&dataset));
    struct random random = mp_random(3, 0);
    size_t most = 0;
    for (size_t step = LAST; step < STEPS; step++)
        spoil(shares, SERIES, step, 0, SERIES);
    for (size_t i = 0; i < 10 * DRAWS; i++) {
        mp_lstm_draw_minibatch(&dataset, &random, &e);
        assert_numbers(&e);
        for (size_t s = 0; s < e.series; s++)
            most = e.n_targets[s] > most ? e.n_targets[s] : most;
        struct lstm_sample sample = mp_lstm_draw_sample(&split, &random);
        assert_true(sample.end >= 100 && sample.end <= LAST - (LAST - 100) / 2);
        assert_true(sample.steps >= 100 && sample.steps <= sample.end && sample.count == SERIES);
        assert_true(sample.age >= 100 / 1.6 && sample.age <= 1.6 * (double)sample.end);
    }
    assert_int_equal(most, (LAST - 100) / 50);
    mp_lstm_examples_free(&e, &plain_memory);
    free(shares);
}

/* Half of the samples are as if the run had begun later, and half of those are as young as it would then be. The others
 * have any age about their own. */
static void samples_are_truncated_and_aged(void **state)
{
    (void)state;
    enum { STEPS = 2000, MANY = 4000 };
    float *shares = wandering_shares(STEPS, 2, 2, 2);
    struct run run = run_of(shares, STEPS, 1, 2);
    const struct lstm_split split = {.run = &run, .train = {0, STEPS}, .validation = {0, STEPS}};
    struct random random = mp_random(4, 0);
    size_t cut = 0, young = 0, older = 0, younger = 0;
    run.first_step = 100000; /* so old that its age identifies a truncated sample */
    for (size_t i = 0; i < MANY; i++) {
        struct lstm_sample sample = mp_lstm_draw_sample(&split, &random);
        double own = (double)(run.first_step + sample.end);
        bool is_young = sample.age < 10000;
        cut += sample.steps < sample.end;
        young += is_young;
        older += !is_young && sample.age > 1.3 * own;
        younger += !is_young && sample.age < own / 1.3;
        assert_true(sample.from_change_point && sample.age <= 1.6 * own &&
                    sample.age >= (is_young ? (double)sample.steps : own) / 1.6);
        assert_true(!is_young || sample.age <= 1.6 * (double)sample.steps);
    }
    assert_true(cut > 0.45 * MANY && cut < 0.55 * MANY);
    assert_true(young > 0.2 * MANY && young < 0.3 * MANY);
    assert_true(older > 0.1 * MANY && younger > 0.1 * MANY);
    free(shares);
}

/* In a long run the last origin lies a forecast's horizon before the end; in a short one, in the middle. */
static void every_origin_leaves_steps_for_targets(void **state)
{
    (void)state;
    const size_t lasts[] = {700, 4100, 9000}, origins[] = {400, 2100, 7000};
    struct run run = {.panel.series = 3, .layers = 1, .experts = 3};
    struct random random = mp_random(5, 0);
    for (size_t i = 0; i < 3; i++) {
        const struct lstm_split split = {.run = &run, .train = {0, lasts[i]}, .validation = {0, lasts[i]}};
        size_t most = 0;
        for (size_t k = 0; k < 20000; k++) {
            size_t end = mp_lstm_draw_sample(&split, &random).end;
            most = end > most ? end : most;
        }
        assert_true(most <= origins[i] && most > origins[i] - 10);
        assert_int_equal(mp_lstm_validation_sample(&split, MP_LSTM_VALIDATION_ORIGINS - 1).end, origins[i]);
    }
}

/* A validation sample sees all steps before its origin; its targets are validation steps. */
static void validation_origins_lie_in_their_segment(void **state)
{
    (void)state;
    enum { STEPS = 900, EXPERTS = 5, LAST = 675 };
    float *shares = wandering_shares(STEPS, EXPERTS, EXPERTS, 2);
    struct run run = run_of(shares, STEPS, 1, EXPERTS);
    run.first_step = 5000;
    const struct lstm_split split = {.run = &run, .train = {0, LAST}, .validation = {LAST, STEPS}};
    struct lstm_dataset dataset = {&split, 1};
    struct lstm_examples e = examples_for(MP_LSTM_VALIDATION_ORIGINS * EXPERTS);
    size_t before = 0;
    assert_int_equal(mp_lstm_fill_validation(&dataset, 0, &e), MP_LSTM_VALIDATION_ORIGINS);
    for (size_t i = 0; i < MP_LSTM_VALIDATION_ORIGINS; i++) {
        struct lstm_sample sample = mp_lstm_validation_sample(&split, i);
        assert_true(sample.end >= LAST && sample.end <= LAST + (STEPS - LAST + 1) / 2 && sample.end >= before);
        assert_true(sample.steps == sample.end && sample.age == (double)(5000 + sample.end));
        assert_int_equal(e.n_targets[i * EXPERTS], (STEPS - sample.end) / 50);
        before = sample.end;
    }
    assert_int_equal(mp_lstm_validation_sample(&split, 0).end, LAST);
    assert_int_equal(before, LAST + (STEPS - LAST + 1) / 2);
    mp_lstm_examples_free(&e, &plain_memory);
    free(shares);
}

/* ---- which samples ----------------------------------------------------------------------------------------------- */

/* Runs of several shapes, in which every series has one load that no other has. */
enum { RUNS = 3 };
static const size_t layers_of[RUNS] = {7, 3, 1}, experts_of[RUNS] = {4, 300, 40};
enum { MARKED_STEPS = 700 };

struct marked {
    float *shares[RUNS];
    struct run runs[RUNS];
    struct lstm_split splits[RUNS];
    struct lstm_dataset dataset;
};

static void make_marked(struct marked *m)
{
    for (size_t i = 0, mark = 1; i < RUNS; i++) {
        size_t series = layers_of[i] * experts_of[i];
        m->shares[i] = malloc(MARKED_STEPS * series * sizeof(float));
        for (size_t s = 0; s < series; s++, mark++)
            for (size_t step = 0; step < MARKED_STEPS; step++)
                m->shares[i][step * series + s] = (float)mark / 4096;
        m->runs[i] = run_of(m->shares[i], MARKED_STEPS, layers_of[i], experts_of[i]);
        m->splits[i] = (struct lstm_split){&m->runs[i], {0, MARKED_STEPS}, {0, MARKED_STEPS}, EVERY, i};
    }
    m->splits[2] = (struct lstm_split){.run = &m->runs[2], .train = {0, 525}, .validation = {525, MARKED_STEPS}};
    m->dataset = (struct lstm_dataset){m->splits, RUNS};
}

static void free_marked(struct marked *m)
{
    for (size_t i = 0; i < RUNS; i++)
        free(m->shares[i]);
}

static size_t mark_of(const struct lstm_examples *e, size_t s)
{
    return (size_t)lround((double)e->targets[s * OUTPUTS] * 4096); /* means may be of two */
}

/* Layers 0, 3, 6 of the first run, 4 experts each; layer 1 of the second, of which 256 experts beside each other are
 * looked at, at some of the origins; the last run. */
static void every_validation_sample_is_filled_once(void **state)
{
    (void)state;
    static struct marked m;
    static size_t seen[4096];
    make_marked(&m);
    size_t samples = mp_lstm_validation_samples(&m.dataset), series = 0, rooms[] = {256, 300, 768, 5000};
    const size_t some = samples - 32 * 3 - 32;
    assert_true(some > 3 && some < 16);
    assert_int_equal(mp_lstm_validation_series(&m.dataset), 32 * 3 * 4 + some * 256 + 32 * 40);
    for (size_t r = 0; r < 4; r++) {
        struct lstm_examples e = examples_for(rooms[r]);
        memset(seen, 0, sizeof seen);
        series = 0;
        for (size_t first = 0, taken; first < samples; first += taken, series += e.series) {
            taken = mp_lstm_fill_validation(&m.dataset, first, &e);
            assert_true(taken > 0 && e.series > 0 && e.series <= e.room);
            for (size_t s = 0; s < e.series; s++)
                seen[mark_of(&e, s)]++;
        }
        assert_int_equal(series, mp_lstm_validation_series(&m.dataset));
        for (size_t s = 0; s < 28; s++)
            assert_int_equal(seen[1 + s], s / 4 % EVERY == 0 ? 32 : 0);
        for (size_t s = 0; s < 900; s++)
            assert_int_equal(seen[29 + s], s >= 300 && s < 556 ? some : 0);
        for (size_t s = 0; s < 40; s++)
            assert_int_equal(seen[929 + s], 32);
        mp_lstm_examples_free(&e, &plain_memory);
    }
    free_marked(&m);
}

/* Every run, every layer of it that is not held out, and every expert. */
static void every_training_sample_is_drawn(void **state)
{
    (void)state;
    static struct marked m;
    static size_t seen[4096];
    struct random random = mp_random(1, 1);
    make_marked(&m);
    assert_int_equal(mp_lstm_batch_room(&m.dataset), MP_LSTM_MOST_SAMPLE_SERIES);
    struct lstm_examples e = examples_for(MP_LSTM_MOST_SAMPLE_SERIES);
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < 20 * DRAWS; i++) {
        mp_lstm_draw_minibatch(&m.dataset, &random, &e);
        assert_true(e.series > 0 && e.series <= e.room);
        for (size_t s = 0; s < e.series; s++)
            seen[mark_of(&e, s)]++;
    }
    for (size_t s = 0; s < 28; s++)
        assert_true((seen[1 + s] > 0) == (s / 4 % EVERY != 0));
    for (size_t s = 0; s < 900; s++)
        assert_true((seen[29 + s] > 0) == (s / 300 != 1));
    for (size_t s = 0; s < 40; s++)
        assert_true(seen[929 + s] > 0);
    mp_lstm_examples_free(&e, &plain_memory);
    free_marked(&m);
}

/* Where every load is a mark, only a spliced sample has two marks: about one sample in sixteen. Half of these come from
 * one layer, whose experts have changed places. In about as many, the splice was more than 100 steps ago. */
static void some_samples_are_spliced(void **state)
{
    (void)state;
    static struct marked m;
    struct random random = mp_random(2, 1);
    make_marked(&m);
    struct lstm_dataset dataset = {m.splits, 1};
    struct lstm_examples e = examples_for(mp_lstm_batch_room(&dataset));
    size_t samples = 0, spliced = 0, kept = 0, one_layer = 0, long_ago = 0;
    for (size_t i = 0; i < 10 * DRAWS; i++) {
        mp_lstm_draw_minibatch(&dataset, &random, &e);
        for (size_t s = 0; s < e.series; s += 4, samples++) {
            bool moved = false;
            double now = 0, before = 0;
            for (size_t at = s; at < s + 4; at++) {
                moved |= e.means[at * MP_LSTM_WINDOWS] != e.means[at * MP_LSTM_WINDOWS + 3];
                kept += e.n_targets[at] > 0 && e.targets[at * OUTPUTS] == e.means[at * MP_LSTM_WINDOWS];
                assert_true(e.inputs[99 * e.series + at] == e.inputs[99 * e.series + at]);
                now += (double)e.targets[at * OUTPUTS];
                before += (double)e.means[at * MP_LSTM_WINDOWS + 3];
            }
            spliced += moved;
            one_layer += moved && fabs(now - before) < 1e-6;
            long_ago += moved && e.means[s * MP_LSTM_WINDOWS] == e.means[s * MP_LSTM_WINDOWS + 1];
        }
    }
    assert_true(spliced > samples / 50 && spliced < samples / 14);
    assert_true(one_layer > spliced / 3 && one_layer < 3 * spliced / 4);
    assert_true(long_ago > spliced / 4 && long_ago < 3 * spliced / 4);
    assert_true(kept > 9 * samples / 10);
    mp_lstm_examples_free(&e, &plain_memory);
    free_marked(&m);
}

static void a_seed_decides_the_minibatches(void **state)
{
    (void)state;
    static struct marked m;
    make_marked(&m);
    struct lstm_examples a = examples_for(MP_LSTM_MOST_SAMPLE_SERIES), b = examples_for(MP_LSTM_MOST_SAMPLE_SERIES);
    size_t different = 0;
    for (uint64_t sequence = 0; sequence < 20; sequence++) {
        struct random first = mp_random(7, sequence), second = mp_random(7, sequence), other = mp_random(8, sequence);
        mp_lstm_draw_minibatch(&m.dataset, &first, &a);
        mp_lstm_draw_minibatch(&m.dataset, &second, &b);
        assert_int_equal(a.series, b.series);
        assert_memory_equal(a.features, b.features, a.series * MP_LSTM_FEATURES * sizeof(real));
        assert_memory_equal(a.inputs, b.inputs, a.series * MP_LSTM_INPUT_BLOCKS * sizeof(real));
        mp_lstm_draw_minibatch(&m.dataset, &other, &b);
        different += memcmp(a.features, b.features, MP_LSTM_FEATURES * sizeof(real)) != 0;
    }
    assert_true(different > 10);
    mp_lstm_examples_free(&b, &plain_memory);
    mp_lstm_examples_free(&a, &plain_memory);
    free_marked(&m);
}

int main(void)
{
    const struct CMUnitTest dataset[] = {
        cmocka_unit_test(no_layer_is_for_both_training_and_validation),
        cmocka_unit_test(training_sees_nothing_outside_its_segment),
        cmocka_unit_test(validation_origins_lie_in_their_segment),
        cmocka_unit_test(samples_are_truncated_and_aged),
        cmocka_unit_test(every_origin_leaves_steps_for_targets),
        cmocka_unit_test(every_validation_sample_is_filled_once),
        cmocka_unit_test(every_training_sample_is_drawn),
        cmocka_unit_test(some_samples_are_spliced),
        cmocka_unit_test(a_seed_decides_the_minibatches),
    };
    return cmocka_run_group_tests(dataset, NULL, NULL);
}
