/* toy-host: what a host without MLIR has of the compiler and of the runtime. */
#include "dtensor-c/dtensor_compiler.h"
#include "dtensor-rt/dtensor_rt.h"

#include <stdio.h>
#include <string.h>

int main(void) {
  const char *text = "func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> {\n"
                     "  return %x : tensor<?xf32>\n}\n";
  dtensor_compiler_program *program = NULL;
  dtensor_compiler_options options = {.struct_size = sizeof options,
                                      .emit = "local"};
  dtensor_compiler_buffer local = {.struct_size = sizeof local};
  if (dtensor_compiler_parse(text, strlen(text), "f.mlir", NULL, NULL,
                             &program) ||
      dtensor_compiler_compile(program, &options, &local)) {
    fprintf(stderr, "%s\n", dtensor_compiler_last_error());
    return 1;
  }
  printf("%s", local.data);
  dtensor_compiler_buffer_free(&local);
  dtensor_compiler_destroy(program);
  printf("runtime %d\n", dtensor_rt_abi_version());
  return 0;
}
