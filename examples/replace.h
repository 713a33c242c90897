/* SPDX-License-Identifier: BSD-3-Clause */
/* A file that is written beside an older one, and takes its place when it is whole. */
#ifndef REPLACE_H
#define REPLACE_H

#include <stdbool.h>
#include <stdio.h>

struct replacement {
    FILE *file;
    char *path,
        *beside; /* NULL where the file is written itself: a device, a pipe, in a folder that takes no new file */
};

/* On failure errno says why. */
bool replacement_begin(struct replacement *replacement, const char *path);

/* Without success the old file stays; errno says why. */
bool replacement_end(struct replacement *replacement);

#endif
