/* The number by which imrep/_native/signatures.py knows that a library is of its own build. */
#include "imrep.h"

IMREP_EXPORT int imrep_abi(void) { return IMREP_ABI; }
