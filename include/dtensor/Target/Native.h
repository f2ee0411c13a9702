//===- Native.h - LLVM IR to a shared object of the host --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TARGET_NATIVE_H
#define DTENSOR_TARGET_NATIVE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace dtensor {

/// "x86-64-v3" where this machine has it, else the architecture's baseline. A
/// bundle is thus the same on all machines of one kind.
std::string getDefaultCPU();

/// Makes LLVM's targets known, once per process; any thread may call it.
void initializeTargets();

/// A code generator for this machine's architecture and the named processor.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llvm::StringRef cpu, bool unoptimized = false);

/// Fixes data layout and triple; then runs LLVM's -O3 with its vectorizers,
/// unless the machine is an unoptimized one.
void optimize(llvm::Module &module, llvm::TargetMachine &machine);

/// Position-independent object code.
llvm::Expected<std::string> emitObject(llvm::Module &module,
                                       llvm::TargetMachine &machine);

/// Links one object to a shared object, in this process. It depends on the
/// C library's mathematics and has no search paths. Names that are neither
/// there nor in ABI.def are errors, all in one message.
llvm::Expected<std::string> linkSharedObject(llvm::StringRef object);

} // namespace dtensor

#endif // DTENSOR_TARGET_NATIVE_H
