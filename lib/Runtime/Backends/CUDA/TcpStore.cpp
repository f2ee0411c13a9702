//===- TcpStore.cpp - the ranks of several processes ------------*- C++ -*-===//
//
// A message is a header {type, key bytes, value bytes}, then key and value.
// Every process, that of rank 0 too, is a client with one connection and one
// thread that reads it; the server is one thread that polls all connections.
// Both sides send beats.
//
//===----------------------------------------------------------------------===//

#include "Store.h"

#include "../../Core/Error.h"

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <set>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

namespace {

enum Type : uint32_t { Hello, Set, Get, Value, Fail, Bye, Beat };

struct Message {
  uint32_t type = 0;
  std::string key, value;
};

constexpr uint32_t kMaxBytes = 1 << 20;
constexpr int kPollMilliseconds = 50;

bool sendAll(int fd, const void *data, size_t size) {
  const char *at = static_cast<const char *>(data);
  while (size) {
    ssize_t count = send(fd, at, size, MSG_NOSIGNAL);
    if (count <= 0) {
      if (count < 0 && errno == EINTR)
        continue;
      return false;
    }
    at += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool receiveAll(int fd, void *data, size_t size) {
  char *at = static_cast<char *>(data);
  while (size) {
    ssize_t count = recv(fd, at, size, 0);
    if (count <= 0) {
      if (count < 0 && errno == EINTR)
        continue;
      return false;
    }
    at += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool sendMessage(int fd, const Message &message) {
  uint32_t header[3] = {message.type, static_cast<uint32_t>(message.key.size()),
                        static_cast<uint32_t>(message.value.size())};
  std::string bytes(reinterpret_cast<const char *>(header), sizeof(header));
  bytes += message.key + message.value;
  return sendAll(fd, bytes.data(), bytes.size());
}

bool receiveMessage(int fd, Message &message) {
  uint32_t header[3];
  if (!receiveAll(fd, header, sizeof(header)) || header[1] > kMaxBytes ||
      header[2] > kMaxBytes)
    return false;
  message.type = header[0];
  message.key.resize(header[1]);
  message.value.resize(header[2]);
  return receiveAll(fd, message.key.data(), header[1]) &&
         receiveAll(fd, message.value.data(), header[2]);
}

constexpr const char *kEnded = "its process ended";
constexpr const char *kSilent = "its process does not answer";

/// Time in beats of this side.
class Heart {
public:
  explicit Heart(double seconds) : period(seconds) {}

  /// True once for every beat; a long sleep is one.
  bool beats() {
    auto now = std::chrono::steady_clock::now();
    if (period.count() == 0 || now - last < period)
      return false;
    last = now;
    return true;
  }

private:
  std::chrono::duration<double> period;
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
};

/// Serves until its socket is shut down and all clients are gone.
class Server {
public:
  Server(int port, double beatSeconds) : heart(beatSeconds) {
    listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1, no = 0;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    sockaddr_in6 any = {};
    any.sin6_family = AF_INET6;
    any.sin6_addr = in6addr_any;
    any.sin6_port = htons(static_cast<uint16_t>(port));
    if (listener < 0 ||
        bind(listener, reinterpret_cast<sockaddr *>(&any), sizeof(any)) != 0 ||
        listen(listener, 1024) != 0) {
      std::string reason = std::strerror(errno);
      if (listener >= 0)
        close(listener);
      raise(DTENSOR_RT_RUN_FAILED, "rank 0 cannot listen on port ", port, ": ",
            reason, "; DTENSOR_PORT names another one");
    }
    thread = std::thread([this] { serve(); });
  }
  ~Server() {
    isEnding = true;
    thread.join();
    close(listener);
  }

private:
  struct Client {
    int64_t rank = -1;
    int silentBeats = 0;
    bool saidGoodbye = false;
  };

  void serve() {
    while (!isEnding || !clients.empty()) {
      if (heart.beats())
        beat();
      std::vector<pollfd> fds = {{listener, POLLIN, 0}};
      for (auto &[fd, client] : clients)
        fds.push_back({fd, POLLIN, 0});
      if (poll(fds.data(), fds.size(), kPollMilliseconds) <= 0)
        continue;
      if (fds[0].revents & POLLIN)
        accept();
      for (size_t i = 1; i < fds.size(); ++i)
        if (fds[i].revents)
          read(fds[i].fd);
    }
  }

  void beat() {
    tellAll(-1, {Beat, "", ""});
    for (auto it = clients.begin(); it != clients.end();) {
      auto client = it++;
      if (++client->second.silentBeats > kSilentBeats)
        drop(client, kSilent);
    }
  }

  void accept() {
    int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0)
      return;
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    clients[fd];
  }

  void read(int fd) {
    Message message;
    auto it = clients.find(fd);
    if (it == clients.end())
      return;
    if (!receiveMessage(fd, message))
      return drop(it, kEnded);
    it->second.silentBeats = 0;
    switch (message.type) {
    case Hello:
      it->second.rank = std::atoll(message.value.c_str());
      return;
    case Set:
      values[message.key] = message.value;
      for (int waiting : waiters[message.key])
        sendMessage(waiting, {Value, message.key, message.value});
      waiters.erase(message.key);
      return;
    case Get: {
      auto value = values.find(message.key);
      if (value == values.end())
        waiters[message.key].insert(fd);
      else
        sendMessage(fd, {Value, message.key, value->second});
      return;
    }
    case Fail:
      return tellAll(fd, message);
    case Bye:
      it->second.saidGoodbye = true;
      return;
    case Beat:
      return;
    }
  }

  void drop(std::map<int, Client>::iterator it, const char *reason) {
    Client client = it->second;
    int fd = it->first;
    for (auto &[key, fds] : waiters)
      fds.erase(fd);
    clients.erase(it);
    close(fd);
    if (!client.saidGoodbye && client.rank >= 0)
      tellAll(-1, {Fail, std::to_string(client.rank), reason});
  }

  void tellAll(int except, const Message &message) {
    for (auto &[fd, client] : clients)
      if (fd != except)
        sendMessage(fd, message);
  }

  int listener;
  Heart heart;
  std::map<int, Client> clients;
  std::map<std::string, std::string> values;
  std::map<std::string, std::set<int>> waiters;
  std::atomic<bool> isEnding{false};
  std::thread thread;
};

int tryConnect(const Job &job) {
  addrinfo hints = {}, *list = nullptr;
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(job.address.c_str(), std::to_string(job.port).c_str(), &hints,
                  &list) != 0)
    return -1;
  int fd = -1;
  for (addrinfo *at = list; at && fd < 0; at = at->ai_next) {
    fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(list);
  return fd;
}

class TcpStore : public Store {
public:
  TcpStore(const Job &job, double seconds) : job(job) {
    if (job.rank == 0)
      server = std::make_unique<Server>(job.port, job.beatSeconds);
    auto end = std::chrono::steady_clock::now() +
               std::chrono::duration<double>(seconds);
    while ((fd = tryConnect(job)) < 0) {
      if (std::chrono::steady_clock::now() > end)
        raise(DTENSOR_RT_RUN_FAILED, "rank ", job.rank, " cannot reach rank 0 ",
              "at ", job.address, ":", job.port, " within ", seconds, " s");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    post({Hello, "", std::to_string(job.rank)});
    reader = std::thread([this] { readAll(); });
  }

  ~TcpStore() override {
    {
      std::lock_guard lock(mutex);
      isEnding = true;
    }
    post({Bye, "", ""});
    shutdown(fd, SHUT_RDWR);
    reader.join();
    close(fd);
  }

  void set(const std::string &key, const std::string &value) override {
    post({Set, key, value});
  }

  std::string get(const std::string &key, double seconds) override {
    post({Get, key, ""});
    return table.get(key, seconds);
  }

  void fail(int64_t rank, const std::string &message) override {
    post({Fail, std::to_string(rank), message});
  }

  void setOnFailure(const void *owner, OnFailure callback) override {
    std::lock_guard lock(mutex);
    if (isFailed && callback)
      callback(failedRank, failure);
    if (callback)
      onFailure[owner] = std::move(callback);
    else
      onFailure.erase(owner);
  }

private:
  void post(const Message &message) {
    std::lock_guard lock(sending);
    sendMessage(fd, message);
  }

  void readAll() {
    Heart heart(job.beatSeconds);
    int silentBeats = 0;
    while (true) {
      if (heart.beats()) {
        post({Beat, "", ""});
        if (++silentBeats > kSilentBeats)
          return setFailed(0, kSilent);
      }
      pollfd waiting = {fd, POLLIN, 0};
      if (poll(&waiting, 1, kPollMilliseconds) <= 0)
        continue;
      Message message;
      if (!receiveMessage(fd, message))
        return setFailed(0, kEnded);
      silentBeats = 0;
      if (message.type == Value)
        table.set(message.key, message.value);
      else if (message.type == Fail)
        setFailed(std::atoll(message.key.c_str()), message.value);
    }
  }

  void setFailed(int64_t rank, const std::string &message) {
    std::lock_guard lock(mutex);
    if (isFailed || isEnding)
      return;
    isFailed = true;
    failedRank = rank;
    failure = message;
    table.fail();
    for (auto &[owner, callback] : onFailure)
      callback(rank, message);
  }

  Job job;
  int fd = -1;
  std::unique_ptr<Server> server;
  WaitingTable table;
  std::mutex sending, mutex; // the second one of all below
  std::map<const void *, OnFailure> onFailure;
  bool isFailed = false, isEnding = false;
  int64_t failedRank = 0;
  std::string failure;
  std::thread reader;
};

} // namespace

std::unique_ptr<Store> cuda::makeTcpStore(const Job &job, double seconds) {
  return std::make_unique<TcpStore>(job, seconds);
}
