//===- Support.h - What functions of the C interface share ------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CAPI_SUPPORT_H
#define DTENSOR_LIB_CAPI_SUPPORT_H

#include "dtensor-c/dtensor_compiler.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"

namespace dtensor::capi {

/// Keeps `message` for dtensor_compiler_last_error; returns `status`.
dtensor_compiler_status fail(dtensor_compiler_status status,
                             const llvm::Twine &message);

/// Gives the caller a copy of `bytes`.
dtensor_compiler_status fill(dtensor_compiler_buffer *result,
                             llvm::StringRef bytes);

} // namespace dtensor::capi

#endif // DTENSOR_LIB_CAPI_SUPPORT_H
