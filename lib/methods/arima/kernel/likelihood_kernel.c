/* SPDX-License-Identifier: BSD-3-Clause */
/* The likelihood, its gradient and its Gauss-Newton matrix at a point, lane by lane. Compiled once per vector width.
 *
 * The letters are those of likelihood.h. The objective times 2 is n log S + log |I + C K|. S is a minimum over c, so
 * its derivatives are those for a fixed c (envelope theorem):
 *   dS/dphi(i) = -2 sum of r(t) u(t-i),   dS/dtheta(j) = -2 sum of r(t) v(t-j),   dS/dC = -lambda lambda'.
 * The remaining derivatives come through C and K alone. Those of n log S + log |I + C K| are
 *   by K: W = inverse(I + C K) C,   by C: Q = K - K W K - (n / S) lambda lambda',
 * which the adjoints of presample.h and impulse_gram.h turn into those by phi and theta.
 * The Gauss-Newton matrix is (n / S) J'J with J = dr/d(phi, theta).
 *
 * bytes: any change to the order of operations in a lane changes results. threads: none. allocates: nothing. */
#include "methods/arima/kernel/impulse_gram.h"
#include "methods/arima/kernel/matrices.h"
#include "methods/arima/kernel/newton_step.h"
#include "methods/arima/kernel/passes.h"
#include "methods/arima/kernel/presample.h"
#include "support/logarithm.h"

/* A point is not admissible if the sum of squares of its impulse response is larger. e may then be 1e6 times as large
 * as r, and r = e - H c has lost 6 of its 16 digits. */
static const double LARGEST_RESPONSE = 1e12;

/* The small matrices of one vector of lanes. */
struct lane_matrices {
    struct presample presample;
    vector k[M][M];
    vector w[M][M], q[M][M];
    vector work[4][M][M];
    vector root[M][M];   /* C = root root' */
    vector factor[M][M]; /* I + root' K root = factor factor' */
    vector lambda[M];    /* inverse(C) c */
    vector determinant;  /* |I + C K| = |I + root' K root| */
    mask admissible;
};

_Static_assert(TOGETHER * sizeof(struct lane_matrices) <= MP_ARIMA_KERNEL_SCRATCH, "the workspace has room for it");

/* c = root inverse(I + root' K root) root' H'e, lambda = H'e - K c */
INLINE void presample_effects(struct lane_matrices *matrices, struct lane_vector *lanes, const int dimension)
{
    vector x[M];
    for (int i = 0; i < dimension; i++) {
        x[i] = splat(0);
        for (int k = i; k < dimension; k++)
            x[i] += matrices->root[k][i] * lanes->he[k];
    }
    forward_substitute(matrices->factor, x, dimension);
    back_substitute(matrices->factor, x, dimension);
    for (int i = 0; i < dimension; i++) {
        lanes->c[i] = splat(0);
        for (int k = 0; k <= i; k++)
            lanes->c[i] += matrices->root[i][k] * x[k];
    }
    for (int i = 0; i < dimension; i++) {
        matrices->lambda[i] = lanes->he[i];
        for (int k = 0; k < dimension; k++)
            matrices->lambda[i] -= matrices->k[i][k] * lanes->c[k];
    }
}

/* Computes C, K, their factors, and c. */
INLINE void solve_presample(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings,
                            size_t n, const int dimension)
{
    matrices->admissible = is_stationary(lanes->phi, dimension);
    presample_covariance(&matrices->presample, lanes->phi, lanes->theta, dimension);
    matrices->admissible &= matrices->presample.autocovariance[0] > splat(0);
    impulse_products(matrices->k, doublings, matrices->work, lanes->theta, n, dimension);
    matrices->admissible &= matrices->k[0][0] < splat(LARGEST_RESPONSE);
    root_of(matrices->root, matrices->presample.c, dimension);
    multiply_root(matrices->work[0], matrices->k, matrices->root, dimension);
    identity_plus(matrices->factor, matrices->root, matrices->work[0], dimension);
    matrices->admissible &= factorise_sum(matrices->factor, &matrices->determinant, dimension);
    presample_effects(matrices, lanes, dimension);
}

