/* SPDX-License-Identifier: BSD-3-Clause */
#define _XOPEN_SOURCE 700
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the folder of path, not named after it: its name may be as long as a name can be. */
static int create_beside(struct replacement *r)
{
    enum { ROOM = 64, TRIES = 100 };
    const char *slash = strrchr(r->path, '/');
    int folder = slash ? (int)(slash - r->path) + 1 : 0, descriptor = -1;
    r->beside = malloc((size_t)folder + ROOM);
    for (int i = 0; r->beside && i < TRIES; i++) {
        snprintf(r->beside, (size_t)folder + ROOM, "%.*s.moepredict-%ld-%d", folder, r->path, (long)getpid(), i);
        descriptor = open(r->beside, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (descriptor >= 0 || errno != EEXIST)
            break;
    }
    return descriptor;
}

static void forget(struct replacement *r)
{
    free(r->path);
    free(r->beside);
    *r = (struct replacement){0};
}

bool replacement_begin(struct replacement *r, const char *path)
{
    struct stat old;
    *r = (struct replacement){.path = realpath(path, NULL)}; /* a symbolic link stays one */
    bool exists = r->path && stat(r->path, &old) == 0;
    if (!r->path)
        r->path = strdup(path);
    if (r->path && exists && !S_ISREG(old.st_mode)) {
        r->file = fopen(r->path, "w");
    } else if (r->path) {
        int descriptor = create_beside(r);
        if (descriptor >= 0 && exists)
            fchmod(descriptor, old.st_mode & 07777);
        r->file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    }
    if (!r->file)
        forget(r);
    return r->file != NULL;
}

bool replacement_end(struct replacement *r)
{
    bool written = fflush(r->file) == 0 && !ferror(r->file) && (!r->beside || fsync(fileno(r->file)) == 0);
    int error = errno;
    if (fclose(r->file) != 0 && written) {
        written = false;
        error = errno;
    }
    if (r->beside && written) {
        written = rename(r->beside, r->path) == 0;
        error = errno;
    }
    if (r->beside && !written)
        unlink(r->beside);
    forget(r);
    errno = error;
    return written;
}
