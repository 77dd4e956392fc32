// The bridge from Node.js to libtorch: knows tensors and operators, nothing of learning. See native/README.md.
#include <c10/util/Exception.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <map>
#include <sstream>

#include "devices.h"

namespace praxis {

std::atomic<int64_t> scriptNodes{0};

// ---- errors ----

static void throwError(Environment* e, const char* kind, const std::string& message) {
  napi_value code, textValue, error;
  if (napi_create_string_utf8(e->env, kind, NAPI_AUTO_LENGTH, &code) != napi_ok || napi_create_string_utf8(e->env, message.data(), message.size(), &textValue) != napi_ok ||
      napi_create_error(e->env, code, textValue, &error) != napi_ok)
    return;
  napi_throw(e->env, error);
}

static void throwScript(Environment* e) {
  if (!e->thrown) return;  // the thread is being terminated: nothing to report to
  napi_value error = nullptr;
  if (napi_get_reference_value(e->env, e->thrown, &error) == napi_ok) napi_throw(e->env, error);
  napi_delete_reference(e->env, e->thrown);
  e->thrown = nullptr;
}

static std::string firstPart(const char* what) {
  // Engine messages end in a C++ backtrace nobody can use.
  std::string message = what;
  size_t cut = message.find("\nException raised from ");
  return cut == std::string::npos ? message : message.substr(0, cut);
}

// One place turns every C++ exception into a JavaScript one.
template <class Body>
static napi_value guarded(Environment* e, Body body) {
  try {
    return body();
  } catch (const ScriptError&) {
    throwScript(e);
  } catch (const ArgumentError& error) {
    throwError(e, "ArgumentError", error.what());
  } catch (const c10::OutOfMemoryError& error) {
    throwError(e, "OutOfMemoryError", error.what_without_backtrace());
  } catch (const c10::IndexError& error) {
    throwError(e, "IndexError", error.what_without_backtrace());
  } catch (const c10::ValueError& error) {
    throwError(e, "ValueError", error.what_without_backtrace());
  } catch (const c10::TypeError& error) {
    throwError(e, "TypeError", error.what_without_backtrace());
  } catch (const c10::NotImplementedError& error) {
    throwError(e, "NotImplementedError", error.what_without_backtrace());
  } catch (const c10::LinAlgError& error) {
    throwError(e, "LinAlgError", error.what_without_backtrace());
  } catch (const c10::Error& error) {
    throwError(e, "RuntimeError", error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throwError(e, "OutOfMemoryError", "the process is out of memory");
  } catch (const std::exception& error) {
    throwError(e, "RuntimeError", firstPart(error.what()));
  } catch (...) {
    throwError(e, "RuntimeError", "an unknown exception left the engine");
  }
  return nullptr;
}

using Entry = napi_value (*)(Environment*, napi_value*);
constexpr size_t kMostArguments = 6;  // of an entry point; call() takes more

template <Entry function, size_t expected>
static napi_value enter(napi_env env, napi_callback_info callback) {
  size_t count = kMostArguments;
  napi_value values[kMostArguments];
  void* data;
  if (napi_get_cb_info(env, callback, &count, values, nullptr, &data) != napi_ok) return nullptr;
  auto* e = static_cast<Environment*>(data);
  return guarded(e, [&]() -> napi_value {
    if (count < expected) throw ArgumentError("this bridge function takes " + std::to_string(expected) + " arguments, got " + std::to_string(count));
    e->drain();
    return function(e, values);
  });
}

// ---- operators ----

// call(id, shell, ...arguments): `shell` is an object that is to own a single tensor result, or null.
static napi_value call(napi_env env, napi_callback_info callback) {
  constexpr size_t most = 64;
  size_t count = most;
  napi_value values[most];
  void* data;
  if (napi_get_cb_info(env, callback, &count, values, nullptr, &data) != napi_ok) return nullptr;
  auto* e = static_cast<Environment*>(data);
  return guarded(e, [&]() -> napi_value {
    e->drain();
    int32_t id = -1;
    double number = -1;
    if (count < 2 || count > most || napi_get_value_double(env, values[0], &number) != napi_ok || !(number >= 0 && number < static_cast<double>(e->plans.size())))
      throw ArgumentError("call needs an operator id made by resolve");
    id = static_cast<int32_t>(number);
    napi_valuetype type;
    check(napi_typeof(env, values[1], &type), "look at a value");
    return callOperator(e, *e->plans[id], type == napi_object ? values[1] : nullptr, count - 2, values + 2);
  });
}

namespace entry {

static napi_value resolve(Environment* e, napi_value* a) {
  std::string name = text(e, a[0], "name"), overload = text(e, a[1], "overload");
  std::string key = name + "." + overload;
  auto known = e->planIds.find(key);
  if (known != e->planIds.end()) return fromInteger(e, known->second);
  auto op = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!op) return fromInteger(e, -1);
  std::string reason;
  auto plan = makePlan(*op, reason);
  if (!plan) throw ArgumentError("operator " + key + " cannot be called from JavaScript: " + reason);
  e->plans.push_back(std::move(plan));
  int32_t id = static_cast<int32_t>(e->plans.size() - 1);
  e->planIds.emplace(key, id);
  return fromInteger(e, id);
}

static const std::map<std::string, std::vector<std::string>>& overloads() {
  static const auto* table = [] {
    auto* made = new std::map<std::string, std::vector<std::string>>;
    for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) (*made)[name.name].push_back(name.overload_name);
    for (auto& entry : *made) std::sort(entry.second.begin(), entry.second.end());
    return made;
  }();
  return *table;
}

static napi_value operatorNames(Environment* e, napi_value*) {
  std::vector<std::string> names;
  for (const auto& entry : overloads())
    for (const auto& overload : entry.second)
      if (c10::Dispatcher::singleton().findSchema({entry.first, overload})) names.push_back(overload.empty() ? entry.first : entry.first + "." + overload);
  return fromItems(e, names, [&](const std::string& name) { return fromText(e, name); });
}

static napi_value schemas(Environment* e, napi_value* a) {
  std::vector<std::string> found;
  auto entry = overloads().find(text(e, a[0], "name"));
  if (entry != overloads().end())
    for (const auto& overload : entry->second)
      if (auto op = c10::Dispatcher::singleton().findSchema({entry->first, overload})) found.push_back(c10::toString(op->schema()));
  return fromItems(e, found, [&](const std::string& schema) { return fromText(e, schema); });
}

static napi_value takeWarnings(Environment* e, napi_value*) {
  std::vector<std::string> taken;
  taken.swap(e->warnings);
  return fromItems(e, taken, [&](const std::string& warning) { return fromText(e, warning); });
}

}  // namespace entry

