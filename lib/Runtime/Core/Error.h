//===- Error.h - failures inside the runtime --------------------*- C++ -*-===//
//
// Failures travel as exceptions inside the library and become a status and a
// message at the C interface. Frames of compiled code are never unwound.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_ERROR_H
#define DTENSOR_RUNTIME_CORE_ERROR_H

#include "dtensor-rt/dtensor_rt.h"

#include <sstream>
#include <stdexcept>
#include <string>

namespace dtensor::rt {

class Error : public std::runtime_error {
public:
  Error(dtensor_rt_status status, const std::string &message)
      : std::runtime_error(message), status(status) {}

  dtensor_rt_status getStatus() const { return status; }

private:
  dtensor_rt_status status;
};

/// Concatenates anything that can be streamed.
template <typename... Ts>
std::string concat(const Ts &...parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

template <typename... Ts>
[[noreturn]] void raise(dtensor_rt_status status, const Ts &...parts) {
  throw Error(status, concat(parts...));
}

/// A name as it appears in messages.
inline std::string quoted(const std::string &name) { return '"' + name + '"'; }

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_ERROR_H
