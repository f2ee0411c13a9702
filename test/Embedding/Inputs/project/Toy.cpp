#include "Toy.h"

using namespace mlir;

#include "ToyDialect.cpp.inc"

#define GET_OP_CLASSES
#include "Toy.cpp.inc"

void toy::ToyDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "Toy.cpp.inc"
      >();
}
