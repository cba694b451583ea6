/* Stops a process, or fails it, at the Nth step it takes towards the disk below one folder.

   Preloaded (LD_PRELOAD) and armed from Python by fault_arm(). A step is a call of write, pwrite, writev, fsync, fdatasync,
   rename, link, unlink, rmdir, mkdir, ftruncate, open for writing, or sqlite3_step. Modes: COUNT counts; KILL ends the process
   by SIGKILL before the step; TORN writes half of what was to be written and then ends it; FAIL lets that one step fail with an
   error; FULL lets it and every later one that needs room fail. A failing sqlite3_step is a real SQLite error: it is
   interrupted by its own progress handler. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OFF, COUNT, KILL, TORN, FAIL, FULL };

static char root[PATH_MAX];
static size_t root_length;
static long steps, at;
static int mode = OFF, error_number, struck;

void fault_arm(const char *folder, long step, int how, int error) {
  snprintf(root, sizeof root, "%s", folder);
  root_length = strlen(root);
  steps = struck = 0;
  at = step;
  error_number = error;
  mode = how;
}

long fault_disarm(void) {
  mode = OFF;
  return steps;
}

/* Whether the fault took place: not every step of SQLite can be interrupted. */
int fault_struck(void) { return struck; }

#define REAL(name) ((typeof(&name))real(#name))

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

static int below(const char *path) { return strncmp(path, root, root_length) == 0; }

static int fd_below(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = REAL(readlink)(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return below(path);
}

static int path_below(int dirfd, const char *path) {
  if (path[0] == '/') return below(path);
  if (dirfd != AT_FDCWD) return fd_below(dirfd);
  char cwd[PATH_MAX];
  return getcwd(cwd, sizeof cwd) && below(cwd);
}

/* Whether the step is to fail. Does not return where the process is to end. */
static int fails(int needs_room) {
  if (mode == OFF) return 0;
  long now = ++steps;
  if (mode == KILL && now == at) kill(getpid(), SIGKILL);
  if ((mode == FAIL && now == at) || (mode == FULL && now >= at && needs_room)) {
    errno = error_number;
    struck = 1;
    return 1;
  }
  return 0;
}

static int torn(void) { return mode == TORN && steps == at; }

static void end(void) { kill(getpid(), SIGKILL); }

ssize_t write(int fd, const void *data, size_t length) {
  if (mode == OFF || !fd_below(fd)) return REAL(write)(fd, data, length);
  if (fails(1)) return -1;
  if (torn()) { (void)!REAL(write)(fd, data, length / 2); end(); }
  return REAL(write)(fd, data, length);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  if (mode == OFF || !fd_below(fd)) return REAL(pwrite64)(fd, data, length, offset);
  if (fails(1)) return -1;
  if (torn()) { (void)!REAL(pwrite64)(fd, data, length / 2, offset); end(); }
  return REAL(pwrite64)(fd, data, length, offset);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (mode == OFF || !fd_below(fd)) return REAL(writev)(fd, parts, count);
  if (fails(1)) return -1;
  if (torn()) { (void)!REAL(writev)(fd, parts, count / 2); end(); }
  return REAL(writev)(fd, parts, count);
}

#define ON_FD(name, room)                                            \
  int name(int fd) {                                                 \
    if (mode == OFF || !fd_below(fd)) return REAL(name)(fd);         \
    if (fails(room)) return -1;                                      \
    int result = REAL(name)(fd);                                     \
    if (torn()) end();                                               \
    return result;                                                   \
  }
ON_FD(fsync, 0)
ON_FD(fdatasync, 0)

int ftruncate64(int fd, off64_t length) {
  if (mode == OFF || !fd_below(fd)) return REAL(ftruncate64)(fd, length);
  if (fails(1)) return -1;
  int result = REAL(ftruncate64)(fd, length);
  if (torn()) end();
  return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

#define ON_PATHS(name, parameters, arguments, dirfd, path, room)     \
  int name parameters {                                              \
    if (mode == OFF || !path_below(dirfd, path)) return REAL(name) arguments; \
    if (fails(room)) return -1;                                      \
    int result = REAL(name) arguments;                               \
    if (torn()) end();                                               \
    return result;                                                   \
  }
ON_PATHS(rename, (const char *from, const char *to), (from, to), AT_FDCWD, to, 0)
ON_PATHS(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), b, to, 0)
ON_PATHS(link, (const char *from, const char *to), (from, to), AT_FDCWD, to, 1)
ON_PATHS(unlink, (const char *path), (path), AT_FDCWD, path, 0)
ON_PATHS(unlinkat, (int dirfd, const char *path, int flags), (dirfd, path, flags), dirfd, path, 0)
ON_PATHS(rmdir, (const char *path), (path), AT_FDCWD, path, 0)
ON_PATHS(mkdir, (const char *path, mode_t bits), (path, bits), AT_FDCWD, path, 1)

#define OPEN(name, parameters, dirfd, ...)                           \
  int name parameters {                                              \
    mode_t bits = 0;                                                 \
    if (flags & (O_CREAT | O_TMPFILE)) {                             \
      va_list rest;                                                  \
      va_start(rest, flags);                                         \
      bits = va_arg(rest, mode_t);                                   \
      va_end(rest);                                                  \
    }                                                                \
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); \
    if (mode == OFF || !writes || !path_below(dirfd, path)) return REAL(name)(__VA_ARGS__, bits); \
    if (fails(1)) return -1;                                         \
    int result = REAL(name)(__VA_ARGS__, bits);                      \
    if (torn()) end();                                               \
    return result;                                                   \
  }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD, path, flags)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, path, flags)
OPEN(openat, (int dirfd, const char *path, int flags, ...), dirfd, dirfd, path, flags)
OPEN(openat64, (int dirfd, const char *path, int flags, ...), dirfd, dirfd, path, flags)

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;

/* Python loads SQLite for itself alone: it does not stand behind us in the order of libraries. */
static void *of_sqlite(const char *name) {
  void *library = dlopen("libsqlite3.so.0", RTLD_LAZY | RTLD_NOLOAD);
  void *found = library ? dlsym(library, name) : NULL;
  if (!found) abort();
  return found;
}

static int interrupt(void *nothing) { (void)nothing; return 1; }

int sqlite3_step(sqlite3_stmt *statement) {
  int (*step)(sqlite3_stmt *) = (int (*)(sqlite3_stmt *))of_sqlite("sqlite3_step");
  if (mode == OFF) return step(statement);
  if (fails(0)) {
    sqlite3 *(*handle)(sqlite3_stmt *) = (sqlite3 * (*)(sqlite3_stmt *)) of_sqlite("sqlite3_db_handle");
    void (*progress)(sqlite3 *, int, int (*)(void *), void *) =
        (void (*)(sqlite3 *, int, int (*)(void *), void *))of_sqlite("sqlite3_progress_handler");
    sqlite3 *database = handle(statement);
    progress(database, 1, interrupt, NULL);
    int result = step(statement);
    progress(database, 0, NULL, NULL);
    struck = result == 9; /* SQLITE_INTERRUPT */
    return result;
  }
  int result = step(statement);
  if (torn()) end();
  return result;
}
