//===- Inputs.h - the arguments of a run ------------------------*- C++ -*-===//

#ifndef DTENSOR_RUN_INPUTS_H
#define DTENSOR_RUN_INPUTS_H

#include "Program.h"

namespace dtensor::run {

/// Reads the given arguments and, with --random, makes the others. Fails on
/// missing and unknown names and on files that do not fit the argument's type
/// and number of dimensions.
bool makeInputs(const Program &program, const Options &options,
                std::vector<HostArray> &args, Error &error);

} // namespace dtensor::run

#endif // DTENSOR_RUN_INPUTS_H
