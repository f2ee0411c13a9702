//===- DTensor.h - the whole dialect ----------------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_DTENSOR_H
#define DTENSOR_DIALECT_DTENSOR_IR_DTENSOR_H

#include "dtensor/Dialect/DTensor/IR/ActivationOps.h"
#include "dtensor/Dialect/DTensor/IR/BackwardOps.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Dialect/DTensor/IR/IndexingOps.h"
#include "dtensor/Dialect/DTensor/IR/LocalOps.h"
#include "dtensor/Dialect/DTensor/IR/LossBackwardOps.h"
#include "dtensor/Dialect/DTensor/IR/LossOps.h"
#include "dtensor/Dialect/DTensor/IR/MatrixOps.h"
#include "dtensor/Dialect/DTensor/IR/NNOps.h"
#include "dtensor/Dialect/DTensor/IR/OptimizerOps.h"
#include "dtensor/Dialect/DTensor/IR/PointwiseOps.h"
#include "dtensor/Dialect/DTensor/IR/RandomOps.h"
#include "dtensor/Dialect/DTensor/IR/ReductionOps.h"
#include "dtensor/Dialect/DTensor/IR/RoutingOps.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"
#include "dtensor/Dialect/DTensor/IR/ShapingOps.h"
#include "dtensor/Dialect/DTensor/IR/StatisticsOps.h"
#include "dtensor/Dialect/DTensor/IR/ViewOps.h"
#include "dtensor/Dialect/DTensor/IR/WindowOps.h"

#endif // DTENSOR_DIALECT_DTENSOR_IR_DTENSOR_H
