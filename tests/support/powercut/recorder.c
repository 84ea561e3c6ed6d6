/*
 * Records what a process does to the files below one folder, in order and with data: loaded by LD_PRELOAD, switched on
 * by powercut_begin(). One lock is held around each call and its log entry, so that the order in the log is the order
 * on the disk, and a promise logged by powercut_mark() stands exactly between the writes before and after it.
 *
 * A log entry is a struct entry, then path_len bytes of path (relative to the folder), then data_len bytes of data.
 * A call that failed is not logged. What cannot be replayed (a writable mapping of a file, O_SYNC) is logged as such, and the
 * replayer refuses it. sendfile and copy_file_range into a recorded file answer ENOSYS: callers fall back to write.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPEN = 1, WRITE, TRUNCATE, RENAME, UNLINK, MKDIR, RMDIR, SYNC, CLOSE, MARK, UNKNOWN, LINK };

struct entry {
    uint32_t kind;
    int32_t fd;
    int64_t offset; /* WRITE: where; TRUNCATE: size; OPEN: flags */
    uint32_t path_len;
    uint32_t data_len;
    uint32_t is_created; /* OPEN: the file did not exist */
    uint32_t caller;     /* 1: called from SQLite's library */
};

#define MAX_FDS 4096
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_len;
static int log_fd = -1;
static unsigned char tracked[MAX_FDS];


#define CALLER caller_of(__builtin_return_address(0))

static uint32_t caller_of(void *address) {
    Dl_info info;
    return dladdr(address, &info) && info.dli_fname && strstr(info.dli_fname, "sqlite") != NULL;
}

static void out(const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        ssize_t done = syscall(SYS_write, log_fd, at, size);
        if (done <= 0) abort(); /* a log with a hole would prove nothing */
        at += done;
        size -= (size_t)done;
    }
}

static void note(enum kind kind, int fd, int64_t offset, const char *path, const void *data, size_t size,
                 uint32_t is_created, uint32_t caller) {
    int kept = errno;
    struct entry entry = {kind, fd, offset, path ? (uint32_t)strlen(path) : 0, (uint32_t)size, is_created, caller};
    out(&entry, sizeof entry);
    if (path) out(path, entry.path_len);
    if (size) out(data, size);
    errno = kept;
}

/* the path relative to the recorded folder ("" for the folder itself), or NULL if it is not below it */
static const char *below(int folder, const char *path, char *buffer) {
    if (log_fd < 0 || path == NULL) return NULL;
    if (path[0] == '/') {
        snprintf(buffer, PATH_MAX, "%s", path);
    } else {
        char base[PATH_MAX] = "";
        if (folder == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return NULL;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            ssize_t size = readlink(link, base, sizeof base - 1);
            if (size < 0) return NULL;
            base[size] = 0;
        }
        if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
    }
    if (strncmp(buffer, root, root_len) != 0) return NULL;
    if (buffer[root_len] == 0) return buffer + root_len;
    return buffer[root_len] == '/' ? buffer + root_len + 1 : NULL;
}

static int is_tracked(int fd) { return log_fd >= 0 && fd >= 0 && fd < MAX_FDS && tracked[fd]; }

/* --- for the program under test, by ctypes ------------------------------------------------------------------- */

int powercut_begin(const char *folder, const char *log) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    pthread_mutex_lock(&lock);
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, MAX_FDS);
    if (log_fd < 0) log_fd = fd; /* few descriptors allowed: the number is as good */
    else syscall(SYS_close, fd);
    snprintf(root, sizeof root, "%s", folder);
    root_len = strlen(root);
    memset(tracked, 0, sizeof tracked);
    pthread_mutex_unlock(&lock);
    return 0;
}

void powercut_mark(const char *text) {
    pthread_mutex_lock(&lock);
    if (log_fd >= 0) note(MARK, -1, 0, NULL, text, strlen(text), 0, 0);
    pthread_mutex_unlock(&lock);
}

void powercut_end(void) {
    pthread_mutex_lock(&lock);
    if (log_fd >= 0) syscall(SYS_close, log_fd);
    log_fd = -1;
    pthread_mutex_unlock(&lock);
}

/* --- names ---------------------------------------------------------------------------------------------------- */

