/* A host brings an op by callbacks: rule, lowering, and every way to be wrong.
   Usage: custom-op distances.mlir FOLDER, where program.so is written. */

#include "Check.h"
#include "Distance.h"

#include <stdbool.h>

static char *readFile(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 1 << 16);
  CHECK(file && fread(text, 1, (1 << 16) - 1, file) > 0);
  if (file)
    fclose(file);
  return text;
}

static dtensor_compiler_custom_op distance(void) {
  dtensor_compiler_custom_op op = {.struct_size = sizeof(op)};
  op.name = "host.distance";
  op.rule = distanceRule;
  op.lower = distanceLowering;
  return op;
}

/* The status of compiling `text` up to `emit` where `op` is known. */
static int compile(const char *text, const dtensor_compiler_custom_op *op,
                   const char *emit, dtensor_compiler_buffer *result) {
  dtensor_compiler_session *session = NULL;
  dtensor_compiler_program *program = NULL;
  CHECK(dtensor_compiler_session_create(&session) == 0);
  CHECK(dtensor_compiler_session_add_op(session, op) == 0);
  int status = dtensor_compiler_session_parse(
      session, text, strlen(text), "host.mlir", NULL, NULL, &program);
  /* A program needs its session no longer. */
  dtensor_compiler_session_destroy(session);
  if (status)
    return status;
  dtensor_compiler_options options = {.struct_size = sizeof(options)};
  options.emit = emit;
  status = dtensor_compiler_compile(program, &options, result);
  dtensor_compiler_destroy(program);
  return status;
}

static bool compilesTo(const char *text, const dtensor_compiler_custom_op *op,
                       const char *emit, const char *const *parts) {
  dtensor_compiler_buffer result = {.struct_size = sizeof(result)};
  if (compile(text, op, emit, &result))
    return false;
  bool all = true;
  for (; *parts; ++parts)
    all &= strstr(result.data, *parts) != NULL;
  dtensor_compiler_buffer_free(&result);
  return all;
}

static void testPhases(const char *text) {
  dtensor_compiler_custom_op op = distance();
  CHECK(compilesTo(text, &op, "placed",
                   (const char *[]){"host.distance", "partial(sum)", NULL}));
  CHECK(compilesTo(
      text, &op, "local",
      (const char *[]){"linalg.generic", "dtensor.all_reduce sum", NULL}));
  /* Without a lowering the local view has the op, on local types. */
  op.lower = NULL;
  CHECK(compilesTo(
      text, &op, "local",
      (const char *[]){"\"host.distance\"(%arg0, %arg1) {power = 2 : i64}"
                       " : (tensor<?x?xf32>, tensor<?x?xf32>) -> "
                       "tensor<?x?xf32>",
                       NULL}));
  dtensor_compiler_buffer result = {.struct_size = sizeof(result)};
  CHECK(compile(text, &op, "bundle", &result) == DTENSOR_COMPILER_BAD_PROGRAM);
  CHECK_ERROR("host.mlir:14:8: error: 'host.distance' op has no lowering: "
              "without one the program can be compiled up to \"local\"");
}

static void testBundle(const char *text, const char *folder) {
  dtensor_compiler_custom_op op = distance();
  dtensor_compiler_session *session = NULL;
  dtensor_compiler_program *program = NULL;
  char path[1024];
  snprintf(path, sizeof(path), "%s/program.so", folder);
  CHECK(dtensor_compiler_session_create(&session) == 0);
  CHECK(dtensor_compiler_session_add_op(session, &op) == 0);
  CHECK(dtensor_compiler_session_parse(session, text, strlen(text), NULL, NULL,
                                       NULL, &program) == 0);
  CHECK(dtensor_compiler_compile_to_file(program, NULL, path) == 0);
  dtensor_compiler_destroy(program);
  dtensor_compiler_session_destroy(session);
}

