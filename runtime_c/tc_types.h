/* tc_types.h - what every file of a generated model includes: C99 types and the status of the C API. */
#ifndef TC_TYPES_H
#define TC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Result of the functions of the C API. */
typedef enum tc_status {
    TC_OK = 0,
    TC_ERROR_NULL_POINTER = 1,   /* a pointer that must be given is NULL */
    TC_ERROR_MISALIGNED = 2,     /* the arena, the state or an input is not aligned as its macro says */
    TC_ERROR_NOT_INITIALISED = 3 /* the context was not initialised */
} tc_status;

/* Delivers row `row` of an input: writes it to `data`. */
typedef void (*tc_read_row)(void *user, int32_t row, void *data);

/* Where an input comes from whose rows are delivered one by one. */
typedef struct tc_row_source {
    tc_read_row read;
    void *user;
} tc_row_source;

/* Where a compiler does not know `restrict` (C++), it is left out. */
#ifdef __cplusplus
#define TC_RESTRICT
#else
#define TC_RESTRICT restrict
#endif

/* Alignment of constants that kernels read in words. */
#if defined(__GNUC__)
#define TC_ALIGNED(bytes) __attribute__((aligned(bytes)))
#else
#define TC_ALIGNED(bytes)
#endif

/* Stands first in every kernel and costs nothing: the compiler may not take the function for one without effects. GCC 12 may
 * write an address as the difference of two pointers (ivopts), see no store behind it any more, and drop the calls. */
#if defined(__GNUC__)
#define TC_WRITES_MEMORY() __asm__ __volatile__("" ::: "memory")
#else
#define TC_WRITES_MEMORY() ((void)0)
#endif

/* What the compiler may rely on. Invoke checks the arena; a region that is inlined elsewhere must not be compiled for an arena at NULL,
 * where row 0 would look like a row outside of the image (and GCC warn of what follows). */
#if defined(__GNUC__)
#define TC_ASSUME(condition) ((condition) ? (void)0 : __builtin_unreachable())
#else
#define TC_ASSUME(condition) ((void)0)
#endif

#endif /* TC_TYPES_H */
