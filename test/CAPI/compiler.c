/* A program in C that uses nothing but the two C interfaces: it compiles, looks
   at a phase, and meets every kind of error. Usage: compiler FOLDER */

#include "Check.h"
#include "dtensor-rt/dtensor_rt.h"

#include <pthread.h>

static const char kProgram[] =
    "#world = #dtensor.mesh<\"tp\" = ?>\n"
    "func.func @twice(%x: tensor<?xf32> {dtensor.layout = "
    "#dtensor.layout<#world, [shard(0)], (B)>}) -> tensor<?xf32> {\n"
    "  %0 = dtensor.add %x, %x : (tensor<?xf32>, tensor<?xf32>) -> "
    "tensor<?xf32>\n"
    "  return %0 : tensor<?xf32>\n"
    "}\n";

static const char kBad[] =
    "#world = #dtensor.mesh<\"tp\" = ?>\n"
    "#k = #dtensor.layout<#world, [shard(0)], (K)>\n"
    "#l = #dtensor.layout<#world, [shard(0)], (K + 1)>\n"
    "func.func @bad(%x: tensor<?xf32> {dtensor.layout = #k}, %y: tensor<?xf32> "
    "{dtensor.layout = #l}) -> tensor<?xf32> {\n"
    "  %0 = dtensor.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> "
    "tensor<?xf32>\n"
    "  return %0 : tensor<?xf32>\n"
    "}\n";

struct Told {
  int errors;
  char place[64];
};

static void tell(void *user, const dtensor_compiler_diagnostic *diagnostic) {
  struct Told *told = user;
  if (diagnostic->severity != DTENSOR_COMPILER_ERROR)
    return;
  told->errors++;
  snprintf(told->place, sizeof(told->place), "%s", diagnostic->place);
}

static dtensor_compiler_program *parse(const char *text, struct Told *told) {
  dtensor_compiler_program *program = NULL;
  dtensor_compiler_parse(text, strlen(text), "program.mlir", tell, told,
                         &program);
  return program;
}

static void testPhases(void) {
  struct Told told = {0};
  dtensor_compiler_program *program = parse(kProgram, &told);
  CHECK(program);
  static const char *const phases[] = {"normalized", "placed",  "planned",
                                       "local",      "kernels", "llvm"};
  for (size_t i = 0; i < sizeof(phases) / sizeof(*phases); ++i) {
    dtensor_compiler_options options = {.struct_size = sizeof(options)};
    dtensor_compiler_buffer text = {.struct_size = sizeof(text)};
    options.emit = phases[i];
    CHECK(dtensor_compiler_compile(program, &options, &text) == 0);
    CHECK(text.data && strlen(text.data) == text.bytes &&
          strstr(text.data, "twice"));
    dtensor_compiler_buffer_free(&text);
    CHECK(!text.data && text.bytes == 0);
  }
  CHECK(told.errors == 0);
  dtensor_compiler_destroy(program);
}

static void testBundle(const char *folder) {
  struct Told told = {0};
  dtensor_compiler_program *program = parse(kProgram, &told);
  char path[1024];
  snprintf(path, sizeof(path), "%s/twice.so", folder);
  CHECK(dtensor_compiler_compile_to_file(program, NULL, path) == 0);
  dtensor_rt_bundle *bundle = NULL;
  CHECK(dtensor_rt_bundle_open(path, &bundle) == DTENSOR_RT_OK);
  CHECK(dtensor_rt_bundle_close(bundle) == DTENSOR_RT_OK);
  CHECK(dtensor_compiler_compile_to_file(program, NULL, "/nowhere/at/all") ==
        DTENSOR_COMPILER_IO);
  CHECK(strstr(dtensor_compiler_last_error(), "/nowhere/at/all"));
  dtensor_compiler_destroy(program);
}

