/*===- dtensor_custom_op.h - ops of a host ------------------------*- C -*-===*\
|*                                                                            *|
|* A host brings ops of its own by callbacks: what an op's dimensions mean to *|
|* each other (its rule), and optionally what it computes on the shards of    *|
|* one rank (its lowering). A program then writes such an op in the generic   *|
|* form,                                                                      *|
|*                                                                            *|
|*   %d = "host.distance"(%a, %b) {power = 2 : i64}                           *|
|*       : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x?xf32>              *|
|*                                                                            *|
|* and every phase treats it as it treats the ops of the project.             *|
|*                                                                            *|
|* What is supported: an op whose operands are tensors of known rank and      *|
|* scalars, whose results are tensors of known rank, and which does on any    *|
|* shards, without another word from other ranks, what its rule says. Refused *|
|* with an error at the op: regions, successors, unranked tensors, and ops of *|
|* a dialect that the compiler has itself.                                    *|
|*                                                                            *|
|* Extents are texts: integer expressions over symbols, as "8", "B", "B*S +   *|
|* 2*H", "T ceildiv 2", "T floordiv 2", "T mod 2", "min(a, b)", "max(a, b)",  *|
|* "size(tp)" for the number of ranks along a mesh axis. A name that is no    *|
|* bare word is quoted. What a callback gives back is in the same form.       *|
|*                                                                            *|
|* Callbacks run on the thread that compiles, several at once where several   *|
|* threads compile. They answer the same question in the same way, as often   *|
|* as they are asked, and call no function that compiles. What they are given *|
|* is valid until they return. They must not throw.                           *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef DTENSOR_C_DTENSOR_CUSTOM_OP_H
#define DTENSOR_C_DTENSOR_CUSTOM_OP_H

#include <stddef.h>
#include <stdint.h>

#ifndef DTENSOR_COMPILER_EXPORT
#define DTENSOR_COMPILER_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*===- What a callback is told --------------------------------------------===*/

typedef struct dtensor_compiler_tensor {
  size_t struct_size;
  int32_t rank;             /* -1: a scalar */
  const char *element_type; /* "f32"; of a scalar its type, as "index" */
  /* `rank` texts. To a rule: of operands expressions, of results numbers or
     "?". To a lowering: the local sizes that are numbers, else "?". */
  const char *const *extents;
} dtensor_compiler_tensor;

typedef struct dtensor_compiler_op {
  size_t struct_size;
  const char *name;
  const char *attributes; /* "{power = 2 : i64}", or "{}" */
  size_t num_operands, num_results;
  const dtensor_compiler_tensor *const *operands;
  const dtensor_compiler_tensor *const *results;
} dtensor_compiler_op;

/*===- Rules --------------------------------------------------------------===*/

/* A rule names the loops of an op, its factors, and says of every dimension of
   every tensor which factors it runs over. "host.distance" above has m and n,
   parallel, and k, a reduction by sum: (m k), (n k) -> (m n). On a mesh axis
   the op may run whole, or with one factor sharded; where that is a reduction,
   the results are pending, partial(sum). */
typedef struct dtensor_compiler_rule dtensor_compiler_rule;

typedef enum dtensor_compiler_factor_kind {
  DTENSOR_COMPILER_FACTOR_PARALLEL = 0,
  DTENSOR_COMPILER_FACTOR_REDUCTION = 1, /* in no result */
  DTENSOR_COMPILER_FACTOR_WHOLE = 2      /* every rank needs all of it */
} dtensor_compiler_factor_kind;

typedef enum dtensor_compiler_reduce_op {
  DTENSOR_COMPILER_NONE = -1, /* in a partial signature: not pending */
  DTENSOR_COMPILER_SUM = 0,
  DTENSOR_COMPILER_AVG = 1,
  DTENSOR_COMPILER_MAX = 2,
  DTENSOR_COMPILER_MIN = 3,
  DTENSOR_COMPILER_PRODUCT = 4
} dtensor_compiler_reduce_op;

/* Adds a factor of `size`, an expression over the symbols of the operands, and
   gives its number. `reduce_op` is read of a reduction. These functions tell
   the rule what is wrong, and the op then fails: no need to look at each. */
DTENSOR_COMPILER_EXPORT uint32_t
dtensor_compiler_rule_factor(dtensor_compiler_rule *rule, int32_t kind,
                             int32_t reduce_op, const char *size);

/* Dimension `dim` runs over `count` factors, major to minor. Its extent is the
   product of their sizes, 1 with none. Every dimension of every tensor must be
   told; a scalar has none. */
DTENSOR_COMPILER_EXPORT void
dtensor_compiler_rule_operand(dtensor_compiler_rule *rule, size_t operand,
                              size_t dim, const uint32_t *factors,
                              size_t count);
DTENSOR_COMPILER_EXPORT void
dtensor_compiler_rule_result(dtensor_compiler_rule *rule, size_t result,
                             size_t dim, const uint32_t *factors, size_t count);

/* The op may also run on terms: where operands are pending by these reductions,
   all at once, results are pending by those. One dtensor_compiler_reduce_op per
   operand and per result. */
DTENSOR_COMPILER_EXPORT void
dtensor_compiler_rule_partial(dtensor_compiler_rule *rule,
                              const int32_t *operands, const int32_t *results);

/* 0, or another number for "there is no rule"; `message`, which may be null,
   becomes an error at the op. */
DTENSOR_COMPILER_EXPORT int
dtensor_compiler_rule_fail(dtensor_compiler_rule *rule, const char *message);

typedef int (*dtensor_compiler_rule_fn)(void *user,
                                        const dtensor_compiler_op *op,
                                        dtensor_compiler_rule *rule);

/*===- Lowerings ----------------------------------------------------------===*/

typedef struct dtensor_compiler_text dtensor_compiler_text;

/* Null-terminated; copied. */
DTENSOR_COMPILER_EXPORT void
dtensor_compiler_text_append(dtensor_compiler_text *text, const char *part);

/* Writes one function of one block over arith, math, linalg, scf and tensor,

     func.func @distance(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>)
         -> tensor<?x?xf32> { ... }

   that takes and gives local tensors; a dimension may be "?" where the op has a
   number, and a number where the op has "?" if that is sure at run time. Its
   body takes the place of the op in the local view. It calls no functions.
   0, or another number for "there is none". */
typedef int (*dtensor_compiler_lower_fn)(void *user,
                                         const dtensor_compiler_op *op,
                                         dtensor_compiler_text *text);

/* Without `lower` the local view has the op itself, on local types, and later
   phases refuse the program: the host lowers the op in the text of "local" and
   compiles on with `from_local`. */
typedef struct dtensor_compiler_custom_op {
  size_t struct_size;
  const char *name; /* "host.distance" */
  dtensor_compiler_rule_fn rule;
  dtensor_compiler_lower_fn lower;
  void *user; /* given to both; lives as long as the programs */
} dtensor_compiler_custom_op;

#ifdef __cplusplus
}
#endif

#endif /* DTENSOR_C_DTENSOR_CUSTOM_OP_H */
