/* SPDX-License-Identifier: BSD-3-Clause */
/* The LSTM on one thread: products, an update, a forecast of many series, forecasts of a layer from
 * window means. usage: lstm [--outputs FILE] */
#include "bench.h"

#include "methods/lstm/features/examples.h"
#include "methods/lstm/means_forecast.h"
#include "methods/lstm/model.h"
#include "methods/lstm/training/adam.h"
#include "methods/lstm/network/batch.h"

#include <math.h>

#ifdef MP_OPENBLAS
char *openblas_get_corename(void);
#endif

static const struct memory memory = {mp_default_allocate, mp_default_release, NULL};

/* ---- clocks: seconds -------------------------------------------------------------------------------------------- */

static double seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* The least CPU time of a call, on the caller's thread; and CPU time over wall time, of all calls. */
struct timing {
    double least, cpu_over_wall;
};

static struct timing measure(void (*work)(void *user), void *user)
{
    struct timing timing = {1e9, 0};
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), passed = 0;
    for (int run = 0; run < 10 || passed < 1.5; run++) {
        double start = seconds(CLOCK_THREAD_CPUTIME_ID);
        work(user);
        timing.least = fmin(timing.least, seconds(CLOCK_THREAD_CPUTIME_ID) - start);
        passed = seconds(CLOCK_MONOTONIC) - wall;
    }
    timing.cpu_over_wall = (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / passed;
    return timing;
}

