/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "support.h"

#include "support/gemm.h"
#include "support/process.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

/* The build in double has no OpenBLAS. */
#if defined(MP_OPENBLAS) && !defined(MP_REAL_DOUBLE)
#define WITH_OPENBLAS
#endif

#ifdef WITH_OPENBLAS
#include <cblas.h>

/* The library calls this function instead, because the linker has --wrap=cblas_sgemm. */
static double largest_call;

void __real_cblas_sgemm(CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, float, const float *,
                        blasint, const float *, blasint, float, float *, blasint);
void __wrap_cblas_sgemm(CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, float, const float *,
                        blasint, const float *, blasint, float, float *, blasint);

void __wrap_cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE left, CBLAS_TRANSPOSE right, blasint m, blasint n, blasint k,
                        float alpha, const float *a, blasint a_stride, const float *b, blasint b_stride, float beta,
                        float *c, blasint c_stride)
{
    largest_call = fmax(largest_call, (double)m * n * k);
    __real_cblas_sgemm(order, left, right, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
}
#endif

/* ---- matrices of numbers with few digits ------------------------------------------------------------------------- */

enum { MOST = 256 * 512, STRAY = 12345 };

static real a[MOST], b[MOST], packed[MOST], c[MOST];

static void fill(real *numbers, uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = 0; i < MOST; i++)
        numbers[i] = (real)((double)(random_number(&state) >> 56) / 256 - 0.5);
}

struct sizes {
    size_t m, n, k;
};

/* Odd sizes, 1, whole tiles, and products larger than a single call of OpenBLAS. */
static const struct sizes all_sizes[] = {{1, 16, 1},    {3, 16, 5},    {5, 32, 17},    {7, 48, 33},  {12, 64, 31},
                                         {13, 80, 64},  {48, 128, 33}, {33, 128, 192}, {64, 112, 3}, {25, 16, 256},
                                         {96, 256, 80}, {2, 304, 7},   {48, 16, 600}};

enum { SIZES = sizeof all_sizes / sizeof *all_sizes };

/* Way i to compute a product: our kernel of 16, 32 or 64 bytes, or OpenBLAS; and whether this machine has it. */
static bool way(int i, struct gemm *gemm)
{
    *gemm = (struct gemm){.bytes = i < 3 ? 16 << i : 16, .openblas = i == 3};
    return i < 3 ? gemm->bytes <= mp_vector_bytes() : mp_gemm_has_openblas();
}

enum { WAYS = 4 };

/* ---- products against their definition --------------------------------------------------------------------------- */

static void check_product(struct gemm gemm, struct sizes s, const real *row, bool transposed_factor)
{
    size_t a_stride = s.k + 3, c_stride = s.n + 16, known = s.n - 5;
    size_t across = transposed_factor ? 1 : s.n, along = transposed_factor ? s.k : 1;
    mp_gemm_pack(gemm, s.k, s.n, b, across, along, known, packed);
    for (size_t i = 0; i < MOST; i++)
        c[i] = STRAY;
    mp_gemm(gemm, s.m, s.n, s.k, a, a_stride, packed, row, c, c_stride);
    for (size_t i = 0; i < s.m; i++)
        for (size_t j = 0; j < c_stride; j++) {
            double sum = j >= s.n ? STRAY : row ? (double)row[j] : 0;
            for (size_t k = 0; k < s.k && j < known; k++)
                sum += (double)a[i * a_stride + k] * (double)b[k * across + j * along];
            assert_near((double)c[i * c_stride + j], sum, 1e-4);
        }
    assert_true(c[s.m * c_stride] == STRAY);
}

/* The first `columns` of a factor's s.n columns, packed and not. OpenBLAS may round products of other sizes in another
 * way. */
static void check_plain(struct gemm gemm, struct sizes s, size_t columns, const real *row)
{
    static real whole[MOST];
    mp_gemm_pack(gemm, s.k, s.n, b, s.n, 1, s.n, packed);
    mp_gemm(gemm, s.m, s.n, s.k, a, s.k, packed, row, whole, s.n);
    for (size_t i = 0; i < MOST; i++)
        c[i] = STRAY;
    mp_gemm_plain(gemm, s.m, columns, s.k, a, s.k, b, s.n, row, c, s.n);
    for (size_t i = 0; i < s.m * s.n; i++)
        if (i % s.n >= columns)
            assert_true(c[i] == STRAY);
        else
            assert_near((double)c[i], (double)whole[i], gemm.openblas ? 1e-4 : 0);
    assert_true(c[s.m * s.n] == STRAY);
}

static void check_sum(struct gemm gemm, struct sizes s)
{
    size_t a_stride = s.m + 3, b_stride = s.n + 16, c_stride = s.n;
    fill(c, 9);
    real *before = malloc(sizeof c);
    memcpy(before, c, sizeof c);
    mp_gemm_add_transposed(gemm, s.m, s.n, s.k, a, a_stride, b, b_stride, c, c_stride);
    for (size_t i = 0; i < s.m; i++)
        for (size_t j = 0; j < s.n; j++) {
            double sum = (double)before[i * c_stride + j];
            for (size_t k = 0; k < s.k; k++)
                sum += (double)a[k * a_stride + i] * (double)b[k * b_stride + j];
            assert_near((double)c[i * c_stride + j], sum, 1e-4);
        }
    assert_memory_equal(c + s.m * c_stride, before + s.m * c_stride, sizeof c - s.m * c_stride * sizeof *c);
    free(before);
}

