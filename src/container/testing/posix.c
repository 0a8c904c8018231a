/*
 * Asks a file system what POSIX and Linux promise, and prints the answers. Two file systems are alike if the
 * outputs are.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* As many as make several replies of READDIRPLUS. */
enum { FILES = 100, PAGE = 4096 };

/* Prints the result of a call: its value if that is the same everywhere, or the error. */
static void answer(const char *what, long result)
{
	if (result < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, result);
}

static long done(long result)
{
	return result < 0 ? result : 0;
}

static void status(const char *what, const char *path)
{
	struct stat s;

	if (lstat(path, &s) < 0)
		answer(what, -1);
	else
		printf("%s: %o %ld links, %ld bytes, %u:%u\n", what, s.st_mode, (long)s.st_nlink,
		       S_ISDIR(s.st_mode) ? 0 : (long)s.st_size, s.st_uid, s.st_gid);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	answer(path, write(fd, text, strlen(text)));
	close(fd);
}

static void show(const char *what, int fd)
{
	char text[64];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = 0;
	printf("%s: %zd \"%s\"\n", what, n, text);
}

static void show_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		answer(path, fd);
	else
		show(path, fd);
	close(fd);
}

static void creation(void)
{
	umask(022);
	answer("create", done(open("f", O_RDWR | O_CREAT | O_EXCL, 0666)));
	answer("create again", done(open("f", O_RDWR | O_CREAT | O_EXCL, 0666)));
	status("file", "f");
	answer("mkdir", mkdir("d", 0777));
	answer("mkdir again", mkdir("d", 0777));
	status("folder", "d");
	answer("symlink", symlink("f", "l"));
	status("link", "l");
	answer("open a folder to write", done(open("d", O_WRONLY)));
	answer("no folder", done(open("f", O_RDONLY | O_DIRECTORY)));
	answer("no link", done(open("l", O_RDONLY | O_NOFOLLOW)));
	answer("below a file", done(open("f/x", O_RDONLY)));
	answer("missing", done(open("x", O_RDONLY)));
	answer("chmod", chmod("f", 04755));
	status("set-user-ID", "f");
	answer("chown", chown("f", 1000, 1001));
	status("of another", "f");
	answer("fifo", mkfifo("p", 0600));
	status("fifo", "p");
	answer("unlink a folder", unlink("d"));
	answer("rmdir of a file", rmdir("f"));
	unlink("p");
}

static void names(void)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	answer("255 bytes", done(open(name, O_CREAT | O_WRONLY, 0644)));
	answer("unlink them", unlink(name));
	name[255] = 'n';
	name[256] = 0;
	answer("256 bytes", done(open(name, O_CREAT | O_WRONLY, 0644)));
	answer("no UTF-8", done(open("\xff\x80\xc3", O_CREAT | O_WRONLY, 0644)));
	status("no UTF-8", "\xff\x80\xc3");
	answer("newline", done(open("a\nb\\", O_CREAT | O_WRONLY, 0644)));

	DIR *folder = opendir(".");
	int found = 0;

	for (struct dirent *e; (e = readdir(folder));)
		found += !strcmp(e->d_name, "\xff\x80\xc3") || !strcmp(e->d_name, "a\nb\\");
	closedir(folder);
	answer("found", found);
	unlink("\xff\x80\xc3");
	unlink("a\nb\\");
}

static void renaming(void)
{
	put("old", "old");
	put("new", "new");

	int fd = open("new", O_RDWR);

	answer("rename over an open file", rename("old", "new"));
	show("the open one", fd);
	answer("write it", write(fd, "more", 4));
	show("the open one", fd);
	show_file("new");
	close(fd);
	answer("rename", renameat2(AT_FDCWD, "new", AT_FDCWD, "f", RENAME_NOREPLACE));
	mkdir("d/e", 0755);
	put("d/e/x", "deep");
	mkdir("full", 0755);
	put("full/y", "y");
	answer("folder below itself", rename("d", "d/e/z"));
	answer("folder over a full one", rename("d", "full"));
	answer("folder over a file", rename("d", "new"));
	answer("file over a folder", rename("new", "d"));
	answer("rename a folder", rename("d", "moved"));
	show_file("moved/e/x");
	status("folder", "moved");
	answer("rename onto a link", link("new", "same"));
	answer("same file", rename("new", "same"));
	status("both stay", "new");
}

