/*===- dtensor_mlir.h - for hosts that have MLIR ------------------*- C -*-===*\
|*                                                                            *|
|* The compiler on modules of a host that links MLIR of the same version:     *|
|* DTensor::DTensorCAPI, a static library of find_package(DTensor COMPONENTS  *|
|* Libraries). libDTensorCompiler.so has an MLIR of its own inside, whose     *|
|* modules are not the host's: it takes text and bytecode, and does not have  *|
|* these functions.                                                           *|
|*                                                                            *|
|* Diagnostics go to the handlers of the module's context; the errors of the  *|
|* last failed call of a thread are also dtensor_compiler_last_error(). Calls *|
|* on modules of one context exclude each other, as MLIR has it.              *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef DTENSOR_C_DTENSOR_MLIR_H
#define DTENSOR_C_DTENSOR_MLIR_H

#include "dtensor-c/dtensor_compiler.h"
#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a program may use and what the phases need. Appended to the context
   before a program is parsed or built. */
DTENSOR_COMPILER_EXPORT void
dtensor_mlir_register_dialects(MlirDialectRegistry registry);

/* An op of the host by callbacks, for all modules of `context`. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status
dtensor_mlir_add_op(MlirContext context, const dtensor_compiler_custom_op *op);

/* Compiles a copy of the module; see dtensor_compiler_compile. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status
dtensor_mlir_compile(MlirModule module, const dtensor_compiler_options *options,
                     dtensor_compiler_buffer *result);

/* Takes the module itself to the end of a phase that is a module, "kernels" or
   earlier. After a failure the module is as far as it got. */
DTENSOR_COMPILER_EXPORT dtensor_compiler_status dtensor_mlir_run_phases(
    MlirModule module, const dtensor_compiler_options *options);

#ifdef __cplusplus
}
#endif

#endif /* DTENSOR_C_DTENSOR_MLIR_H */