static real *numbers(size_t n, double scale)
{
    real *numbers = malloc((n ? n : 1) * sizeof *numbers);
    uint64_t state = 1;
    if (!numbers)
        exit(1);
    for (size_t i = 0; i < n; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        numbers[i] = (real)(((double)(state >> 40) / 16777216 - 0.5) * scale);
    }
    return numbers;
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

struct product {
    struct gemm gemm;
    size_t m, n, k;
    bool add_transposed;
    real *a, *b, *c;
};

static void multiply(void *user)
{
    struct product *p = user;
    for (int i = 0; i < 100; i++)
        if (p->add_transposed)
            mp_gemm_add_transposed(p->gemm, p->m, p->n, p->k, p->a, p->m, p->b, p->n + MP_ROW, p->c, p->n);
        else
            mp_gemm(p->gemm, p->m, p->n, p->k, p->a, p->k, p->b, NULL, p->c, p->n + MP_ROW);
}

static double rate(struct gemm gemm, size_t m, size_t n, size_t k, bool add_transposed)
{
    struct product p = {gemm, m, n, k, add_transposed, numbers(1 << 17, 1), numbers(1 << 17, 1), numbers(1 << 17, 1)};
    double flops = 200.0 * (double)m * (double)n * (double)k, least = 1e9;
    for (int i = 0; i < 40; i++) {
        double start = seconds(CLOCK_THREAD_CPUTIME_ID);
        multiply(&p);
        least = fmin(least, seconds(CLOCK_THREAD_CPUTIME_ID) - start);
    }
    free(p.a);
    free(p.b);
    free(p.c);
    return flops / least * 1e-9;
}

static double print_products(void)
{
    const size_t size[][2] = {{32, 1}, {64, 16}};
    struct gemm plain = {.bytes = mp_vector_bytes()}, blas = {.bytes = 16, .openblas = true};
    double peak = rate(plain, 96, 256, 256, false);
    printf("products of a tile of 48 series, GFLOP/s: plain kernel (%d-bit vectors; 96 x 256 x 256: %.0f)",
           plain.bytes * 8, peak);
#ifdef MP_OPENBLAS
    printf(", OpenBLAS (%s) in calls of at most %d", openblas_get_corename(), MP_GEMM_MOST);
#endif
    printf("\n  H   I     forward          by states        by weights\n");
    for (size_t i = 0; i < 2; i++) {
        size_t h = size[i][0], k = h + size[i][1], n = 4 * h;
        printf("%3zu %3zu", h, k - h);
        for (int product = 0; product < 3; product++) {
            size_t m = product < 2 ? 48 : k, columns = product == 1 ? h : n,
                   terms = product == 0   ? k
                           : product == 1 ? n
                                          : 192;
            printf("   %5.0f", rate(plain, m, columns, terms, product == 2));
            printf(" %5.0f   ", mp_gemm_has_openblas() ? rate(blas, m, columns, terms, product == 2) : 0);
        }
        printf("\n");
    }
    return peak;
}

/* ---- a network with a linear head of 16 outputs on the last state, mean square error, Adam ----------------------- */

enum { OUTPUTS = 16 };

struct network {
    struct lstm_shape shape;
    struct lstm_work work;
    struct arena arena;
    struct lstm_batch batch;
    real *parameters, *gradient, *first, *second, *target, *output;
    struct lstm_adam adam;
};

/* The head's weights are [outputs][hidden], then [outputs]. */
static void linear_head(void *user, const struct lstm_view *view)
{
    struct network *n = user;
    size_t hidden = n->shape.hidden;
    const real *weight = n->parameters + mp_lstm_head(&n->shape), *bias = weight + OUTPUTS * hidden;
    for (size_t r = 0; r < view->count; r++) {
        const real *h = view->hidden + r * view->row_stride;
        real *out = n->output + (view->first + r) * OUTPUTS,
             *d = view->d_output ? view->d_output + r * view->d_row_stride : NULL;
        for (size_t i = 0; d && i < hidden; i++)
            d[i] = 0;
        for (size_t o = 0; o < OUTPUTS; o++) {
            real sum[16] = {0}, total = bias[o];
            for (size_t i = 0; i < hidden; i += 16)
                for (size_t l = 0; l < 16; l++)
                    sum[l] += weight[o * hidden + i + l] * h[i + l];
            for (size_t l = 0; l < 16; l++)
                total += sum[l];
            out[o] = total;
            if (!d)
                continue;
            real slope = 2 * (total - n->target[(view->first + r) * OUTPUTS + o]) / (real)(n->batch.series * OUTPUTS);
            for (size_t i = 0; i < hidden; i++) {
                d[i] += slope * weight[o * hidden + i];
                view->d_head[o * hidden + i] += slope * h[i];
            }
            view->d_head[OUTPUTS * hidden + o] += slope;
        }
    }
}

static struct network *make(size_t series, size_t hidden, size_t steps, size_t inputs, bool training)
{
    struct network *n = calloc(1, sizeof *n);
    struct lstm_plan plan = {.steps = steps, .workers = 1, .training = training};
    n->shape = (struct lstm_shape){.inputs = inputs, .hidden = hidden, .layers = 1, .head = OUTPUTS * (hidden + 1)};
    if (!mp_lstm_work_init(&n->work, &n->shape, &plan) ||
        !mp_arena_make(&n->arena, mp_lstm_work_lay_out, &n->work, &memory))
        exit(1);
    size_t parameters = n->work.parameters;
    n->parameters = numbers(parameters, 2 / sqrt((double)hidden));
    n->gradient = numbers(parameters, 0);
    n->first = numbers(parameters, 0);
    n->second = numbers(parameters, 0);
    n->target = numbers(series * OUTPUTS, 1);
    n->output = numbers(series * OUTPUTS, 0);
    n->batch = (struct lstm_batch){.steps = steps,
                                   .series = series,
                                   .inputs = numbers(steps * series * inputs, 1),
                                   .head = linear_head,
                                   .user = n};
    n->adam = mp_lstm_adam_init();
    return n;
}

static void unmake(struct network *n)
{
    real *owned[] = {n->parameters, n->gradient, n->first, n->second, n->target, n->output, (real *)n->batch.inputs};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    mp_arena_free(&n->arena, &memory);
    free(n);
}

static void update(void *user)
{
    struct network *n = user;
    struct lstm_adam_rule rule = {.learning_rate = 1e-3, .max_norm = 1};
    mp_lstm_work_set_parameters(&n->work, n->parameters);
    mp_lstm_gradient(&n->work, &n->batch, n->gradient);
    if (!mp_lstm_adam_update(&n->adam, &rule, n->work.parameters, n->gradient, n->first, n->second, n->parameters))
        exit(1);
}

static void forecast(void *user)
{
    struct network *n = user;
    mp_lstm_work_set_parameters(&n->work, n->parameters);
    mp_lstm_forward(&n->work, &n->batch);
}

/* Floating-point operations of the products alone. */
static double flops(const struct network *n, bool training)
{
    double cells = (double)n->batch.series * (double)n->batch.steps * 4 * (double)n->shape.hidden;
    double row = (double)(n->shape.hidden + n->shape.inputs);
    return 2 * cells * (training ? 2 * row + (double)n->shape.hidden : row);
}

static void print_timing(const char *what, struct network *n, bool training, double peak)
{
    struct timing t = measure(training ? update : forecast, n);
    double gflops = flops(n, training) / t.least * 1e-9;
    printf("%s %zu %zu %zu %zu: %.3f ms, %.0f GFLOP/s (%.0f %% of the products' peak), CPU / wall %.2f\n", what,
           n->batch.series, n->shape.hidden, n->batch.steps, n->shape.inputs, t.least * 1e3, gflops,
           100 * gflops / peak, t.cpu_over_wall);
    fflush(stdout);
}

/* ---- outputs that lstm_torch.py compares ------------------------------------------------------------------------- */

/* Writes four 32-bit sizes, then 32-bit floats: weights in PyTorch's layout, the head's, the inputs, the outputs. */
static void write_outputs(const char *path)
{
    struct network *n = make(96, 32, 100, 1, false);
    size_t h = 32, head = mp_lstm_head(&n->shape);
    struct lstm_weights w = {numbers(4 * h, 0), numbers(4 * h * h, 0), numbers(4 * h, 0), numbers(4 * h, 0)};
    uint32_t sizes[4] = {96, 32, 100, 1};
    FILE *file = fopen(path, "wb");
    if (!file)
        exit(1);
    forecast(n);
    mp_lstm_export(&n->shape, 0, n->parameters, w);
    fwrite(sizes, sizeof sizes, 1, file);
    fwrite(w.weight_ih, sizeof(real), 4 * h, file);
    fwrite(w.weight_hh, sizeof(real), 4 * h * h, file);
    fwrite(w.bias_ih, sizeof(real), 4 * h, file);
    fwrite(w.bias_hh, sizeof(real), 4 * h, file);
    fwrite(n->parameters + head, sizeof(real), OUTPUTS * (h + 1), file);
    fwrite(n->batch.inputs, sizeof(real), 100 * 96, file);
    fwrite(n->output, sizeof(real), 96 * OUTPUTS, file);
    if (fclose(file))
        exit(1);
    free(w.weight_ih);
    free(w.weight_hh);
    free(w.bias_ih);
    free(w.bias_hh);
    unmake(n);
}

/* ---- a layer's forecast from window means ------------------------------------------------------------------------ */

enum { EXPERTS = 256 };

struct layer_of_means {
    moep_predictor_config config;
    void *model, *scratch;
    double means[MP_LSTM_WINDOWS * EXPERTS], row[EXPERTS];
    size_t horizon;
};

static void forecast_means(void *user)
{
    struct layer_of_means *l = user;
    struct window_means means = {l->means, EXPERTS, 3000};
    for (int i = 0; i < 100; i++)
        mp_lstm_means_forecast.forecast(&l->config, l->model, &means, l->horizon, l->horizon, l->scratch, l->row,
                                        EXPERTS);
}

static void *lines(size_t bytes)
{
    void *found = aligned_alloc(MP_CACHE_LINE, mp_whole_lines(bytes, 1));
    if (!found)
        exit(1);
    return found;
}

static void print_means(void)
{
    struct layer_of_means l = {.config.struct_size = sizeof l.config};
    moep_predictor_config_init(&l.config, MOEP_LSTM);
    l.config.lstm_layers = 0;
    l.model = lines(mp_lstm_model_size(&l.config, 1, EXPERTS));
    l.scratch = lines(mp_lstm_means_forecast.scratch_size(EXPERTS));
    mp_lstm_model_init(&l.config, EXPERTS, l.model);
    for (size_t i = 0; i < MP_LSTM_WINDOWS * EXPERTS; i++)
        l.means[i] = (1 + (double)(i * 7919 % 1000) / 1000) / (1.5 * EXPERTS);
    printf("one row of a layer of %d experts from window means, microseconds:", EXPERTS);
    for (l.horizon = 1000; l.horizon <= 2000; l.horizon += 1000)
        printf("   %.1f for %zu steps", measure(forecast_means, &l).least * 1e4, l.horizon);
    printf("\n");
    free(l.scratch);
    free(l.model);
}

int main(int count, char **arguments)
{
    const size_t shape[][4] = {{96, 32, 100, 1}, {96, 64, 100, 16}, {1536, 32, 100, 1}, {1536, 64, 100, 16}};
    double peak = print_products();
    for (size_t i = 0; i < 4; i++) {
        struct network *n = make(shape[i][0], shape[i][1], shape[i][2], shape[i][3], true);
        print_timing("train", n, true, peak);
        unmake(n);
    }
    struct network *all = make(58 * 256, 32, 100, 1, false);
    print_timing("forecast", all, false, peak);
    unmake(all);
    print_means();
    if (count == 3 && strcmp(arguments[1], "--outputs") == 0)
        write_outputs(arguments[2]);
    return 0;
}
