/* Does no work. Its cost is the start-up, which is subtracted from the cost of the others. */
#include "runtime.h"

const char workload_name[] = "startup";
const uint64_t expected = 0;

uint64_t workload(void) { return 0; }
