//===- Programs.h - Programs that the benchmarks compile --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TEST_BENCHMARKS_PROGRAMS_H
#define DTENSOR_TEST_BENCHMARKS_PROGRAMS_H

#include <string>

namespace dtensor::bench {

/// Which ops a chain is written in.
enum class Ops { Ours, Linalg };

/// `count` ops: a matmul with its own 64x64 weight, a tanh, a matmul, ... on a
/// tensor of B rows that is cut along its rows. `mesh` is what stands between
/// the brackets of `#dtensor.mesh<>`. Weights have no placement.
std::string makeChain(unsigned count, Ops ops, const std::string &mesh);

/// One generic op that adds `count` matrices, cut alternately along rows and
/// columns; its result is open.
std::string makeFanIn(unsigned count);

/// `count` layers of a Llama model, tensor parallel, one after another: 40 of
/// our ops each, with width 64, 8 query heads and 4 key heads.
std::string makeLlama(unsigned count);

} // namespace dtensor::bench

#endif // DTENSOR_TEST_BENCHMARKS_PROGRAMS_H
