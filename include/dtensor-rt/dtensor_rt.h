/*===- dtensor_rt.h - load and run bundles ------------------------*- C -*-===*\
|*                                                                            *|
|* The C interface of libdtensor_rt: open a bundle, make an executable for    *|
|* one entry on one mesh, bind it to global shapes, run it.                   *|
|*                                                                            *|
|* Every function that can fail returns a status; on failure the message of   *|
|* the calling thread is dtensor_rt_last_error() and outputs are untouched.   *|
|* Handles are checked: null, closed and foreign handles are errors, never a  *|
|* crash. An object keeps what it was made from alive, so handles may be      *|
|* closed in any order. All functions may be called from any thread; one      *|
|* launch runs at most once at a time.                                        *|
|*                                                                            *|
|* Sizes are in elements unless a name says bytes. `ordinal` counts the       *|
|* arguments of an entry, then its results. A rank is the row-major index of  *|
|* its mesh coordinates: the last axis varies fastest.                        *|
|*                                                                            *|
|* Every struct begins with `struct_size`, set by the caller to sizeof: a     *|
|* newer library serves older callers.                                        *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef DTENSOR_RT_DTENSOR_RT_H
#define DTENSOR_RT_DTENSOR_RT_H

#include "dtensor-rt/Types.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dtensor_rt_status {
  DTENSOR_RT_OK = 0,
  DTENSOR_RT_INVALID_ARGUMENT = 1, /* null, wrong count, dtype, rank, shape */
  DTENSOR_RT_INVALID_HANDLE = 2,   /* null, closed, or of another kind */
  DTENSOR_RT_NOT_FOUND = 3,        /* no such file, entry, axis or backend */
  DTENSOR_RT_BAD_BUNDLE = 4,       /* truncated, damaged, other ABI version */
  DTENSOR_RT_MESH_MISMATCH = 5,    /* the mesh contradicts a declared fact */
  DTENSOR_RT_CHECK_FAILED = 6,     /* a launch check of the program failed */
  DTENSOR_RT_RUN_FAILED = 7,       /* a rank failed while it ran */
  DTENSOR_RT_OUT_OF_MEMORY = 8,
  DTENSOR_RT_BUSY = 9, /* the launch is running on another thread */
  DTENSOR_RT_INTERNAL = 10
} dtensor_rt_status;

typedef struct dtensor_rt_bundle dtensor_rt_bundle;
typedef struct dtensor_rt_executable dtensor_rt_executable;
typedef struct dtensor_rt_launch dtensor_rt_launch;

/* Message of the last failure on this thread, "" before the first one. Valid
   until the next call of this library on this thread. */
DTENSOR_RT_EXPORT const char *dtensor_rt_last_error(void);

/* Version of the bundle format and of the compiled interface. */
DTENSOR_RT_EXPORT uint32_t dtensor_rt_abi_version(void);

/* Bytes of one element, or 0 for an unknown code. */
DTENSOR_RT_EXPORT size_t dtensor_rt_dtype_bytes(int32_t dtype);

/* "f32", or null for an unknown code. */
DTENSOR_RT_EXPORT const char *dtensor_rt_dtype_name(int32_t dtype);

/*===- Bundles ------------------------------------------------------------===*/

/* Checks the file (size, magic, ABI version, checksum), then loads it. */
DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_bundle_open(const char *path, dtensor_rt_bundle **bundle);

DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_bundle_close(dtensor_rt_bundle *bundle);

/* The manifest, JSON in UTF-8, null-terminated; valid until the close. */
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_bundle_manifest(
    dtensor_rt_bundle *bundle, const char **text, size_t *bytes);

DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_bundle_num_entries(dtensor_rt_bundle *bundle, size_t *count);

DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_bundle_entry_name(
    dtensor_rt_bundle *bundle, size_t index, const char **name);

typedef struct dtensor_rt_axis_info {
  size_t struct_size;
  const char *name; /* valid until the close */
  int64_t size;     /* the declared size, or -1 where any size may be given */
  int64_t hint;
  int64_t least_size; /* the smallest size that all declared facts allow, 0
                         where there is none */
} dtensor_rt_axis_info;

DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_bundle_num_axes(dtensor_rt_bundle *bundle, size_t *count);

DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_bundle_axis(
    dtensor_rt_bundle *bundle, size_t index, dtensor_rt_axis_info *info);

/*===- Executables: one entry on one mesh ---------------------------------===*/

