/* What the tests in C share. */

#ifndef DTENSOR_TEST_CAPI_CHECK_H
#define DTENSOR_TEST_CAPI_CHECK_H

#include "dtensor-c/dtensor_compiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(CONDITION)                                                       \
  do {                                                                         \
    if (!(CONDITION)) {                                                        \
      printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #CONDITION,                \
             dtensor_compiler_last_error());                                   \
      failures++;                                                              \
    }                                                                          \
  } while (0)

/* The last error has `part` in it. */
#define CHECK_ERROR(PART)                                                      \
  CHECK(strstr(dtensor_compiler_last_error(), PART) != NULL)

#endif /* DTENSOR_TEST_CAPI_CHECK_H */
