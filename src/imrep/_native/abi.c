/* The ABI number that signatures.py checks when it loads a library. */
#include "imrep.h"

IMREP_EXPORT int imrep_abi(void) { return IMREP_ABI; }
