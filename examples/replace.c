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

static FILE *open_beside(struct replacement *r, const struct stat *old)
{
    int descriptor = create_beside(r);
    if (descriptor >= 0 && old)
        fchmod(descriptor, old->st_mode & 07777);
    return descriptor < 0 ? NULL : fdopen(descriptor, "w");
}

/* Its name without links, so that a symbolic link stays one. NULL if it has none that leads to it: links of /proc, as
 * /dev/stdout is one, lead to files that are deleted or elsewhere, whatever they say. */
static char *own_name(const char *path, const struct stat *file)
{
    struct stat named;
    char *name = realpath(path, NULL);
    if (name && stat(name, &named) == 0 && named.st_dev == file->st_dev && named.st_ino == file->st_ino)
        return name;
    free(name);
    return NULL;
}

/* Of a folder, with ENOENT if it is one of /proc. */
static bool takes_no_new_file(int error)
{
    return error == EACCES || error == EPERM || error == EROFS || error == ENOENT;
}

bool replacement_begin(struct replacement *r, const char *path)
{
    struct stat old, link;
    *r = (struct replacement){0};
    bool exists = stat(path, &old) == 0;
    if (!exists && errno != ENOENT)
        return false;
    if (exists && S_ISREG(old.st_mode))
        r->path = own_name(path, &old);
    else if (!exists && lstat(path, &link) != 0)
        r->path = strdup(path);
    if (r->path)
        r->file = open_beside(r, exists ? &old : NULL);
    if (!r->file && (!r->path || (exists && takes_no_new_file(errno)))) {
        forget(r);
        r->file = fopen(path, "w"); /* through a link to nothing, too: it stays, and what it names is made */
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
