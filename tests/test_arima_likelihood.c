/* SPDX-License-Identifier: BSD-3-Clause */
#include "golden.h"

#include "methods/arima/kernel/likelihood.h"

static struct arima_point point, moved;

/* A workspace for that many observations, in an arena of its own. */
struct own_workspace {
    struct arima_workspace workspace;
    size_t observations;
    struct arena arena;
};

static const struct memory heap = {mp_default_allocate, mp_default_release, NULL};

static void lay_out(void *self, struct arena *arena)
{
    struct own_workspace *own = self;
    mp_arima_workspace_lay_out(&own->workspace, arena, own->observations);
}

static bool make_own(struct own_workspace *own, size_t observations)
{
    own->observations = observations;
    return mp_arena_make(&own->arena, lay_out, own, &heap);
}

static struct arima_workspace *open_workspace(struct own_workspace *own, size_t observations)
{
    assert_true(make_own(own, observations));
    return &own->workspace;
}

static void set_series(struct arima_workspace *workspace, size_t lane, const double *values, size_t n)
{
    double *column = mp_arima_lane(workspace, workspace->series, lane);
    workspace->n = n;
    for (size_t t = 0; t < n; t++)
        column[t * MP_LANE_COLUMN] = values[t];
}

static void set_coefficients(struct arima_point *at, size_t lane, unsigned dimension, const double *coefficients,
                             unsigned p, unsigned q)
{
    for (unsigned i = 0; i < dimension; i++) {
        at->parameters[i].lane[lane] = i < p ? coefficients[i] : 0;
        at->parameters[dimension + i].lane[lane] = i < q ? coefficients[p + i] : 0;
    }
}

static double loglik(double objective, size_t n)
{
    return 0.5 * (double)n * (log((double)n) - log(2 * acos(-1)) - 1) - objective;
}

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static void likelihoods_at_fixed_parameters_are_exact(void **state)
{
    (void)state;
    struct golden golden;
    struct own_workspace own;
    size_t compared = 0;
    double values[GOLDEN_VALUES];
    struct arima_workspace *workspace = open_workspace(&own, GOLDEN_VALUES);
    golden_open(&golden);
    while (golden_next(&golden)) {
        if (!golden_is(&golden, "likelihood"))
            continue;
        unsigned dimension = larger(golden.p, golden.q);
        for (unsigned wider = dimension; wider <= MP_ARIMA_ORDER; wider++) { /* more coefficients, all 0 */
            set_series(workspace, compared % MP_LANES, values, golden_differences(&golden, values));
            set_coefficients(&point, compared % MP_LANES, wider, golden.coefficients, golden.p, golden.q);
            mp_arima_kernel(0)->evaluate(workspace, wider, &point);
            double ours = loglik(point.objective.lane[compared % MP_LANES], workspace->n);
            assert_near(ours, golden.loglik, 1e-10 * fabs(golden.loglik));
        }
        compared++;
    }
    assert_int_equal(compared, 180);
    mp_arena_free(&own.arena, &heap);
}

/* A stationary, invertible point of any order: products of real factors. */
static void random_coefficients(double *coefficients, unsigned p, unsigned q, uint64_t *seed)
{
    memset(coefficients, 0, 2 * MP_ARIMA_ORDER * sizeof *coefficients);
    for (unsigned k = 0; k < p + q; k++) {
        double root = 0.6 * ((double)(random_number(seed) >> 11) / 4503599627370496.0 - 1);
        double *c = coefficients + (k < p ? 0 : p);
        unsigned degree = k < p ? k : k - p;
        for (unsigned i = degree + 1; i > 0; i--) /* phi carries a minus */
            c[i - 1] = (i <= degree ? c[i - 1] : 0) + root * (i > 1 ? (k < p ? -c[i - 2] : c[i - 2]) : 1);
    }
}

static void random_series(double *values, size_t n, uint64_t *seed)
{
    double before = 0;
    for (size_t t = 0; t < n; t++) {
        double e = (double)(random_number(seed) >> 11) / 4503599627370496.0 - 1;
        values[t] = e + 0.5 * before;
        before = e;
    }
}

