/* SPDX-License-Identifier: BSD-3-Clause */
/* A file that is written under another name in the same folder, and renamed to its own when it is complete: readers see
 * the old file or the new one, never a part. */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct atomic_file {
    FILE *file;      /* write to this */
    char *path;      /* the final name, with symbolic links resolved */
    char *temporary; /* the name until then; NULL: path is written directly, as devices and pipes are, and files in
                        a folder that accepts no new ones */
};

/* Opens it for writing. False, with errno, if that fails. */
bool atomic_file_open(struct atomic_file *file, const char *path);

/* Closes and renames it. False, with errno, if that fails. An older file then stays, unless path is written
 * directly. */
bool atomic_file_commit(struct atomic_file *file);

#endif