/* Sends `bytes` bytes to every member and receives as many from each, in the
   order of `members`; these are mesh ranks, the caller's own one stands at
   `position`. Not 0: it failed, and so does the run. All members call it in the
   same order; it is called on the thread that runs the launch. */
typedef int32_t (*dtensor_rt_gather_fn)(void *user, const int64_t *members,
                                        size_t num_members, size_t position,
                                        const void *send, size_t bytes,
                                        void *receive);

/* How this process, which is one rank, reaches the others. */
typedef struct dtensor_rt_peers {
  size_t struct_size;
  int64_t mesh_rank;
  dtensor_rt_gather_fn gather;
  void *user; /* of the function; must live as long as the executable */
} dtensor_rt_peers;

typedef struct dtensor_rt_executable_options {
  size_t struct_size;
  const char *entry;   /* null: the bundle's only entry */
  const char *backend; /* null: "sim" */
  size_t num_axes;     /* the order of axes is free, all must be named */
  const char *const *axis_names;
  const int64_t *axis_sizes; /* >= 1 */
  /* Of backend "process", where every rank is a process on the CPU and the
     caller moves the bytes; null for the others. */
  const dtensor_rt_peers *peers;
} dtensor_rt_executable_options;

DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_executable_create(
    dtensor_rt_bundle *bundle, const dtensor_rt_executable_options *options,
    dtensor_rt_executable **executable);

DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_executable_destroy(dtensor_rt_executable *executable);

typedef struct dtensor_rt_executable_info {
  size_t struct_size;
  size_t num_args;
  size_t num_results;
  size_t num_symbols;
  size_t num_axes;
  int64_t num_ranks;
} dtensor_rt_executable_info;

DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_executable_describe(
    dtensor_rt_executable *executable, dtensor_rt_executable_info *info);

typedef struct dtensor_rt_value_info {
  size_t struct_size;
  const char *name; /* strings are valid until the destroy */
  int32_t is_scalar;
  int32_t dtype;
  size_t rank;            /* number of dimensions */
  const int64_t *shape;   /* [rank], -1 where dynamic */
  const char *extents;    /* "B, 2*S" */
  const char *placements; /* "replicate, shard(0)", one per mesh axis */
  int32_t donated;
} dtensor_rt_value_info;

DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_executable_value(dtensor_rt_executable *executable, size_t ordinal,
                            dtensor_rt_value_info *info);

DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_executable_symbol(
    dtensor_rt_executable *executable, size_t index, const char **name);

/* Global extents of a tensor for given values of the symbols. */
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_executable_global_extents(
    dtensor_rt_executable *executable, size_t ordinal, const int64_t *symbols,
    size_t num_symbols, int64_t *extents, size_t rank);

/*===- Launches: an executable bound to global shapes ---------------------===*/

/* An array or a scalar (ndim 0) in host memory. */
typedef struct dtensor_rt_array {
  size_t struct_size;
  void *data; /* may be null only when there are no elements */
  int32_t dtype;
  int32_t ndim;
  const int64_t *shape;   /* [ndim] */
  const int64_t *strides; /* [ndim] in elements; null: row-major */
} dtensor_rt_array;

/* Binds the symbols from the shapes of `args` (data of tensors is not read,
   scalars are) and runs the launch checks of the program. */
DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_bind(dtensor_rt_executable *executable, const dtensor_rt_array *args,
                size_t num_args, dtensor_rt_launch **launch);

DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_launch_destroy(dtensor_rt_launch *launch);

DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_launch_symbols(
    dtensor_rt_launch *launch, int64_t *values, size_t num_symbols);

DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_launch_global_extents(
    dtensor_rt_launch *launch, size_t ordinal, int64_t *extents, size_t rank);

/* The box of the global tensor that mesh rank `mesh_rank` holds. */
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_launch_local_box(
    dtensor_rt_launch *launch, int64_t mesh_rank, size_t ordinal,
    int64_t *extents, int64_t *offsets, size_t rank);

/* The ranks of the mesh that run in this process, ascending: all of them with
   backend "sim", and with "cuda" unless every rank is a process; with "process"
   the caller's. */
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_executable_num_local_ranks(
    dtensor_rt_executable *executable, size_t *count);
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_executable_local_rank(
    dtensor_rt_executable *executable, size_t index, int64_t *mesh_rank);