/* Fills both factors, and returns a row to add. */
static const real *fill_operands(void)
{
    static real row[MOST];
    fill(a, 1);
    fill(b, 2);
    fill(row, 3);
    return row;
}

static void every_way_to_a_product_gives_the_product(void **state)
{
    (void)state;
    struct gemm gemm;
    const real *row = fill_operands();
    for (int i = 0; i < WAYS; i++)
        for (size_t s = 0; way(i, &gemm) && s < SIZES; s++) {
            check_product(gemm, all_sizes[s], NULL, false);
            check_product(gemm, all_sizes[s], row, true);
        }
}

static void a_factor_that_is_not_packed_gives_the_same_bytes(void **state)
{
    (void)state;
    struct gemm gemm;
    const real *row = fill_operands();
    for (int i = 0; i < WAYS; i++)
        for (size_t s = 0; way(i, &gemm) && s < SIZES; s++)
            for (size_t columns = 16; columns <= all_sizes[s].n; columns += 16)
                check_plain(gemm, all_sizes[s], columns, columns % 32 ? row : NULL);
}

/* A forked child does not call OpenBLAS, and reads what its parent packed for it. */
static void what_is_packed_for_openblas_is_read_without_it(void **state)
{
    (void)state;
    const size_t k = 17, n = 48, m = 7;
    struct gemm parent = {.bytes = 16, .openblas = mp_gemm_has_openblas()}, child = {.bytes = 16};
    static real once[7 * 48], again[7 * 48];
    fill(a, 1);
    fill(b, 2);
    mp_gemm_pack(child, k, n, b, n, 1, n, packed);
    mp_gemm(child, m, n, k, a, k, packed, NULL, once, n);
    memset(packed, 0, sizeof packed);
    mp_gemm_pack(parent, k, n, b, n, 1, n, packed);
    mp_gemm(child, m, n, k, a, k, packed, NULL, again, n);
    assert_memory_equal(once, again, sizeof once);
}

static void every_way_to_a_sum_of_products_adds_them(void **state)
{
    (void)state;
    struct gemm gemm;
    fill(a, 1);
    fill(b, 2);
    for (int i = 0; i < WAYS; i++)
        for (size_t s = 0; way(i, &gemm) && s < SIZES; s++)
            check_sum(gemm, all_sizes[s]);
}

/* ---- living in a host -------------------------------------------------------------------------------------------- */

#ifdef WITH_OPENBLAS
static void *symbol_of_the_process(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

static void the_products_are_openblas_and_not_the_reference_cblas(void **state)
{
    (void)state;
    Dl_info info;
    assert_true(dladdr(symbol_of_the_process("cblas_sgemm"), &info));
    if (!strstr(info.dli_fname, "openblas"))
        fail_msg("cblas_sgemm comes from %s", info.dli_fname);
}

static int threads_of_the_process(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int n = 0;
    if (!tasks)
        return -1;
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n;
}

/* Up to MP_GEMM_MOST, OpenBLAS computes on the caller's thread. */
static void openblas_starts_no_thread_and_is_given_small_products_only(void **state)
{
    (void)state;
    struct gemm gemm = {16, true};
    int before = threads_of_the_process();
    mp_gemm(gemm, 256, 256, 256, a, 256, packed, NULL, c, 256);
    mp_gemm_add_transposed(gemm, 256, 256, 300, a, 256, b, 256, c, 256);
    mp_gemm(gemm, 1, 16, 8192, a, 8192, packed, NULL, c, 16);
    assert_int_equal(threads_of_the_process(), before);
    assert_true(largest_call > 0 && largest_call <= 262144);
}
#endif

static void a_forked_child_does_not_call_openblas(void **state)
{
    (void)state;
    assert_false(mp_process_is_forked());
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        struct gemm gemm = mp_gemm_here();
        mp_gemm_pack(gemm, 20, 32, b, 32, 1, 32, packed);
        mp_gemm(gemm, 10, 32, 20, a, 20, packed, NULL, c, 32);
        _exit(gemm.openblas || !mp_process_is_forked());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void the_plain_kernel_is_chosen_where_it_has_wide_vectors(void **state)
{
    (void)state;
    struct gemm gemm = mp_gemm_here();
    assert_int_equal(gemm.bytes, mp_vector_bytes());
    assert_true(gemm.openblas == (gemm.bytes == 16 && mp_gemm_has_openblas()));
}

/* An instruction that the processor lacks would end the process. */
static void a_width_is_chosen_only_with_all_instructions_of_its_kernels(void **state)
{
    (void)state;
    for (int set = 0; set < 32; set++) {
        int width = mp_width_for(set & 1, set & 2, set & 4, set & 8, set & 16);
        assert_int_equal(width, set == 31 ? 64 : (set & 3) == 3 ? 32 : 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_a_product_gives_the_product),
        cmocka_unit_test(a_factor_that_is_not_packed_gives_the_same_bytes),
        cmocka_unit_test(what_is_packed_for_openblas_is_read_without_it),
        cmocka_unit_test(every_way_to_a_sum_of_products_adds_them),
#ifdef WITH_OPENBLAS
        cmocka_unit_test(the_products_are_openblas_and_not_the_reference_cblas),
        cmocka_unit_test(openblas_starts_no_thread_and_is_given_small_products_only),
#endif
        cmocka_unit_test(a_forked_child_does_not_call_openblas),
        cmocka_unit_test(the_plain_kernel_is_chosen_where_it_has_wide_vectors),
        cmocka_unit_test(a_width_is_chosen_only_with_all_instructions_of_its_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
