/*
 * Lets every change of a file below one folder fail as a bad disk does: loaded by LD_PRELOAD. The state is one byte of a
 * shared file that the test writes: 0 well, 'e' I/O error, 'r' read-only, 'h' hangs until the byte changes.
 *
 * DISK_FAULTS_FOLDER: the folder; DISK_FAULTS_STATE: the file. Reading works in every state, as on a card whose
 * controller went read-only. Files of SQLite's shared memory (-shm) are memory, not disk, and never fail.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static volatile char *state;
static char folder[PATH_MAX];
static size_t folder_len;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("DISK_FAULTS_STATE"), *below = getenv("DISK_FAULTS_FOLDER");
    if (!path || !below) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) abort(); /* a test without its fault would prove nothing */
    void *mapped = (void *)syscall(SYS_mmap, NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) abort();
    syscall(SYS_close, fd);
    snprintf(folder, sizeof folder, "%s", below);
    folder_len = strlen(folder);
    state = mapped;
}

static int is_below(const char *path) {
    size_t size = strlen(path);
    if (size > 4 && strcmp(path + size - 4, "-shm") == 0) return 0;
    return strncmp(path, folder, folder_len) == 0 && (path[folder_len] == '/' || path[folder_len] == 0);
}

static int fd_is_below(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return is_below(path);
}

static int name_is_below(int at, const char *name) {
    char link[64], path[2 * PATH_MAX];
    if (name[0] == '/') return is_below(name);
    if (at == AT_FDCWD) {
        if (!getcwd(path, PATH_MAX)) return 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        ssize_t size = readlink(link, path, PATH_MAX - 1);
        if (size < 0) return 0;
        path[size] = 0;
    }
    strncat(path, "/", 2);
    strncat(path, name, PATH_MAX - 1);
    return is_below(path);
}

/* 1 and errno if the call has to fail; 0 when the disk is well, or well again after it hung */
static int fails(void) {
    while (*state == 'h') usleep(20000);
    if (*state == 0) return 0;
    errno = *state == 'r' ? EROFS : EIO;
    return 1;
}
#define FAILS_FD(fd) (state && *state && fd_is_below(fd) && fails())
#define FAILS_NAME(at, name) (state && *state && name_is_below(at, name) && fails())

static int opened(int at, const char *path, int flags, mode_t mode) {
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) && FAILS_NAME(at, path)) return -1;
    return (int)syscall(SYS_openat, at, path, flags, mode);
}
#define MODE_OF(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list list; \
        va_start(list, flags); \
        mode = va_arg(list, mode_t); \
        va_end(list); \
    }
int open(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE_OF(flags) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE_OF(flags) return opened(at, path, flags, mode); }

int renameat2(int at, const char *from, int at_to, const char *to, unsigned flags) {
    return FAILS_NAME(at, from) ? -1 : (int)syscall(SYS_renameat2, at, from, at_to, to, flags);
}
int renameat(int at, const char *from, int at_to, const char *to) { return renameat2(at, from, at_to, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlinkat(int at, const char *path, int flags) {
    return FAILS_NAME(at, path) ? -1 : (int)syscall(SYS_unlinkat, at, path, flags);
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int mkdirat(int at, const char *path, mode_t mode) {
    return FAILS_NAME(at, path) ? -1 : (int)syscall(SYS_mkdirat, at, path, mode);
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

ssize_t write(int fd, const void *data, size_t size) {
    return FAILS_FD(fd) ? -1 : syscall(SYS_write, fd, data, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return FAILS_FD(fd) ? -1 : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return FAILS_FD(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }
int ftruncate64(int fd, off64_t size) { return FAILS_FD(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size); }
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int fallocate(int fd, int mode, off_t offset, off_t size) {
    return FAILS_FD(fd) ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, size);
}
int fsync(int fd) { return FAILS_FD(fd) ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return FAILS_FD(fd) ? -1 : (int)syscall(SYS_fdatasync, fd); }