/* Runs the local ranks on local arrays. The counts are totals: with A arguments
   of the entry and R local ranks, num_args = R * A, and args[r * A + i] is
   argument i of the r-th local rank; results likewise. Shapes must be those of
   dtensor_rt_launch_local_box, storage row-major. Scalar arguments are the
   values given here and must equal those bound where they are integers.

   A result or a donated argument never shares memory with another array of the
   call: the program reads and writes in any order. It is an error; arguments
   that are only read may share theirs. */
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_run_local(
    dtensor_rt_launch *launch, const dtensor_rt_array *args, size_t num_args,
    const dtensor_rt_array *results, size_t num_results);

typedef struct dtensor_rt_run_options {
  size_t struct_size;
  /* Null, or one CUstream per local rank: the work is queued there. A null
     stream is one of the runtime's own; (CUstream)1 and (CUstream)2 name the
     default streams of CUDA. */
  void *const *streams;
  /* 0: return as soon as the work is queued; memory of the arrays must live
     until it is done. */
  int32_t wait;
} dtensor_rt_run_options;

/* The same with backend "cuda": data of tensors is memory of the rank's GPU,
   scalars are host memory. `options` may be null. */
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_run_local_with(
    dtensor_rt_launch *launch, const dtensor_rt_array *args, size_t num_args,
    const dtensor_rt_array *results, size_t num_results,
    const dtensor_rt_run_options *options);

/* Loads once, runs often: load distributes global arguments and keeps them
   where the ranks run, execute runs on them, fetch collects the results of the
   last execute. A donated argument is changed by execute. */
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_launch_load(
    dtensor_rt_launch *launch, const dtensor_rt_array *args, size_t num_args);
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_launch_execute(
    dtensor_rt_launch *launch, const dtensor_rt_run_options *options);
DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_launch_fetch(dtensor_rt_launch *launch,
                        const dtensor_rt_array *results, size_t num_results);

/* Waits for all that was queued with wait = 0. */
DTENSOR_RT_EXPORT dtensor_rt_status
dtensor_rt_launch_wait(dtensor_rt_launch *launch);

/* Runs on global arrays: distributes the arguments by their layouts, runs all
   ranks, collects the results into `results`. A partial argument is held by
   coordinate 0, the other ranks get the neutral element (an average: every
   rank gets the value); a partial result is reduced. */
DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_run_global(
    dtensor_rt_launch *launch, const dtensor_rt_array *args, size_t num_args,
    const dtensor_rt_array *results, size_t num_results);

/*===- Statistics ---------------------------------------------------------===*/

enum {
  DTENSOR_RT_ALL_GATHER = 0,
  DTENSOR_RT_ALL_REDUCE = 1,
  DTENSOR_RT_REDUCE_SCATTER = 2,
  DTENSOR_RT_ALL_TO_ALL = 3,
  DTENSOR_RT_COLLECTIVE_PERMUTE = 4,
  DTENSOR_RT_NUM_COLLECTIVES = 5
};

/* Of one rank in the last run. Groups of one are not counted. Bytes are those
   that a rank must receive whatever the algorithm: for an output of b bytes in
   a group of n, all_gather, all_to_all and collective_permute count what comes
   from other members, reduce_scatter (n-1)/n of its input, all_reduce
   2b(n-1)/n. */
typedef struct dtensor_rt_rank_stats {
  size_t struct_size;
  int64_t collectives[DTENSOR_RT_NUM_COLLECTIVES];
  int64_t bytes[DTENSOR_RT_NUM_COLLECTIVES];
  int64_t peak_bytes;    /* most bytes that the program had allocated at once */
  double seconds;        /* time inside the program, data movement of run_global
                            not included; with "cuda" the time that the host
                            spends on queueing */
  int64_t kernels;       /* launched, with "cuda" */
  int64_t library_calls; /* matrix products */
  int32_t from_graph;    /* 1: work captured before was queued again */
  double host_seconds;   /* from the call of the run function until the work of
                            this rank was queued, with "cuda"; else 0 */
} dtensor_rt_rank_stats;

DTENSOR_RT_EXPORT dtensor_rt_status dtensor_rt_launch_stats(
    dtensor_rt_launch *launch, int64_t mesh_rank, dtensor_rt_rank_stats *stats);

/* "all_gather", or null for an unknown kind. */
DTENSOR_RT_EXPORT const char *dtensor_rt_collective_name(int32_t kind);

#ifdef __cplusplus
}
#endif

#endif /* DTENSOR_RT_DTENSOR_RT_H */
