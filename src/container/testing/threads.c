/* Threads that add under a lock, children, and signals, for a processor that is emulated. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned locked;
static atomic_uint counted;
static volatile sig_atomic_t caught;

static void *add(void *unused)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		locked++;
		pthread_mutex_unlock(&lock);
		atomic_fetch_add(&counted, 1);
	}
	return unused;
}

static void on_signal(int signal)
{
	caught = signal;
}

int main(void)
{
	pthread_t threads[THREADS];
	int status;

	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, add, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	fflush(stdout);

	pid_t child = fork();

	if (child == 0)
		kill(getpid(), SIGKILL);
	waitpid(child, &status, 0);
	printf("%u %u, signal %d, child %d\n", locked, counted, (int)caught, WTERMSIG(status));
	return 7;
}