static int opened(int folder, const char *path, int flags, mode_t mode, uint32_t caller) {
    char buffer[PATH_MAX];
    pthread_mutex_lock(&lock);
    const char *name = below(folder, path, buffer);
    struct stat before;
    int existed = name && fstatat(folder, path, &before, 0) == 0;
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (fd >= 0 && fd < MAX_FDS) tracked[fd] = name != NULL;
    if (fd >= 0 && name) {
        if (fd >= MAX_FDS) abort();
        note(OPEN, fd, flags, name, NULL, 0, !existed, caller);
        if (flags & (O_SYNC | O_DSYNC)) note(UNKNOWN, fd, 0, "O_SYNC", NULL, 0, 0, caller);
        if (existed && (flags & O_TRUNC)) note(TRUNCATE, fd, 0, NULL, NULL, 0, 0, caller);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list list; \
        va_start(list, flags); \
        mode = va_arg(list, mode_t); \
        va_end(list); \
    }

int open(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode, CALLER); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode, CALLER); }
int openat(int at, const char *path, int flags, ...) { MODE_OF(flags) return opened(at, path, flags, mode, CALLER); }
int openat64(int at, const char *path, int flags, ...) { MODE_OF(flags) return opened(at, path, flags, mode, CALLER); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, CALLER); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, CALLER); }

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (is_tracked(fd)) {
        note(CLOSE, fd, 0, NULL, NULL, 0, 0, 0);
        tracked[fd] = 0;
    }
    int result = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return result;
}

/* one or two names; the second travels as data */
static int named(enum kind kind, long number, int at, const char *from, int at_to, const char *to, long extra,
                 uint32_t caller) {
    char buffer[PATH_MAX], buffer_to[PATH_MAX];
    pthread_mutex_lock(&lock);
    const char *name = below(at, from, buffer);
    const char *name_to = to ? below(at_to, to, buffer_to) : NULL;
    long result;
    if (number == SYS_renameat2) result = syscall(number, at, from, at_to, to, extra);
    else if (number == SYS_linkat) result = syscall(number, at, from, at_to, to, extra);
    else result = syscall(number, at, from, extra);
    if (result == 0 && (name || name_to)) {
        if (to && (!name || !name_to)) note(UNKNOWN, -1, 0, "across the border", NULL, 0, 0, caller);
        else note(kind, -1, 0, name, name_to, name_to ? strlen(name_to) : 0, 0, caller);
    }
    pthread_mutex_unlock(&lock);
    return (int)result;
}

