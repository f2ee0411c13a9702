/* A host that links MLIR hands its own modules to the compiler. Usage: mlir
   distances.mlir */

#include "Check.h"
#include "Distance.h"

#include "dtensor-c/dtensor_mlir.h"
#include "mlir-c/Diagnostics.h"
#include "mlir-c/IR.h"

static int errors = 0;

static MlirLogicalResult count(MlirDiagnostic diagnostic, void *user) {
  (void)user;
  errors += mlirDiagnosticGetSeverity(diagnostic) == MlirDiagnosticError;
  return mlirLogicalResultSuccess();
}

static MlirContext makeContext(const dtensor_compiler_custom_op *op) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  dtensor_mlir_register_dialects(registry);
  MlirContext context =
      mlirContextCreateWithRegistry(registry, /*threadingEnabled=*/false);
  mlirDialectRegistryDestroy(registry);
  mlirContextAttachDiagnosticHandler(context, count, NULL, NULL);
  CHECK(dtensor_mlir_add_op(context, op) == 0);
  return context;
}

static void collect(MlirStringRef part, void *user) {
  strncat(user, part.data, part.length);
}

static void testModule(const char *text) {
  dtensor_compiler_custom_op op = {.struct_size = sizeof(op)};
  op.name = "host.distance";
  op.rule = distanceRule;
  op.lower = distanceLowering;
  MlirContext context = makeContext(&op);
  MlirModule module =
      mlirModuleCreateParse(context, mlirStringRefCreateFromCString(text));
  CHECK(!mlirModuleIsNull(module));
  dtensor_compiler_buffer bundle = {.struct_size = sizeof(bundle)};
  CHECK(dtensor_mlir_compile(module, NULL, &bundle) == 0);
  CHECK(bundle.bytes > 1000 && memcmp(bundle.data,
                                      "\x7f"
                                      "ELF",
                                      4) == 0);
  dtensor_compiler_buffer_free(&bundle);
  /* The module is as it was until its phases run in place. */
  dtensor_compiler_options options = {.struct_size = sizeof(options)};
  options.emit = "local";
  CHECK(dtensor_mlir_run_phases(module, &options) == 0);
  char *printed = calloc(1, 1 << 20);
  mlirOperationPrint(mlirModuleGetOperation(module), collect, printed);
  CHECK(strstr(printed, "dtensor.all_reduce sum"));
  CHECK(strstr(printed, "linalg.generic"));
  free(printed);
  options.emit = "bundle";
  CHECK(dtensor_mlir_run_phases(module, &options) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK_ERROR("only a phase up to \"kernels\" is a module");
  CHECK(errors == 0);
  CHECK(dtensor_mlir_add_op(context, &op) == DTENSOR_COMPILER_INVALID_ARGUMENT);
  CHECK_ERROR("op \"host.distance\" is registered already");
  mlirModuleDestroy(module);
  mlirContextDestroy(context);
}

static void testErrors(const char *text) {
  dtensor_compiler_custom_op op = {.struct_size = sizeof(op)};
  op.name = "host.distance";
  op.rule = distanceRule;
  MlirContext context = makeContext(&op);
  MlirModule module =
      mlirModuleCreateParse(context, mlirStringRefCreateFromCString(text));
  dtensor_compiler_buffer bundle = {.struct_size = sizeof(bundle)};
  CHECK(dtensor_mlir_compile(module, NULL, &bundle) ==
        DTENSOR_COMPILER_BAD_PROGRAM);
  CHECK_ERROR("'host.distance' op has no lowering");
  CHECK(errors == 1);
  CHECK(dtensor_mlir_compile(module, NULL, NULL) ==
        DTENSOR_COMPILER_INVALID_ARGUMENT);
  mlirModuleDestroy(module);
  mlirContextDestroy(context);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  char *text = calloc(1, 1 << 16);
  FILE *file = fopen(argv[1], "rb");
  CHECK(file && fread(text, 1, (1 << 16) - 1, file) > 0);
  fclose(file);
  testModule(text);
  testErrors(text);
  free(text);
  printf("%d failures\n", failures);
  return failures != 0;
}
