/* Shared by all kernels: export, ABI number, and loops compiled for several instruction sets. */
#ifndef IMREP_H
#define IMREP_H

/* Raised together with ABI in signatures.py whenever a signature or a structure changes. */
#define IMREP_ABI 2

#if defined(_WIN32)
#define IMREP_EXPORT __declspec(dllexport)
#else
#define IMREP_EXPORT __attribute__((visibility("default")))
#endif

/* Function clones: glibc's loader picks the one for the processor (ifunc), so that a library built
 * on one machine runs on another. Sanitizers are not yet initialised when ifuncs resolve. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__)
#define IMREP_FAST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define IMREP_FAST
#endif

#endif
