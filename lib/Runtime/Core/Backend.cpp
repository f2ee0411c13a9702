//===- Backend.cpp - the list of backends -----------------------*- C++ -*-===//

#include "Backend.h"

#include "Error.h"

using namespace dtensor::rt;

using Getter = Backend &(*)();
static constexpr Getter kBackends[] = {getSimBackend};

Backend &dtensor::rt::findBackend(const std::string &name) {
  std::string known;
  for (Getter get : kBackends) {
    Backend &backend = get();
    if (name == backend.getName())
      return backend;
    known += (known.empty() ? "" : ", ") + quoted(backend.getName());
  }
  raise(DTENSOR_RT_NOT_FOUND, "no backend ", quoted(name),
        "; this runtime has ", known);
}