static void the_gradient_is_that_of_finite_differences(void **state)
{
    (void)state;
    const double h = 1e-5;
    static const size_t lengths[] = {20, 64, 65, 127, 300};
    struct own_workspace own;
    double values[300], coefficients[2 * MP_ARIMA_ORDER];
    struct arima_workspace *workspace = open_workspace(&own, 300);
    uint64_t seed = 5;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (unsigned dimension = 1; dimension <= MP_ARIMA_ORDER; dimension++) {
            for (size_t l = 0; l < MP_LANES; l++) {
                random_series(values, lengths[i], &seed);
                random_coefficients(coefficients, dimension, dimension, &seed);
                set_series(workspace, l, values, lengths[i]);
                set_coefficients(&point, l, dimension, coefficients, dimension, dimension);
            }
            mp_arima_kernel(0)->evaluate(workspace, dimension, &point);
            for (unsigned a = 0; a < 2 * dimension; a++) {
                double sides[4][MP_LANES]; /* 1 and 2 steps down, 1 and 2 up */
                for (int side = 0; side < 4; side++) {
                    moved = point;
                    for (size_t l = 0; l < MP_LANES; l++)
                        moved.parameters[a].lane[l] += (side < 2 ? -h : h) * (side % 2 + 1);
                    mp_arima_kernel(0)->evaluate(workspace, dimension, &moved);
                    memcpy(sides[side], moved.objective.lane, sizeof sides[side]);
                }
                for (size_t l = 0; l < MP_LANES; l++) {
                    double slope = (8 * (sides[2][l] - sides[0][l]) - (sides[3][l] - sides[1][l])) / (12 * h);
                    assert_near(point.gradient[a].lane[l], slope, 1e-6 * (10 + fabs(slope)));
                }
            }
        }
    mp_arena_free(&own.arena, &heap);
}

/* The matrix is (n / S) J'J, with J the derivatives of e - H c for a fixed c. So x'J'J x is not negative for any x. */
static void the_gauss_newton_matrix_is_symmetric_and_positive(void **state)
{
    (void)state;
    struct own_workspace own;
    double values[200], coefficients[2 * MP_ARIMA_ORDER];
    struct arima_workspace *workspace = open_workspace(&own, 200);
    uint64_t seed = 6;
    for (unsigned dimension = 1; dimension <= MP_ARIMA_ORDER; dimension++) {
        for (size_t l = 0; l < MP_LANES; l++) {
            random_series(values, 200, &seed);
            random_coefficients(coefficients, dimension, dimension, &seed);
            set_series(workspace, l, values, 200);
            set_coefficients(&point, l, dimension, coefficients, dimension, dimension);
        }
        mp_arima_kernel(0)->evaluate(workspace, dimension, &point);
        for (int trial = 0; trial < 100; trial++) {
            double x[2 * MP_ARIMA_ORDER];
            for (unsigned a = 0; a < 2 * dimension; a++)
                x[a] = (double)(random_number(&seed) >> 11) / 4503599627370496.0 - 1;
            for (size_t l = 0; l < MP_LANES; l++) {
                double form = 0, scale = 0;
                for (unsigned a = 0; a < 2 * dimension; a++)
                    for (unsigned b = 0; b < 2 * dimension; b++) {
                        assert_true(point.hessian[a][b].lane[l] == point.hessian[b][a].lane[l]);
                        form += x[a] * x[b] * point.hessian[a][b].lane[l];
                        scale += fabs(x[a] * x[b] * point.hessian[a][b].lane[l]);
                    }
                assert_true(form > -1e-12 * scale);
            }
        }
    }
    mp_arena_free(&own.arena, &heap);
}