static void unlinking(void)
{
	put("gone", "still here");

	int fd = open("gone", O_RDWR);
	struct stat s;

	answer("unlink", unlink("gone"));
	show("open", fd);
	fstat(fd, &s);
	answer("links", s.st_nlink);
	answer("fchmod", fchmod(fd, 0600));
	answer("truncate", ftruncate(fd, 5));
	show("truncated", fd);
	close(fd);
	answer("gone", access("gone", F_OK));
	put("one", "x");
	answer("link", link("one", "two"));
	answer("link again", link("one", "two"));
	answer("link a folder", link("moved", "three"));
	status("two names", "one");
	unlink("one");
	status("one name", "two");
}

static void content(void)
{
	int fd = open("sparse", O_RDWR | O_CREAT, 0644);
	char bytes[8] = "";

	answer("far", pwrite(fd, "end", 3, 10000000));
	answer("hole", pread(fd, bytes, 4, 9999998));
	printf("%d %d %c %c\n", bytes[0], bytes[1], bytes[2], bytes[3]);
	answer("behind the end", pread(fd, bytes, 4, 20000000));
	answer("shorter", ftruncate(fd, 10000001));
	answer("longer", ftruncate(fd, 10000004));
	answer("cut", pread(fd, bytes, 8, 10000000));
	printf("%c %d\n", bytes[0], bytes[1]);
	answer("allocate", fallocate(fd, 0, 0, 10001000));
	answer("allocate more", posix_fallocate(fd, 0, 10002000));
	answer("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 9999000, 1001));
	answer("punched", pread(fd, bytes, 1, 10000000));
	answer("zero", bytes[0]);
	answer("end", lseek(fd, 0, SEEK_END));
	answer("fsync", fsync(fd));
	answer("fdatasync", fdatasync(fd));

	int copy = open("copy", O_RDWR | O_CREAT, 0644);

	pwrite(fd, "copied", 6, 100);
	answer("copy", copy_file_range(fd, &(off_t){ 100 }, copy, NULL, 6, 0));
	show("copy", copy);
	close(copy);
	close(fd);

	fd = open("log", O_WRONLY | O_CREAT | O_APPEND, 0644);
	answer("append", write(fd, "one", 3));
	answer("append", write(fd, "two", 3));
	show_file("log");
	close(fd);
	fd = open("log", O_RDWR | O_DIRECT);

	void *page = aligned_alloc(PAGE, PAGE);

	memset(page, 'D', PAGE);
	answer("direct", fd < 0 ? -1 : 0);
	answer("direct write", pwrite(fd, page, PAGE, 0));
	answer("direct read", pread(fd, page, PAGE, 0));
	close(fd);
	fd = open(".", O_RDONLY);
	answer("fsync of a folder", fsync(fd));
	close(fd);
}

static void mapping(void)
{
	int fd = open("mapped", O_RDWR | O_CREAT, 0644);

	ftruncate(fd, 3 * PAGE);

	char *one = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *two = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, fd, 0), byte;

	strcpy(one + PAGE, "shared");
	printf("mapped: %s\n", two + PAGE);
	answer("msync", msync(one, 3 * PAGE, MS_SYNC));
	show("begin", fd);
	pwrite(fd, "S", 1, PAGE);
	printf("written: %s\n", one + PAGE);
	if (fork() == 0) {
		one[2 * PAGE] = 'c';
		_exit(0);
	}
	wait(NULL);
	answer("child", pread(fd, &byte, 1, 2 * PAGE));
	printf("%c\n", byte);
	munmap(one, 3 * PAGE);
	close(fd);
	fd = open("mapped", O_RDONLY);
	answer("again", pread(fd, &byte, 1, PAGE));
	printf("%c\n", byte);
	close(fd);
}

