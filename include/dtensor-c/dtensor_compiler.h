/*===- dtensor_compiler.h - compile programs ----------------------*- C -*-===*\
|*                                                                            *|
|* The C interface of libDTensorCompiler: a program comes in as text or as    *|
|* MLIR bytecode and is compiled to a bundle, or up to any phase. What a      *|
|* bundle is run with is dtensor-rt/dtensor_rt.h; the two libraries do not    *|
|* need each other. A host that links MLIR itself has dtensor_mlir.h.         *|
|*                                                                            *|
|* Every function that can fail returns a status. What is wrong with a        *|
|* program is told to a callback, with its place, as soon as it is found; the *|
|* errors of the last failed call of a thread are also                        *|
|* dtensor_compiler_last_error(). All functions may be called from any        *|
|* thread: programs are compiled side by side, calls on one program wait for  *|
|* each other. A program is not changed by compiling it.                      *|
|*                                                                            *|
|* Every struct begins with `struct_size`, set by the caller to sizeof: a     *|
|* newer library serves older callers.                                        *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef DTENSOR_C_DTENSOR_COMPILER_H
#define DTENSOR_C_DTENSOR_COMPILER_H

#include "dtensor-c/dtensor_custom_op.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dtensor_compiler_status {
  DTENSOR_COMPILER_OK = 0,
  DTENSOR_COMPILER_INVALID_ARGUMENT = 1, /* null, an unknown phase */
  DTENSOR_COMPILER_BAD_PROGRAM = 2,      /* the callback was told why */
  DTENSOR_COMPILER_IO = 3                /* a file cannot be written */
} dtensor_compiler_status;

typedef enum dtensor_compiler_severity {
  DTENSOR_COMPILER_ERROR = 0,
  DTENSOR_COMPILER_WARNING = 1,
  DTENSOR_COMPILER_REMARK = 2,
  DTENSOR_COMPILER_NOTE = 3 /* belongs to the diagnostic before it */
} dtensor_compiler_severity;

/* Strings are valid during the callback. `place` is "file:line:column", or
   "" where the place is not known. */
typedef struct dtensor_compiler_diagnostic {
  size_t struct_size;
  int32_t severity;
  const char *place;
  const char *message;
} dtensor_compiler_diagnostic;

typedef void (*dtensor_compiler_diagnostic_fn)(
    void *user, const dtensor_compiler_diagnostic *diagnostic);

typedef struct dtensor_compiler_program dtensor_compiler_program;

/* Errors of the last failed call on this thread, a line each, with places;
   "" before the first one. Valid until the next failure on this thread. */
DTENSOR_COMPILER_EXPORT const char *dtensor_compiler_last_error(void);

/* "0.1.0 LLVM 22.1.8": a bundle of another version may differ. */
DTENSOR_COMPILER_EXPORT const char *dtensor_compiler_version(void);

/*===- Programs -----------------------------------------------------------===*/

/* Parses `bytes` bytes of text or bytecode; the bytes may go afterwards. `name`
   stands for the file in messages. The callback may be null; it is used until
   the program is destroyed. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status
dtensor_compiler_parse(const char *text, size_t bytes, const char *name,
                       dtensor_compiler_diagnostic_fn callback, void *user,
                       dtensor_compiler_program **program);

/* Null is allowed. No call on the program may be under way. */
DTENSOR_COMPILER_EXPORT void
dtensor_compiler_destroy(dtensor_compiler_program *program);

/*===- Sessions -----------------------------------------------------------===*/

/* What a host adds to the compiler: ops of its own, dtensor_custom_op.h. */
typedef struct dtensor_compiler_session dtensor_compiler_session;

DTENSOR_COMPILER_EXPORT dtensor_compiler_status
dtensor_compiler_session_create(dtensor_compiler_session **session);

/* Null is allowed. Programs of the session live on. */
DTENSOR_COMPILER_EXPORT void
dtensor_compiler_session_destroy(dtensor_compiler_session *session);

/* Programs that are parsed from now on may have the op. Refuses a name that is
   not dialect.op, that is taken, or of a dialect that the compiler has. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status dtensor_compiler_session_add_op(
    dtensor_compiler_session *session, const dtensor_compiler_custom_op *op);

/* As dtensor_compiler_parse, with the ops of the session, which may be null. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status dtensor_compiler_session_parse(
    dtensor_compiler_session *session, const char *bytes, size_t size,
    const char *name, dtensor_compiler_diagnostic_fn callback, void *user,
    dtensor_compiler_program **program);

/*===- Compiling ----------------------------------------------------------===*/

