//===- Reduce.cpp - elementwise reductions over views -----------*- C++ -*-===//
//
// Values are combined in blocks: a block of every source is read into an
// accumulator, then written to every destination. f16 and bf16 accumulate in
// f32 and are rounded once, so that the result does not drift with the number
// of sources. Integer sums and products wrap (computed unsigned).
//
//===----------------------------------------------------------------------===//

#include "View.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <type_traits>

using namespace dtensor::rt;

namespace {

template <typename T>
struct Plain {
  using Storage = T;
  using Value = T;
  static Value load(Storage x) { return x; }
  static Storage store(Value x) { return x; }
};

struct Half {
  using Storage = _Float16;
  using Value = float;
  static Value load(Storage x) { return static_cast<float>(x); }
  static Storage store(Value x) { return static_cast<_Float16>(x); }
};

struct BFloat {
  using Storage = uint16_t;
  using Value = float;
  static Value load(Storage x) {
    uint32_t bits = static_cast<uint32_t>(x) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  /// Round to nearest even; a NaN stays one whatever its payload.
  static Storage store(Value x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof(bits));
    if (x != x)
      return static_cast<Storage>((bits >> 16) | 0x40);
    return static_cast<Storage>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  }
};

struct Bool {
  using Storage = uint8_t;
  using Value = bool;
  static Value load(Storage x) { return x != 0; }
  static Storage store(Value x) { return x; }
};

template <typename T>
T combine(Reduce kind, T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return kind == Reduce::Sum || kind == Reduce::Max ? (a | b) : (a & b);
  } else {
    if constexpr (std::is_floating_point_v<T>) {
      if ((kind == Reduce::Max || kind == Reduce::Min) && (a != a || b != b))
        return a != a ? a : b;
    }
    if (kind == Reduce::Max)
      return std::max(a, b);
    if (kind == Reduce::Min)
      return std::min(a, b);
    if constexpr (std::is_integral_v<T>) {
      // Unsigned of 64 bits: wraps, and small types are not promoted to int.
      uint64_t x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
      return static_cast<T>(kind == Reduce::Sum ? x + y : x * y);
    } else {
      return kind == Reduce::Sum ? a + b : a * b;
    }
  }
}

template <typename T>
T neutral(Reduce kind) {
  using Limits = std::numeric_limits<T>;
  switch (kind) {
  case Reduce::Sum:
    return std::is_floating_point_v<T> ? static_cast<T>(-0.0) : T(0);
  case Reduce::Max:
    return Limits::has_infinity ? static_cast<T>(-Limits::infinity())
                                : Limits::lowest();
  case Reduce::Min:
    return Limits::has_infinity ? Limits::infinity() : Limits::max();
  case Reduce::Product:
    return T(1);
  }
  return T(0);
}

template <typename T>
T divide(T value, int64_t divisor) {
  if constexpr (std::is_same_v<T, bool>)
    return value;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<int64_t>(value) / divisor);
  else
    return value / static_cast<T>(divisor);
}

constexpr int64_t kBlock = 512;

/// Runs `row` at every combination of the outer indices; it gets the linear
/// position of the row as an index list.
template <typename Fn>
void forEachRow(const View &shape, Fn row) {
  int64_t index[kMaxRank] = {};
  int64_t outer = std::max<int64_t>(shape.rank - 1, 0);
  while (true) {
    row(index);
    int64_t d = outer - 1;
    for (; d >= 0; --d) {
      if (++index[d] < shape.sizes[d])
        break;
      index[d] = 0;
    }
    if (d < 0)
      return;
  }
}

template <typename Storage>
Storage *rowBase(const View &view, const int64_t *index) {
  int64_t offset = 0;
  for (int64_t d = 0; d + 1 < view.rank; ++d)
    offset += index[d] * view.strides[d];
  return reinterpret_cast<Storage *>(view.base) + offset;
}

int64_t rowSize(const View &view) {
  return view.rank ? view.sizes[view.rank - 1] : 1;
}

int64_t rowStride(const View &view) {
  return view.rank ? view.strides[view.rank - 1] : 1;
}

template <typename Element>
struct Kernels {
  using Storage = typename Element::Storage;
  using Value = typename Element::Value;