static void times(void)
{
	struct stat s, later;
	const struct timespec set[] = { { 1000000000, 500000000 }, { 0, UTIME_OMIT } };

	put("time", "x");
	answer("utimens", utimensat(AT_FDCWD, "time", set, 0));
	stat("time", &s);
	printf("accessed %ld.%ld\n", (long)s.st_atim.tv_sec, s.st_atim.tv_nsec);
	usleep(20000);
	put("time", "y");
	stat("time", &later);
	answer("modified later", later.st_mtim.tv_sec * 1000000000L + later.st_mtim.tv_nsec >
				       s.st_mtim.tv_sec * 1000000000L + s.st_mtim.tv_nsec);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* Has another process do something with a lock; prints its exit status, or the signal that ended it. */
static void elsewhere(const char *what, int (*perform)(int fd), int fd)
{
	pid_t child = fork();
	int result;

	if (child == 0)
		_exit(perform(fd));
	waitpid(child, &result, 0);
	if (WIFSIGNALED(result))
		printf("%s: signal %d\n", what, WTERMSIG(result));
	else
		printf("%s: %d\n", what, WEXITSTATUS(result));
}

static struct flock range_of(short type, off_t start, off_t length)
{
	return (struct flock){ .l_type = type, .l_start = start, .l_len = length };
}

static int set(int fd, int command, short type, off_t start, off_t length)
{
	struct flock range = range_of(type, start, length);

	return fcntl(fd, command, &range) < 0 ? errno : 0;
}

static int take(int fd)
{
	return set(fd, F_SETLK, F_WRLCK, 0, 10);
}

static int take_after(int fd)
{
	return set(fd, F_SETLK, F_WRLCK, 10, 10);
}

static int share_middle(int fd)
{
	return set(fd, F_SETLK, F_RDLCK, 4, 2);
}

static int find(int fd)
{
	struct flock range = range_of(F_RDLCK, 0, 0);

	fcntl(fd, F_GETLK, &range);
	printf("found: %d of %s at %ld, %ld bytes\n", range.l_type, range.l_pid == getppid() ? "the parent" : "another",
	       (long)range.l_start, (long)range.l_len);
	fflush(stdout);
	return 0;
}

static int wait_for_alarm(int fd)
{
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	ualarm(30000, 30000);
	return set(fd, F_SETLKW, F_WRLCK, 0, 10);
}

static int wait_for_death(int fd)
{
	if (fork() == 0) {
		usleep(30000);
		_exit(kill(getppid(), SIGKILL));
	}
	return set(fd, F_SETLKW, F_WRLCK, 0, 10);
}

static int flock_again(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? errno : 0;
}

/* Two processes have a lock each, and wait for that of the other one: one of them is told. */
static void deadlock(int fd)
{
	int ready[2], result, error;

	if (pipe(ready) < 0)
		exit(1);
	set(fd, F_SETLK, F_WRLCK, 100, 1);
	if (fork() == 0) {
		set(fd, F_SETLK, F_WRLCK, 101, 1);
		if (write(ready[1], "", 1) < 0)
			_exit(1);
		_exit(set(fd, F_SETLKW, F_WRLCK, 100, 1));
	}
	answer("ready", read(ready[0], &error, 1));
	error = set(fd, F_SETLKW, F_WRLCK, 101, 1);
	set(fd, F_SETLK, F_UNLCK, 0, 0);
	wait(&result);
	answer("deadlocks", (error == EDEADLK) + (WEXITSTATUS(result) == EDEADLK));
	close(ready[0]);
	close(ready[1]);
}

static void record_locks(int fd, int other)
{
	answer("lock", take(fd));
	elsewhere("lock of another", take, other);
	elsewhere("lock of another range", take_after, other);
	elsewhere("find", find, other);
	elsewhere("interrupted", wait_for_alarm, other);
	elsewhere("killed", wait_for_death, other);
	answer("unlock the middle", set(fd, F_SETLK, F_UNLCK, 4, 2));
	elsewhere("lock of the middle", share_middle, other);
	deadlock(fd);
	take(fd);
	/* This process has no lock any more when it closes any descriptor of the file. */
	close(open("lock", O_RDONLY));
	elsewhere("lock after close", take, other);
}

static void open_file_locks(int fd, int other)
{
	answer("lock of an open file", set(fd, F_OFD_SETLK, F_WRLCK, 0, 10));
	answer("lock of another one", set(other, F_OFD_SETLK, F_WRLCK, 0, 10));
	answer("lock of its process", take(fd));
	answer("unlock", set(fd, F_OFD_SETLK, F_UNLCK, 0, 10));
	answer("lock after that", set(other, F_OFD_SETLK, F_WRLCK, 0, 10));
	answer("unlock", set(other, F_OFD_SETLK, F_UNLCK, 0, 0));
}

static void whole_file_locks(int fd, int other)
{
	answer("flock", flock(fd, LOCK_SH));
	answer("flock of another", flock(other, LOCK_SH));
	answer("flock to write", flock(fd, LOCK_EX | LOCK_NB));
	answer("flock after that", flock(other, LOCK_EX | LOCK_NB));
	elsewhere("flock by an inherited descriptor", flock_again, other);
	close(other);
	answer("flock after close", flock(fd, LOCK_EX | LOCK_NB));
}

static void locks(void)
{
	int fd = open("lock", O_RDWR | O_CREAT, 0644), other = open("lock", O_RDWR);

	record_locks(fd, other);
	open_file_locks(fd, other);
	whole_file_locks(fd, other);
	close(fd);
}

static void many(void)
{
	char name[32];
	int seen = 0, repeated = 0;
	static char found[FILES];

	mkdir("many", 0755);
	for (int i = 0; i < FILES; i++) {
		sprintf(name, "many/%d", i);
		close(open(name, O_WRONLY | O_CREAT, 0644));
	}

	DIR *folder = opendir("many");

	for (struct dirent *e; (e = readdir(folder));)
		if (e->d_name[0] != '.') {
			seen++;
			repeated += found[atoi(e->d_name)]++;
		}
	answer("seen", seen);
	answer("repeated", repeated);
	rewinddir(folder);
	for (struct dirent *e; (e = readdir(folder));)
		if (e->d_name[0] != '.') {
			sprintf(name, "many/%s", e->d_name);
			unlink(name);
		}
	closedir(folder);
	answer("empty", rmdir("many"));
	answer("rmdir of a full one", rmdir("full"));
}

static void as_user(void)
{
	mkdir("private", 0700);
	chmod(".", 0777);
	if (fork() == 0) {
		if (setgid(1000) < 0 || setuid(1000) < 0)
			_exit(1);
		answer("private", done(open("private/x", O_WRONLY | O_CREAT, 0644)));
		answer("of root", done(open("two", O_WRONLY)));
		answer("own", done(open("own", O_WRONLY | O_CREAT, 0644)));
		status("own", "own");
		answer("give away", chown("own", 0, 0));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

static void attributes(void)
{
	char value[16] = "";

	put("x", "");
	answer("set", setxattr("x", "user.a", "one", 3, XATTR_CREATE));
	answer("create again", setxattr("x", "user.a", "two", 3, XATTR_CREATE));
	answer("replace none", setxattr("x", "user.b", "two", 3, XATTR_REPLACE));
	answer("replace", setxattr("x", "user.a", "three", 5, XATTR_REPLACE));
	answer("too small", getxattr("x", "user.a", value, 4));
	answer("size", getxattr("x", "user.a", NULL, 0));

	long length = getxattr("x", "user.a", value, sizeof(value));

	answer("get", length == 5 && memcmp(value, "three", 5) != 0 ? 0 : length);
	answer("list", listxattr("x", value, sizeof(value)));
	answer("remove", removexattr("x", "user.a"));
	answer("remove again", removexattr("x", "user.a"));
	answer("list none", listxattr("x", NULL, 0));
}

int main(int argc, char **argv)
{
	struct statvfs room;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2 || chdir(argv[1]) < 0)
		return 1;
	creation();
	names();
	renaming();
	unlinking();
	content();
	mapping();
	times();
	locks();
	attributes();
	many();
	fflush(stdout);
	as_user();
	answer("statvfs", statvfs(".", &room));
	answer("room", room.f_bavail > 0 && room.f_blocks >= room.f_bfree && room.f_namemax == 255);
	return 0;
}
