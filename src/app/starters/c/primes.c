// Counts primes with a sieve. Save it with Ctrl-S, and run it in the terminal: make run
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const size_t limit = 1000000;
  char *composite = calloc(limit, 1);
  size_t primes = 0;
  if (!composite) return 1;
  for (size_t n = 2; n < limit; n++) {
    if (composite[n]) continue;
    primes++;
    for (size_t multiple = n * n; multiple < limit; multiple += n) composite[multiple] = 1;
  }
  printf("There are %zu primes below %zu.\n", primes, limit);
  free(composite);
}
