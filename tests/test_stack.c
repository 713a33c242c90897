/* SPDX-License-Identifier: BSD-3-Clause */
/* Every public call works on the smallest stack. */
#define _GNU_SOURCE
#include "every_call.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

enum { STACK = 64 << 10, ALL = 1 << 20, PAGE = 4096, PAINT = 0xa7, OWN = 512 };

/* The thread's stack. The C library's part is at its top, thread-local variables included. */
static unsigned char *memory;
static unsigned char *lowest, *top;
static size_t most_taken;
static const char *deepest = "none";

/* The lowest address of the stack that has been written to. */
static void measure(const char *call)
{
    const unsigned char *clean = lowest;
    while (*clean == PAINT)
        clean++;
    if ((size_t)(top - clean) > most_taken) {
        most_taken = (size_t)(top - clean);
        deepest = call;
    }
}

/* Protects the stack from 64 KiB below here, so that one more byte kills this process. */
static void *everything(void *user)
{
    top = __builtin_frame_address(0);
    lowest = top - STACK;
    lowest += (PAGE - (uintptr_t)lowest % PAGE) % PAGE;
    memset(lowest, PAINT, (size_t)(top - OWN - lowest));
    if (mprotect(memory, (size_t)(lowest - memory), PROT_NONE) == 0)
        *(uint64_t *)user = call_everything();
    return NULL;
}

static void pass_over(const char *call)
{
    (void)call;
}

static void every_call_works_on_a_stack_of_64_kib(void **state)
{
    (void)state;
    uint64_t here, there = 0;
    pthread_attr_t attributes;
    pthread_t thread;
    make_call_counts();
    after_each = pass_over;
    here = call_everything();
    memory = mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    after_each = measure;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, memory, ALL), 0);
    assert_int_equal(pthread_create(&thread, &attributes, everything, &there), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    printf("# %zu of %d bytes at most: %s\n", most_taken, STACK, deepest);
    assert_true(there == here);
    /* Wider registers than this processor's, a handler of signals, another C library's printing: they want room too. */
    assert_true(most_taken <= 3 * STACK / 4);
    munmap(memory, ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_call_works_on_a_stack_of_64_kib)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