  /// values[i] = op(values[i], source[i]) for one block of one row.
  static void accumulate(Value *values, const View &source,
                         const int64_t *index, int64_t start, int64_t count,
                         bool first, Reduce kind) {
    int64_t stride = rowStride(source);
    const Storage *data = rowBase<Storage>(source, index) + start * stride;
    if (first) {
      for (int64_t i = 0; i < count; ++i)
        values[i] = Element::load(data[i * stride]);
      return;
    }
    auto loop = [&](auto constantKind) {
      for (int64_t i = 0; i < count; ++i)
        values[i] = combine<Value>(constantKind(), values[i],
                                   Element::load(data[i * stride]));
    };
    switch (kind) {
    case Reduce::Sum:
      return loop([] { return Reduce::Sum; });
    case Reduce::Max:
      return loop([] { return Reduce::Max; });
    case Reduce::Min:
      return loop([] { return Reduce::Min; });
    case Reduce::Product:
      return loop([] { return Reduce::Product; });
    }
  }

  static void write(const View &dst, const int64_t *index, int64_t start,
                    int64_t count, const Value *values) {
    int64_t stride = rowStride(dst);
    Storage *data = rowBase<Storage>(dst, index) + start * stride;
    for (int64_t i = 0; i < count; ++i)
      data[i * stride] = Element::store(values[i]);
  }

  static void reduce(const View *sources, int64_t numSources, const View *dsts,
                     int64_t numDsts, Reduce kind, int64_t divisor) {
    int64_t size = rowSize(*sources);
    Value values[kBlock];
    forEachRow(*sources, [&](const int64_t *index) {
      for (int64_t start = 0; start < size; start += kBlock) {
        int64_t count = std::min(kBlock, size - start);
        for (int64_t k = 0; k < numSources; ++k)
          accumulate(values, sources[k], index, start, count, k == 0, kind);
        if (divisor != 1)
          for (int64_t i = 0; i < count; ++i)
            values[i] = divide(values[i], divisor);
        for (int64_t j = 0; j < numDsts; ++j)
          write(dsts[j], index, start, count, values);
      }
    });
  }

  static void fill(const View &dst, Reduce kind) {
    int64_t size = rowSize(dst), stride = rowStride(dst);
    Storage value = Element::store(neutral<Value>(kind));
    forEachRow(dst, [&](const int64_t *index) {
      Storage *data = rowBase<Storage>(dst, index);
      for (int64_t i = 0; i < size; ++i)
        data[i * stride] = value;
    });
  }
};

/// Calls `fn` with the element class of `dtype`.
template <typename Fn>
void dispatch(int32_t dtype, Fn fn) {
  switch (dtype) {
  case DTENSOR_RT_f64:
    return fn(Plain<double>());
  case DTENSOR_RT_f32:
    return fn(Plain<float>());
  case DTENSOR_RT_f16:
    return fn(Half());
  case DTENSOR_RT_bf16:
    return fn(BFloat());
  case DTENSOR_RT_i64:
  case DTENSOR_RT_index:
    return fn(Plain<int64_t>());
  case DTENSOR_RT_i32:
    return fn(Plain<int32_t>());
  case DTENSOR_RT_i16:
    return fn(Plain<int16_t>());
  case DTENSOR_RT_i8:
    return fn(Plain<int8_t>());
  case DTENSOR_RT_i1:
    return fn(Bool());
  }
  assert(false && "dtypes are checked where they enter");
}

} // namespace

void dtensor::rt::fillNeutral(const View &dst, Reduce kind) {
  if (dst.numElements() == 0)
    return;
  dispatch(dst.dtype,
           [&](auto element) { Kernels<decltype(element)>::fill(dst, kind); });
}

void dtensor::rt::reduce(const View *sources, int64_t numSources,
                         const View *destinations, int64_t numDestinations,
                         Reduce kind, int64_t divisor) {
  assert(numSources > 0 && "a reduction of nothing has no shape");
  if (sources->numElements() == 0)
    return;
  dispatch(sources->dtype, [&](auto element) {
    Kernels<decltype(element)>::reduce(sources, numSources, destinations,
                                       numDestinations, kind, divisor);
  });
}
