// The bridge from Node.js to libtorch: knows tensors and operators, nothing of learning. See native/README.md.
#include <c10/util/Exception.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#endif

#include <algorithm>

#include "devices.h"

namespace praxis {

std::atomic<int64_t> scriptNodes{0};

static napi_value throwError(Environment* e, const char* kind, std::string message) {
  message = message.substr(0, message.find("\nException raised from "));  // a C++ backtrace helps nobody
  napi_value error;
  if (napi_create_error(e->env, fromText(e, kind), fromText(e, message), &error) == napi_ok) napi_throw(e->env, error);
  return nullptr;
}

static napi_value throwScript(Environment* e) {
  napi_value error = nullptr;
  if (!e->thrown) return nullptr;  // the thread is being terminated: nobody to tell
  if (napi_get_reference_value(e->env, e->thrown, &error) == napi_ok) napi_throw(e->env, error);
  napi_delete_reference(e->env, e->thrown);
  e->thrown = nullptr;
  return nullptr;
}

// The one place that turns C++ exceptions into JavaScript's.
template <class Body>
static napi_value guarded(Environment* e, Body body) {
  try {
    e->drain();
    napi_value result = body();
    e->collectIfDue();  // not before: in optimised code nothing need hold the arguments but their numbers
    return result;
  } catch (const ScriptError&) {
    return throwScript(e);
  } catch (const ArgumentError& error) {
    return throwError(e, "ArgumentError", error.what());
  } catch (const c10::Error& error) {
    auto is = [&](auto* kind) { return dynamic_cast<decltype(kind)>(&error) != nullptr; };
    const char* kind = is((const c10::OutOfMemoryError*)nullptr) ? "OutOfMemoryError" : is((const c10::IndexError*)nullptr) ? "IndexError" : is((const c10::ValueError*)nullptr) ? "ValueError"
                       : is((const c10::TypeError*)nullptr) ? "TypeError" : is((const c10::NotImplementedError*)nullptr) ? "NotImplementedError" : is((const c10::LinAlgError*)nullptr) ? "LinAlgError" : "RuntimeError";
    return throwError(e, kind, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return throwError(e, "OutOfMemoryError", "the process is out of memory");
  } catch (const std::exception& error) {
    return throwError(e, "RuntimeError", error.what());
  } catch (...) {
    return throwError(e, "RuntimeError", "an unknown exception left the engine");
  }
}

// call(id, shell, ...arguments): `shell` is an object that is to own a single tensor result, or null.
static napi_value call(napi_env env, napi_callback_info callback) {
  constexpr size_t most = 64;
  size_t count = most;
  napi_value values[most];
  void* data;
  if (napi_get_cb_info(env, callback, &count, values, nullptr, &data) != napi_ok) return nullptr;
  auto* e = static_cast<Environment*>(data);
  return guarded(e, [&]() -> napi_value {
    double id = -1;
    if (count < 2 || count > most || napi_get_value_double(env, values[0], &id) != napi_ok || !(id >= 0 && id < static_cast<double>(e->plans.size()))) throw ArgumentError("call needs an operator id made by resolve");
    return callOperator(e, *e->plans[static_cast<size_t>(id)], values[1], count - 2, values + 2);
  });
}

static napi_value resolve(In in) {
  const std::string name = in.text(0, "name"), overload = in.text(1, "overload"), key = name + "." + overload;
  auto known = in.e->planIds.find(key);
  if (known != in.e->planIds.end()) return fromInteger(in.e, static_cast<int64_t>(known->second));
  auto op = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!op) return fromInteger(in.e, -1);
  in.e->plans.push_back(makePlan(*op));
  in.e->planIds.emplace(key, in.e->plans.size() - 1);
  return fromInteger(in.e, static_cast<int64_t>(in.e->plans.size() - 1));
}

// The schemas of an operator's overloads, or of all operators for an empty name.
static napi_value schemas(In in) {
  using Table = std::map<std::string, std::vector<c10::OperatorHandle>>;
  static const Table& table = *[] {
    auto* made = new Table;
    for (const auto& name : c10::Dispatcher::singleton().getAllOpNames())
      if (auto op = c10::Dispatcher::singleton().findSchema(name)) (*made)[name.name].push_back(*op);
    return made;
  }();
  std::vector<std::string> found;
  const std::string name = in.text(0, "name");
  for (auto entry = name.empty() ? table.begin() : table.find(name); entry != table.end(); entry = name.empty() ? std::next(entry) : table.end())
    for (const auto& op : entry->second) found.push_back(c10::toString(op.schema()));
  std::sort(found.begin(), found.end());
  return fromItems(in.e, found, [&](const std::string& schema) { return fromText(in.e, schema); });
}

// Engine warnings wait for the JavaScript thread they arose on to ask for them.
struct Warnings : c10::WarningHandler {
  Environment* environment;
  explicit Warnings(Environment* e) : environment(e) {}
  void keep(const std::string& message) {
    if (std::this_thread::get_id() == environment->thread && environment->warnings.size() < 100) environment->warnings.push_back(message);
  }
#if PRAXIS_TORCH >= 200
  void process(const c10::Warning& warning) override { keep(warning.msg()); }
  static void install(c10::WarningHandler* handler) { c10::WarningUtils::set_warning_handler(handler); }
#else
  void process(const c10::SourceLocation&, const std::string& message, bool) override { keep(message); }
  static void install(c10::WarningHandler* handler) { c10::Warning::set_warning_handler(handler); }
#endif
};

static napi_value takeWarnings(In in) {
  std::vector<std::string> taken;
  taken.swap(in.e->warnings);
  return fromItems(in.e, taken, [&](const std::string& warning) { return fromText(in.e, warning); });
}

// Gives the heap's unused memory back, then prepares as many bytes of addresses for it: what is freed from now on stays with the process, in huge
// pages, so that every step finds the memory of the one before (faulting it in anew took a sixth of a training step). The bytes prepared, 0 without glibc.
static napi_value prepareHeap(In in) {
  const int64_t bytes = in.integer(0, "bytes"), page = 2 << 20;
  void* heap = nullptr;
#ifdef __GLIBC__
  malloc_trim(0), mallopt(M_MMAP_MAX, 0), mallopt(M_TRIM_THRESHOLD, -1);
  heap = malloc(static_cast<size_t>(bytes));
  if (heap && bytes > 2 * page) madvise(reinterpret_cast<void*>((reinterpret_cast<intptr_t>(heap) + page - 1) & -page), static_cast<size_t>(bytes - 2 * page), MADV_HUGEPAGE);
  free(heap);
#endif
  return fromInteger(in.e, heap ? bytes : 0);
}

Environment::~Environment() = default;

static void closeEnvironment(napi_env, void* data, void*) {
  auto* e = static_cast<Environment*>(data);
  Warnings::install(nullptr);
  e->inference.clear();
  { std::lock_guard<std::mutex> lock(e->references->mutex); e->references->closed = true; }
  e->release();
}

// An entry point: its name, how many arguments it takes, what it does.
struct Entry { const char* name; size_t arguments; napi_value (*run)(In); };
struct BoundEntry { Environment* environment; const Entry* entry; };

static napi_value enter(napi_env env, napi_callback_info callback) {
  size_t count = 6;
  napi_value values[6];
  void* data;
  if (napi_get_cb_info(env, callback, &count, values, nullptr, &data) != napi_ok) return nullptr;
  auto* bound = static_cast<BoundEntry*>(data);
  return guarded(bound->environment, [&]() -> napi_value {
    if (count < bound->entry->arguments) throw ArgumentError(std::string(bound->entry->name) + " takes " + std::to_string(bound->entry->arguments) + " arguments, got " + std::to_string(count));
    return bound->entry->run(In{bound->environment, values});
  });
}

#define PRAXIS_DO(statement) [](In in) -> napi_value { statement; return nullptr; }
#define PRAXIS_GET(value) [](In in) -> napi_value { return value; }
static const Entry entries[] = {
    {"info", 0, info}, {"schemas", 1, schemas}, {"resolve", 2, resolve}, {"takeWarnings", 0, takeWarnings},
    // handles
    {"dispose", 1, dispose}, {"adopt", 2, adopt}, {"setScratch", 1, setScratch}, {"setCollector", 1, PRAXIS_DO(check(napi_create_reference(in.e->env, in.function(0), 1, &in.e->collector), "keep the collector"))}, {"liveTensors", 1, liveTensors}, {"scopeClose", 2, scopeClose},
    {"isDisposed", 1, [](In in) { TensorBox* box = in.box(0); return fromBool(in.e, !box || box->disposed); }},
    {"scopeMark", 0, PRAXIS_GET(fromInteger(in.e, in.e->births))},
    {"sameTensor", 2, PRAXIS_GET(fromBool(in.e, in.tensor(0).is_same(in.tensor(1))))},
    {"alias", 1, PRAXIS_GET(wrapTensor(in.e, in.tensor(0)))},
    // tensors
    {"shape", 1, PRAXIS_GET(fromSizes(in.e, in.tensor(0).sizes()))}, {"strides", 1, PRAXIS_GET(fromSizes(in.e, in.tensor(0).strides()))},
    {"dtype", 1, PRAXIS_GET(fromInteger(in.e, static_cast<int64_t>(in.tensor(0).scalar_type())))},
    {"device", 1, PRAXIS_GET(fromText(in.e, in.tensor(0).device().str()))},
    {"numel", 1, PRAXIS_GET(fromInteger(in.e, in.tensor(0).numel()))},
    {"version", 1, PRAXIS_GET(fromInteger(in.e, in.tensor(0).is_inference() ? 0 : static_cast<int64_t>(in.tensor(0)._version())))},
    {"storageOffset", 1, PRAXIS_GET(fromInteger(in.e, in.tensor(0).storage_offset()))},
    {"layout", 1, [](In in) { std::ostringstream text; text << in.tensor(0).layout(); return fromText(in.e, text.str()); }},
    {"item", 1, PRAXIS_GET(fromEngine(in.e, c10::IValue(in.tensor(0).item())))},
    {"flags", 1, flags}, {"storage", 1, storage}, {"fromBytes", 2, fromBytes}, {"exportHandle", 1, exportHandle}, {"importHandle", 1, importHandle},
    {"read", 2, read}, {"map", 1, map},
    // autograd
    {"backward", 5, backward}, {"grad", 6, grad}, {"setGrad", 2, setGrad}, {"gradients", 1, gradients}, {"addHook", 2, addHook}, {"customNode", 5, customNode},
    {"getGrad", 1, PRAXIS_GET(wrapTensor(in.e, in.tensor(0).grad()))},
    {"gradFnName", 1, [](In in) { const auto& node = in.tensor(0).grad_fn(); return node ? fromText(in.e, node->name()) : wrapTensor(in.e, at::Tensor()); }},
    {"removeHook", 2, PRAXIS_DO(in.tensor(0).remove_hook(static_cast<unsigned>(in.integer(1, "id"))))},
    {"setPumpAlways", 1, PRAXIS_DO(in.e->pumpAlways = in.flag(0, "on"))},
    // modes
    {"isGradEnabled", 0, PRAXIS_GET(fromBool(in.e, at::GradMode::is_enabled()))},
    {"setGradEnabled", 1, [](In in) { const bool before = at::GradMode::is_enabled(); at::GradMode::set_enabled(in.flag(0, "enabled")); return fromBool(in.e, before); }},
    {"enterInference", 1, PRAXIS_DO(in.e->inference.push_back(std::make_unique<c10::InferenceMode>(in.flag(0, "enabled"))))},
    {"leaveInference", 0, PRAXIS_DO(if (in.e->inference.empty()) throw ArgumentError("inference mode was not entered"); in.e->inference.pop_back())},
    {"isInference", 0, PRAXIS_GET(fromBool(in.e, c10::InferenceMode::is_enabled()))},
    {"getAutocast", 1, [](In in) { auto state = autocastState(typeOf(in, 0)); return fromFields(in.e, {{"enabled", fromBool(in.e, state.first)}, {"dtype", fromInteger(in.e, static_cast<int64_t>(state.second))}}); }},
    {"setAutocast", 3, setAutocast}, {"clearAutocastCache", 0, PRAXIS_DO(at::autocast::clear_cache())},
    {"setAutocastCacheEnabled", 1, [](In in) { const bool before = at::autocast::is_autocast_cache_enabled(); at::autocast::set_autocast_cache_enabled(in.flag(0, "on")); return fromBool(in.e, before); }},
    // random numbers, threads, switches
    {"manualSeed", 1, PRAXIS_DO(at::manual_seed(seedOf(in, 0)))}, {"makeGenerator", 1, makeGenerator},
    {"defaultGenerator", 1, PRAXIS_GET(wrapValue<at::Generator>(in.e, Magic::generator, at::globalContext().defaultGenerator(deviceOf(in, 0))))},
    {"generatorSeed", 2, generatorState<0>}, {"generatorInitialSeed", 1, generatorState<1>}, {"generatorState", 1, generatorState<2>}, {"setGeneratorState", 2, generatorState<3>},
    {"generatorDevice", 1, PRAXIS_GET(fromText(in.e, generatorOf(in).device().str()))},
    {"numThreads", 0, PRAXIS_GET(fromInteger(in.e, at::get_num_threads()))}, {"setNumThreads", 1, PRAXIS_DO(at::set_num_threads(threadCount(in)))},
    {"numInteropThreads", 0, PRAXIS_GET(fromInteger(in.e, at::get_num_interop_threads()))}, {"setNumInteropThreads", 1, PRAXIS_DO(at::set_num_interop_threads(threadCount(in)))},
    {"prepareHeap", 1, prepareHeap}, {"getSwitch", 1, PRAXIS_GET(engineSwitch(in, false))}, {"setSwitch", 2, PRAXIS_GET(engineSwitch(in, true))},
    // accelerators
    {"deviceCount", 1, [](In in) { auto type = typeOf(in, 0); return fromInteger(in.e, type == c10::kCPU ? 1 : usable(type) ? guardOf(type).deviceCount() : 0); }},
    {"currentDevice", 1, [](In in) { auto type = typeOf(in, 0); return fromInteger(in.e, type == c10::kCPU ? 0 : guardOf(type).getDevice().index()); }},
    {"setDevice", 2, setDevice}, {"synchronize", 1, synchronize}, {"deviceStats", 1, allocator<0>}, {"resetPeakStats", 1, allocator<1>}, {"emptyCache", 1, allocator<2>},
    {"streamNew", 2, [](In in) { auto device = deviceOf(in, 0); return fromStream(in, guardOf(device.type()).getStreamFromGlobalPool(device, in.flag(1, "highPriority"))); }},
    {"streamCurrent", 1, [](In in) { auto device = deviceOf(in, 0); return fromStream(in, guardOf(device.type()).getStream(device)); }},
    {"streamSet", 1, PRAXIS_GET(fromStream(in, guardOf(streamOf(in, 0).device_type()).exchangeStream(streamOf(in, 0))))},
    {"streamQuery", 1, PRAXIS_GET(fromBool(in.e, streamOf(in, 0).query()))}, {"streamSynchronize", 1, PRAXIS_DO(streamOf(in, 0).synchronize())},
    {"eventNew", 1, [](In in) { auto type = typeOf(in, 0); guardOf(type); return wrapValue(in.e, Magic::event, std::make_shared<c10::Event>(type)); }},
    {"eventRecord", 2, PRAXIS_DO(eventOf(in).record(streamOf(in, 1)))}, {"eventWait", 2, PRAXIS_DO(eventOf(in).block(streamOf(in, 1)))},
    {"eventQuery", 1, PRAXIS_GET(fromBool(in.e, eventOf(in).query()))},
};

}  // namespace praxis

NAPI_MODULE_INIT() {
  using namespace praxis;
#ifdef __GLIBC__
  // Collected tensors are freed thousands at a time. glibc's fast bins then cost a third of every small operator, and giving pages back to the
  // system only to fault them in again costs more; these are the limits glibc itself settles at once a program has freed something large.
  mallopt(M_MXFAST, 0), mallopt(M_MMAP_THRESHOLD, 32 << 20), mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
  loaded();
  auto* e = new Environment;
  e->env = env;
  if (napi_set_instance_data(env, e, closeEnvironment, nullptr) != napi_ok) return nullptr;
  Warnings::install(new Warnings(e));  // one per thread, as long as the thread
  napi_value value;
  if (napi_create_function(env, "call", NAPI_AUTO_LENGTH, call, e, &value) != napi_ok || napi_set_named_property(env, exports, "call", value) != napi_ok) return nullptr;
  for (const Entry& entry : entries)
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, enter, new BoundEntry{e, &entry}, &value) != napi_ok || napi_set_named_property(env, exports, entry.name, value) != napi_ok) return nullptr;
  return exports;
}