// Engine warnings go to the JavaScript thread they arose on; there they become Node warnings.
struct Warnings : c10::WarningHandler {
  Environment* environment;
  explicit Warnings(Environment* e) : environment(e) {}
#if PRAXIS_TORCH >= 200
  void process(const c10::Warning& warning) override { keep(warning.msg()); }
#else
  void process(const c10::SourceLocation&, const std::string& message, bool) override { keep(message); }
#endif
  void keep(const std::string& message) {
    if (std::this_thread::get_id() == environment->thread && environment->warnings.size() < 100) environment->warnings.push_back(message);
  }
};

static void setWarningHandler(c10::WarningHandler* handler) {
#if PRAXIS_TORCH >= 200
  c10::WarningUtils::set_warning_handler(handler);
#else
  c10::Warning::set_warning_handler(handler);
#endif
}

// Operator calls nest only through hooks, a few levels deep: room for all of them is made once so that no stack moves.
Environment::Environment() { stacks.reserve(64); }
Environment::~Environment() = default;

static void closeEnvironment(napi_env, void* data, void*) {
  auto* e = static_cast<Environment*>(data);
  setWarningHandler(nullptr);
  e->inference.clear();
  {
    std::lock_guard<std::mutex> lock(e->references->mutex);
    e->references->closed = true;
  }
  e->release();
}

}  // namespace praxis