/* Bytecode of a phase is a program again, wherever its bytes lie. */
static void testBytecode(const char *text) {
  dtensor_compiler_custom_op op = distance();
  dtensor_compiler_session *session = NULL;
  dtensor_compiler_program *program = NULL, *again = NULL;
  CHECK(dtensor_compiler_session_create(&session) == 0);
  CHECK(dtensor_compiler_session_add_op(session, &op) == 0);
  CHECK(dtensor_compiler_session_parse(session, text, strlen(text), NULL, NULL,
                                       NULL, &program) == 0);
  dtensor_compiler_options options = {.struct_size = sizeof(options)};
  dtensor_compiler_buffer bytes = {.struct_size = sizeof(bytes)};
  options.emit = "normalized";
  options.format = "bytecode";
  CHECK(dtensor_compiler_compile(program, &options, &bytes) == 0);
  CHECK(bytes.bytes > 4 && memcmp(bytes.data, "ML\xefR", 4) == 0);
  char *odd = malloc(bytes.bytes + 1);
  memcpy(odd + 1, bytes.data, bytes.bytes);
  CHECK(dtensor_compiler_session_parse(session, odd + 1, bytes.bytes, "odd",
                                       NULL, NULL, &again) == 0);
  dtensor_compiler_buffer first = {.struct_size = sizeof(first)},
                          second = {.struct_size = sizeof(second)};
  options.emit = "local";
  options.format = "text";
  CHECK(dtensor_compiler_compile(program, &options, &first) == 0);
  CHECK(dtensor_compiler_compile(again, &options, &second) == 0);
  CHECK(strcmp(first.data, second.data) == 0);
  dtensor_compiler_buffer_free(&first);
  dtensor_compiler_buffer_free(&second);
  dtensor_compiler_destroy(again);
  /* What is left of bytecode is an error. */
  for (size_t part = 4; part < bytes.bytes; part += 97)
    CHECK(dtensor_compiler_session_parse(session, odd + 1, part, "part", NULL,
                                         NULL, &again) ==
          DTENSOR_COMPILER_BAD_PROGRAM);
  options.emit = "llvm";
  options.format = "bytecode";
  CHECK(dtensor_compiler_compile(program, &options, &first) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK_ERROR("only a phase up to \"kernels\" has bytecode");
  options.format = "poetry";
  CHECK(dtensor_compiler_compile(program, &options, &first) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK_ERROR("no format \"poetry\"");
  free(odd);
  dtensor_compiler_buffer_free(&bytes);
  dtensor_compiler_destroy(program);
  dtensor_compiler_session_destroy(session);
}

/* One name per way to be wrong; `user` says which. */
static int wrongRule(void *user, const dtensor_compiler_op *op,
                     dtensor_compiler_rule *rule) {
  const char *how = user;
  uint32_t factor = 0;
  if (!strcmp(how, "code"))
    return 7;
  if (!strcmp(how, "message"))
    return dtensor_compiler_rule_fail(rule, "not on Sundays");
  if (!strcmp(how, "nothing"))
    return 0;
  distanceRule(NULL, op, rule);
  if (!strcmp(how, "size"))
    dtensor_compiler_rule_factor(rule, 0, 0, "T +");
  else if (!strcmp(how, "symbol"))
    dtensor_compiler_rule_factor(rule, 0, 0, "Q + 1");
  else if (!strcmp(how, "kind"))
    dtensor_compiler_rule_factor(rule, 9, 0, "T");
  else if (!strcmp(how, "reduction"))
    dtensor_compiler_rule_factor(rule, DTENSOR_COMPILER_FACTOR_REDUCTION, 9,
                                 "T");
  else if (!strcmp(how, "dimension"))
    dtensor_compiler_rule_operand(rule, 1, 2, &factor, 1);
  else if (!strcmp(how, "factor")) {
    factor = 12;
    dtensor_compiler_rule_operand(rule, 0, 0, &factor, 1);
  } else if (!strcmp(how, "result")) {
    factor = 2;
    dtensor_compiler_rule_result(rule, 0, 0, &factor, 1);
  }
  return 0;
}

static void testWrongRules(const char *text) {
  static const char *const kWays[][2] = {
      {"code", "cannot be sharded: the host has no rule for it"},
      {"message", "cannot be sharded: not on Sundays"},
      {"nothing", "its rule does not tell of dimension 0 of operand 0"},
      {"size", "its rule has a factor of size \"T +\""},
      {"symbol", "a factor of size Q + 1, but no operand has the symbol Q"},
      {"kind", "its rule has a factor of kind 9"},
      {"reduction", "its rule has a reduction of kind 9"},
      {"dimension", "dimension 2 of operand 1, which is not there"},
      {"factor", "sharding rule: operand 0 names factor 12 of 3"},
      {"result", "sharding rule: result 0 runs over reduction factor 2"},
  };
  for (size_t i = 0; i < sizeof(kWays) / sizeof(*kWays); ++i) {
    dtensor_compiler_custom_op op = distance();
    op.rule = wrongRule;
    op.user = (void *)kWays[i][0];
    dtensor_compiler_buffer result = {.struct_size = sizeof(result)};
    CHECK(compile(text, &op, "local", &result) == DTENSOR_COMPILER_BAD_PROGRAM);
    CHECK_ERROR("host.mlir:14:8: error: 'host.distance' op");
    CHECK_ERROR(kWays[i][1]);
  }
}

static int wrongLowering(void *user, const dtensor_compiler_op *op,
                         dtensor_compiler_text *text) {
  (void)op;
  dtensor_compiler_text_append(text, user);
  return 0;
}

static void testWrongLowerings(const char *text) {
  static const char *const kWays[][2] = {
      {"func.func", "has a lowering that cannot be parsed"},
      {"", "has a lowering that is not one function of one block"},
      {"func.func private @f()",
       "has a lowering that is not one function of one block"},
      {"func.func @f() { return }", "has 2 operands, but its lowering has 0"},
      {"func.func @f(%a: tensor<?x?xf64>, %b: tensor<?x?xf32>) { return }",
       "has local operand 0 of type 'tensor<?x?xf32>', but its lowering states "
       "'tensor<?x?xf64>'"},
      {"func.func @f(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>) -> f32 {\n"
       "  %0 = arith.constant 0.0 : f32\n  return %0 : f32\n}",
       "has local result 0 of type 'tensor<?x?xf32>', but its lowering states "
       "'f32'"},
  };
  for (size_t i = 0; i < sizeof(kWays) / sizeof(*kWays); ++i) {
    dtensor_compiler_custom_op op = distance();
    op.lower = wrongLowering;
    op.user = (void *)kWays[i][0];
    dtensor_compiler_buffer result = {.struct_size = sizeof(result)};
    CHECK(compile(text, &op, "local", &result) == DTENSOR_COMPILER_BAD_PROGRAM);
    CHECK_ERROR(kWays[i][1]);
  }
}

static void testWrongPrograms(void) {
  static const char *const kPrograms[][2] = {
      {"func.func @f(%a: tensor<*xf32>) -> tensor<?xf32> {\n"
       "  %0 = \"host.distance\"(%a) : (tensor<*xf32>) -> tensor<?xf32>\n"
       "  return %0 : tensor<?xf32>\n}\n",
       "takes tensors of known rank and scalars, not 'tensor<*xf32>'"},
      {"func.func @f(%a: tensor<?xf32>) -> f32 {\n"
       "  %0 = \"host.distance\"(%a) : (tensor<?xf32>) -> f32\n"
       "  return %0 : f32\n}\n",
       "gives tensors of known rank, not 'f32'"},
      {"func.func @f(%a: tensor<?xf32>) {\n"
       "  \"host.distance\"(%a) ({}) : (tensor<?xf32>) -> ()\n"
       "  return\n}\n",
       "of a host has no regions and no successors"},
      {"#world = #dtensor.mesh<\"tp\" = ?>\n"
       "#rows = #dtensor.layout<#world, [shard(0)], (N)>\n"
       "func.func @f(%a: tensor<?xf32> {dtensor.layout = #rows})"
       " -> tensor<?xf32> {\n"
       "  %0 = \"host.distance\"(%a) : (tensor<?xf32>) -> tensor<?xf32>\n"
       "  return %0 : tensor<?xf32>\n}\n",
       "cannot be sharded: distance takes two matrices"},
      {"func.func @f(%a: tensor<?xf32>) -> tensor<?xf32> {\n"
       "  %0 = \"host.other\"(%a) : (tensor<?xf32>) -> tensor<?xf32>\n"
       "  return %0 : tensor<?xf32>\n}\n",
       "host.other"},
  };
  dtensor_compiler_custom_op op = distance();
  for (size_t i = 0; i < sizeof(kPrograms) / sizeof(*kPrograms); ++i) {
    dtensor_compiler_buffer result = {.struct_size = sizeof(result)};
    CHECK(compile(kPrograms[i][0], &op, "local", &result) ==
          DTENSOR_COMPILER_BAD_PROGRAM);
    CHECK_ERROR(kPrograms[i][1]);
  }
}

static void testRegistration(void) {
  dtensor_compiler_session *session = NULL;
  CHECK(dtensor_compiler_session_create(&session) == 0);
  dtensor_compiler_custom_op op = distance();
  CHECK(dtensor_compiler_session_add_op(session, &op) == 0);
  static const char *const kNames[][2] = {
      {"host.distance", "op \"host.distance\" is registered already"},
      {"distance", "\"distance\" is not the name of an op"},
      {"dtensor.matmul", "dialect \"dtensor\" is not the host's"},
      {"linalg.own", "dialect \"linalg\" is not the host's"},
      {"builtin.own", "dialect \"builtin\" is not the host's"},
  };
  for (size_t i = 0; i < sizeof(kNames) / sizeof(*kNames); ++i) {
    op.name = kNames[i][0];
    CHECK(dtensor_compiler_session_add_op(session, &op) ==
          DTENSOR_COMPILER_INVALID_ARGUMENT);
    CHECK_ERROR(kNames[i][1]);
  }
  op.name = "host.second";
  CHECK(dtensor_compiler_session_add_op(session, &op) == 0);
  op.rule = NULL;
  CHECK(dtensor_compiler_session_add_op(session, &op) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK_ERROR("op.rule is null");
  CHECK(dtensor_compiler_session_add_op(session, NULL) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK(dtensor_compiler_session_create(NULL) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  dtensor_compiler_session_destroy(session);
  dtensor_compiler_session_destroy(NULL);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  char *text = readFile(argv[1]);
  testPhases(text);
  testBundle(text, argv[2]);
  testBytecode(text);
  testWrongRules(text);
  testWrongLowerings(text);
  testWrongPrograms();
  testRegistration();
  free(text);
  printf("%d failures\n", failures);
  return failures != 0;
}