/* W = half half', half = root inverse(factor') */
INLINE void derivatives_by_k(struct lane_matrices *matrices, const int dimension)
{
    vector(*half)[M] = matrices->work[0];
    for (int j = 0; j < dimension; j++) {
        vector x[M];
        for (int i = 0; i < dimension; i++)
            x[i] = i <= j ? matrices->root[j][i] : splat(0);
        forward_substitute(matrices->factor, x, dimension);
        for (int i = 0; i < dimension; i++)
            half[j][i] = x[i];
        clear(matrices->w[j], dimension);
    }
    add_symmetric(matrices->w, half, half, dimension);
}

/* Q, where scale = n / S */
INLINE void derivatives_by_c(struct lane_matrices *matrices, vector scale, const int dimension)
{
    vector(*k_w)[M] = matrices->work[1];
    multiply(k_w, matrices->k, matrices->w, dimension);
    for (int i = 0; i < dimension; i++)
        for (int j = 0; j <= i; j++) {
            vector x = matrices->k[i][j] - scale * matrices->lambda[i] * matrices->lambda[j];
            for (int k = 0; k < dimension; k++)
                x -= k_w[i][k] * matrices->k[k][j];
            matrices->q[i][j] = matrices->q[j][i] = x;
        }
}

/* Stores the gradient: half of the derivatives of n log S + log |I + C K|. */
INLINE void gradient(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings, size_t n,
                     vector squares, struct arima_point *point, int at, const int dimension)
{
    vector by_phi[M], by_theta[M], scale = (double)n / squares;
    derivatives_by_k(matrices, dimension);
    derivatives_by_c(matrices, scale, dimension);
    clear(by_phi, dimension);
    clear(by_theta, dimension);
    presample_adjoint(&matrices->presample, matrices->work, lanes->phi, lanes->theta, matrices->q, by_phi, by_theta,
                      dimension);
    impulse_adjoint(matrices->w, doublings, matrices->work, lanes->theta, by_theta, n, dimension);
    for (int i = 0; i < dimension; i++) {
        set(&point->gradient[i], at, 0.5 * by_phi[i] - scale * lanes->ru[i]);
        set(&point->gradient[dimension + i], at, 0.5 * by_theta[i] - scale * lanes->rv[i]);
    }
}

/* Stores S, the determinant, the objective and its derivatives. */
INLINE void finish(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings, size_t n,
                   struct arima_point *point, int at, const int dimension)
{
    vector squares = lanes->squares;
    for (int i = 0; i < dimension; i++)
        squares += lanes->c[i] * matrices->lambda[i];
    mask admissible =
        matrices->admissible & (squares > splat(0)) & is_finite(squares) & is_finite(matrices->determinant);
    squares = choose(admissible, squares, splat(1));
    vector determinant = choose(admissible, matrices->determinant, splat(1)), objective;
    for (int l = 0; l < WIDTH; l++)
        objective[l] = 0.5 * ((double)n * mp_logarithm(squares[l]) + mp_logarithm(determinant[l]));
    set(&point->objective, at, choose(admissible, objective, splat(MP_ARIMA_INADMISSIBLE)));
    set(&point->sum_of_squares, at, squares);
    set(&point->determinant, at, determinant);
    gradient(matrices, lanes, doublings, n, squares, point, at, dimension);
    gauss_newton(lanes, (double)n / squares, point, at, dimension);
}

typedef void presample_function(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings,
                                size_t n);
typedef void finish_function(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings,
                             size_t n, struct arima_point *point, int at);

INLINE void open_vector(struct lane_vector *lanes, const struct arima_workspace *workspace,
                        const struct arima_point *point, int at, const int dimension)
{
    lanes->series = mp_arima_lane(workspace, workspace->series, (size_t)at);
    lanes->filtered_series = mp_arima_lane(workspace, workspace->filtered_series, (size_t)at);
    lanes->residuals = mp_arima_lane(workspace, workspace->residuals, (size_t)at);
    lanes->filtered_residuals = mp_arima_lane(workspace, workspace->filtered_residuals, (size_t)at);
    for (int i = 0; i < dimension; i++) {
        lanes->phi[i] = get(&point->parameters[i], at);
        lanes->theta[i] = get(&point->parameters[dimension + i], at);
    }
}

