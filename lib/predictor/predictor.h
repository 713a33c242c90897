/* SPDX-License-Identifier: BSD-3-Clause */
/* The predictor's handle, inside the library. */
#ifndef MP_PREDICTOR_PREDICTOR_H
#define MP_PREDICTOR_PREDICTOR_H

#include "api/runtime.h"
#include "methods/method.h"
#include "series/history.h"

/* A fitted_step without a fit. */
#define MP_NEVER UINT64_MAX

struct moep_predictor {
    const struct method *method;
    moep_predictor_config config; /* checked, history resolved */
    struct runtime runtime;
    struct history history;
    void *model; /* what the method's fit estimates, model_size bytes; NULL where the method has none */
    size_t model_size;
    uint64_t fitted_step;
    void *state; /* what the method learns from pushes, state_size bytes; NULL where the method has none */
    size_t state_size;
};

/* A predictor of that method; config is checked. The ring and the state are uninitialised. */
moep_status mp_predictor_make(const struct method *method, size_t layers, size_t experts,
                              const moep_predictor_config *config, const struct runtime *runtime, moep_predictor **out);

/* The public calls of these names, for other files of the library. They must not call the public ones, because another
 * library in the process could intercept such a call. Also, abidw 2.2 loses a function that another file calls. */
void mp_predictor_destroy(moep_predictor *predictor);
moep_status mp_predictor_push(moep_predictor *predictor, uint64_t first_step, size_t steps, const void *counts,
                              moep_dtype dtype);
moep_status mp_predictor_fit(moep_predictor *predictor);
moep_status mp_predictor_predict(const moep_predictor *predictor, size_t horizon, size_t stride, double *shares,
                                 size_t capacity);

/* The input of a method's call. */
struct task mp_predictor_task(const moep_predictor *predictor);

/* Copies the model between predictors of the same method, configuration and shape. */
void mp_predictor_copy_model(moep_predictor *to, const moep_predictor *from);

/* Makes a predictor with the same method, config and model, and an empty history. */
moep_status mp_predictor_make_like(const moep_predictor *original, const struct runtime *runtime, moep_predictor **out);

#endif
