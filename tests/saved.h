/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares predictors by their saved bytes. */
#ifndef TESTS_SAVED_H
#define TESTS_SAVED_H

#include "support.h"

enum { MOST = 1 << 20 };

static inline size_t save(const moep_predictor *predictor, unsigned char *bytes)
{
    size_t size = 0;
    assert_int_equal(moep_predictor_save(predictor, bytes, MOST, &size), MOEP_OK);
    return size;
}

static inline void assert_same_bytes(const moep_predictor *a, const moep_predictor *b)
{
    static unsigned char of_a[MOST], of_b[MOST];
    size_t size = save(a, of_a);
    assert_int_equal(size, save(b, of_b));
    assert_memory_equal(of_a, of_b, size);
}

#endif
