/* SPDX-License-Identifier: BSD-3-Clause */
/* Pseudo-random numbers, the same on every machine for a seed: SplitMix64 (Steele, Lea and Flood, 2014). */
#ifndef MP_SUPPORT_RANDOM_H
#define MP_SUPPORT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t mp_random_bits(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Every pair of a seed and a sequence number begins a different sequence. */
static inline struct random mp_random(uint64_t seed, uint64_t sequence)
{
    struct random random = {seed};
    random.state = mp_random_bits(&random) ^ sequence;
    random.state = mp_random_bits(&random);
    return random;
}

/* A number of at least 0 and less than 1. */
static inline double mp_random_fraction(struct random *random)
{
    return (double)(mp_random_bits(random) >> 11) * 0x1p-53;
}

static inline double mp_random_between(struct random *random, double low, double high)
{
    return low + (high - low) * mp_random_fraction(random);
}

/* A number 0 .. n - 1, for n below 2^53. */
static inline size_t mp_random_below(struct random *random, size_t n)
{
    return (size_t)(mp_random_fraction(random) * (double)n);
}

#endif