#define RENAME_BY(at, from, at_to, to, flags) named(RENAME, SYS_renameat2, at, from, at_to, to, flags, CALLER)
int rename(const char *from, const char *to) { return RENAME_BY(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int at, const char *from, int at_to, const char *to) { return RENAME_BY(at, from, at_to, to, 0); }
int renameat2(int at, const char *from, int at_to, const char *to, unsigned flags) {
    return RENAME_BY(at, from, at_to, to, flags);
}
int link(const char *from, const char *to) { return named(LINK, SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0, CALLER); }
int linkat(int at, const char *from, int at_to, const char *to, int flags) {
    return named(LINK, SYS_linkat, at, from, at_to, to, flags, CALLER);
}
int unlink(const char *path) { return named(UNLINK, SYS_unlinkat, AT_FDCWD, path, 0, NULL, 0, CALLER); }
int rmdir(const char *path) { return named(RMDIR, SYS_unlinkat, AT_FDCWD, path, 0, NULL, AT_REMOVEDIR, CALLER); }
int unlinkat(int at, const char *path, int flags) {
    return named(flags & AT_REMOVEDIR ? RMDIR : UNLINK, SYS_unlinkat, at, path, 0, NULL, flags, CALLER);
}
int mkdir(const char *path, mode_t mode) {
    return named(MKDIR, SYS_mkdirat, AT_FDCWD, path, 0, NULL, mode, CALLER);
}
int mkdirat(int at, const char *path, mode_t mode) {
    return named(MKDIR, SYS_mkdirat, at, path, 0, NULL, mode, CALLER);
}

/* --- data ----------------------------------------------------------------------------------------------------- */

static void wrote(int fd, const struct iovec *parts, int count, ssize_t size, int64_t offset, uint32_t caller) {
    for (int i = 0; i < count && size > 0; i++) {
        size_t part = parts[i].iov_len < (size_t)size ? parts[i].iov_len : (size_t)size;
        note(WRITE, fd, offset, NULL, parts[i].iov_base, part, 0, caller);
        offset += (int64_t)part;
        size -= (ssize_t)part;
    }
}

static ssize_t written(int fd, const struct iovec *parts, int count, int64_t offset, uint32_t caller) {
    if (!is_tracked(fd)) {
        return offset < 0 ? syscall(SYS_writev, fd, parts, count)
                          : syscall(SYS_pwritev, fd, parts, count, offset, 0);
    }
    pthread_mutex_lock(&lock);
    ssize_t size;
    if (offset < 0) {
        size = syscall(SYS_writev, fd, parts, count);
        if (size > 0) wrote(fd, parts, count, size, syscall(SYS_lseek, fd, 0, SEEK_CUR) - size, caller);
    } else {
        size = syscall(SYS_pwritev, fd, parts, count, offset, 0);
        if (size > 0) wrote(fd, parts, count, size, offset, caller);
    }
    pthread_mutex_unlock(&lock);
    return size;
}

static ssize_t written_one(int fd, const void *data, size_t size, int64_t offset, uint32_t caller) {
    struct iovec part = {(void *)data, size};
    return written(fd, &part, 1, offset, caller);
}

/* pipes and sockets pass through here too: write must stay the call it was for them */
ssize_t write(int fd, const void *data, size_t size) {
    if (!is_tracked(fd)) return syscall(SYS_write, fd, data, size);
    return written_one(fd, data, size, -1, CALLER);
}
ssize_t writev(int fd, const struct iovec *parts, int count) { return written(fd, parts, count, -1, CALLER); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return written_one(fd, data, size, at, CALLER); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return written_one(fd, data, size, at, CALLER); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return written(fd, parts, count, at, CALLER); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    return written(fd, parts, count, at, CALLER);
}

static int cut(int fd, int64_t size, uint32_t caller) {
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_ftruncate, fd, size);
    if (result == 0 && is_tracked(fd)) note(TRUNCATE, fd, size, NULL, NULL, 0, 0, caller);
    pthread_mutex_unlock(&lock);
    return result;
}
int ftruncate(int fd, off_t size) { return cut(fd, size, CALLER); }
int ftruncate64(int fd, off64_t size) { return cut(fd, size, CALLER); }

static int synced(int fd, long number, uint32_t caller) {
    pthread_mutex_lock(&lock);
    int result = (int)syscall(number, fd);
    if (result == 0 && is_tracked(fd)) note(SYNC, fd, 0, NULL, NULL, 0, 0, caller);
    pthread_mutex_unlock(&lock);
    return result;
}
int fsync(int fd) { return synced(fd, SYS_fsync, CALLER); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync, CALLER); }

/* sync_file_range promises nothing about sizes and disk caches: it is let through and covers nothing */

/* --- what cannot be replayed ---------------------------------------------------------------------------------- */

static void unknown(int fd, const char *what, uint32_t caller) {
    pthread_mutex_lock(&lock);
    if (is_tracked(fd)) note(UNKNOWN, fd, 0, what, NULL, 0, 0, caller);
    pthread_mutex_unlock(&lock);
}

static void *mapped(void *at, size_t size, int protection, int flags, int fd, off64_t offset, uint32_t caller) {
    if (fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE)) unknown(fd, "mmap", caller);
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    return mapped(at, size, protection, flags, fd, offset, CALLER);
}
void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset) {
    return mapped(at, size, protection, flags, fd, offset, CALLER);
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
    unknown(fd, "fallocate", CALLER);
    return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) {
    if (is_tracked(to)) {
        errno = ENOSYS;
        return -1;
    }
    return syscall(SYS_sendfile, to, from, offset, count);
}
ssize_t sendfile(int to, int from, off_t *offset, size_t count) { return sendfile64(to, from, offset, count); }

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *at_to, size_t size, unsigned flags) {
    if (is_tracked(to)) {
        errno = ENOSYS;
        return -1;
    }
    return syscall(SYS_copy_file_range, from, at, to, at_to, size, flags);
}