/* Evaluates `many` vectors, 1 or TOGETHER, which begin at the lanes at[0] and at[1]. */
INLINE void evaluate_vectors(const struct arima_workspace *workspace, struct arima_point *point, const int *at,
                             presample_function *solve_presample_now, finish_function *finish_now, const int dimension,
                             const int many)
{
    struct lane_vector vectors[TOGETHER];
    struct lane_matrices *matrices = workspace->scratch; /* too large for the stack of a small thread */
    struct doubling *doublings = (struct doubling *)workspace->doublings;
    size_t n = workspace->n;
    const int count = dimension <= 2 ? many : 1; /* the registers hold the past values of two only up to m = 2 */
    for (int s = 0; s < many; s++)
        open_vector(&vectors[s], workspace, point, at[s], dimension);
    for (int s = 0; s < many; s += count)
        residual_pass(&vectors[s], n, dimension, count);
    backward_pass(vectors, n, dimension, many);
    for (int s = 0; s < many; s++)
        solve_presample_now(&matrices[s], &vectors[s], doublings + s * mp_arima_doublings(n), n);
    for (int s = 0; s < many; s += count)
        product_passes(&vectors[s], n, dimension, count);
    for (int s = 0; s < many; s++)
        finish_now(&matrices[s], &vectors[s], doublings + s * mp_arima_doublings(n), n, point, at[s]);
}

/* Stores the first lanes of the vectors that hold a lane in use; returns their number. */
static int used_vectors(uint32_t used, int *at)
{
    int count = 0;
    for (int v = 0; v < VECTORS; v++)
        if (used >> v * WIDTH & ((1u << WIDTH) - 1))
            at[count++] = v * WIDTH;
    return count;
}

/* One function per dimension, so that the compiler sees a constant. The functions on small matrices are not inlined,
 * because they take long to compile. */
#define NOT_INLINED static __attribute__((noinline)) void
#define EVALUATE(dimension)                                                                                            \
    NOT_INLINED solve_presample_##dimension(struct lane_matrices *matrices, struct lane_vector *lanes,                 \
                                            struct doubling *doublings, size_t n)                                      \
    {                                                                                                                  \
        solve_presample(matrices, lanes, doublings, n, dimension);                                                     \
    }                                                                                                                  \
    NOT_INLINED finish_##dimension(struct lane_matrices *matrices, struct lane_vector *lanes,                          \
                                   struct doubling *doublings, size_t n, struct arima_point *point, int at)            \
    {                                                                                                                  \
        finish(matrices, lanes, doublings, n, point, at, dimension);                                                   \
    }                                                                                                                  \
    static void evaluate_##dimension(const struct arima_workspace *workspace, struct arima_point *point)               \
    {                                                                                                                  \
        int at[VECTORS], count = used_vectors(workspace->used, at), v = 0;                                             \
        for (; v + TOGETHER <= count; v += TOGETHER)                                                                   \
            evaluate_vectors(workspace, point, at + v, solve_presample_##dimension, finish_##dimension, dimension,     \
                             TOGETHER);                                                                                \
        for (; v < count; v++)                                                                                         \
            evaluate_vectors(workspace, point, at + v, solve_presample_##dimension, finish_##dimension, dimension, 1); \
    }
EVALUATE(1)
EVALUATE(2)
EVALUATE(3)
EVALUATE(4)
EVALUATE(5)
EVALUATE(6)
EVALUATE(7)
EVALUATE(8)

static void evaluate(const struct arima_workspace *workspace, unsigned dimension, struct arima_point *point)
{
    static void (*const evaluators[M])(const struct arima_workspace *, struct arima_point *) = {
        evaluate_1, evaluate_2, evaluate_3, evaluate_4, evaluate_5, evaluate_6, evaluate_7, evaluate_8,
    };
    evaluators[dimension - 1](workspace, point);
}

#define PASTE(a, b) a##b
#define TABLE(bytes) PASTE(mp_arima_kernel_, bytes)
extern const struct arima_kernel TABLE(MP_LANE_BYTES);
const struct arima_kernel TABLE(MP_LANE_BYTES) = {.evaluate = evaluate, .solve = solve, .update_secant = update_secant};
