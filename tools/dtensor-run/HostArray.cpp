//===- HostArray.cpp - arrays that the tool owns ----------------*- C++ -*-===//

#include "HostArray.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

using namespace dtensor::run;

void FreeMemory::operator()(void *pointer) const { std::free(pointer); }

int64_t HostArray::numElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

int64_t HostArray::numBytes() const {
  return numElements() * static_cast<int64_t>(dtensor_rt_dtype_bytes(dtype));
}

bool HostArray::allocate() {
  int64_t limit = INT64_MAX / 32;
  for (int64_t size : shape) {
    if (size > limit)
      return false;
    limit /= std::max<int64_t>(size, 1);
  }
  size_t bytes = (static_cast<size_t>(numBytes()) + 64) / 64 * 64;
  data.reset(static_cast<char *>(std::aligned_alloc(64, bytes)));
  return data != nullptr;
}

std::vector<int64_t> HostArray::strides() const {
  std::vector<int64_t> result(shape.size());
  int64_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    size_t d = isColumnMajor ? i : shape.size() - 1 - i;
    result[d] = stride;
    stride *= shape[d];
  }
  return result;
}

std::string dtensor::run::shapeString(const std::vector<int64_t> &shape) {
  if (shape.empty())
    return "scalar";
  std::string text;
  for (int64_t size : shape)
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

namespace {

template <typename T>
T load(const HostArray &array, int64_t index) {
  T value;
  std::memcpy(&value, array.data.get() + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void store(HostArray &array, int64_t index, double value) {
  T converted = static_cast<T>(value);
  std::memcpy(array.data.get() + index * sizeof(T), &converted, sizeof(T));
}

double fromBFloat(uint16_t bits) {
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

/// Rounds to nearest even; only finite values are stored by this tool.
uint16_t toBFloat(double value) {
  float narrow = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &narrow, sizeof(bits));
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

int64_t getInteger(const HostArray &array, int64_t index) {
  switch (array.dtype) {
  case DTENSOR_RT_i32:
    return load<int32_t>(array, index);
  case DTENSOR_RT_i16:
    return load<int16_t>(array, index);
  case DTENSOR_RT_i8:
    return load<int8_t>(array, index);
  case DTENSOR_RT_i1:
    return load<uint8_t>(array, index) != 0;
  default:
    return load<int64_t>(array, index);
  }
}

/// Uniform in [0, 1), one step of splitmix64.
double nextRandom(uint64_t &state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

double difference(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b)))
    return 0;
  double error = std::fabs(a - b);
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

} // namespace

bool dtensor::run::isFloat(int32_t dtype) { return dtype <= DTENSOR_RT_bf16; }

double dtensor::run::getElement(const HostArray &array, int64_t index) {
  switch (array.dtype) {
  case DTENSOR_RT_f64:
    return load<double>(array, index);
  case DTENSOR_RT_f32:
    return load<float>(array, index);
  case DTENSOR_RT_f16:
    return static_cast<float>(load<_Float16>(array, index));
  case DTENSOR_RT_bf16:
    return fromBFloat(load<uint16_t>(array, index));
  default:
    return static_cast<double>(getInteger(array, index));
  }
}

void dtensor::run::setElement(HostArray &array, int64_t index, double value) {
  switch (array.dtype) {
  case DTENSOR_RT_f64:
    return store<double>(array, index, value);
  case DTENSOR_RT_f32:
    return store<float>(array, index, value);
  case DTENSOR_RT_f16:
    return store<_Float16>(array, index, value);
  case DTENSOR_RT_bf16:
    return store<uint16_t>(array, index, toBFloat(value));
  case DTENSOR_RT_i32:
    return store<int32_t>(array, index, value);
  case DTENSOR_RT_i16:
    return store<int16_t>(array, index, value);
  case DTENSOR_RT_i8:
    return store<int8_t>(array, index, value);
  case DTENSOR_RT_i1:
    return store<uint8_t>(array, index, value != 0);
  default:
    return store<int64_t>(array, index, value);
  }
}

void dtensor::run::fillRandom(HostArray &array, uint64_t seed, double low,
                              double high) {
  uint64_t state = seed;
  for (int64_t i = 0, e = array.numElements(); i < e; ++i) {
    double value = low + (high - low) * nextRandom(state);
    setElement(array, i, isFloat(array.dtype) ? value : std::floor(value));
  }
}

Tolerance dtensor::run::defaultTolerance(int32_t dtype) {
  static const double tolerances[] = {1e-10, 1e-4, 1e-2, 5e-2};
  double value = isFloat(dtype) ? tolerances[dtype] : 0;
  return {value, value};
}

Comparison dtensor::run::compare(const HostArray &actual,
                                 const HostArray &expected,
                                 const Tolerance &tolerance) {
  Comparison result;
  bool integers = !isFloat(actual.dtype);
  for (int64_t i = 0, e = actual.numElements(); i < e; ++i) {
    double a = getElement(actual, i), b = getElement(expected, i);
    double error = difference(a, b);
    bool differs = integers
                       ? getInteger(actual, i) != getInteger(expected, i)
                       : error > tolerance.atol + tolerance.rtol * std::fabs(b);
    // An infinite bound forgives nothing: inf against a number differs.
    if (!integers && std::isinf(error))
      differs = true;
    result.numDifferent += differs;
    if (error > result.maxError || (differs && result.worst < 0)) {
      result.maxError = std::max(error, result.maxError);
      result.worst = i;
    }
  }
  return result;
}

std::string dtensor::run::indexString(const HostArray &array,
                                      int64_t position) {
  std::string text;
  for (size_t d = array.shape.size(); d-- > 0;) {
    text = std::to_string(position % array.shape[d]) +
           (text.empty() ? "" : ", ") + text;
    position /= array.shape[d];
  }
  return "[" + text + "]";
}

std::string dtensor::run::summary(const HostArray &array) {
  std::string text = std::string(dtensor_rt_dtype_name(array.dtype)) + " " +
                     shapeString(array.shape);
  int64_t count = array.numElements();
  if (count == 0)
    return text;
  if (count <= 16) {
    text += " =";
    for (int64_t i = 0; i < count; ++i)
      text += " " + number(getElement(array, i));
    return text;
  }
  double low = getElement(array, 0), high = low, sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    double value = getElement(array, i);
    low = std::isnan(value) ? value : std::min(low, value);
    high = std::isnan(value) ? value : std::max(high, value);
    sum += value;
  }
  return text + ", min " + number(low) + ", max " + number(high) + ", mean " +
         number(sum / static_cast<double>(count));
}
