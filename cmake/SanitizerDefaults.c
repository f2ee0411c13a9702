/*===- SanitizerDefaults.c - options of a sanitized build ---------*- C -*-===*\
|*                                                                            *|
|* Part of the dtensor project, under the Apache License v2.0 with LLVM       *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|* The sanitizers ask an executable for these. Every option has its reason;   *|
|* what the environment sets comes on top.                                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#define DEFAULTS __attribute__((visibility("default"), used)) const char *

/* A finding ends the program as a crash does: a test that expects an error by
   its exit code must not take a finding for it.

   allow_user_poisoning: LLVM's bump allocator is a template. What our code
   instantiates marks memory as free, what LLVM's libraries instantiate, which
   have no sanitizer, hands the same memory out unmarked.

   detect_container_overflow: for the same reason, where the C++ library marks
   the unused end of a vector.

   allocator_may_return_null: tests ask for more memory than there is.

   detect_odr_violation: the compiler's libraries are in executables and in
   libDTensorCompiler.so, both at once in a test of the C interface. */
DEFAULTS __asan_default_options(void);
DEFAULTS __asan_default_options(void) {
  return "abort_on_error=1:allow_user_poisoning=0:detect_container_overflow=0:"
         "allocator_may_return_null=1:detect_stack_use_after_return=1:"
         "strict_init_order=1:detect_odr_violation=1";
}

DEFAULTS __ubsan_default_options(void);
DEFAULTS __ubsan_default_options(void) {
  return "abort_on_error=1:print_stacktrace=1";
}

/* Runs to the end: one report is often explained by the next. */
DEFAULTS __tsan_default_options(void);
DEFAULTS __tsan_default_options(void) {
  return "abort_on_error=1:allocator_may_return_null=1:second_deadlock_stack=1";
}

/* The thread sanitizer does not see what LLVM's and MLIR's libraries read and
   write, nor the order that their atomics make, but it does see their calls of
   memcpy. A function stands here only when its source shows the order.

   getAttrNameToKindMapping copies a table that is a static variable of the
   function. C++ orders its making before every use by a guard, which is read
   without a call. */
DEFAULTS __tsan_default_suppressions(void);
DEFAULTS __tsan_default_suppressions(void) {
  return "race:mlir::LLVM::detail::getAttrNameToKindMapping\n";
}
