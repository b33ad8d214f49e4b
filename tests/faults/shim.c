/* Loaded before the C library (LD_PRELOAD): counts what a process does to files and sockets, and has one of these
   calls go wrong. A process is armed by faults_arm() after a fork, so that its parent is spared. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { NONE, KILL, TORN, FULL, SYNC, READONLY, PAUSE };
enum { ANY, WRITE, SYNCED, OPENED, KINDS };

static atomic_int armed, fault;
static atomic_long at, ahead, counted[KINDS];

void faults_arm(int what, long nth, long seconds) {
    fault = what;
    at = nth;
    ahead = seconds;
    for (int kind = 0; kind < KINDS; kind++) counted[kind] = 0;
    armed = 1;
}

long faults_counted(int kind) { return counted[kind]; }

#define REAL(name) ({ \
    static __typeof__(&name) real_##name; \
    if (!real_##name) real_##name = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
    real_##name; })

/* Whether this call of a kind is the one, or, where that lasts, comes after it. */
static int is_due(int kind, int lasts) {
    long number = ++counted[kind];
    return number == at || (lasts && number > at);
}

/* Before every call that changes something: the end, or a rest. */
static int event(void) {
    int is_now = is_due(ANY, 0);
    if (is_now && fault == KILL) kill(getpid(), SIGKILL);
    if (is_now && fault == PAUSE) raise(SIGSTOP);
    return is_now && fault == TORN;
}

static int is_file(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

static int is_full(void) { return is_due(WRITE, 1) && fault == FULL; }

static int refused(void) {
    if (!armed) return 0;
    event();
    if (is_due(OPENED, 1) && fault == READONLY) {
        errno = EROFS;
        return 1;
    }
    return 0;
}

/* A write of so many bytes: how many are to be written (all of them, or half), or -1. */
static ssize_t allowed(int fd, size_t size, int *dies) {
    *dies = 0;
    if (!armed || !is_file(fd)) return size;
    *dies = event();
    if (is_full()) {
        if (counted[WRITE] == at && size > 1) return size / 2;
        errno = ENOSPC;
        return -1;
    }
    return *dies ? (ssize_t)(size / 2) : (ssize_t)size;
}

#define WRITES(call) \
    int dies; \
    ssize_t some = allowed(fd, size, &dies); \
    if (some < 0) return -1; \
    ssize_t done = call; \
    if (dies) kill(getpid(), SIGKILL); \
    return done;

ssize_t write(int fd, const void *data, size_t size) { WRITES(REAL(write)(fd, data, some)) }
ssize_t pwrite(int fd, const void *data, size_t size, off_t where) { WRITES(REAL(pwrite)(fd, data, some, where)) }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t where) { WRITES(REAL(pwrite64)(fd, data, some, where)) }

ssize_t writev(int fd, const struct iovec *parts, int number) {
    if (armed && is_file(fd)) {
        event();
        if (is_full()) {
            errno = ENOSPC;
            return -1;
        }
    }
    return REAL(writev)(fd, parts, number);
}

#define GROWS(name, type) \
    int name(int fd, type size) { \
        struct stat found; \
        if (armed && is_file(fd)) { \
            event(); \
            if (fstat(fd, &found) == 0 && size > found.st_size && is_full()) { \
                errno = ENOSPC; \
                return -1; \
            } \
        } \
        return REAL(name)(fd, size); \
    }
GROWS(ftruncate, off_t)
GROWS(ftruncate64, off64_t)

#define RESERVES(name, type) \
    int name(int fd, type from, type size) { \
        if (armed && is_file(fd)) { \
            event(); \
            if (is_full()) return ENOSPC; \
        } \
        return REAL(name)(fd, from, size); \
    }
RESERVES(posix_fallocate, off_t)
RESERVES(posix_fallocate64, off64_t)

#define SYNCS(name) \
    int name(int fd) { \
        if (armed) { \
            event(); \
            if (is_due(SYNCED, 0) && fault == SYNC) { \
                errno = EIO; \
                return -1; \
            } \
        } \
        return REAL(name)(fd); \
    }
SYNCS(fsync)
SYNCS(fdatasync)

static int writes(const char *path, int flags) {
    return (flags & (O_WRONLY | O_RDWR | O_CREAT)) && strncmp(path, "/dev/", 5) | !strncmp(path, "/dev/shm/", 9);
}

#define MODE mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }
#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        MODE \
        if (writes(path, flags) && refused()) return -1; \
        return REAL(name)(path, flags, mode); \
    }
#define OPENS_AT(name) \
    int name(int fd, const char *path, int flags, ...) { \
        MODE \
        if (writes(path, flags) && refused()) return -1; \
        return REAL(name)(fd, path, flags, mode); \
    }
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

int rename(const char *from, const char *to) { return refused() ? -1 : REAL(rename)(from, to); }
int renameat(int a, const char *from, int b, const char *to) { return refused() ? -1 : REAL(renameat)(a, from, b, to); }
int unlink(const char *path) { return refused() ? -1 : REAL(unlink)(path); }
int unlinkat(int fd, const char *path, int flags) { return refused() ? -1 : REAL(unlinkat)(fd, path, flags); }
int mkdir(const char *path, mode_t mode) { return refused() ? -1 : REAL(mkdir)(path, mode); }

#define SPEAKS if (armed) event();
ssize_t send(int fd, const void *data, size_t size, int flags) { SPEAKS return REAL(send)(fd, data, size, flags); }
ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length) {
    SPEAKS return REAL(sendto)(fd, data, size, flags, to, length);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = REAL(clock_gettime)(clock, now);
    if (armed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead;
    return done;
}
