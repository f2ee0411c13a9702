//===- WindowMethods.h - the methods of pooling ops -------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_WINDOWMETHODS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_WINDOWMETHODS_H

#include "CompositeUtils.h"

namespace dtensor {

DTENSOR_COMPOSITE_METHODS(Pool);
DTENSOR_COMPOSITE_METHODS(AdaptivePool);
DTENSOR_COMPOSITE_METHODS(AdaptivePoolGrad);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_WINDOWMETHODS_H
