/* SPDX-License-Identifier: BSD-3-Clause */
/* The likelihood, its gradient and its Gauss-Newton matrix at a point, lane by lane. */
#include "methods/arima/kernel/impulse_gram.h"
#include "methods/arima/kernel/newton_step.h"
#include "methods/arima/kernel/passes.h"
#include "methods/arima/kernel/presample.h"
#include "support/logarithm.h"

/* A theta whose impulse response has this sum of squares is no use: the sums lose their digits. */
static const double invertible = 1e12, none = 1e300;

/* What one vector of lanes needs beside its passes. */
struct lane_matrices {
    struct presample presample;
    vector k[M][M];
    vector w[M][M], q[M][M]; /* the derivatives by K and by C */
    vector work[4][M][M];    /* of one function after another */
    vector root[M][M];       /* C = root root' */
    vector factor[M][M];     /* I + root' K root = factor factor' */
    vector lambda[M];        /* inverse(C) c */
    vector determinant;      /* the product of the squared diagonal of factor */
    mask admissible;
};

_Static_assert(TOGETHER * sizeof(struct lane_matrices) <= MP_ARIMA_KERNEL_SCRATCH, "the workspace has room for it");

/* Columns without variance of their own become 0: a singular matrix has a root too. */
INLINE void root_of(vector (*l)[M], vector (*c)[M], const int order)
{
    vector trace = splat(0);
    for (int i = 0; i < order; i++) {
        trace += c[i][i];
        clear(l[i], order);
    }
    for (int j = 0; j < order; j++) {
        vector d = c[j][j];
        for (int k = 0; k < j; k++)
            d -= l[j][k] * l[j][k];
        mask some = d > 1e-14 * trace;
        vector root = square_root(choose(some, d, splat(1))), inverse = choose(some, 1 / root, splat(0));
        l[j][j] = choose(some, root, splat(0));
        for (int i = j + 1; i < order; i++) {
            vector x = c[i][j];
            for (int k = 0; k < j; k++)
                x -= l[i][k] * l[j][k];
            l[i][j] = x * inverse;
        }
    }
}

INLINE void factor_of_sum(struct lane_matrices *matrices, const int order)
{
    vector(*product)[M] = matrices->work[0], (*f)[M] = matrices->factor;
    for (int i = 0; i < order; i++)
        for (int j = 0; j < order; j++) {
            product[i][j] = splat(0);
            for (int k = j; k < order; k++)
                product[i][j] += matrices->k[i][k] * matrices->root[k][j];
        }
    matrices->determinant = splat(1);
    for (int i = 0; i < order; i++)
        for (int j = 0; j <= i; j++) {
            f[i][j] = splat(i == j ? 1 : 0);
            for (int k = i; k < order; k++)
                f[i][j] += matrices->root[k][i] * product[k][j];
        }
    for (int j = 0; j < order; j++) {
        vector d = f[j][j];
        for (int k = 0; k < j; k++)
            d -= f[j][k] * f[j][k];
        matrices->admissible &= d > splat(0);
        d = choose(d > splat(0), d, splat(1));
        matrices->determinant *= d;
        f[j][j] = square_root(d);
        vector inverse = 1 / f[j][j];
        for (int i = j + 1; i < order; i++) {
            for (int k = 0; k < j; k++)
                f[i][j] -= f[i][k] * f[j][k];
            f[i][j] *= inverse;
        }
    }
}

INLINE void forward_substitute(vector (*l)[M], vector *x, const int order)
{
    for (int i = 0; i < order; i++) {
        for (int k = 0; k < i; k++)
            x[i] -= l[i][k] * x[k];
        x[i] /= l[i][i];
    }
}

INLINE void back_substitute(vector (*l)[M], vector *x, const int order)
{
    for (int i = order - 1; i >= 0; i--) {
        for (int k = i + 1; k < order; k++)
            x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
    }
}

/* c = root inverse(I + root' K root) root' H'e, and inverse(C) c = H'e - K c. */
INLINE void presample_effects(struct lane_matrices *matrices, struct lane_vector *lanes, const int order)
{
    vector x[M];
    for (int i = 0; i < order; i++) {
        x[i] = splat(0);
        for (int k = i; k < order; k++)
            x[i] += matrices->root[k][i] * lanes->he[k];
    }
    forward_substitute(matrices->factor, x, order);
    back_substitute(matrices->factor, x, order);
    for (int i = 0; i < order; i++) {
        lanes->c[i] = splat(0);
        for (int k = 0; k <= i; k++)
            lanes->c[i] += matrices->root[i][k] * x[k];
    }
    for (int i = 0; i < order; i++) {
        matrices->lambda[i] = lanes->he[i];
        for (int k = 0; k < order; k++)
            matrices->lambda[i] -= matrices->k[i][k] * lanes->c[k];
    }
}

