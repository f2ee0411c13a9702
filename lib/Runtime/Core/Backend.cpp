//===- Backend.cpp - the list of backends -----------------------*- C++ -*-===//

#include "Backend.h"

#include "Error.h"

using namespace dtensor::rt;

using Getter = Backend &(*)();
static constexpr Getter kBackends[] = {getSimBackend, getProcessBackend,
                                       getCudaBackend};

[[noreturn]] static void noStorage() {
  raise(DTENSOR_RT_INTERNAL, "this backend has no memory of its own");
}

void *Session::allocateStorage(int64_t, int64_t) { noStorage(); }
void Session::freeStorage(int64_t, void *) { noStorage(); }
void Session::upload(int64_t, void *, const void *, int64_t) { noStorage(); }
void Session::download(int64_t, void *, const void *, int64_t) { noStorage(); }

std::unique_ptr<Session>
Backend::openWithPeers(const Mesh &, const LoadedBundle *, const Peers &) {
  raise(DTENSOR_RT_INVALID_ARGUMENT, "backend ", quoted(getName()),
        " takes no peers");
}

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