NAPI_MODULE_INIT() {
  using namespace praxis;
#ifdef __GLIBC__
  // Collected tensors are freed thousands at a time; glibc's fast bins then cost a third of every small operator.
  mallopt(M_MXFAST, 0);
#endif
  loaded();
  auto* e = new Environment;
  e->env = env;
  if (napi_set_instance_data(env, e, closeEnvironment, nullptr) != napi_ok) return nullptr;
  setWarningHandler(new Warnings(e));  // one per thread, as long as the thread
  struct Function {
    const char* name;
    napi_callback callback;
  };
#define PRAXIS_ENTRY(name, count) {#name, enter<entry::name, count>}
  const Function functions[] = {
      {"call", call},
      PRAXIS_ENTRY(info, 0), PRAXIS_ENTRY(operatorNames, 0), PRAXIS_ENTRY(schemas, 1), PRAXIS_ENTRY(resolve, 2), PRAXIS_ENTRY(takeWarnings, 0),
      PRAXIS_ENTRY(dispose, 1), PRAXIS_ENTRY(isDisposed, 1), PRAXIS_ENTRY(adopt, 2), PRAXIS_ENTRY(setScratch, 1), PRAXIS_ENTRY(scopeMark, 0), PRAXIS_ENTRY(scopeClose, 2), PRAXIS_ENTRY(liveTensors, 0), PRAXIS_ENTRY(memory, 0), PRAXIS_ENTRY(sameTensor, 2), PRAXIS_ENTRY(alias, 1),
      PRAXIS_ENTRY(shape, 1), PRAXIS_ENTRY(strides, 1), PRAXIS_ENTRY(dtype, 1), PRAXIS_ENTRY(device, 1), PRAXIS_ENTRY(numel, 1), PRAXIS_ENTRY(flags, 1),
      PRAXIS_ENTRY(layout, 1), PRAXIS_ENTRY(storageOffset, 1), PRAXIS_ENTRY(storage, 1), PRAXIS_ENTRY(version, 1), PRAXIS_ENTRY(item, 1), PRAXIS_ENTRY(read, 1),
      PRAXIS_ENTRY(map, 1), PRAXIS_ENTRY(fromBytes, 5), PRAXIS_ENTRY(getGrad, 1), PRAXIS_ENTRY(setGrad, 2), PRAXIS_ENTRY(gradFnName, 1), PRAXIS_ENTRY(backward, 5),
      PRAXIS_ENTRY(grad, 6), PRAXIS_ENTRY(addHook, 2), PRAXIS_ENTRY(removeHook, 2), PRAXIS_ENTRY(customNode, 5), PRAXIS_ENTRY(setPumpAlways, 1),
      PRAXIS_ENTRY(isGradEnabled, 0), PRAXIS_ENTRY(setGradEnabled, 1), PRAXIS_ENTRY(enterInference, 1), PRAXIS_ENTRY(leaveInference, 0), PRAXIS_ENTRY(isInference, 0),
      PRAXIS_ENTRY(getAutocast, 1), PRAXIS_ENTRY(setAutocast, 3), PRAXIS_ENTRY(clearAutocastCache, 0), PRAXIS_ENTRY(setAutocastCacheEnabled, 1), PRAXIS_ENTRY(manualSeed, 1),
      PRAXIS_ENTRY(makeGenerator, 1), PRAXIS_ENTRY(defaultGenerator, 1), PRAXIS_ENTRY(generatorSeed, 2), PRAXIS_ENTRY(generatorInitialSeed, 1), PRAXIS_ENTRY(generatorState, 1),
      PRAXIS_ENTRY(setGeneratorState, 2), PRAXIS_ENTRY(generatorDevice, 1), PRAXIS_ENTRY(numThreads, 0), PRAXIS_ENTRY(setNumThreads, 1), PRAXIS_ENTRY(numInteropThreads, 0),
      PRAXIS_ENTRY(setNumInteropThreads, 1), PRAXIS_ENTRY(getSwitch, 1), PRAXIS_ENTRY(setSwitch, 2), PRAXIS_ENTRY(deviceCount, 1), PRAXIS_ENTRY(currentDevice, 1),
      PRAXIS_ENTRY(setDevice, 2), PRAXIS_ENTRY(synchronize, 1), PRAXIS_ENTRY(emptyCache, 1), PRAXIS_ENTRY(deviceStats, 1), PRAXIS_ENTRY(resetPeakStats, 1), PRAXIS_ENTRY(streamNew, 2),
      PRAXIS_ENTRY(streamCurrent, 1), PRAXIS_ENTRY(streamSet, 1), PRAXIS_ENTRY(streamQuery, 1), PRAXIS_ENTRY(streamSynchronize, 1), PRAXIS_ENTRY(eventNew, 1),
      PRAXIS_ENTRY(eventRecord, 2), PRAXIS_ENTRY(eventWait, 2), PRAXIS_ENTRY(eventQuery, 1), PRAXIS_ENTRY(exportHandle, 1), PRAXIS_ENTRY(importHandle, 1),
  };
#undef PRAXIS_ENTRY
  for (const Function& function : functions) {
    napi_value value;
    if (napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, e, &value) != napi_ok || napi_set_named_property(env, exports, function.name, value) != napi_ok) return nullptr;
  }
  return exports;
}
