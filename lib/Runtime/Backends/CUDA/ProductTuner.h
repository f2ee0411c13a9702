//===- ProductTuner.h - measuring matrix products ---------------*- C++ -*-===//
//
// While the environment variable DTENSOR_TUNE names a file, every product that
// runs for the first time is measured with all algorithms that the library
// proposes, and the best one is appended to the file as a line of a table
// (ProductTable.h). The run itself uses what it would use otherwise.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_PRODUCTTUNER_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_PRODUCTTUNER_H

#include "Api.h"

#include "dtensor-rt/ProductTable.h"

#include <functional>
#include <vector>

namespace dtensor::rt::cuda {

class Gpu;

class ProductTuner {
public:
  static bool isAsked();
  /// True for the first to ask for a product: one GPU measures for all.
  static bool claim(const TunedProduct &product);

  /// The second operand is the `bytes` bytes at `weights`. Copies of it take
  /// turns, so that none is in a cache when it is read.
  ProductTuner(Gpu &gpu, char *weights, int64_t bytes);
  ProductTuner(const ProductTuner &) = delete;
  ~ProductTuner();

  /// run(i, weights) queues candidate i. Returns the number of the fastest; the
  /// first one unless another is clearly better.
  size_t measure(size_t count, const std::function<void(size_t, char *)> &run);

  /// Appends `product` with the last measurement as a comment.
  void write(const TunedProduct &product) const;

private:
  double time(size_t candidate, int repeats);

  Gpu &gpu;
  std::vector<char *> weights; // the given one and copies
  size_t turn = 0;
  std::function<void(size_t, char *)> run;
  Event begin = nullptr, end = nullptr;
  double first = 0, best = 0; // microseconds
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_PRODUCTTUNER_H
