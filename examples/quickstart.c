/* SPDX-License-Identifier: BSD-3-Clause */
/* The smallest program: push the counts of every step, then predict the mean load of the next thousand.
 *
 * cc quickstart.c $(pkg-config --cflags --libs moepredict) && ./a.out */
#include <moepredict.h>
#include <stdio.h>

enum { LAYERS = 2, EXPERTS = 4 };

int main(void)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    double shares[LAYERS * EXPERTS];

    moep_predictor_config_init(&config, MOEP_AUTO);
    if (moep_predictor_create(LAYERS, EXPERTS, &config, NULL, &predictor) != MOEP_OK)
        goto failed;

    for (int step = 0; step < 300; step++) { /* the training loop; expert 3 of layer 1 gains load */
        int64_t counts[LAYERS][EXPERTS] = {{900, 1100, 1000, 1000}, {1000, 1000, 1000, 1000 + step}};
        if (moep_predictor_push(predictor, 1, counts, MOEP_INT64) != MOEP_OK)
            goto failed;
    }
    if (moep_predictor_predict(predictor, 1000, 1000, shares, LAYERS * EXPERTS) != MOEP_OK)
        goto failed;

    printf("predicted share of each expert, mean over the next 1000 steps\n");
    for (int layer = 0; layer < LAYERS; layer++)
        for (int expert = 0; expert < EXPERTS; expert++)
            printf("layer %d, expert %d: %.4f\n", layer, expert, shares[layer * EXPERTS + expert]);
    moep_predictor_destroy(predictor);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    perror("quickstart");
    return 1;
failed:
    fprintf(stderr, "quickstart: %s\n", moep_last_error());
    moep_predictor_destroy(predictor);
    return 1;
}
