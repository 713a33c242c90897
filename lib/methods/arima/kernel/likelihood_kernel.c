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
struct small {
    struct presample presample;
    vector k[M][M];
    vector w[M][M], q[M][M]; /* the derivatives by K and by C */
    vector work[4][M][M];    /* of one function after another */
    vector root[M][M];       /* C = root root' */
    vector factor[M][M];     /* I + root' K root = factor factor' */
    vector multiplier[M];    /* inverse(C) c */
    vector determinant;      /* the product of the squared diagonal of factor */
    mask possible;
};

_Static_assert(STRANDS * sizeof(struct small) <= MP_ARIMA_KERNEL_SCRATCH, "the workspace has room for it");

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

INLINE void factor_of_sum(struct small *small, const int order)
{
    vector(*product)[M] = small->work[0], (*f)[M] = small->factor;
    for (int i = 0; i < order; i++)
        for (int j = 0; j < order; j++) {
            product[i][j] = splat(0);
            for (int k = j; k < order; k++)
                product[i][j] += small->k[i][k] * small->root[k][j];
        }
    small->determinant = splat(1);
    for (int i = 0; i < order; i++)
        for (int j = 0; j <= i; j++) {
            f[i][j] = splat(i == j ? 1 : 0);
            for (int k = i; k < order; k++)
                f[i][j] += small->root[k][i] * product[k][j];
        }
    for (int j = 0; j < order; j++) {
        vector d = f[j][j];
        for (int k = 0; k < j; k++)
            d -= f[j][k] * f[j][k];
        small->possible &= d > splat(0);
        d = choose(d > splat(0), d, splat(1));
        small->determinant *= d;
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
INLINE void presample_effects(struct small *small, struct strand *strand, const int order)
{
    vector x[M];
    for (int i = 0; i < order; i++) {
        x[i] = splat(0);
        for (int k = i; k < order; k++)
            x[i] += small->root[k][i] * strand->projection[k];
    }
    forward_substitute(small->factor, x, order);
    back_substitute(small->factor, x, order);
    for (int i = 0; i < order; i++) {
        strand->presample[i] = splat(0);
        for (int k = 0; k <= i; k++)
            strand->presample[i] += small->root[i][k] * x[k];
    }
    for (int i = 0; i < order; i++) {
        small->multiplier[i] = strand->projection[i];
        for (int k = 0; k < order; k++)
            small->multiplier[i] -= small->k[i][k] * strand->presample[k];
    }
}

/* What is known before c is: C, K, their factors, c. */
INLINE void value(struct small *small, struct strand *strand, struct impulse_level *levels, size_t n, const int order)
{
    small->possible = is_stationary(strand->phi, order);
    presample_covariance(&small->presample, strand->phi, strand->theta, order);
    small->possible &= small->presample.autocovariance[0] > splat(0);
    impulse_products(small->k, levels, small->work, strand->theta, n, order);
    small->possible &= small->k[0][0] < splat(invertible);
    root_of(small->root, small->presample.c, order);
    factor_of_sum(small, order);
    presample_effects(small, strand, order);
}

/* Of the log-determinant by K, W = root inverse(factor factor') root'; of the objective times 2 by C,
 * Q - (n / S) multiplier multiplier' with Q = K - K W K. */
INLINE void by_matrices(struct small *small, vector scale, vector (*w)[M], vector (*q)[M], const int order)
{
    vector(*half)[M] = small->work[0], (*product)[M] = small->work[1];
    for (int j = 0; j < order; j++) {
        vector x[M];
        for (int i = 0; i < order; i++)
            x[i] = i <= j ? small->root[j][i] : splat(0);
        forward_substitute(small->factor, x, order);
        for (int i = 0; i < order; i++)
            half[j][i] = x[i];
        clear(w[j], order);
    }
    add_symmetric(w, half, half, order);
    multiply(product, small->k, w, order);
    for (int i = 0; i < order; i++)
        for (int j = 0; j <= i; j++) {
            vector x = small->k[i][j] - scale * small->multiplier[i] * small->multiplier[j];
            for (int k = 0; k < order; k++)
                x -= product[i][k] * small->k[k][j];
            q[i][j] = q[j][i] = x;
        }
}

/* Half of the derivatives of n log S + log-determinant. */
INLINE void gradient(struct small *small, struct strand *strand, struct impulse_level *levels, size_t n, vector squares,
                     struct arima_point *point, int at, const int order)
{
    vector by_phi[M], by_theta[M], scale = (double)n / squares;
    by_matrices(small, scale, small->w, small->q, order);
    clear(by_phi, order);
    clear(by_theta, order);
    presample_adjoint(&small->presample, small->work, strand->phi, strand->theta, small->q, by_phi, by_theta, order);
    impulse_adjoint(small->w, levels, small->work, strand->theta, by_theta, n, order);
    for (int i = 0; i < order; i++) {
        put(&point->gradient[i], at, 0.5 * by_phi[i] - scale * strand->with_filtered[i]);
        put(&point->gradient[order + i], at, 0.5 * by_theta[i] - scale * strand->with_twice[i]);
    }
}

INLINE void finish(struct small *small, struct strand *strand, struct impulse_level *levels, size_t n,
                   struct arima_point *point, int at, const int order)
{
    vector squares = strand->squares;
    for (int i = 0; i < order; i++)
        squares += strand->presample[i] * small->multiplier[i];
    mask possible = small->possible & (squares > splat(0)) & is_finite(squares) & is_finite(small->determinant);
    squares = choose(possible, squares, splat(1));
    vector determinant = choose(possible, small->determinant, splat(1)), objective;
    for (int l = 0; l < WIDTH; l++)
        objective[l] = 0.5 * ((double)n * mp_logarithm(squares[l]) + mp_logarithm(determinant[l]));
    put(&point->objective, at, choose(possible, objective, splat(none)));
    put(&point->sum_of_squares, at, squares);
    put(&point->determinant, at, determinant);
    gradient(small, strand, levels, n, squares, point, at, order);
    gauss_newton(strand, (double)n / squares, point, at, order);
}

typedef void value_function(struct small *small, struct strand *strand, struct impulse_level *levels, size_t n);
typedef void finish_function(struct small *small, struct strand *strand, struct impulse_level *levels, size_t n,
                             struct arima_point *point, int at);

/* One vector of lanes, or STRANDS of them: those that begin at lanes at[0], at[1]. */
INLINE void evaluate_strands(const struct arima_workspace *workspace, struct arima_point *point, const int *at,
                             value_function *value_now, finish_function *finish_now, const int order,
                             const int strands_now)
{
    struct strand strands[STRANDS];
    struct small *small = workspace->scratch; /* more than a small stack bears */
    struct impulse_level *levels = (struct impulse_level *)workspace->powers;
    size_t n = workspace->n;
    const int count = order <= 2 ? strands_now : 1; /* as many as the registers hold */
    for (int s = 0; s < strands_now; s++) {
        struct strand *strand = &strands[s];
        strand->series = mp_arima_lane(workspace, workspace->series, (size_t)at[s]);
        strand->filtered = mp_arima_lane(workspace, workspace->filtered, (size_t)at[s]);
        strand->residuals = mp_arima_lane(workspace, workspace->residuals, (size_t)at[s]);
        strand->twice = mp_arima_lane(workspace, workspace->twice, (size_t)at[s]);
        for (int i = 0; i < order; i++) {
            strand->phi[i] = get(&point->parameters[i], at[s]);
            strand->theta[i] = get(&point->parameters[order + i], at[s]);
        }
    }
    for (int s = 0; s < strands_now; s += count)
        residual_pass(&strands[s], n, order, count);
    backward_pass(strands, n, order, strands_now);
    for (int s = 0; s < strands_now; s++)
        value_now(&small[s], &strands[s], levels + s * mp_arima_doublings(n), n);
    for (int s = 0; s < strands_now; s += count)
        product_passes(&strands[s], n, order, count);
    for (int s = 0; s < strands_now; s++)
        finish_now(&small[s], &strands[s], levels + s * mp_arima_doublings(n), n, point, at[s]);
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
#define EVALUATE(order)                                                                                            \
    NOT_INLINED value_##order(struct small *small, struct strand *strand, struct impulse_level *levels, size_t n)  \
    {                                                                                                              \
        value(small, strand, levels, n, order);                                                                    \
    }                                                                                                              \
    NOT_INLINED finish_##order(struct small *small, struct strand *strand, struct impulse_level *levels, size_t n, \
                               struct arima_point *point, int at)                                                  \
    {                                                                                                              \
        finish(small, strand, levels, n, point, at, order);                                                        \
    }                                                                                                              \
    static void evaluate_##order(const struct arima_workspace *workspace, struct arima_point *point)               \
    {                                                                                                              \
        int at[VECTORS], count = used_vectors(workspace->used, at), v = 0;                                         \
        for (; v + STRANDS <= count; v += STRANDS)                                                                 \
            evaluate_strands(workspace, point, at + v, value_##order, finish_##order, order, STRANDS);             \
        for (; v < count; v++)                                                                                     \
            evaluate_strands(workspace, point, at + v, value_##order, finish_##order, order, 1);                   \
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
const struct arima_kernel TABLE(MP_LANE_BYTES) = {.evaluate = evaluate, .solve = solve, .learn = learn};