typedef struct dtensor_compiler_options {
  size_t struct_size;
  const char *target; /* "cpu", "cuda", "cuda:sm_90a"; null: "cpu" */
  const char *cpu;    /* a processor; null: x86-64-v3 where this one has it */
  /* Where to stop: "normalized", "placed", "planned", "local", "kernels",
     "ptx", "llvm" or "bundle"; null: "bundle". */
  const char *emit;
  int32_t from_local; /* 1: the program is in the local view already */
  int32_t verify_each;
  int32_t unoptimized; /* 1: compiles quickly, the code runs slowly */
  /* Of a phase up to "kernels": "text" or "bytecode" of MLIR; null: "text". */
  const char *format;
} dtensor_compiler_options;

/* A block of bytes of the library; text is null-terminated beyond its size. */
typedef struct dtensor_compiler_buffer {
  size_t struct_size;
  const char *data;
  size_t bytes;
} dtensor_compiler_buffer;

/* Gives what `options->emit` names. `options` may be null. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status dtensor_compiler_compile(
    dtensor_compiler_program *program, const dtensor_compiler_options *options,
    dtensor_compiler_buffer *result);

/* The same into a file, which appears whole or not at all. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status
dtensor_compiler_compile_to_file(dtensor_compiler_program *program,
                                 const dtensor_compiler_options *options,
                                 const char *path);

/* Frees the bytes and empties the struct. */
DTENSOR_COMPILER_EXPORT void
dtensor_compiler_buffer_free(dtensor_compiler_buffer *buffer);

/*===- Shardings of XLA ---------------------------------------------------===*/

/* A layout on a mesh of these sizes: `dims[axis]` is the dimension that the
   axis shards, -1 where it replicates; `order` has the axes major to minor
   and may be null; `shape` may be null where the sizes are not known. */
typedef struct dtensor_compiler_layout {
  size_t struct_size;
  size_t num_axes;
  const int64_t *mesh_sizes;
  int32_t *dims;
  uint32_t *order;
  size_t rank;
  const int64_t *shape;
} dtensor_compiler_layout;

/* "{devices=[2,4]<=[8]}"; with `list` devices are written one by one. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status
dtensor_compiler_print_hlo_sharding(const dtensor_compiler_layout *layout,
                                    int32_t list,
                                    dtensor_compiler_buffer *result);

/* Fills `dims`, and `order` where it is not null: an order that is not that of
   the mesh needs it. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status
dtensor_compiler_parse_hlo_sharding(const char *text,
                                    const dtensor_compiler_layout *layout);

/*===- Specs of PyTorch ---------------------------------------------------===*/

typedef enum dtensor_compiler_placement_kind {
  DTENSOR_COMPILER_REPLICATE = 0,
  DTENSOR_COMPILER_SHARD = 1, /* a split factor above 1: a strided shard */
  DTENSOR_COMPILER_PARTIAL = 2
} dtensor_compiler_placement_kind;

/* Of one axis of a mesh. Lies in arrays, so it never grows. */
typedef struct dtensor_compiler_placement {
  int32_t kind;
  int32_t dim;          /* of a shard */
  int64_t split_factor; /* of a shard, at least 1 */
  int32_t reduce_op;    /* of a partial placement, dtensor_compiler_reduce_op */
} dtensor_compiler_placement;

/* Where a DTensor is. */
typedef struct dtensor_compiler_spec {
  size_t struct_size;
  size_t num_axes;
  const char *const *axis_names; /* null: d0, d1, ... */
  const int64_t *mesh_sizes;     /* -1: not known */
  const dtensor_compiler_placement *placements;
  size_t rank;
  const int64_t *shape;       /* -1: an expression */
  const char *const *extents; /* "2*B"; null, also an entry: as in `shape` */
} dtensor_compiler_spec;

/* The canonical text, JSON in one line:
   {"mesh":{"dim_names":["tp"],"shape":[4]},
    "placements":[{"dim":0,"type":"shard"}],"shape":[8,16]} */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status
dtensor_compiler_print_dtensor_spec(const dtensor_compiler_spec *spec,
                                    dtensor_compiler_buffer *result);

/* Facts of axes are checked and not told. An error names the place in the text,
   as placements[1].dim. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status
dtensor_compiler_parse_dtensor_spec(const char *text, size_t bytes,
                                    const dtensor_compiler_spec **spec);

/* Of what was parsed. Null is allowed. */
DTENSOR_COMPILER_EXPORT void
dtensor_compiler_spec_free(const dtensor_compiler_spec *spec);

#ifdef __cplusplus
}
#endif

#endif /* DTENSOR_C_DTENSOR_COMPILER_H */