static void testErrors(void) {
  struct Told told = {0};
  dtensor_compiler_program *program = NULL;
  CHECK(dtensor_compiler_parse("func.func @", 11, "a.mlir", tell, &told,
                               &program) == DTENSOR_COMPILER_BAD_PROGRAM);
  CHECK(told.errors == 1 && strncmp(told.place, "a.mlir:1:", 9) == 0);
  CHECK(strncmp(dtensor_compiler_last_error(), "a.mlir:1:", 9) == 0);
  program = parse(kBad, &told);
  CHECK(program);
  dtensor_compiler_buffer result = {.struct_size = sizeof(result)};
  CHECK(dtensor_compiler_compile(program, NULL, &result) ==
        DTENSOR_COMPILER_BAD_PROGRAM);
  CHECK(told.errors == 2 && strncmp(told.place, "program.mlir:5:", 15) == 0);
  CHECK(strstr(dtensor_compiler_last_error(), "dtensor.add"));
  CHECK(!result.data);
  dtensor_compiler_options options = {.struct_size = sizeof(options)};
  options.emit = "nothing";
  CHECK(dtensor_compiler_compile(program, &options, &result) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK(dtensor_compiler_compile(NULL, NULL, &result) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK(dtensor_compiler_parse(NULL, 0, NULL, NULL, NULL, &program) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  dtensor_compiler_destroy(program);
  dtensor_compiler_destroy(NULL);
}

/* A caller of the first version knew fewer options. */
static void testOldCaller(void) {
  struct Told told = {0};
  dtensor_compiler_program *program = parse(kProgram, &told);
  dtensor_compiler_options options = {
      .struct_size = offsetof(dtensor_compiler_options, format)};
  dtensor_compiler_buffer text = {.struct_size = sizeof(text)};
  options.emit = "local";
  options.format = "not read";
  CHECK(dtensor_compiler_compile(program, &options, &text) == 0);
  dtensor_compiler_buffer_free(&text);
  options.struct_size--;
  CHECK(dtensor_compiler_compile(program, &options, &text) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK_ERROR("options.struct_size is 47, at least 48 is expected");
  dtensor_compiler_destroy(program);
}

static void *compileOften(void *program) {
  size_t *good = calloc(1, sizeof(size_t));
  for (int i = 0; i < 5; ++i) {
    dtensor_compiler_options options = {.struct_size = sizeof(options)};
    dtensor_compiler_buffer text = {.struct_size = sizeof(text)};
    options.emit = "local";
    *good += dtensor_compiler_compile(program, &options, &text) == 0;
    dtensor_compiler_buffer_free(&text);
  }
  return good;
}

static void testThreads(void) {
  struct Told told = {0};
  dtensor_compiler_program *shared = parse(kProgram, &told);
  dtensor_compiler_program *own = parse(kProgram, &told);
  dtensor_compiler_program *programs[] = {shared, shared, own};
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i)
    CHECK(pthread_create(&threads[i], NULL, compileOften, programs[i]) == 0);
  for (int i = 0; i < 3; ++i) {
    void *good = NULL;
    pthread_join(threads[i], &good);
    CHECK(*(size_t *)good == 5);
    free(good);
  }
  dtensor_compiler_destroy(shared);
  dtensor_compiler_destroy(own);
}

static void testSpecs(void) {
  static const char *const names[] = {"dp", "tp"};
  static const int64_t sizes[] = {2, 4}, shape[] = {16, -1};
  static const char *const extents[] = {NULL, "2*B"};
  /* The second axis cuts first. */
  dtensor_compiler_placement placements[] = {{DTENSOR_COMPILER_SHARD, 0, 4, 0},
                                             {DTENSOR_COMPILER_SHARD, 0, 1, 0}};
  dtensor_compiler_spec spec = {sizeof(spec), 2, names, sizes,
                                placements,   2, shape, extents};
  dtensor_compiler_buffer text = {.struct_size = sizeof(text)};
  CHECK(dtensor_compiler_print_dtensor_spec(&spec, &text) == 0);
  CHECK(text.data &&
        !strcmp(text.data,
                "{\"mesh\":{\"dim_names\":[\"dp\",\"tp\"],\"shape\":[2,4]},"
                "\"placements\":[{\"dim\":0,\"split_factor\":4,\"type\":"
                "\"strided_shard\"},{\"dim\":0,\"type\":\"shard\"}],"
                "\"shape\":[16,\"2*B\"]}"));
  const dtensor_compiler_spec *back = NULL;
  CHECK(dtensor_compiler_parse_dtensor_spec(text.data, text.bytes, &back) == 0);
  CHECK(back && back->num_axes == 2 && !strcmp(back->axis_names[1], "tp") &&
        back->mesh_sizes[1] == 4 && back->rank == 2 && back->shape[0] == 16 &&
        back->shape[1] == -1 && !strcmp(back->extents[1], "2*B"));
  CHECK(back && back->placements[0].kind == DTENSOR_COMPILER_SHARD &&
        back->placements[0].split_factor == 4 &&
        back->placements[1].split_factor == 1);
  dtensor_compiler_spec_free(back);
  dtensor_compiler_buffer_free(&text);

  placements[0].split_factor = 3;
  CHECK(dtensor_compiler_print_dtensor_spec(&spec, &text) ==
        DTENSOR_COMPILER_BAD_PROGRAM);
  CHECK(strstr(dtensor_compiler_last_error(), "split factor 3 of axis \"dp\""));
  placements[0].kind = 7;
  CHECK(dtensor_compiler_print_dtensor_spec(&spec, &text) ==
        DTENSOR_COMPILER_BAD_PROGRAM);
  CHECK(strstr(dtensor_compiler_last_error(), "placement 0 has kind 7"));
  CHECK(dtensor_compiler_print_dtensor_spec(NULL, &text) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK(dtensor_compiler_parse_dtensor_spec("{\"mesh\": 1}", 11, &back) ==
        DTENSOR_COMPILER_BAD_PROGRAM);
  CHECK(strstr(dtensor_compiler_last_error(), "mesh: expected an object"));
  dtensor_compiler_spec_free(NULL);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  CHECK(strstr(dtensor_compiler_version(), "LLVM"));
  testPhases();
  testBundle(argv[1]);
  testErrors();
  testOldCaller();
  testThreads();
  testSpecs();
  printf("%d failures\n", failures);
  return failures != 0;
}
