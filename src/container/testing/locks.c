/*
 * Has locks by commands on standard input, and prints the answer to each. Two of these in one container, on
 * its disk, answer as two in two containers do in a folder that both share.
 *
 * locks FOLDER count NUMBER adds to numbers in files instead, while another one does so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static int files[10];
/* How long the next request for a lock may wait until it is interrupted, in ms. */
static int patience;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void answer(long result)
{
	if (result < 0)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("%ld\n", result);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void set_alarm(int milliseconds)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct timeval time = { .tv_usec = milliseconds * 1000 };

	sigaction(SIGALRM, &action, NULL);
	/* Again and again, because the process may not wait yet. */
	setitimer(ITIMER_REAL, &(struct itimerval){ time, time }, NULL);
}

static short type_of(const char *word)
{
	return word[0] == 'r' ? F_RDLCK : word[0] == 'w' ? F_WRLCK : F_UNLCK;
}

static void find(int fd, int command, struct flock range)
{
	const char *names[] = { [F_RDLCK] = "read", [F_WRLCK] = "write", [F_UNLCK] = "none" };

	if (fcntl(fd, command, &range) < 0)
		answer(-1);
	else if (range.l_type == F_UNLCK)
		puts("none");
	else
		printf("%s %ld %ld\n", names[range.l_type], (long)range.l_start, (long)range.l_len);
}

static void lock_range(int fd, const char *how, char **words)
{
	struct flock range = {
		.l_type = type_of(words[0]),
		.l_start = atol(words[1]),
		.l_len = atol(words[2]),
	};

	if (!strcmp(how, "set"))
		answer(fcntl(fd, F_SETLK, &range));
	else if (!strcmp(how, "wait"))
		answer(fcntl(fd, F_SETLKW, &range));
	else if (!strcmp(how, "find"))
		find(fd, F_GETLK, range);
	else if (!strcmp(how, "ofd-set"))
		answer(fcntl(fd, F_OFD_SETLK, &range));
	else if (!strcmp(how, "ofd-wait"))
		answer(fcntl(fd, F_OFD_SETLKW, &range));
	else if (!strcmp(how, "ofd-find"))
		find(fd, F_OFD_GETLK, range);
}

static void lock_file(int fd, const char *how)
{
	int operation = how[0] == 's' ? LOCK_SH : how[0] == 'e' ? LOCK_EX : LOCK_UN;

	answer(flock(fd, operation | (strstr(how, "-now") ? LOCK_NB : 0)));
}

static void show(int fd)
{
	char text[64];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	text[length < 0 ? 0 : length] = 0;
	printf("%zd \"%s\"\n", length, text);
}

static void show_mapping(int fd)
{
	char *text = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	printf("mapped \"%.8s\"\n", text == MAP_FAILED ? "" : text);
	munmap(text, 4096);
}

static void perform(char **words, int count)
{
	const char *what = words[0];
	int number = count > 1 ? words[1][0] - '0' : 0;

	if (!strcmp(what, "open"))
		answer((files[number] = open(words[2], O_RDWR | O_CREAT, 0644)) < 0 ? -1 : 0);
	else if (!strcmp(what, "close"))
		answer(close(files[number]));
	else if (!strcmp(what, "flock"))
		lock_file(files[number], words[2]);
	else if (!strcmp(what, "put"))
		answer(pwrite(files[number], words[2], strlen(words[2]), 0));
	else if (!strcmp(what, "show"))
		show(files[number]);
	else if (!strcmp(what, "map"))
		show_mapping(files[number]);
	else
		lock_range(files[number], what, words + 2);
}

static void perform_in_time(char **words, int count)
{
	set_alarm(patience);
	perform(words, count);
	set_alarm(0);
	patience = 0;
}

static void obey(void)
{
	char line[128];

	while (fgets(line, sizeof(line), stdin)) {
		char *words[8] = { 0 };
		int count = 0;

		for (char *word = strtok(line, " \n"); word && count < 8; word = strtok(NULL, " \n"))
			words[count++] = word;
		if (count == 2 && !strcmp(words[0], "patience"))
			answer(patience = atoi(words[1]));
		else if (count > 0)
			perform_in_time(words, count);
	}
}

static void add(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		fail("read");
	sprintf(text, "%d", atoi(text) + 1);
	if (pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text))
		fail("write");
}

/* Adds to a number in the file of the lock. */
static void add_in_range(int fd)
{
	struct flock range = { .l_type = F_WRLCK, .l_start = 100, .l_len = 1 };

	if (fcntl(fd, F_SETLKW, &range) < 0)
		fail("lock");
	add(fd);
	range.l_type = F_UNLCK;
	if (fcntl(fd, F_SETLK, &range) < 0)
		fail("unlock");
}

/* Adds to a number in another file than that of the lock. */
static void add_elsewhere(int fd)
{
	int other;

	if (flock(fd, LOCK_EX) < 0)
		fail("flock");
	other = open("counted", O_RDWR | O_CREAT, 0644);
	add(other);
	close(other);
	if (flock(fd, LOCK_UN) < 0)
		fail("flock");
}

static void count(int number)
{
	int fd = open("count", O_RDWR | O_CREAT, 0644);

	for (int i = 0; i < number; i++) {
		add_in_range(fd);
		add_elsewhere(fd);
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2 || chdir(argv[1]) < 0)
		fail("folder");
	if (argc > 3)
		count(atoi(argv[3]));
	else
		obey();
	return 0;
}