/* What is known before c is: C, K, their factors, c. */
INLINE void value(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings, size_t n,
                  const int order)
{
    matrices->admissible = is_stationary(lanes->phi, order);
    presample_covariance(&matrices->presample, lanes->phi, lanes->theta, order);
    matrices->admissible &= matrices->presample.autocovariance[0] > splat(0);
    impulse_products(matrices->k, doublings, matrices->work, lanes->theta, n, order);
    matrices->admissible &= matrices->k[0][0] < splat(invertible);
    root_of(matrices->root, matrices->presample.c, order);
    factor_of_sum(matrices, order);
    presample_effects(matrices, lanes, order);
}

/* Of the log-determinant by K, W = root inverse(factor factor') root'; of the objective times 2 by C,
 * Q - (n / S) lambda lambda' with Q = K - K W K. */
INLINE void by_matrices(struct lane_matrices *matrices, vector scale, vector (*w)[M], vector (*q)[M], const int order)
{
    vector(*half)[M] = matrices->work[0], (*product)[M] = matrices->work[1];
    for (int j = 0; j < order; j++) {
        vector x[M];
        for (int i = 0; i < order; i++)
            x[i] = i <= j ? matrices->root[j][i] : splat(0);
        forward_substitute(matrices->factor, x, order);
        for (int i = 0; i < order; i++)
            half[j][i] = x[i];
        clear(w[j], order);
    }
    add_symmetric(w, half, half, order);
    multiply(product, matrices->k, w, order);
    for (int i = 0; i < order; i++)
        for (int j = 0; j <= i; j++) {
            vector x = matrices->k[i][j] - scale * matrices->lambda[i] * matrices->lambda[j];
            for (int k = 0; k < order; k++)
                x -= product[i][k] * matrices->k[k][j];
            q[i][j] = q[j][i] = x;
        }
}

/* Half of the derivatives of n log S + log-determinant. */
INLINE void gradient(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings, size_t n,
                     vector squares, struct arima_point *point, int at, const int order)
{
    vector by_phi[M], by_theta[M], scale = (double)n / squares;
    by_matrices(matrices, scale, matrices->w, matrices->q, order);
    clear(by_phi, order);
    clear(by_theta, order);
    presample_adjoint(&matrices->presample, matrices->work, lanes->phi, lanes->theta, matrices->q, by_phi, by_theta,
                      order);
    impulse_adjoint(matrices->w, doublings, matrices->work, lanes->theta, by_theta, n, order);
    for (int i = 0; i < order; i++) {
        put(&point->gradient[i], at, 0.5 * by_phi[i] - scale * lanes->ru[i]);
        put(&point->gradient[order + i], at, 0.5 * by_theta[i] - scale * lanes->rv[i]);
    }
}

INLINE void finish(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings, size_t n,
                   struct arima_point *point, int at, const int order)
{
    vector squares = lanes->squares;
    for (int i = 0; i < order; i++)
        squares += lanes->c[i] * matrices->lambda[i];
    mask admissible =
        matrices->admissible & (squares > splat(0)) & is_finite(squares) & is_finite(matrices->determinant);
    squares = choose(admissible, squares, splat(1));
    vector determinant = choose(admissible, matrices->determinant, splat(1)), objective;
    for (int l = 0; l < WIDTH; l++)
        objective[l] = 0.5 * ((double)n * mp_logarithm(squares[l]) + mp_logarithm(determinant[l]));
    put(&point->objective, at, choose(admissible, objective, splat(none)));
    put(&point->sum_of_squares, at, squares);
    put(&point->determinant, at, determinant);
    gradient(matrices, lanes, doublings, n, squares, point, at, order);
    gauss_newton(lanes, (double)n / squares, point, at, order);
}

typedef void value_function(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings,
                            size_t n);
typedef void finish_function(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings,
                             size_t n, struct arima_point *point, int at);

