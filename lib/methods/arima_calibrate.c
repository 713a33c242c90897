/* SPDX-License-Identifier: BSD-3-Clause */
#include "arima_calibrate.h"

#include "arima_forecast.h"
#include "status.h"

#include <math.h>
#include <string.h>

/* With fewer observations a third of them says too little. */
enum { LEAST_TAIL = 20 };

/* The half-width of an interval of 80 %, in standard errors; and what no past may ask for. */
static const double half_width = 1.2815515655446004, least_factor = 0.5, largest_factor = 4;

struct bench {
    size_t tail, past; /* observations */
    double *values;    /* [experts][observations] */
    double *realised;  /* [experts]: the mean of the tail */
    double *off;       /* [series]: in standard errors, absolute; of those that are no constants */
    size_t known;      /* of them */
    double *sums;      /* [tail] */
    struct arima_state *states;
    void *memory;
};

static size_t bench_size(const struct arima_source *source, const struct bench *bench)
{
    size_t e = source->experts, doubles = mp_product(e, source->observations);
    doubles = mp_sum(doubles, mp_sum(e, mp_sum(source->panel->series, bench->tail)));
    size_t size = mp_sum(mp_product(doubles, sizeof(double)), mp_product(e, sizeof(struct arima_state)));
    return mp_sum(size, mp_arima_states_size(bench->past));
}

static void lay_out(const struct arima_source *source, struct bench *bench, void *memory)
{
    size_t e = source->experts;
    bench->values = memory;
    bench->realised = bench->values + e * source->observations;
    bench->off = bench->realised + e;
    bench->sums = bench->off + source->panel->series;
    bench->states = (struct arima_state *)(bench->sums + bench->tail);
    bench->memory = bench->states + e;
}

/* Leaves the past of every series, one after the other, at the beginning of values. */
static void split(const struct arima_source *source, struct bench *bench)
{
    size_t n = source->observations;
    for (size_t e = 0; e < source->experts; e++) {
        const double *series = bench->values + e * n;
        double sum = 0;
        for (size_t t = bench->past; t < n; t++)
            sum += series[t];
        bench->realised[e] = sum / (double)bench->tail;
        memmove(bench->values + e * bench->past, series, bench->past * sizeof *series);
    }
}

/* Shell's; the library's own may take memory past the caller's allocator. */
static void sort(double *values, size_t n)
{
    for (size_t gap = n / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < n; i++) {
            double value = values[i];
            size_t j = i;
            for (; j >= gap && values[j - gap] > value; j -= gap)
                values[j] = values[j - gap];
            values[j] = value;
        }
}

/* Of one layer; leaves the squared standard errors in `squared`. */
static void measure(const struct arima_source *source, struct bench *bench, double *squared)
{
    for (size_t e = 0; e < source->experts; e++) {
        double mean, error;
        mp_arima_forecast(&bench->states[e], bench->tail, bench->tail, &mean, &error, 1, bench->sums);
        double off = fabs(bench->realised[e] - mean) / error;
        squared[e] = isfinite(error * error) ? error * error : 0;
        if (isfinite(off))
            bench->off[bench->known++] = off;
    }
}

static double factor_of(struct bench *bench)
{
    if (bench->known == 0)
        return 1;
    sort(bench->off, bench->known);
    size_t rank = (4 * (bench->known + 1) + 4) / 5; /* of all and the one to come; from 1 */
    double factor = bench->off[(rank < bench->known ? rank : bench->known) - 1] / half_width;
    return factor < least_factor ? least_factor : factor > largest_factor ? largest_factor : factor;
}

moep_status mp_arima_calibrate(const struct task *task, struct arima_model *model, struct arima_source *source)
{
    const struct memory *memory = &task->runtime->memory;
    size_t experts = source->experts, n = source->observations, series = task->panel.series;
    struct bench bench = {.tail = n / 3, .past = n - n / 3};
    bool enough = bench.tail >= LEAST_TAIL;
    model->progress->far = enough ? (uint64_t)bench.tail * source->bucket : 0;
    if (!enough)
        return MOEP_OK;
    size_t size = bench_size(source, &bench);
    void *block = mp_allocate(memory, size, 1);
    if (!block)
        return mp_out_of_memory("the calibration of an ARIMA fit");
    memset(block, 0, size); /* lanes without a series compute too */
    lay_out(source, &bench, block);
    for (size_t first = 0; first < series; first += experts) {
        mp_arima_load(source, first, experts, bench.values);
        split(source, &bench);
        mp_arima_states(model->estimates + first, bench.values, experts, bench.past, task->config->arima_root_limit, 0,
                        bench.memory, bench.states);
        measure(source, &bench, model->calibration + first);
    }
    double factor = factor_of(&bench);
    for (size_t s = 0; s < series; s++)
        model->calibration[s] *= factor * factor - 1;
    mp_release(memory, block, size, 1);
    return MOEP_OK;
}
