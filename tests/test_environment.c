/* SPDX-License-Identifier: BSD-3-Clause */
/* The caller's floating-point environment neither affects a call nor is changed by it. Every public call gives the same
 * bytes in any environment, and restores it, flags included. */
#define _GNU_SOURCE
#include "every_call.h"

#include <fenv.h>

/* The observable parts of the environment. */
struct environment {
    int rounding, flags, traps;
    unsigned control; /* of the vector unit, flags included */
};

static struct environment now(void)
{
    struct environment environment = {fegetround(), fetestexcept(FE_ALL_EXCEPT), 0, 0};
#if defined(__GLIBC__)
    environment.traps = fegetexcept();
#endif
#if defined(__x86_64__)
    environment.control = __builtin_ia32_stmxcsr();
#endif
    return environment;
}

static struct environment callers;

/* <fenv.h> may ignore the flushing of denormals. */
static void go_back(void)
{
    fesetenv(FE_DFL_ENV);
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr(0x1f80);
#endif
}

/* Reports a fault in the default environment, because the text has numbers in it. */
static void is_unchanged(const char *call)
{
    struct environment after = now();
    if (memcmp(&after, &callers, sizeof after) == 0)
        return;
    go_back();
    fail_msg("%s: rounding %d, flags %x, traps %x, control %x became %d, %x, %x, %x", call, callers.rounding,
             (unsigned)callers.flags, (unsigned)callers.traps, callers.control, after.rounding, (unsigned)after.flags,
             (unsigned)after.traps, after.control);
}

static void pass_over(const char *call)
{
    (void)call;
}

/* Makes all calls in the present environment, then returns to the default one. */
static uint64_t answers_here(void)
{
    callers = now();
    after_each = is_unchanged;
    uint64_t given = call_everything();
    go_back();
    return given;
}

static uint64_t expected;

static int set_up(void **state)
{
    (void)state;
    make_call_counts();
    after_each = pass_over;
    expected = call_everything();
    return 0;
}

static void in_any_rounding_mode_the_bytes_are_the_same(void **state)
{
    (void)state;
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(fesetround(modes[i]), 0);
        assert_true(answers_here() == expected);
    }
}

/* Calls neither raise flags nor clear those of the caller. */
static void flags_are_those_of_the_caller(void **state)
{
    (void)state;
    feclearexcept(FE_ALL_EXCEPT);
    assert_true(answers_here() == expected);
    feraiseexcept(FE_DIVBYZERO);
    assert_true(answers_here() == expected);
}

static void trapped_exceptions_kill_no_call(void **state)
{
    (void)state;
#if defined(__GLIBC__)
    feclearexcept(FE_ALL_EXCEPT);
    feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW | FE_INEXACT);
    assert_true(answers_here() == expected);
#endif
}

static void denormals_that_the_caller_flushes_are_numbers_to_us(void **state)
{
    (void)state;
#if defined(__x86_64__)
    enum { FLUSH = 0x8040 }; /* to zero, and what is read as zero */
    double tiny[] = {0x1p-1070, 0x3p-1070}, shares[2] = {0};
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, 1, 2, 1, NULL);
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | FLUSH);
    moep_status status = moep_predictor_push(predictor, 1, tiny, MOEP_FLOAT64);
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() & ~(unsigned)FLUSH);
    assert_int_equal(status, MOEP_OK);
    assert_int_equal(info_of(predictor).empty_layers, 0);
    assert_int_equal(moep_predictor_predict(predictor, 1, 1, shares, 2), MOEP_OK);
    assert_true(shares[0] == 0.25 && shares[1] == 0.75);
    moep_predictor_destroy(predictor);
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | FLUSH);
    assert_true(answers_here() == expected);
#endif
}

/* ---- callbacks -------- ------------------------------------------------------------------------------------------ */

static struct environment within; /* of the default one, flags aside */
static size_t calls, strange;

static void look(void)
{
    struct environment here = now();
    here.flags = 0;
    here.control &= ~0x3fu;
    calls++;
    strange += memcmp(&here, &within, sizeof here) != 0;
}

static void *allocate(void *user, size_t size)
{
    (void)user;
    look();
    return malloc(size);
}

static void release(void *user, void *pointer, size_t size)
{
    (void)user;
    (void)size;
    look();
    free(pointer);
}

static int32_t progress(void *user, double fraction)
{
    (void)user;
    (void)fraction;
    look();
    return 0;
}

static void callbacks_are_called_in_the_default_environment(void **state)
{
    (void)state;
    moep_runtime runtime = {sizeof runtime, 2, 0, allocate, release, NULL, progress, NULL};
    moep_predictor *predictor;
    calls = strange = 0;
    within = now();
    within.flags = 0;
    within.control &= ~0x3fu;
    fesetround(FE_UPWARD);
    predictor = make_predictor(MOEP_ARIMA, CALL_LAYERS, CALL_EXPERTS, 0, &runtime);
    moep_status pushed = moep_predictor_push(predictor, CALL_STEPS, call_counts, MOEP_INT64);
    moep_status fitted = moep_predictor_fit(predictor);
    moep_predictor_destroy(predictor);
    fesetround(FE_TONEAREST);
    assert_true(pushed == MOEP_OK && fitted == MOEP_OK);
    assert_true(calls > 5);
    assert_int_equal(strange, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_any_rounding_mode_the_bytes_are_the_same),
        cmocka_unit_test(flags_are_those_of_the_caller),
        cmocka_unit_test(trapped_exceptions_kill_no_call),
        cmocka_unit_test(denormals_that_the_caller_flushes_are_numbers_to_us),
        cmocka_unit_test(callbacks_are_called_in_the_default_environment),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