/* One vector of lanes, or TOGETHER of them: those that begin at lanes at[0], at[1]. */
INLINE void evaluate_vectors(const struct arima_workspace *workspace, struct arima_point *point, const int *at,
                             value_function *value_now, finish_function *finish_now, const int order, const int vectors)
{
    struct lane_vector lanes[TOGETHER];
    struct lane_matrices *matrices = workspace->scratch; /* more than a small stack bears */
    struct doubling *doublings = (struct doubling *)workspace->powers;
    size_t n = workspace->n;
    const int count = order <= 2 ? vectors : 1; /* as many as the registers hold */
    for (int s = 0; s < vectors; s++) {
        struct lane_vector *now = &lanes[s];
        now->series = mp_arima_lane(workspace, workspace->series, (size_t)at[s]);
        now->filtered_series = mp_arima_lane(workspace, workspace->filtered_series, (size_t)at[s]);
        now->residuals = mp_arima_lane(workspace, workspace->residuals, (size_t)at[s]);
        now->filtered_residuals = mp_arima_lane(workspace, workspace->filtered_residuals, (size_t)at[s]);
        for (int i = 0; i < order; i++) {
            now->phi[i] = get(&point->parameters[i], at[s]);
            now->theta[i] = get(&point->parameters[order + i], at[s]);
        }
    }
    for (int s = 0; s < vectors; s += count)
        residual_pass(&lanes[s], n, order, count);
    backward_pass(lanes, n, order, vectors);
    for (int s = 0; s < vectors; s++)
        value_now(&matrices[s], &lanes[s], doublings + s * mp_arima_doublings(n), n);
    for (int s = 0; s < vectors; s += count)
        product_passes(&lanes[s], n, order, count);
    for (int s = 0; s < vectors; s++)
        finish_now(&matrices[s], &lanes[s], doublings + s * mp_arima_doublings(n), n, point, at[s]);
}

/* The vectors that hold a lane in use: where each begins. */
static int used_vectors(uint32_t used, int *at)
{
    int count = 0;
    for (int v = 0; v < VECTORS; v++)
        if (used >> v * WIDTH & ((1u << WIDTH) - 1))
            at[count++] = v * WIDTH;
    return count;
}

/* Functions of their own for every order: the compiler sees it as a constant. What is done with small matrices is not
 * inlined, since compiling it takes long. */
#define NOT_INLINED static __attribute__((noinline)) void
#define EVALUATE(order)                                                                                               \
    NOT_INLINED value_##order(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings,  \
                              size_t n)                                                                               \
    {                                                                                                                 \
        value(matrices, lanes, doublings, n, order);                                                                  \
    }                                                                                                                 \
    NOT_INLINED finish_##order(struct lane_matrices *matrices, struct lane_vector *lanes, struct doubling *doublings, \
                               size_t n, struct arima_point *point, int at)                                           \
    {                                                                                                                 \
        finish(matrices, lanes, doublings, n, point, at, order);                                                      \
    }                                                                                                                 \
    static void evaluate_##order(const struct arima_workspace *workspace, struct arima_point *point)                  \
    {                                                                                                                 \
        int at[VECTORS], count = used_vectors(workspace->used, at), v = 0;                                            \
        for (; v + TOGETHER <= count; v += TOGETHER)                                                                  \
            evaluate_vectors(workspace, point, at + v, value_##order, finish_##order, order, TOGETHER);               \
        for (; v < count; v++)                                                                                        \
            evaluate_vectors(workspace, point, at + v, value_##order, finish_##order, order, 1);                      \
    }
EVALUATE(1)
EVALUATE(2)
EVALUATE(3)
EVALUATE(4)
EVALUATE(5)
EVALUATE(6)
EVALUATE(7)
EVALUATE(8)

static void evaluate(const struct arima_workspace *workspace, unsigned order, struct arima_point *point)
{
    static void (*const evaluators[M])(const struct arima_workspace *, struct arima_point *) = {
        evaluate_1, evaluate_2, evaluate_3, evaluate_4, evaluate_5, evaluate_6, evaluate_7, evaluate_8,
    };
    evaluators[order - 1](workspace, point);
}

#define PASTE(a, b) a##b
#define TABLE(bytes) PASTE(mp_arima_kernel_, bytes)
extern const struct arima_kernel TABLE(MP_LANE_BYTES);
const struct arima_kernel TABLE(MP_LANE_BYTES) = {.evaluate = evaluate, .solve = solve, .update_secant = update_secant};
