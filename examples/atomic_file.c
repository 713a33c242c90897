/* SPDX-License-Identifier: BSD-3-Clause */
#define _XOPEN_SOURCE 700
#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Creates a file in the folder of path. Its name does not contain that of path, which may be as long as a name can
 * be. */
static int create_temporary(struct atomic_file *f)
{
    enum { ROOM = 64, TRIES = 100 };
    const char *slash = strrchr(f->path, '/');
    int folder = slash ? (int)(slash - f->path) + 1 : 0, descriptor = -1;
    f->temporary = malloc((size_t)folder + ROOM);
    for (int i = 0; f->temporary && i < TRIES; i++) {
        snprintf(f->temporary, (size_t)folder + ROOM, "%.*s.moepredict-%ld-%d", folder, f->path, (long)getpid(), i);
        descriptor = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (descriptor >= 0 || errno != EEXIST)
            break;
    }
    return descriptor;
}

static void clear(struct atomic_file *f)
{
    free(f->path);
    free(f->temporary);
    *f = (struct atomic_file){0};
}

/* With the permissions of the old file, if there is one. */
static FILE *open_temporary(struct atomic_file *f, const struct stat *old)
{
    int descriptor = create_temporary(f);
    if (descriptor >= 0 && old)
        fchmod(descriptor, old->st_mode & 07777);
    return descriptor < 0 ? NULL : fdopen(descriptor, "w");
}

/* Resolves symbolic links, so that a link stays a link. NULL if the resolved name is not that of the file: links in
 * /proc, such as /dev/stdout, may name files that are deleted or somewhere else. */
static char *resolve(const char *path, const struct stat *file)
{
    struct stat named;
    char *name = realpath(path, NULL);
    if (name && stat(name, &named) == 0 && named.st_dev == file->st_dev && named.st_ino == file->st_ino)
        return name;
    free(name);
    return NULL;
}

/* Whether the error says that a folder accepts no new file. /proc says so by ENOENT. */
static bool refuses_new_files(int error)
{
    return error == EACCES || error == EPERM || error == EROFS || error == ENOENT;
}

bool atomic_file_open(struct atomic_file *f, const char *path)
{
    struct stat old, link;
    *f = (struct atomic_file){0};
    bool exists = stat(path, &old) == 0;
    if (!exists && errno != ENOENT)
        return false;
    if (exists && S_ISREG(old.st_mode))
        f->path = resolve(path, &old);
    else if (!exists && lstat(path, &link) != 0)
        f->path = strdup(path);
    if (f->path)
        f->file = open_temporary(f, exists ? &old : NULL);
    if (!f->file && (!f->path || (exists && refuses_new_files(errno)))) {
        clear(f);
        f->file = fopen(path, "w"); /* also for a dangling link: this creates its target */
    }
    if (!f->file)
        clear(f);
    return f->file != NULL;
}

bool atomic_file_commit(struct atomic_file *f)
{
    bool written = fflush(f->file) == 0 && !ferror(f->file) && (!f->temporary || fsync(fileno(f->file)) == 0);
    int error = errno;
    if (fclose(f->file) != 0 && written) {
        written = false;
        error = errno;
    }
    if (f->temporary && written) {
        written = rename(f->temporary, f->path) == 0;
        error = errno;
    }
    if (f->temporary && !written)
        unlink(f->temporary);
    clear(f);
    errno = error;
    return written;
}
