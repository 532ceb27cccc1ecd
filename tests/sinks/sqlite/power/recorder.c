/* Records what a process writes below one folder, so that power cuts can be played afterwards.
 *
 * Preloaded (LD_PRELOAD) into a process. POWER_ROOT names the folder, POWER_JOURNAL the file that gets the records:
 * open, write, truncate, sync, rename, link, unlink and mkdir, in the order in which the kernel took them. `power_acknowledge`
 * adds what the process told to the outside. Memory maps are not seen: SQLite's -shm is scratch and made anew.
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int journal = -1;
static uint32_t serial_of_fd[MOST_FILES];
static struct { ino_t inode; uint32_t serial; } known[MOST_FILES];
static uint32_t known_count, last_serial;

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("POWER_ROOT"), *path = getenv("POWER_JOURNAL");
    if (!folder || !path || !realpath(folder, root)) return;
    root_length = strlen(root);
    journal = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    unsetenv("LD_PRELOAD"); /* what this process starts is not recorded */
}

/* One record: kind, serial, number, length of the text or bytes, then these. */
static void record(char kind, uint32_t serial, uint64_t number, const void *bytes, uint32_t length) {
    char head[17];
    head[0] = kind;
    memcpy(head + 1, &serial, 4);
    memcpy(head + 5, &number, 8);
    memcpy(head + 13, &length, 4);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, length}};
    if (syscall(SYS_writev, journal, parts, 2) != (long)(sizeof head + length)) abort();
}

static void record_text(char kind, uint32_t serial, uint64_t number, const char *text) {
    record(kind, serial, number, text, strlen(text));
}

/* The path below the root, or NULL for what does not concern us. */
static const char *below(int folder, const char *path, char *buffer) {
    char whole[PATH_MAX];
    if (journal < 0) return NULL;
    if (path[0] == '/') {
        snprintf(whole, sizeof whole, "%s", path);
    } else if (folder == AT_FDCWD) {
        if (!getcwd(whole, sizeof whole)) return NULL;
        size_t used = strlen(whole);
        snprintf(whole + used, sizeof whole - used, "/%s", path);
    } else {
        return NULL;
    }
    if (strncmp(whole, root, root_length) || (whole[root_length] && whole[root_length] != '/')) return NULL;
    snprintf(buffer, PATH_MAX, "%s", whole[root_length] ? whole + root_length + 1 : "");
    return buffer;
}

static uint32_t serial_for(int fd, int is_new) {
    struct stat status;
    if (fstat(fd, &status)) return 0;
    for (uint32_t each = known_count; each-- > 0;) {
        if (known[each].inode != status.st_ino) continue;
        if (is_new) known[each].serial = ++last_serial;
        return known[each].serial;
    }
    if (known_count == MOST_FILES) abort();
    known[known_count].inode = status.st_ino;
    known[known_count].serial = ++last_serial;
    return known[known_count++].serial;
}

static int open_recorded(int folder, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    const char *name = below(folder, path, buffer);
    if (!name) return syscall(SYS_openat, folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    int is_new = (flags & O_CREAT) && access(path, F_OK);
    int fd = syscall(SYS_openat, folder, path, flags, mode);
    int error = errno;
    if (fd >= 0 && fd < MOST_FILES) {
        serial_of_fd[fd] = serial_for(fd, is_new);
        record_text('O', serial_of_fd[fd], is_new, name);
        if ((flags & O_TRUNC) && !is_new) record('T', serial_of_fd[fd], 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, int); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags) return open_recorded(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_recorded(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return open_recorded(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return open_recorded(folder, path, flags, mode); }

int close(int fd) {
    if (fd >= 0 && fd < MOST_FILES && fd != journal) serial_of_fd[fd] = 0;
    return fd == journal ? 0 : syscall(SYS_close, fd);
}

static uint32_t serial(int fd) { return fd >= 0 && fd < MOST_FILES ? serial_of_fd[fd] : 0; }

static ssize_t write_recorded(int fd, const void *bytes, size_t length, off_t place) {
    if (!serial(fd))
        return place < 0 ? syscall(SYS_write, fd, bytes, length) : syscall(SYS_pwrite64, fd, bytes, length, place);
    pthread_mutex_lock(&lock);
    off_t from = place < 0 ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : place;
    ssize_t done = place < 0 ? syscall(SYS_write, fd, bytes, length) : syscall(SYS_pwrite64, fd, bytes, length, place);
    int error = errno;
    if (done > 0) record('W', serial(fd), from, bytes, done);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return write_recorded(fd, bytes, length, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t place) { return write_recorded(fd, bytes, length, place); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t place) { return write_recorded(fd, bytes, length, place); }

static int truncate_recorded(int fd, off_t length) {
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_ftruncate, fd, length);
    int error = errno;
    if (!result && serial(fd)) record('T', serial(fd), length, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int ftruncate(int fd, off_t length) { return truncate_recorded(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncate_recorded(fd, length); }

static int sync_recorded(long call, int fd) {
    pthread_mutex_lock(&lock);
    int result = syscall(call, fd);
    int error = errno;
    if (!result && serial(fd)) record('S', serial(fd), 0, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int fsync(int fd) { return sync_recorded(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_recorded(SYS_fdatasync, fd); }

static int two_names_recorded(char kind, int result, const char *from, const char *to) {
    char first[PATH_MAX], second[PATH_MAX], both[2 * PATH_MAX];
    int error = errno;
    const char *old = below(AT_FDCWD, from, first), *new = below(AT_FDCWD, to, second);
    if (!result && old && new) {
        int length = snprintf(both, sizeof both, "%s", old) + 1;
        length += snprintf(both + length, sizeof both - length, "%s", new);
        record(kind, 0, 0, both, length);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    return two_names_recorded('R', syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to), from, to);
}

int link(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    return two_names_recorded('L', syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0), from, to);
}

static int name_recorded(char kind, int result, const char *path) {
    char buffer[PATH_MAX];
    int error = errno;
    const char *name = below(AT_FDCWD, path, buffer);
    if (!result && name) record_text(kind, 0, 0, name);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    return name_recorded('U', syscall(SYS_unlinkat, AT_FDCWD, path, 0), path);
}

int mkdir(const char *path, mode_t mode) {
    pthread_mutex_lock(&lock);
    return name_recorded('D', syscall(SYS_mkdirat, AT_FDCWD, path, mode), path);
}

void power_acknowledge(uint64_t number) {
    pthread_mutex_lock(&lock);
    if (journal >= 0) record('A', 0, number, "", 0);
    pthread_mutex_unlock(&lock);
}
