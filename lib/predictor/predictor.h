/* SPDX-License-Identifier: BSD-3-Clause */
/* The predictor's handle, inside the library. */
#ifndef MP_PREDICTOR_PREDICTOR_H
#define MP_PREDICTOR_PREDICTOR_H

#include "api/runtime.h"
#include "methods/method.h"
#include "series/history.h"

/* Its parts: the history, and the model that the method's fit has estimated. */
struct moep_predictor {
    const struct method *method;
    moep_predictor_config config; /* checked, history resolved */
    struct runtime runtime;
    struct history history;
    void *model; /* model_size bytes; NULL where the method has none */
    size_t model_size;
    uint64_t fitted_step;
};

/* A predictor of that method; config is checked. */
moep_status mp_predictor_make(const struct method *method, size_t layers, size_t experts,
                              const moep_predictor_config *config, const struct runtime *runtime, moep_predictor **out);

/* The public calls of these names, for other files of the library. Those must not call the public ones: another library
 * in the process could take such a call over, and abidw 2.2 loses a function that is called from another file than its
 * own. */
void mp_predictor_destroy(moep_predictor *predictor);
moep_status mp_predictor_fit(moep_predictor *predictor);
moep_status mp_predictor_predict(const moep_predictor *predictor, size_t horizon, size_t stride, double *shares,
                                 size_t capacity);

/* The predictor's part of what a method gets in a call. */
struct task mp_predictor_task(const moep_predictor *predictor);

/* Copies the model, between predictors of the same method, configuration and shape. */
void mp_predictor_copy_model(moep_predictor *to, const moep_predictor *from);

/* Makes a predictor with the same method, config and model, and an empty history. */
moep_status mp_predictor_make_like(const moep_predictor *original, const struct runtime *runtime, moep_predictor **out);

#endif
