//===- Error.h - failures inside the runtime --------------------*- C++ -*-===//
//
// Failures travel as exceptions inside the library and become a status and a
// message at the C interface. Frames of compiled code are never unwound.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_ERROR_H
#define DTENSOR_RUNTIME_CORE_ERROR_H

#include "dtensor-rt/dtensor_rt.h"

#include <cstdio>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace dtensor::rt {

class Error : public std::runtime_error {
public:
  Error(dtensor_rt_status status, const std::string &message)
      : std::runtime_error(message), status(status) {}

  dtensor_rt_status getStatus() const { return status; }

private:
  dtensor_rt_status status;
};

/// Numbers are not formatted by streams: those need the locale facets of the
/// C++ library, and a process may hold a second copy of it beside ours.
template <typename T>
void append(std::string &text, const T &part) {
  if constexpr (std::is_same_v<T, char>)
    text += part;
  else if constexpr (std::is_same_v<T, bool>)
    text += part ? '1' : '0';
  else if constexpr (std::is_floating_point_v<T>) {
    char digits[32];
    std::snprintf(digits, sizeof(digits), "%g", static_cast<double>(part));
    text += digits;
  } else if constexpr (std::is_arithmetic_v<T>)
    text += std::to_string(part);
  else
    text += part;
}

/// Concatenates texts, characters and numbers.
template <typename... Ts>
std::string concat(const Ts &...parts) {
  std::string text;
  (append(text, parts), ...);
  return text;
}

template <typename... Ts>
[[noreturn]] void raise(dtensor_rt_status status, const Ts &...parts) {
  throw Error(status, concat(parts...));
}

/// A name as it appears in messages.
inline std::string quoted(const std::string &name) { return '"' + name + '"'; }

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_ERROR_H