/* The results of a lane depend neither on its place, nor on its neighbours, nor on the width of the vectors. */
static void a_lane_gets_the_same_bytes_wherever_it_is(void **state)
{
    (void)state;
    static const int widths[] = {16, 32, 64};
    struct own_workspace own;
    double values[150], others[150], twiddles[512], coefficients[2 * MP_ARIMA_ORDER];
    double damping[MP_LANES] __attribute__((aligned(64)));
    struct arima_lanes active[MP_ARIMA_PARAMETERS], step[MP_ARIMA_PARAMETERS], augmented = {0};
    static const struct arima_secant secant;
    struct arima_workspace *workspace = open_workspace(&own, 150);
    uint64_t seed = 7;
    assert_non_null(mp_arima_kernel(0));
    for (unsigned dimension = 1; dimension <= MP_ARIMA_ORDER; dimension++) {
        double expected[4] = {0};
        bool first = true;
        random_series(values, 150, &seed);
        random_coefficients(coefficients, dimension, dimension, &seed);
        for (size_t w = 0; w < 3; w++)
            for (size_t place = 0; place < MP_LANES; place++) {
                const struct arima_kernel *kernel = mp_arima_kernel(widths[w]);
                const struct arima_start_kernel *starts = mp_arima_start_kernel(widths[w]);
                if (!kernel)
                    continue;
                for (size_t l = 0; l < MP_LANES; l++) {
                    double other[2 * MP_ARIMA_ORDER];
                    random_series(others, 150, &seed);
                    random_coefficients(other, dimension, dimension, &seed);
                    set_series(workspace, l, l == place ? values : others, 150);
                    set_coefficients(&point, l, dimension, l == place ? coefficients : other, dimension, dimension);
                    damping[l] = l == place ? 0.5 : 0.25;
                    for (unsigned a = 0; a < MP_ARIMA_PARAMETERS; a++)
                        active[a].lane[l] = 1;
                }
                kernel->evaluate(workspace, dimension, &point);
                kernel->solve(&point, &secant, active, dimension, damping, augmented.lane, step);
                double found[4] = {point.objective.lane[place], step[2 * dimension - 1].lane[place]};
                starts->regress(workspace, dimension, 12, &point);
                kernel->solve(&point, &secant, active, dimension, damping, augmented.lane, step);
                found[2] = step[0].lane[place];
                starts->periodogram(workspace, 256, twiddles);
                found[3] = mp_arima_lane(workspace, workspace->filtered_series, place)[5 * MP_LANE_COLUMN];
                if (first)
                    memcpy(expected, found, sizeof expected);
                first = false;
                assert_memory_equal(found, expected, sizeof expected);
            }
    }
    mp_arena_free(&own.arena, &heap);
}

static void inadmissible_points_have_no_likelihood(void **state)
{
    (void)state;
    static const double cases[][2] = {{1, 0}, {-1.01, 0}, {0.999999, 0}, {0, 3}, {0, -1.2}, {NAN, 0}, {0.5, INFINITY}};
    struct own_workspace own;
    double values[100];
    uint64_t seed = 8;
    struct arima_workspace *workspace = open_workspace(&own, 100);
    random_series(values, 100, &seed);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t l = 0; l < MP_LANES; l++) {
            set_series(workspace, l, values, 100);
            set_coefficients(&point, l, 1, l == i ? cases[i] : (const double[]){0.1, 0.2}, 1, 1);
        }
        mp_arima_kernel(0)->evaluate(workspace, 1, &point);
        for (size_t l = 0; l < MP_LANES; l++)
            assert_true(point.objective.lane[l] == MP_ARIMA_INADMISSIBLE ? l == i
                                                                         : l != i && isfinite(point.objective.lane[l]));
    }
    mp_arena_free(&own.arena, &heap);
}

static void a_workspace_has_a_size_or_none(void **state)
{
    (void)state;
    struct own_workspace small, large;
    assert_false(make_own(&large, SIZE_MAX));
    assert_false(make_own(&large, SIZE_MAX / 16));
    open_workspace(&small, 500);
    open_workspace(&large, 1000);
    assert_true(large.arena.size < 2 * small.arena.size);
    mp_arena_free(&small.arena, &heap);
    mp_arena_free(&large.arena, &heap);
}

/* A build may have one width alone (-Dkernel_widths): there is always one to run, and none that is not built. */
static void only_what_is_built_and_runs_here_is_chosen(void **state)
{
    (void)state;
    const struct arima_kernel *widest = NULL;
    for (int bytes = 8; bytes <= 128; bytes *= 2) {
        bool there = MP_LANE_WIDTHS & bytes && bytes <= mp_vector_bytes();
        assert_int_equal(mp_arima_kernel(bytes) != NULL, there);
        assert_int_equal(mp_arima_start_kernel(bytes) != NULL, there);
        if (there)
            widest = mp_arima_kernel(bytes);
    }
    assert_non_null(widest);
    assert_ptr_equal(mp_arima_kernel(0), widest);
}

int main(void)
{
    const struct CMUnitTest arima_likelihood[] = {
        cmocka_unit_test(likelihoods_at_fixed_parameters_are_exact),
        cmocka_unit_test(the_gradient_is_that_of_finite_differences),
        cmocka_unit_test(the_gauss_newton_matrix_is_symmetric_and_positive),
        cmocka_unit_test(a_lane_gets_the_same_bytes_wherever_it_is),
        cmocka_unit_test(inadmissible_points_have_no_likelihood),
        cmocka_unit_test(a_workspace_has_a_size_or_none),
        cmocka_unit_test(only_what_is_built_and_runs_here_is_chosen),
    };
    return cmocka_run_group_tests(arima_likelihood, NULL, NULL);
}
