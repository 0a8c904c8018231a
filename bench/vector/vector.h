/* Workloads with vector instructions if VECTOR is defined, and without them. */
#include "../runtime/runtime.h"

#ifdef VECTOR
/** Sets sstatus.VS to Initial. */
#define START_VECTORS() __asm__ volatile("csrs sstatus, %0" ::"r"(1 << 9))
#else
#define START_VECTORS()
#endif
